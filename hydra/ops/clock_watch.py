"""The watch over the clocks: two looks a second, at all of them at once (I48).

A wall clock that was set, a date that cannot be, and a time in which nobody looked (the process was
stopped, the machine suspended) each halt. It needs the gate and nothing else.
"""

import time
from collections.abc import Callable
from operator import itemgetter

from hydra.actor import MILLISECOND, SECOND
from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.clock import machine_time
from hydra.runtime.lease import LEASE
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import CLOCK_FAULT
from hydra.trading.clock_faults import ClockReading, Skew, clock_fault, date_fault, followed
from hydra.trading.trading_state import Cause

SKEW = Skew(back=500 * MILLISECOND, forward=2 * SECOND, silence=LEASE)
"""A stop that outlasts the lease always shows as a silence that does."""

PERIOD_S = 0.5
"""Leaves a machine that is only busy 1.5 s before its silence counts."""

TRIES = 5
ENOUGH = MILLISECOND
"""A reading that took no longer is taken as it is; of `TRIES` longer ones the shortest."""

Clock = Callable[[], int]


def read_clocks(
    wall: Clock = time.time_ns, machine: Clock = machine_time, awake: Clock = time.monotonic_ns
) -> ClockReading:
    """All clocks, as good as at one moment.

    Between two of them this thread can lose the processor for as long as others want it, which
    would look as if one had been set.
    """

    def read() -> tuple[int, ClockReading]:
        begun = machine()
        wall_now, awake_now = wall(), awake()
        took = machine() - begun
        return took, ClockReading(wall=wall_now, machine=begun + took // 2, awake=awake_now)

    readings = [read()]
    while readings[-1][0] > ENOUGH and len(readings) < TRIES:
        readings.append(read())
    return min(readings, key=itemgetter(0))[1]


class ClockWatch(RepeatedLook):
    """Halts for whatever happens to the clocks from its first look on.

    Each jump and each silence is told, also while the one before still stands: a resume that was
    decided before it must not pass after it. A date that cannot be is told again only when somebody
    has cleared it and it is still there (I05).
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        skew: Skew = SKEW,
        period_s: float = PERIOD_S,
        read: Callable[[], ClockReading] = read_clocks,
    ) -> None:
        super().__init__(runtime, name="clock-watch", period_s=period_s)
        self._skew = skew
        self._read = read
        self._before: ClockReading | None = None

    def look_once(self) -> None:
        """Read the clocks, hold them against the last look, and halt for what is wrong."""
        now = self._read()
        before, self._before = self._before, now
        fault = None if before is None else clock_fault(before, now, self._skew)
        if fault is not None:
            self._halt(self._cause(fault))
            # From here on what the clocks show now is what counts.
        elif before is not None:
            self._before = followed(before, now, self._skew)
        date = date_fault(now)
        if date is not None:
            cause = self._cause(date)
            if not self._stands(cause):
                self._halt(cause)

    def _cannot_go_on(self, reason: str) -> Cause:
        return self._cause(f"the watch over the clocks died: {reason}")

    def _cause(self, detail: str) -> Cause:
        since = self._runtime.market_time_at(self._runtime.now())
        return CLOCK_FAULT.cause(since=since, detail=detail)
