"""Rules of orders in one option contract, and those that every leg of several shares."""

from hydra.venues.simulated.brokerage.amounts import is_whole
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.combinations import intent_is_what_it_does
from hydra.venues.simulated.brokerage.checks.equities import prices_are_on_the_grid
from hydra.venues.simulated.brokerage.hours import may_close, may_open
from hydra.venues.simulated.brokerage.option_book import added_risk
from hydra.venues.simulated.brokerage.option_rules import (
    inferred_intent,
    level_wanted,
    longs_cover,
    lots_of,
    opens,
    trading_level,
)
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    TimeInForce,
)

CLOSES_LATE = "options_late_close"
"""The attribute of a broad fund, whose options trade a quarter of an hour longer."""


def order_is_not_by_value(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.notional is None:
        return None
    return unprocessable("notional orders are not supported for options trading")


def contracts_are_whole(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.quantity is not None and is_whole(order.quantity):
        return None
    return unprocessable("qty must be integer for options trading")


def order_is_for_the_day(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.time_in_force is TimeInForce.DAY:
        return None
    return unprocessable("order_time_in_force provided not supported for options trading")


def order_is_simple(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class is OrderClass.SIMPLE:
        return None
    return unprocessable("complex orders not supported for options trading")


def hours_are_not_extended(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if not order.extended_hours:
        return None
    return unprocessable("extended hours is not supported for options trading")


def type_is_for_options(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if order.order_type in view.rules.option_types:
        return None
    return unprocessable("order_type provided not supported for options trading")


def market_order_comes_in_market_hours(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if order.order_type is not OrderType.MARKET or view.hours.is_open:
        return None
    return unprocessable("options market orders are only allowed during market hours")


def contract_does_not_expire_soon(order: PlaceOrder, view: OrderView) -> Refusal | None:
    assert order.side is not None, "syntax comes first"
    intent = inferred_intent(order.side, view.subject.position)
    return expires_too_soon(view.subject, intent, view)


def level_is_high_enough(order: PlaceOrder, view: OrderView) -> Refusal | None:
    assert order.side is not None, "syntax comes first"
    wanted = level_wanted(inferred_intent(order.side, view.subject.position))
    return level_is_at_least(wanted, view)


def short_calls_are_covered(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """By shares, or by long calls; short puts are covered by cash, which is a matter of money."""
    risk = added_risk(view.options, lots_of(order, view), longs_cover(view))
    if risk.naked_shares <= 0:
        return None
    return forbidden("account not eligible to trade uncovered option contracts")


COMBINATION: tuple[Check, ...] = (
    order_is_not_by_value,
    contracts_are_whole,
    order_is_for_the_day,
    order_is_simple,
    hours_are_not_extended,
    type_is_for_options,
    prices_are_on_the_grid,
    intent_is_what_it_does,
)

WINDOW: tuple[Check, ...] = (market_order_comes_in_market_hours, contract_does_not_expire_soon)


def expires_too_soon(seen: SymbolView, intent: PositionIntent, view: OrderView) -> Refusal | None:
    """The refusal of an order in an expiring contract that comes after its cut-off."""
    contract = seen.contract
    assert contract is not None, "asset checks come first"
    fund = None if view.underlying is None else view.underlying.asset
    late = fund is not None and CLOSES_LATE in fund.attributes
    if opens(intent):
        if may_open(view.hours, contract.expiration, late):
            return None
        doing = "open new"
    else:
        if may_close(view.hours, contract.expiration, late):
            return None
        doing = "close"
    return unprocessable(f'contract "{contract.symbol}" expires soon, unable to {doing} positions')


def level_is_at_least(wanted: int, view: OrderView) -> Refusal | None:
    """The refusal of an account whose options level is lower."""
    if trading_level(view) >= wanted:
        return None
    return forbidden(f"account not eligible for level{wanted} options trading")
