"""The venue's clock: market time runs at a speed, or stands still until it is moved."""

from __future__ import annotations

import math
from collections.abc import Callable


class BadClockOrder(ValueError):
    """The clock cannot be moved or run like that. One line: what was asked, what is possible."""


class VenueClock:
    """Market time (UTC ns), `speed` times as fast as the machine's; at speed 0 it is virtual.

    It never goes back: what has happened to orders cannot be undone. `machine_time` gives
    nanoseconds of a clock that cannot be set.
    """

    def __init__(self, start_at: int, speed: float, machine_time: Callable[[], int]) -> None:
        self._machine_time = machine_time
        self._market = start_at
        self._machine = machine_time()
        self._speed = _checked(speed)
        self._changed: Callable[[int, int, float], None] = _tell_nobody

    @property
    def speed(self) -> float:
        """How many times as fast as the machine's it runs; 0: it moves only when told."""
        return self._speed

    def on_change(self, listener: Callable[[int, int, float], None]) -> None:
        """Tell this listener how the clock runs: now, and each time it is moved or run anew.

        It is told a moment of market time, the same moment of machine time, and the speed.
        """
        self._changed = listener
        self._tell()

    def now(self) -> int:
        """Market time (UTC ns)."""
        if not self._speed:
            return self._market
        return self._market + int((self._machine_time() - self._machine) * self._speed)

    def move_to(self, at: int) -> None:
        """Jump forward to market time `at` and go on from there."""
        assert at >= self.now(), "market time never goes back"
        self._market, self._machine = at, self._machine_time()
        self._tell()

    def run_at(self, speed: float) -> None:
        """From now on this is its speed. Raises `BadClockOrder`."""
        self._market, self._machine, self._speed = (
            self.now(),
            self._machine_time(),
            _checked(speed),
        )
        self._tell()

    def seconds_until(self, at: int) -> float | None:
        """Machine seconds until market time `at`, 0 if it has passed; None: it stands still."""
        left = at - self.now()
        if left <= 0:
            return 0.0
        return left / self._speed / 1e9 if self._speed else None

    def _tell(self) -> None:
        self._changed(self._market, self._machine, self._speed)


def _tell_nobody(market: int, machine: int, speed: float) -> None:
    """For a clock that nobody follows."""


def _checked(speed: float) -> float:
    if not (math.isfinite(speed) and 0 <= speed <= MAX_SPEED):
        raise BadClockOrder(
            f"speed is {speed}; wanted 0 (stand still) or up to {MAX_SPEED:g} times real time"
        )
    return float(speed)


MAX_SPEED = 1e6
