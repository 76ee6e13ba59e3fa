"""What can be done to the venue's clock by hand."""

from __future__ import annotations

from datetime import UTC
from typing import TypeAlias

import msgspec

from hydra.trading.durations import SECOND
from hydra.venues.simulated.server.clock import BadClockOrder
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.timestamps import (
    NotATime,
    instant_of,
)


class Set(msgspec.Struct, frozen=True, kw_only=True, tag="set", forbid_unknown_fields=True):
    """Go forward to this time (RFC 3339); everything until then happens before it is answered."""

    time: str


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step", forbid_unknown_fields=True):
    """Go forward by so many seconds of market time."""

    seconds: float


class RunAt(msgspec.Struct, frozen=True, kw_only=True, tag="speed", forbid_unknown_fields=True):
    """Run so many times as fast as the machine's clock; 0: stand still."""

    speed: float


class Skew(msgspec.Struct, frozen=True, kw_only=True, tag="skew", forbid_unknown_fields=True):
    """Tell on `/v2/clock` a time that is so many seconds ahead (below 0: behind)."""

    seconds: float


ClockOrder: TypeAlias = Set | Step | RunAt | Skew


async def do_clock_order(order: ClockOrder, venue: LocalVenue) -> None:
    """It is done when this is over. Raises `BadClockOrder`."""
    match order:
        case Set():
            try:
                at = instant_of(order.time, UTC)
            except NotATime as error:
                raise BadClockOrder(
                    f"time is {order.time!r}, wanted RFC 3339 such as 2026-01-05T14:30:00Z"
                ) from error
            await venue.move_to(at)
        case Step():
            await venue.move_to(venue.now() + int(order.seconds * SECOND))
        case RunAt():
            venue.run_at(order.speed)
        case Skew():
            venue.skew_clock(int(order.seconds * SECOND))
