"""Messages that reached nobody: kept, counted, published. Never an error in the sender."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import msgspec

from hydra.runtime.envelope import DeadLetterReason, Envelope

KEPT = 1_000


class Dead(msgspec.Struct, frozen=True):
    """One dead letter."""

    reason: DeadLetterReason
    path: str
    envelope: Envelope
    at: int
    error: str | None = None


class DeadLetters:
    """A ring of the newest, and counts by (path, reason) of all."""

    def __init__(self, listener: Callable[[Dead], None]) -> None:
        self.ring: deque[Dead] = deque(maxlen=KEPT)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._listener = listener

    def add(self, dead: Dead) -> None:
        """Any thread may. Counting is not exact under contention; the ring is."""
        self.ring.append(dead)
        self.counts[dead.path, dead.reason.value] += 1
        self._listener(dead)

    @property
    def total(self) -> int:
        """How many there have been."""
        return sum(self.counts.values())
