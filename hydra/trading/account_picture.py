"""The account as the venue last showed it, with all that is on record since.

A reading of the account is some seconds old when it is looked at; what was executed or ended in the
meantime is known from the reports, which are the venue's words as well. Put together they are a
picture of now. What the record says of an order that the reading should have shown and did not is
not believed: such an order is lost.

All times are market time (UTC ns).
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import add, subtract
from hydra.trading.fees import Fee
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import DecisionKey, Fill, Side
from hydra.trading.venue_view import VenueOrder, VenuePosition, VenueSnapshot

ZERO = Decimal(0)


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order by our record. `changed_at`: when that was last heard; 0: long ago."""

    decision: DecisionKey
    state: OrderState
    changed_at: int = 0

    @property
    def remaining(self) -> Decimal:
        """What of it is not executed."""
        return subtract(self.state.order.quantity, self.state.filled_quantity)


class Execution(msgspec.Struct, frozen=True):
    """A fill, and what the venue kept of it."""

    fill: Fill
    fee: Fee | None = None

    @property
    def change(self) -> Decimal:
        """By how much it changes what is held of its symbol."""
        quantity = self.fill.quantity
        change = quantity if self.fill.side is Side.BUY else quantity.copy_negate()
        if self.fee is not None and self.fee.asset == self.fill.symbol:
            return subtract(change, self.fee.amount)
        return change


def as_of(
    at: int,
    reading: VenueSnapshot,
    orders: Mapping[str, KnownOrder],
    executions: Iterable[Execution],
) -> VenueSnapshot:
    """The reading, with what these orders (by name) and executions say beyond it."""
    positions = {each.symbol: each.quantity for each in reading.positions}
    for each in unseen(reading, executions):
        symbol = each.fill.symbol
        positions[symbol] = add(positions.get(symbol, ZERO), each.change)
    shown = [
        VenuePosition(symbol=symbol, quantity=quantity)
        for symbol, quantity in positions.items()
        if quantity
    ]
    listed = _orders(reading, orders)
    return structs.replace(reading, at=at, positions=tuple(shown), orders=tuple(listed))


def by_symbol(reading: VenueSnapshot) -> Mapping[str, VenueSnapshot]:
    """What the reading shows of each symbol that it shows anything of."""
    positions: dict[str, list[VenuePosition]] = {}
    orders: dict[str, list[VenueOrder]] = {}
    fills: dict[str, list[Fill]] = {}
    for position in reading.positions:
        positions.setdefault(position.symbol, []).append(position)
    for order in reading.orders:
        orders.setdefault(order.order.symbol, []).append(order)
    for fill in reading.fills:
        fills.setdefault(fill.symbol, []).append(fill)
    return {
        symbol: structs.replace(
            reading,
            positions=tuple(positions.get(symbol, ())),
            orders=tuple(orders.get(symbol, ())),
            fills=tuple(fills.get(symbol, ())),
        )
        for symbol in {**positions, **orders, **fills}
    }


def unseen(reading: VenueSnapshot, executions: Iterable[Execution]) -> list[Execution]:
    """Those that the reading does not have yet. What it need not list, it has.

    An execution is named by its order and its own id: the same id at two orders is two (I23).
    """
    seen = {(fill.client_order_id, fill.execution_id) for fill in reading.fills}
    return [
        each
        for each in executions
        if (each.fill.client_order_id, each.fill.execution_id) not in seen
        and each.fill.at >= reading.since
    ]


def _orders(reading: VenueSnapshot, known: Mapping[str, KnownOrder]) -> Iterator[VenueOrder]:
    listed = set[str]()
    for order in reading.orders:
        name = order.order.client_order_id
        listed.add(name)
        ours = known.get(name)
        yield order if ours is None else _newer(order, ours)
    for name, ours in known.items():
        status = ours.state.status
        is_live = status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
        if name not in listed and is_live and ours.changed_at >= reading.at:
            yield VenueOrder(
                order=ours.state.order,
                venue_order_id=ours.state.venue_order_id or name,
                status=status,
                filled_quantity=ours.state.filled_quantity,
                at=ours.changed_at,
            )


def _newer(order: VenueOrder, ours: KnownOrder) -> VenueOrder:
    """What is over stays so, and what was executed was."""
    state = ours.state
    filled = max(order.filled_quantity, state.filled_quantity)
    is_over = order.status.is_open and not state.status.is_open
    status = state.status if is_over else order.status
    if (status, filled) == (order.status, order.filled_quantity):
        return order
    return structs.replace(order, status=status, filled_quantity=filled)
