"""In which phase of its life an engine is when something happens to it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from hydra.trading.orders import Role
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state
from hydra.trading.venue_view import VenueSnapshot
from hydra.venues.simulated.matching import MatchingEngine


class Phase(Enum):
    """FAULTS.md has these; the first that holds counts."""

    DOWN = "down"
    STARTING = "starting"
    HALTED = "halted"
    CLOSING = "close-only"
    PART_FILLED = "partly filled"
    ENTERING = "entering"
    EXITING = "exiting"
    PROTECTED = "protected"
    HOLDING = "holding"
    IDLE = "idle"


_LEGS = {"e": Role.ENTRY, "x": Role.EXIT, "p": Role.PROTECT, "f": Role.FLATTEN}
"""How the name of an order ends, by what it is for."""


class AtVenue(NamedTuple):
    """What an account has there: its open orders by name, each with whether a part of it is filled,
    and whether anything is held.
    """

    open_orders: tuple[tuple[str, bool], ...]
    holds: bool


def in_engine(venue: MatchingEngine) -> AtVenue:
    """What it has now."""
    open_orders = tuple(
        (resting.order.client_order_id, bool(resting.filled)) for resting in venue.open_orders
    )
    return AtVenue(open_orders, bool(venue.account.positions()))


def in_snapshot(seen: VenueSnapshot) -> AtVenue:
    """What it had then."""
    open_orders = tuple(
        (each.order.client_order_id, bool(each.filled_quantity))
        for each in seen.orders
        if each.status.is_open
    )
    return AtVenue(open_orders, bool(seen.positions))


def phase_of(standing: Iterable[Cause] | None, there: AtVenue) -> Phase:
    """By what stands in the gate (None: there is no process) and by what is at the venue."""
    if standing is None:
        return Phase.DOWN
    causes = tuple(standing)
    if any(cause.cause_class is CauseClass.START for cause in causes):
        return Phase.STARTING
    match effective_state(causes):
        case TradingState.HALTED:
            return Phase.HALTED
        case TradingState.CLOSE_ONLY:
            return Phase.CLOSING
        case TradingState.ACTIVE:
            return _by_orders(there)


def _by_orders(there: AtVenue) -> Phase:
    if any(is_part_filled for _, is_part_filled in there.open_orders):
        return Phase.PART_FILLED
    roles = {_LEGS.get(name[-1]) for name, _ in there.open_orders}
    if Role.ENTRY in roles:
        return Phase.ENTERING
    if Role.EXIT in roles or Role.FLATTEN in roles:
        return Phase.EXITING
    if Role.PROTECT in roles:
        return Phase.PROTECTED
    return Phase.HOLDING if there.holds else Phase.IDLE
