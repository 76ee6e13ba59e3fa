"""In which phase of its life an engine is when something happens to it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from hydra.trading.orders import Role
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state
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


def phase_of(standing: Iterable[Cause] | None, venue: MatchingEngine) -> Phase:
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
            return _by_orders(venue)


def _by_orders(venue: MatchingEngine) -> Phase:
    roles = set()
    for resting in venue.open_orders:
        roles.add(_LEGS.get(resting.order.client_order_id[-1]))
        if resting.filled:
            return Phase.PART_FILLED
    if Role.ENTRY in roles:
        return Phase.ENTERING
    if Role.EXIT in roles or Role.FLATTEN in roles:
        return Phase.EXITING
    if Role.PROTECT in roles:
        return Phase.PROTECTED
    return Phase.HOLDING if venue.account.positions() else Phase.IDLE
