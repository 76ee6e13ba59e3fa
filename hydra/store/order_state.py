"""What an order's reports say together: a pure fold, the same in whatever order they arrive."""

from decimal import Decimal
from enum import Enum
from typing import assert_never

import msgspec

from hydra.trading import exact
from hydra.trading.orders import Fill, Order
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)


class OrderStatus(Enum):
    """How far an order has come. The furthest report decides: what comes late changes nothing."""

    INTENDED = "intended"
    """On record, and certainly not sent: there is no attempt."""
    ATTEMPTED = "attempted"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELED = "canceled"
    FILLED = "filled"

    def __init__(self, _value: str) -> None:
        self.distance = len(type(self).__members__)
        """How far this is from the start; members are made in the order they are written."""

    @property
    def is_open(self) -> bool:
        """May still be, or come to life, at the venue. Attempted counts: maybe it was sent."""
        return self in _OPEN


class ImpossibleReport(Exception):
    """A report contradicts what is on record; nothing was written. Halt, and ask the venue."""


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """One order and what is known of it. `reason` goes with the status, where it has one."""

    order: Order
    status: OrderStatus = OrderStatus.INTENDED
    reason: str = ""
    venue_order_id: str | None = None
    filled_quantity: Decimal = Decimal(0)


def after(state: OrderState, report: Outcome) -> OrderState:
    """The order once this has been reported; the same state if nothing in it is new.

    A fill must be one that has not been counted yet.
    """
    if isinstance(report, OrderWithheld):
        return _withheld(state, report)
    if state.status in (OrderStatus.INTENDED, OrderStatus.WITHHELD):
        raise ImpossibleReport(
            f"{state.order.client_order_id} was {state.status.value} and never sent, yet there is"
            f" a report: {type(report).__name__}"
        )
    match report:
        case OrderAccepted():
            return _accepted(state, report.venue_order_id)
        case OrderFilled():
            return _filled(state, report.fill)
        case OrderRejected():
            return _moved(state, OrderStatus.REJECTED, report.reason)
        case OrderUnknown():
            return _moved(state, OrderStatus.UNKNOWN, report.reason)
        case OrderCanceled():
            return _moved(state, OrderStatus.CANCELED, "")
        case OrderExpired():
            return _moved(state, OrderStatus.EXPIRED, "")
        case _:
            assert_never(report)


def attempted(state: OrderState) -> OrderState:
    """The order once somebody has begun to send it."""
    return _moved(state, OrderStatus.ATTEMPTED, "")


def require_same_execution(stored: Fill, reported: Fill) -> None:
    """One execution ID is one execution; only its time may differ, as it does between sources."""
    if msgspec.structs.replace(reported, at=stored.at) != stored:
        raise ImpossibleReport(
            f"execution {stored.execution_id} of {stored.client_order_id} is on record as"
            f" {_words(stored)}, and is now reported as {_words(reported)}"
        )


def _withheld(state: OrderState, report: OrderWithheld) -> OrderState:
    match state.status:
        case OrderStatus.WITHHELD:
            return state
        case OrderStatus.INTENDED | OrderStatus.ATTEMPTED:
            return msgspec.structs.replace(state, status=OrderStatus.WITHHELD, reason=report.reason)
        case _:
            raise ImpossibleReport(
                f"{state.order.client_order_id} is said to be withheld and never sent, but it is"
                f" {state.status.value}"
            )


def _accepted(state: OrderState, venue_order_id: str) -> OrderState:
    if state.venue_order_id not in (None, venue_order_id):
        raise ImpossibleReport(
            f"{state.order.client_order_id} is order {state.venue_order_id} at the venue, and is"
            f" now accepted as {venue_order_id}: one order may be there twice"
        )
    known = msgspec.structs.replace(state, venue_order_id=venue_order_id)
    return _moved(known, OrderStatus.ACCEPTED, "")


def _filled(state: OrderState, fill: Fill) -> OrderState:
    order = state.order
    if (fill.symbol, fill.side) != (order.symbol, order.side):
        raise ImpossibleReport(
            f"{order.client_order_id} is a {order.side.value} of {order.symbol}, but execution"
            f" {fill.execution_id} is {_words(fill)}"
        )
    are_finite = fill.quantity.is_finite() and fill.price.is_finite()
    if not (are_finite and fill.quantity > 0 and fill.price >= 0):
        raise ImpossibleReport(
            f"{order.client_order_id}: execution {fill.execution_id} is {_words(fill)}; wanted a"
            " quantity over zero and a price of zero or more"
        )
    filled_quantity = exact.add(state.filled_quantity, fill.quantity)
    if not filled_quantity <= order.quantity:
        raise ImpossibleReport(
            f"{order.client_order_id}: execution {fill.execution_id} makes {filled_quantity}"
            f" filled, of {order.quantity} ordered"
        )
    complete = filled_quantity == order.quantity
    return _moved(
        msgspec.structs.replace(state, filled_quantity=filled_quantity),
        OrderStatus.FILLED if complete else OrderStatus.PARTIALLY_FILLED,
        "",
    )


def _moved(state: OrderState, status: OrderStatus, reason: str) -> OrderState:
    if status.distance <= state.status.distance:
        return state
    return msgspec.structs.replace(state, status=status, reason=reason)


def _words(fill: Fill) -> str:
    return f"{fill.side.value} {fill.quantity} {fill.symbol} at {fill.price}"


_OPEN = frozenset(
    {
        OrderStatus.ATTEMPTED,
        OrderStatus.UNKNOWN,
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
    }
)
