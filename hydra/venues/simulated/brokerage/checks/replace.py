"""Whether the broker takes a change of an order.

First the order must be in a state and of a kind that can be changed, then the change must be one.
Then the order that it would make is judged like a new one for what is left: the old one is out of
the view, and what it ties up is free.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import structs

from hydra.trading.exact import subtract
from hydra.venues.simulated.brokerage.amounts import is_whole
from hydra.venues.simulated.brokerage.checks import accounts, equities
from hydra.venues.simulated.brokerage.checks.check import Check, first_of
from hydra.venues.simulated.brokerage.checks.place import CHECKS, as_taken, kind_of
from hydra.venues.simulated.brokerage.checks.syntax import SYNTAX
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder, ReplaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import AssetClass, OrderClass, OrderType, Status

ChangeCheck: TypeAlias = Callable[[ReplaceOrder, BrokerOrder], Refusal | None]


def first_replace_refusal(change: ReplaceOrder, view: OrderView) -> Refusal | None:
    """Ask every check in turn; None means that the change is taken.

    `view` is that of a new order in the old one's symbol. The old one is its `replaced`, and left
    out of all that works and of what is reserved.
    """
    old = view.replaced
    assert old is not None, "an order that does not exist cannot be changed"
    whole = as_taken(replacement(change, old), view)
    refusal = _first_of_change(STATE, change, old)
    refusal = refusal or first_of(SYNTAX, whole, view)
    refusal = refusal or _first_of_change(CHANGE, change, old)
    if refusal is not None:
        return refusal
    assert whole.quantity is not None, "what is ordered by value cannot be changed"
    left = structs.replace(
        whole,
        quantity=subtract(whole.quantity, old.filled_quantity),
        order_class=old.order_class,
    )
    checks = CHECKS[kind_of(left, view)] if old.parent is None else OF_AN_EXIT
    return first_of(checks, left, view)


def replacement(change: ReplaceOrder, old: BrokerOrder) -> PlaceOrder:
    """The order that the change makes of the old one; its quantity is that of both together."""
    trails = old.order_type is OrderType.TRAILING_STOP
    by_percent = old.trail_percent is not None
    return PlaceOrder(
        symbol=old.symbol,
        side=old.side,
        order_type=old.order_type,
        quantity=old.quantity if change.quantity is None else change.quantity,
        time_in_force=change.time_in_force or old.time_in_force,
        limit_price=old.limit_price if change.limit_price is None else change.limit_price,
        # What a trailing stop shows as its stop moves by itself.
        stop_price=change.stop_price if change.stop_price is not None or trails else old.stop_price,
        trail_price=old.trail_price if by_percent or change.trail is None else change.trail,
        trail_percent=change.trail
        if by_percent and change.trail is not None
        else old.trail_percent,
        extended_hours=old.extended_hours,
        client_order_id=change.client_order_id,
    )


def order_is_open(_change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if not old.status.is_terminal:
        return None
    return unprocessable("unable to replace order, order is not open")


def order_was_sent(_change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if old.status not in (Status.ACCEPTED, Status.PENDING_NEW):
        return None
    return malformed("unable to replace order, order isn't sent to exchange yet")


def order_is_at_rest(_change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if old.status in (Status.NEW, Status.PARTIALLY_FILLED, Status.HELD):
        return None
    return unprocessable(f"cannot replace order in {old.status.value} status")


def class_can_be_changed(_change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if old.order_class not in (OrderClass.OTO, OrderClass.MLEG):
        return None
    return unprocessable(
        f"unable to replace order, {old.order_class.value} orders stay as they are"
    )


def order_is_not_by_value(_change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if old.notional is None:
        return None
    return unprocessable("unable to replace order, notional orders stay as they are")


def shares_are_whole(change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    quantities = [q for q in (change.quantity, old.quantity) if q is not None]
    if old.asset_class is not AssetClass.EQUITY or all(is_whole(q) for q in quantities):
        return None
    return unprocessable("unable to replace order, fractional orders stay as they are")


def quantity_is_that_of_the_group(change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if old.order_class is OrderClass.SIMPLE or change.quantity in (None, old.quantity):
        return None
    return unprocessable("unable to replace order, all orders of a group have the same qty")


def quantity_is_over_what_has_filled(change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    if change.quantity is None or change.quantity > old.filled_quantity:
        return None
    return unprocessable("qty must be > filled_qty")


def something_changes(change: ReplaceOrder, old: BrokerOrder) -> Refusal | None:
    """A new name alone is no change."""
    trail = old.trail_price if old.trail_percent is None else old.trail_percent
    if any(
        new is not None and new != known
        for new, known in (
            (change.quantity, old.quantity),
            (change.time_in_force, old.time_in_force),
            (change.limit_price, old.limit_price),
            (change.stop_price, old.stop_price),
            (change.trail, trail),
        )
    ):
        return None
    return unprocessable("order parameters are not changed")


STATE: tuple[ChangeCheck, ...] = (
    order_is_open,
    order_was_sent,
    order_is_at_rest,
    class_can_be_changed,
    order_is_not_by_value,
)
"""What does not depend on the change; asked first."""

CHANGE: tuple[ChangeCheck, ...] = (
    shares_are_whole,
    quantity_is_over_what_has_filled,
    quantity_is_that_of_the_group,
    something_changes,
)
"""What is asked of a change whose numbers are numbers."""

OF_AN_EXIT: tuple[Check, ...] = (*equities.COMBINATION, accounts.account_may_trade)
"""The exit of a group moves its price only: what it closes and ties up is a matter of the group."""


def _first_of_change(
    checks: tuple[ChangeCheck, ...], change: ReplaceOrder, old: BrokerOrder
) -> Refusal | None:
    for check in checks:
        refusal = check(change, old)
        if refusal is not None:
            return refusal
    return None
