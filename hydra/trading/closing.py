"""How much of a position an emergency flatten closes, and for whom.

Quantities are signed: over zero is long, or a buy.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exact import multiply, subtract
from hydra.trading.orders import OrderType
from hydra.trading.venue_view import VenueOrder

ZERO = Decimal(0)


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol: what the venue holds, and what of it is whose."""

    symbol: str
    at_venue: Decimal
    of_bots: tuple[tuple[str, Decimal], ...] = ()
    """Each bot's own position by the fills on record."""
    excluded: Decimal = ZERO
    """What an operator left out of account by name: it stays."""
    is_market_open: bool = True
    """Whether it can be closed now."""
    coin: CoinTerms | None = None
    """What one order of it may be for, where it is a coin."""
    price: Decimal | None = None
    """At which that is reckoned; None: nobody knows one, and an order may be for all."""

    def part_of(self, position: Decimal, tries: int) -> Decimal:
        """What of it (signed) one order is for. After tries in vain a coin is taken to be worth
        twice as much each: its price may be old, and then the venue refuses a larger order again.
        """
        if self.coin is None or self.price is None:
            return position
        return self.coin.part_to_sell(position, multiply(self.price, Decimal(2**tries)))


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """Send a market order for this bot that closes. `quantity` is signed; never zero.

    `number` belongs to the decision key: no other round, of this flatten or a later one, has it.
    """

    bot: str
    symbol: str
    quantity: Decimal
    number: int


def to_close(holding: Holding) -> Decimal:
    """What is to go of the venue's position: all but what is excluded, and never more than it."""
    left = subtract(holding.at_venue, holding.excluded)
    lowest, highest = min(holding.at_venue, ZERO), max(holding.at_venue, ZERO)
    return min(max(left, lowest), highest)


def stops_of(holding: Holding, orders: Iterable[VenueOrder]) -> tuple[str, ...]:
    """The open stop orders that protect what is to go, by name, as far as they close no more."""
    left, names = to_close(holding), []
    for each in orders:
        order = each.order
        is_stop = order.order_type is OrderType.STOP and each.status.is_open and not each.unread
        if not is_stop or order.symbol != holding.symbol:
            continue
        closed = subtract(order.quantity, each.filled_quantity)
        share = multiply(closed, Decimal(-order.side.sign))
        if 0 < share <= left or left <= share < 0:
            left = subtract(left, share)
            names.append(order.client_order_id)
    return tuple(names)


def closes_of(holding: Holding, number: int, tries: int = 0) -> tuple[Close, ...]:
    """The orders that close it as far as both the venue's position and the bots' own go, and as far
    as one order of each may; the rest is for the next round. `tries`: rounds that came to nothing.

    Where bots hold on both sides, only their difference is at the venue, and no more than that is
    closed there. What no bot holds is left: nobody could account for its closing.
    """
    left = to_close(holding)
    closes = []
    for bot, position in sorted(holding.of_bots):
        if left > 0:
            share = min(max(position, ZERO), left)
        else:
            share = max(min(position, ZERO), left)
        if share:
            part = holding.part_of(share, tries)
            quantity = part.copy_negate()  # unlike a minus, it rounds nothing
            closes.append(Close(bot=bot, symbol=holding.symbol, quantity=quantity, number=number))
            left = subtract(left, share)
    return tuple(closes)
