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


class ScaledClock:
    """Market time that runs `speed` times as fast as the machine's. Stands still until `run`.

    It can be set forward (over a night, say) by the one adapter that plays the market.
    """

    def __init__(self, start_at: int, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be over 0, found {speed}")
        # (market, machine, speed) of one moment; one tuple, so that no reader ever sees half of it.
        self._line = (start_at, 0, 0.0)
        self._speed = speed

    def at(self, machine_ns: int) -> int:
        """See `MarketClock.at`."""
        market, machine, speed = self._line
        return market + int((machine_ns - machine) * speed)

    def run(self, machine_now: int) -> None:
        """From now on time passes."""
        self._line = (self.at(machine_now), machine_now, self._speed)

    def skip_to(self, market_ns: int, machine_now: int) -> None:
        """Jump forward. Going back would show actors a past they have acted on: refused."""
        if market_ns < self.at(machine_now):
            raise ValueError(f"market time cannot go back to {market_ns}")
        self._line = (market_ns, machine_now, self._speed)

    def machine_wait(self, market_ns: int, machine_now: int) -> int:
        """Nanoseconds of machine time until `market_ns`; 0 if it has passed."""
        return max(0, int((market_ns - self.at(machine_now)) / self._speed))
