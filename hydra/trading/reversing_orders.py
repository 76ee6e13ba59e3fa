"""Orders of ours that would turn a position round: they close more than the venue holds.

What our record says is held does not count here: the venue may have taken a trade back, or somebody
may have sold by hand, and then an order that rests for the position opens another one on the other
side, which nobody wanted and nobody looks after.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from hydra.trading.amounts import is_amount
from hydra.trading.exact import subtract, total
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.risk_book import RiskBook
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from hydra.trading.working_orders import WorkingOrder

ZERO = Decimal(0)


def reversing(snapshot: VenueSnapshot, book: RiskBook) -> Iterator[str]:
    """The names of those to be taken out, so that all that stay close what is held at most.

    One that is for more than is left is taken out whole, since it cannot be made smaller where
    nothing may be sent. Where what is held is not told clearly, and of coins, which nobody can sell
    short at the venue, none is named; nor one that trades at once.
    """
    listed = {each.order.client_order_id: each for each in snapshot.orders if each.status.is_open}
    closing: defaultdict[str, list[WorkingOrder]] = defaultdict(list)
    for working in book.open_orders:
        if not working.is_entry and working.order.client_order_id in listed:
            closing[working.order.symbol].append(working)
    if not closing:
        return
    shown: defaultdict[str, list[Decimal]] = defaultdict(list)
    for position in snapshot.positions:
        shown[position.symbol].append(position.quantity)
    on_record = defaultdict(list, {symbol: [held] for symbol, held in book.excluded.items()})
    for (_, symbol), held in book.positions.items():
        on_record[symbol].append(held)
    for symbol, orders in closing.items():
        at_venue = shown[symbol] or [ZERO]
        if is_crypto(symbol) or len(at_venue) > 1 or not is_amount(at_venue[0]):
            continue
        for side in Side:
            room = _room(side, at_venue[0], on_record[symbol])
            yield from _beyond(room, [each for each in orders if each.order.side is side], listed)


def _room(side: Side, at_venue: Decimal, on_record: list[Decimal]) -> Decimal:
    """How much orders of this side may close. Where positions of both sides are on record only
    their difference is at the venue, and what is on the other side is none of theirs.
    """
    if side is Side.SELL:
        return max(ZERO, subtract(at_venue, total(min(each, ZERO) for each in on_record)))
    return max(ZERO, subtract(total(max(each, ZERO) for each in on_record), at_venue))


def _beyond(
    room: Decimal, orders: Iterable[WorkingOrder], listed: Mapping[str, VenueOrder]
) -> Iterator[str]:
    """What protects stays before what only closes, and the oldest first."""
    for each in sorted(orders, key=_rank):
        left = _left(each, listed[each.order.client_order_id])
        if left <= room or each.order.order_type is OrderType.MARKET:
            room = max(ZERO, subtract(room, left))
        else:
            yield each.order.client_order_id


def _rank(working: WorkingOrder) -> int:
    if working.order.order_type is OrderType.MARKET:
        return 0
    return 1 if working.decision.role is Role.PROTECT else 2


def _left(working: WorkingOrder, listing: VenueOrder) -> Decimal:
    """What of it is not executed, by whoever knows of more that is."""
    filled = working.state.filled_quantity
    if is_amount(listing.filled_quantity):
        filled = max(filled, listing.filled_quantity)
    return subtract(working.order.quantity, filled)
