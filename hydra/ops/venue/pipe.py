"""What the embedded venue's process and the engine that holds it say to each other, a line each.

The venue says where it serves, then each change of its clock, and that its market is over. The
engine says once that it is ready: until then market time stands still. Machine time is the same
clock in both processes, which are of one machine and one start of it, so that the engine knows
market time exactly and asks nobody.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

GO = "go"
"""The engine's word: market time may run."""


class Ready(msgspec.Struct, frozen=True):
    """It serves at this address."""

    url: str

    def __str__(self) -> str:
        return f"ready {self.url}"


class ClockTold(msgspec.Struct, frozen=True):
    """From machine time `machine` (ns) on market time is `market` (UTC ns), and runs at `speed`."""

    market: int
    machine: int
    speed: float

    def __str__(self) -> str:
        return f"clock {self.market} {self.machine} {self.speed!r}"


class MarketOver(msgspec.Struct, frozen=True):
    """Since market time `at` (UTC ns) nothing more happens."""

    at: int

    def __str__(self) -> str:
        return f"over {self.at}"


VenueTold: TypeAlias = Ready | ClockTold | MarketOver


def told_in(line: str) -> VenueTold | None:
    """What a line says; None: it is for people."""
    if (ready := _READY.fullmatch(line)) is not None:
        return Ready(ready["url"])
    if (clock := _CLOCK.fullmatch(line)) is not None:
        return ClockTold(int(clock["market"]), int(clock["machine"]), float(clock["speed"]))
    if (over := _OVER.fullmatch(line)) is not None:
        return MarketOver(int(over["at"]))
    return None


_READY = re.compile(r"ready (?P<url>http://127\.0\.0\.1:[0-9]{1,5})")
_CLOCK = re.compile(
    r"clock (?P<market>[0-9]{1,20}) (?P<machine>[0-9]{1,20})"
    r" (?P<speed>[0-9]{1,9}(\.[0-9]{1,20})?(e-[0-9]{1,2})?)"
)
_OVER = re.compile(r"over (?P<at>[0-9]{1,20})")
