"""`--once` and `--loops N`: a run that ends by itself after so many loops."""

from __future__ import annotations

from hydra.runtime.runtime import Runtime
from messages.loops import LoopsReported, ReportLoops
from supervisors import paths

ANSWER_WITHIN_S = 0.5


class LoopLimit:
    """Counts the loops that begin after `begin`; a loop counts once it has its verdict.

    A loop is machine time on every venue, and virtual time where all time is. `wanted` None: there
    is no limit.
    """

    def __init__(self, runtime: Runtime, wanted: int | None) -> None:
        self._runtime = runtime
        self._wanted = wanted
        self._last: int | None = None
        """The number of the loop that is the last one."""
        self.failed = ""
        """How the last loop failed; "": it has not ended, or it passed."""

    def begin(self) -> None:
        """Loops that begin from now on count."""
        if self._wanted is None:
            return
        loops = self._loops()
        # Without an answer nothing counts yet: `is_reached` begins then.
        self._last = None if loops is None else loops.begun + self._wanted

    def is_reached(self) -> bool:
        """Whether the last loop has ended."""
        if self._wanted is None:
            return False
        if self._last is None:
            self.begin()
            return False
        loops = self._loops()
        if loops is None or loops.finished < self._last:
            return False
        if not loops.passed:
            self.failed = f"preflight did not pass in loop {loops.finished}"
        return True

    def _loops(self) -> LoopsReported | None:
        monitor, question = paths.HEALTH_MONITOR, ReportLoops()
        answer = self._runtime.answer_to(monitor, question, within=ANSWER_WITHIN_S)
        return answer if isinstance(answer, LoopsReported) else None
