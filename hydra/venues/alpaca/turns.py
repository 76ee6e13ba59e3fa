"""A thread's own word that it goes on, for whoever watches it from outside."""

from time import monotonic


class Turns:
    """Said at each round. A thread that is dead or stuck says nothing, and so grows idle."""

    def __init__(self) -> None:
        self._due_at = monotonic()

    def round(self, within_s: float = 0.0) -> None:
        """Here it is, and will be again within so much time that it may take for something."""
        self._due_at = monotonic() + within_s

    @property
    def idle_s(self) -> float:
        """For how long it has been overdue."""
        return max(0.0, monotonic() - self._due_at)
