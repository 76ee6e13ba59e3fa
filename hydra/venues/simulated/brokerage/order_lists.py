"""Lists of orders, as they are asked for."""

from collections.abc import Iterator

from hydra.venues.simulated.brokerage.order_book import OrderBook
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.queries import OrderQuery, WhichOrders


def orders_asked_for(query: OrderQuery, book: OrderBook) -> tuple[BrokerOrder, ...]:
    """At most `limit` of them, by arrival; a cursor that names no order hides nothing."""
    orders = book.oldest_first() if query.ascending else book.newest_first()
    found: list[BrokerOrder] = []
    for order in _within(orders, query, book):
        if len(found) == query.limit:
            break
        if _fits(order, query) and not (query.nested and _is_shown_by_parent(order, query, book)):
            found.append(order)
    return tuple(found)


def _within(
    orders: Iterator[BrokerOrder], query: OrderQuery, book: OrderBook
) -> Iterator[BrokerOrder]:
    """Those between the cursors, which are by place: two orders may be of one instant."""
    before = None if query.before_order_id is None else book.number_of(query.before_order_id)
    after = None if query.after_order_id is None else book.number_of(query.after_order_id)
    for order in orders:
        number = book.number_of(order.id)
        assert number is not None
        if (before is None or number < before) and (after is None or number > after):
            yield order


def _fits(order: BrokerOrder, query: OrderQuery) -> bool:
    return (
        _is_of(order, query.which)
        and (query.after is None or order.submitted_at > query.after)
        and (query.until is None or order.submitted_at < query.until)
        and query.side in (None, order.side)
        and query.asset_class in (None, order.asset_class)
        and (query.symbols is None or _bare(order.symbol) in {_bare(s) for s in query.symbols})
    )


def _is_of(order: BrokerOrder, which: WhichOrders) -> bool:
    match which:
        case WhichOrders.OPEN:
            return not order.status.is_terminal
        case WhichOrders.CLOSED:
            return order.status.is_terminal
        case WhichOrders.ALL:
            return True


def _is_shown_by_parent(order: BrokerOrder, query: OrderQuery, book: OrderBook) -> bool:
    """A child is rolled up under its parent, where that is in the list at all."""
    if order.parent is None:
        return False
    # What was replaced has left the group, and is in the list by itself.
    parent = book[order.parent]
    return order.id in parent.legs and _is_of(parent, query.which)


def _bare(symbol: str) -> str:
    """Coins are asked for as BTC/USD, and as BTCUSD of old."""
    return symbol.replace("/", "")
