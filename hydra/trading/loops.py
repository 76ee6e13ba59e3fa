"""The loop (A8): each entry needs the pass of a preflight that has just been.

How long ago the newest verdict was is counted in loops, not in seconds: a tick of a timer that is
as long as a loop counts one, a verdict begins anew. In virtual time such timers leave out the ticks
between two events of the market, in which nothing can happen, and so they do with the loops: so the
same rule holds in every time, and with it an engine whose loops have stopped enters nothing.
"""

from hydra.trading.situation import LoopView, Situation

LOOPS_MISSED_MAX = 1
"""A verdict comes somewhat later than its loop begins, so one tick may come before the next one."""


class LoopWatch:
    """What is known of the loops. Nothing at first, which allows nothing."""

    def __init__(self) -> None:
        self._view = LoopView(number=0, passed=False, missed=0)

    def heard(self, number: int, *, passed: bool) -> None:
        """This loop has its verdict."""
        self._view = LoopView(number=number, passed=passed, missed=0)

    def missed_one(self) -> None:
        """As long as a loop lasts there was no verdict."""
        view = self._view
        self._view = LoopView(number=view.number, passed=view.passed, missed=view.missed + 1)

    @property
    def view(self) -> LoopView:
        """As the checks see it."""
        return self._view


def loop_has_passed(s: Situation) -> str | None:
    """An entry needs the pass of the newest loop, and that loops go on."""
    if s.proposal.reduces:
        return None
    loop = s.loop
    if loop.number > 0 and loop.passed is True and 0 <= loop.missed <= LOOPS_MISSED_MAX:
        return None
    if not loop.number > 0:
        return "no loop has been run yet"
    if loop.passed is not True:
        return f"preflight did not pass in loop {loop.number}"
    return (
        f"no preflight for {loop.missed} loops since loop {loop.number}, "
        f"at most {LOOPS_MISSED_MAX} allowed"
    )
