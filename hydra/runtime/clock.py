"""The two clocks of a live engine. In virtual time both are the simulation's own."""

import sys
import time
from collections.abc import Callable
from typing import Protocol


def _boot_time_source() -> Callable[[], int]:
    """A clock that cannot be set and keeps counting while the machine is suspended."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else ""):
        clock = getattr(time, name, None) if name else None
        if clock is not None:
            return lambda: time.clock_gettime_ns(clock)
    return time.monotonic_ns


machine_time: Callable[[], int] = _boot_time_source()
"""Nanoseconds of machine time: for leases, deadlines, detection. Says nothing about the date."""


class MarketClock(Protocol):
    """The venue's time as a function of machine time, both in nanoseconds."""

    def at(self, machine_ns: int) -> int:
        """Market time (UTC ns) at that moment of machine time."""


class WallClock:
    """Market time is the machine's UTC time: paper and live."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - machine_time()

    def at(self, machine_ns: int) -> int:
        """See `MarketClock.at`."""
        return machine_ns + self._offset


class FollowedClock:
    """Market time as the venue last told it: it runs as fast as there, or stands still."""

    def __init__(self, start_at: int) -> None:
        # (market, machine, speed, until) of one moment; one tuple, so that no reader ever sees half
        # of it.
        self._line: tuple[int, int, float, int | None] = (start_at, 0, 0.0, None)

    def at(self, machine_ns: int) -> int:
        """See `MarketClock.at`."""
        market, machine, speed, until = self._line
        at = market + int((machine_ns - machine) * speed)
        return at if until is None else min(at, until)

    def follow(self, market: int, machine: int, speed: float, until: int | None = None) -> None:
        """From machine time `machine` on it is `market`, and runs at `speed`; it stands still once
        it is `until`.

        It is never set back, as actors would be shown a past that they have acted on.
        """
        market = max(market, self.at(machine))
        self._line = (market, machine, speed, None if until is None else max(until, market))
