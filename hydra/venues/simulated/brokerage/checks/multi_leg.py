"""Rules of orders in several option contracts at once."""

from collections.abc import Iterator
from math import gcd

from hydra.venues.simulated.brokerage.amounts import CENT, is_multiple
from hydra.venues.simulated.brokerage.availability import availability
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.combinations import intent_mismatch
from hydra.venues.simulated.brokerage.checks.equities import off_the_grid
from hydra.venues.simulated.brokerage.checks.options import (
    expires_too_soon,
    level_is_at_least,
)
from hydra.venues.simulated.brokerage.checks.quantity import not_available
from hydra.venues.simulated.brokerage.option_rules import (
    SPREADS_LEVEL,
    inferred_intent,
    lots_of,
    opens,
)
from hydra.venues.simulated.brokerage.refusals import Refusal, unprocessable
from hydra.venues.simulated.brokerage.requests import Leg, PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import OrderType, PositionIntent

LEGS_MIN, LEGS_MAX = 2, 4


def legs_are_two_to_four(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if LEGS_MIN <= len(order.legs) <= LEGS_MAX:
        return None
    return unprocessable(
        f"mleg orders must have at least {LEGS_MIN} legs and at most {LEGS_MAX} legs"
    )


def legs_are_options(_order: PlaceOrder, view: OrderView) -> Refusal | None:
    if all(seen.contract is not None for seen in view.legs):
        return None
    return unprocessable("mleg orders must have only option legs")


def legs_are_different(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if len({leg.symbol for leg in order.legs}) == len(order.legs):
        return None
    return unprocessable("mleg orders must have legs of different symbols")


def legs_have_one_underlying(_order: PlaceOrder, view: OrderView) -> Refusal | None:
    if len({seen.contract.underlying for seen in view.legs if seen.contract is not None}) == 1:
        return None
    return unprocessable("mleg orders must have legs of the same underlying")


def ratios_are_in_lowest_terms(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if gcd(*(int(leg.ratio_quantity) for leg in order.legs)) == 1:
        return None
    return unprocessable("mleg orders must have leg ratios in lowest terms")


def type_is_market_or_limit(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_type in (OrderType.MARKET, OrderType.LIMIT):
        return None
    return unprocessable("mleg orders must be market or limit orders")


def price_is_in_cents(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.limit_price is None or is_multiple(order.limit_price, CENT):
        return None
    return off_the_grid("limit_price", order.limit_price)


def intents_are_what_the_legs_do(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for leg, _, intent in _legs(order, view):
        mismatch = intent_mismatch(intent, leg.position_intent)
        if mismatch is not None:
            return mismatch
    return None


def no_leg_expires_soon(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for _, seen, intent in _legs(order, view):
        refusal = expires_too_soon(seen, intent, view)
        if refusal is not None:
            return refusal
    return None


def level_is_for_spreads(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if not any(opens(intent) for _, _, intent in _legs(order, view)):
        return None
    return level_is_at_least(SPREADS_LEVEL, view)


def what_legs_close_is_available(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for lot, (_, seen, intent) in zip(lots_of(order, view), _legs(order, view), strict=True):
        if opens(intent):
            continue
        found = availability(seen.position, seen.working, price=None)
        wanted = lot.quantity.copy_abs()
        if wanted > found.free:
            return not_available(seen.symbol, wanted, seen.position, found)
    return None


COMBINATION: tuple[Check, ...] = (
    legs_are_two_to_four,
    legs_are_options,
    legs_are_different,
    legs_have_one_underlying,
    ratios_are_in_lowest_terms,
    type_is_market_or_limit,
    price_is_in_cents,
    intents_are_what_the_legs_do,
)


def _legs(order: PlaceOrder, view: OrderView) -> Iterator[tuple[Leg, SymbolView, PositionIntent]]:
    for leg, seen in zip(order.legs, view.legs, strict=True):
        yield leg, seen, inferred_intent(leg.side, seen.position)
