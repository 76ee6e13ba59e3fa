"""The simulated venue's book: the orders it took and has not finished."""

from decimal import Decimal

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.exact import subtract
from hydra.trading.orders import Order


class RestingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order in the book.

    `order` is what was sent; `working` is what it trades as by now: a triggered stop is none any
    more. `known_until` is the end of the newest bar that anyone could have known when the
    order was sent, or that has passed over it since. With a `cancel_pending` somebody asked for its
    end and the venue has taken the request: until it is done the order works on.
    """

    order: Order
    working: Order
    venue_order_id: str
    accepted_at: int
    known_until: int
    filled: Decimal
    cancel_pending: bool = False

    @property
    def remaining(self) -> Decimal:
        """What is still to be traded; always over zero while the order rests."""
        return subtract(self.order.quantity, self.filled)

    def may_be_filled_by(self, bar: Bar) -> bool:
        """Whether all of the bar's prices were unknown to whoever sent the order, and are new."""
        return bar.end_at > self.accepted_at and bar.start_at >= self.known_until


class RestingOrders:
    """Resting orders in the order of their acceptance, by name and by symbol."""

    def __init__(self) -> None:
        # Dictionaries keep the order of insertion, also when a value is replaced.
        self._by_id: dict[str, RestingOrder] = {}
        self._by_symbol: dict[str, dict[str, RestingOrder]] = {}

    def put(self, resting: RestingOrder) -> None:
        """Add an order, or replace what is known of it without changing its place."""
        order = resting.order
        self._by_id[order.client_order_id] = resting
        self._by_symbol.setdefault(order.symbol, {})[order.client_order_id] = resting

    def remove(self, client_order_id: str) -> RestingOrder | None:
        """Take an order out of the book; None if it does not rest there."""
        resting = self._by_id.pop(client_order_id, None)
        if resting is None:
            return None
        orders_of_symbol = self._by_symbol[resting.order.symbol]
        del orders_of_symbol[client_order_id]
        if not orders_of_symbol:
            del self._by_symbol[resting.order.symbol]
        return resting

    def find(self, client_order_id: str) -> RestingOrder | None:
        """The order of this name, if it rests here."""
        return self._by_id.get(client_order_id)

    def of_symbol(self, symbol: str) -> tuple[RestingOrder, ...]:
        """The orders that a bar of `symbol` could fill."""
        orders_of_symbol = self._by_symbol.get(symbol)
        return () if orders_of_symbol is None else tuple(orders_of_symbol.values())

    def all(self) -> tuple[RestingOrder, ...]:
        """The whole book."""
        return tuple(self._by_id.values())
