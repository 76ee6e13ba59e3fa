"""The watch over the clocks: two looks a second, at all of them at once (I48).

A wall clock that was set, a date that cannot be, and a time in which nobody looked (the process was
stopped, the machine suspended) each halt. It needs the gate and nothing else.
"""

import threading
import time
from collections.abc import Callable
from operator import itemgetter

from hydra.actor import MILLISECOND, SECOND
from hydra.runtime.clock import machine_time
from hydra.runtime.lease import LEASE
from hydra.runtime.runtime import Event, Runtime
from hydra.trading.causes import CLOCK_FAULT
from hydra.trading.clock_faults import ClockReading, Skew, clock_fault, date_fault, followed

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


class ClockWatch:
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
        self._runtime = runtime
        self._skew = skew
        self._period_s = period_s
        self._read = read
        self._before: ClockReading | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.keep_looking, name="clock-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, until `stop`."""
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Look no more. False if that took longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def look_once(self) -> None:
        """Read the clocks, hold them against the last look, and halt for what is wrong."""
        now = self._read()
        before, self._before = self._before, now
        fault = None if before is None else clock_fault(before, now, self._skew)
        if fault is not None:
            self._halt(fault)  # and from here on what the clocks show now is what counts
        elif before is not None:
            self._before = followed(before, now, self._skew)
        date = date_fault(now)
        if date is not None and not self._stands():
            self._halt(date)

    def keep_looking(self) -> None:
        """What the thread does. That it cannot go on halts: nobody would see the next jump."""
        try:
            while True:
                self.look_once()
                if self._stopping.wait(self._period_s):
                    return
        except BaseException as error:
            self._trip(f"the watch over the clocks died: {type(error).__name__}: {error}")
            raise

    def _halt(self, detail: str) -> None:
        self._trip(detail)
        # This only tells of it.
        self._runtime.history.append(Event(self._runtime.now(), "", 0, "halted", detail))

    def _trip(self, detail: str) -> None:
        runtime = self._runtime
        since = runtime.market_time_at(runtime.now())
        runtime.gate.trip(CLOCK_FAULT.cause(since=since, detail=detail))

    def _stands(self) -> bool:
        return any(cause.code == CLOCK_FAULT.code for cause in self._runtime.gate.standing())
