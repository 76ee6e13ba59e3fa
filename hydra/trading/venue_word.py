"""The venue's word on one order: what it implies, and whether it can be true."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from hydra.trading.amounts import is_amount
from hydra.trading.echo import words
from hydra.trading.order_life import (
    Accepted,
    Canceled,
    Expired,
    ImpossibleReport,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
    after,
)
from hydra.trading.orders import Fill
from hydra.trading.venue_view import VenueOrder

VenueEvent: TypeAlias = Accepted | Rejected | Fill | Canceled | Expired | Replaced
"""What a venue can say of an order. The other events are our own."""


def is_over(listing: VenueOrder) -> bool:
    """Whether the venue says that the order has come to its end. Anything odd counts as open."""
    return listing.status in _OVER


def events_of(listing: VenueOrder, fills: Iterable[Fill]) -> tuple[VenueEvent, ...]:
    """What the venue's word on an order implies, in an order in which it could have happened.

    Of `fills` only its own count; one that is listed twice is told twice. A rejected order is not
    said to have been accepted before: nobody knows whether it was.
    """
    name = listing.order.client_order_id
    executions = sorted((fill for fill in fills if fill.client_order_id == name), key=in_time)
    accepted = (Accepted(listing.venue_order_id),) if listing.venue_order_id else ()
    match listing.status:
        case OrderStatus.REJECTED:
            return *executions, Rejected(listing.reason)
        case OrderStatus.CANCELED:
            return *accepted, *executions, Canceled()
        case OrderStatus.EXPIRED:
            return *accepted, *executions, Expired()
        case OrderStatus.REPLACED:
            return *accepted, *executions, Replaced(listing.replaced_by or "")
        case _:
            return *accepted, *executions  # whether it is filled, the executions say


def in_time(fill: Fill) -> tuple[int, str, str]:
    """The place of a fill among others. What it says decides where its time and name do not, so
    that nothing depends on where a list has it.
    """
    return fill.at, fill.execution_id, repr(fill)


def contradiction(
    state: OrderState, listing: VenueOrder, fills: Sequence[Fill], counted: Mapping[str, Fill]
) -> str | None:
    """Why the venue's word cannot follow what is on record, or contradicts itself; None if it can.

    `fills` are the venue's of this order, `counted` those on record by their execution id. What is
    merely news is no contradiction.
    """
    return (
        _unheard_of(state, listing)
        or _not_a_number(state, [*counted.values(), *fills])
        or _not_a_part(listing)
        or _cannot_follow(state, listing, fills, counted)
    )


def _unheard_of(state: OrderState, listing: VenueOrder) -> str | None:
    if not (is_over(listing) or listing.status in _OPEN):
        return f"said to be {listing.status.words}, which is not for a venue to say"
    if not listing.venue_order_id and listing.status is not OrderStatus.REJECTED:
        return f"{listing.status.words}, and without a name of the venue's"
    if listing.venue_order_id and state.venue_order_id not in (None, listing.venue_order_id):
        return f"at the venue as {listing.venue_order_id}, on record as {state.venue_order_id}"
    return None


def _not_a_number(state: OrderState, executions: Iterable[Fill]) -> str | None:
    if not (is_amount(state.order.quantity) and is_amount(state.filled_quantity)):
        return (
            f"on record with {words(state.filled_quantity)} of {words(state.order.quantity)} filled"
        )
    for fill in executions:
        if not (is_amount(fill.quantity) and is_amount(fill.price)):
            return f"execution {fill.execution_id} is of {fill.quantity} at {fill.price}"
    return None


def _not_a_part(listing: VenueOrder) -> str | None:
    """A quantity that was altered is told by the echo; here it is only what "filled" goes by."""
    filled, whole, status = listing.filled_quantity, listing.order.quantity, listing.status
    if is_amount(filled) and filled >= 0:
        if not is_amount(whole):
            return None
        if filled == whole or (filled < whole and status is not OrderStatus.FILLED):
            return None
    return f"{status.words}, with {words(filled)} of {words(whole)} filled"


def _cannot_follow(
    state: OrderState, listing: VenueOrder, fills: Sequence[Fill], counted: Mapping[str, Fill]
) -> str | None:
    try:
        result = _taken_up(state, events_of(listing, fills), counted)
    except ImpossibleReport as impossible:
        return str(impossible)
    # That all is executed ends an order by itself: the venue may be slow to say so.
    if result.status.is_open or result.status is OrderStatus.FILLED or is_over(listing):
        return None
    return f"{listing.status.words} at the venue, {result.status.words} on record"


def _taken_up(
    state: OrderState, events: Iterable[OrderEvent], counted: Mapping[str, Fill]
) -> OrderState:
    executions = dict(counted)
    for event in events:
        if isinstance(event, Fill):
            state = after(state, event, executions.get(event.execution_id))
            executions[event.execution_id] = event
        else:
            state = after(state, event)
    return state


_OPEN = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED})
_OVER = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.REPLACED,
    }
)
"""All that a venue can say; the other statuses speak of us."""
