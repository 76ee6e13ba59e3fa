"""The venue's clock: market time runs at a speed, or stands still until it is moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

ClockListener: TypeAlias = Callable[[int, int, float, int | None], None]
"""See `VenueClock.on_change`."""


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
        self._until: int | None = None
        self._changed: ClockListener = _tell_nobody

    @property
    def speed(self) -> float:
        """How many times as fast as the machine's it runs; 0: it moves only when told."""
        return self._speed

    def on_change(self, listener: ClockListener) -> None:
        """Tell this listener how the clock runs: now, and each time it is moved or run anew.

        It is told a moment of market time, the same moment of machine time, the speed, and the
        market time at which it will stand still (None: it runs on).
        """
        self._changed = listener
        self._tell()

    def now(self) -> int:
        """Market time (UTC ns)."""
        if not self._speed:
            return self._market
        at = self._market + int((self._machine_time() - self._machine) * self._speed)
        return at if self._until is None else min(at, self._until)

    def move_to(self, at: int) -> None:
        """Jump forward to market time `at` and go on from there."""
        assert at >= self.now(), "market time never goes back"
        self._market, self._machine = at, self._machine_time()
        if self._until is not None:
            self._until = max(self._until, at)
        self._tell()

    def stand_at(self, at: int | None) -> None:
        """Run from here on to market time `at`, not before now, and stand still there until it is
        given another; None: it runs on.
        """
        self._market, self._machine, self._until = self.now(), self._machine_time(), at
        self._tell()

    def run_at(self, speed: float) -> None:
        """From now on this is its speed. Raises `BadClockOrder`."""
        self._market, self._machine, self._speed = (
            self.now(),
            self._machine_time(),
            _checked(speed),
        )
        self._tell()

    @property
    def stands(self) -> bool:
        """Whether it has come to where it was to stand still."""
        return self._until is not None and self.now() >= self._until

    def seconds_until(self, at: int) -> float | None:
        """Machine seconds until market time `at`, 0 if it has passed; None: it stands still
        before.
        """
        left = at - self.now()
        if left <= 0:
            return 0.0
        if self._until is not None and at > self._until:
            return None
        return left / self._speed / 1e9 if self._speed else None

    def _tell(self) -> None:
        self._changed(self._market, self._machine, self._speed, self._until)


def _tell_nobody(market: int, machine: int, speed: float, until: int | None) -> None:
    """For a clock that nobody follows."""


def _checked(speed: float) -> float:
    if not (math.isfinite(speed) and 0 <= speed <= MAX_SPEED):
        raise BadClockOrder(
            f"speed is {speed}; wanted 0 (stand still) or up to {MAX_SPEED:g} times real time"
        )
    return float(speed)


MAX_SPEED = 1e6
