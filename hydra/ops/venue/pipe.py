"""What the embedded venue's process and the engine that holds it say to each other, a line each.

The venue says where it serves, then each change of its clock, and that its market is over. The
engine says once that it is ready: until then market time stands still. Where the two are in step,
the venue says at each moment of the market how much it has told, and the engine says when it is
through with that: until then market time stands still, too. Machine time is the same
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
    """From machine time `machine` (ns) on market time is `market` (UTC ns), and runs at `speed`, as
    far as `until`; None: it runs on.
    """

    market: int
    machine: int
    speed: float
    until: int | None = None

    def __str__(self) -> str:
        end = "" if self.until is None else f" {self.until}"
        return f"clock {self.market} {self.machine} {self.speed!r}{end}"


class Step(msgspec.Struct, frozen=True):
    """So many frames went out on the streams until now; market time waits for the engine."""

    number: int
    frames: int

    def __str__(self) -> str:
        return f"step {self.number} {self.frames}"


class Through(msgspec.Struct, frozen=True):
    """The engine's word: it has heard what went out until the step of this number, and has nothing
    left to do.
    """

    number: int

    def __str__(self) -> str:
        return f"through {self.number}"


class MarketOver(msgspec.Struct, frozen=True):
    """Since market time `at` (UTC ns) nothing more happens."""

    at: int

    def __str__(self) -> str:
        return f"over {self.at}"


VenueTold: TypeAlias = Ready | ClockTold | Step | MarketOver


def told_in(line: str) -> VenueTold | None:
    """What a line says; None: it is for people."""
    if (ready := _READY.fullmatch(line)) is not None:
        return Ready(ready["url"])
    if (clock := _CLOCK.fullmatch(line)) is not None:
        until = None if clock["until"] is None else int(clock["until"])
        return ClockTold(int(clock["market"]), int(clock["machine"]), float(clock["speed"]), until)
    if (step := _STEP.fullmatch(line)) is not None:
        return Step(int(step["number"]), int(step["frames"]))
    if (over := _OVER.fullmatch(line)) is not None:
        return MarketOver(int(over["at"]))
    return None


def through_in(line: str) -> Through | None:
    """What the engine's line says; None: it is not this word."""
    through = _THROUGH.fullmatch(line)
    return None if through is None else Through(int(through["number"]))


_READY = re.compile(r"ready (?P<url>http://127\.0\.0\.1:[0-9]{1,5})")
_CLOCK = re.compile(
    r"clock (?P<market>[0-9]{1,20}) (?P<machine>[0-9]{1,20})"
    r" (?P<speed>[0-9]{1,9}(\.[0-9]{1,20})?(e-[0-9]{1,2})?)( (?P<until>[0-9]{1,20}))?"
)
_STEP = re.compile(r"step (?P<number>[0-9]{1,20}) (?P<frames>[0-9]{1,20})")
_THROUGH = re.compile(r"through (?P<number>[0-9]{1,20})")
_OVER = re.compile(r"over (?P<at>[0-9]{1,20})")
