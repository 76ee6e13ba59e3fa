"""Orders that belong together: what the change of one means for the others. Pure.

A bracket is a parent and two children, a target (limit) and a stop; the children are held until
the parent is filled whole. Then the target works, and the stop, though `held` by name, watches the
market: it comes alive when its price is reached, and the target is canceled before it trades. An
OCO is such a pair of exits without a parent: the target is the order itself, the stop its leg. An
OTO is a parent and one child, which works by itself once the parent is filled.

Whatever ends one of them otherwise ends all, expiry apart: each has its own, at the same moment.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.exact import subtract
from hydra.venues.simulated.brokerage.order_book import OrderBook
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, Status


class Activate(msgspec.Struct, frozen=True):
    """The order was held; it works from now on."""

    order_id: str


class Watch(msgspec.Struct, frozen=True):
    """The stop stays held, and watches the market from now on."""

    order_id: str


class Shrink(msgspec.Struct, frozen=True):
    """The order is for so much from now on: its partner has done the rest."""

    order_id: str
    quantity: Decimal


class CancelMember(msgspec.Struct, frozen=True):
    """The order is not wanted any more."""

    order_id: str


Step: TypeAlias = Activate | Watch | Shrink | CancelMember


def steps_after_going_live(order: BrokerOrder, book: OrderBook) -> Iterator[Step]:
    """What it means for the others that `order` is in the market: the stop of an OCO watches it."""
    if order.order_class is OrderClass.OCO and order.parent is None:
        for leg in _open_among(order.legs, book):
            if book.working(leg.id) is None:
                yield Watch(leg.id)


def steps_after_fill(order: BrokerOrder, book: OrderBook) -> Iterator[Step]:
    """What an execution of `order` means for the others of its group."""
    if order.order_class in (OrderClass.SIMPLE, OrderClass.MLEG):
        return
    left = subtract(_whole(order), order.filled_quantity)
    if left > 0:
        for other in _exits_beside(order, book):
            yield Shrink(other.id, left)
    elif _is_entry(order):
        for leg in _open_among(order.legs, book):
            is_paired_stop = len(order.legs) > 1 and leg.order_type is not OrderType.LIMIT
            yield Watch(leg.id) if is_paired_stop else Activate(leg.id)
    else:
        yield from steps_after_end(order, book)


def steps_after_end(order: BrokerOrder, book: OrderBook) -> Iterator[Step]:
    """What it means for the others that nothing more will come of `order`."""
    if order.order_class in (OrderClass.SIMPLE, OrderClass.MLEG):
        return
    for other in _open_among(_others_of(order, book), book):
        if order.status is not Status.EXPIRED or other.expires_at != order.expires_at:
            yield CancelMember(other.id)


def steps_before_waking(order: BrokerOrder, book: OrderBook) -> Iterator[Step]:
    """What must be done before this stop may trade: its target is taken out of the market."""
    for other in _exits_beside(order, book):
        yield CancelMember(other.id)


def is_leg(order: BrokerOrder) -> bool:
    """Whether it is a leg of a multi-leg order, and does whatever the whole does."""
    return order.order_class is OrderClass.MLEG and order.parent is not None


def _is_entry(order: BrokerOrder) -> bool:
    """Whether others wait for it: the parent of a bracket or an OTO."""
    return order.parent is None and order.order_class in (OrderClass.BRACKET, OrderClass.OTO)


def _exits_beside(order: BrokerOrder, book: OrderBook) -> Iterator[BrokerOrder]:
    if _is_entry(order):
        return
    for other in _open_among(_others_of(order, book), book):
        if not _is_entry(other):
            yield other


def _others_of(order: BrokerOrder, book: OrderBook) -> tuple[str, ...]:
    """The children of a parent; the parent and the other children of a child."""
    if order.parent is None:
        return order.legs
    return (order.parent, *(leg for leg in book[order.parent].legs if leg != order.id))


def _open_among(order_ids: tuple[str, ...], book: OrderBook) -> Iterator[BrokerOrder]:
    for order_id in order_ids:
        if not book[order_id].status.is_terminal:
            yield book[order_id]


def _whole(order: BrokerOrder) -> Decimal:
    assert order.quantity is not None, "orders of a group have a quantity"
    return order.quantity
