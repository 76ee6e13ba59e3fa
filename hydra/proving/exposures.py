"""What the account is exposed to at the venue, whatever anybody believes: recomputed each time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal

from hydra.trading.exact import add, multiply, total
from hydra.trading.instruments import value_of
from hydra.trading.orders import Order, Side
from hydra.venues.simulated.matching import MatchingEngine

MARKS_DIFFER = Decimal("1.02")
"""The price has moved since an entry was judged, by a bar at most."""
_ZERO = Decimal(0)


def worst_exposure(venue: MatchingEngine, symbol: str) -> Decimal:
    """What is held of it, and every open purchase filled whole at the highest price that it can."""
    mark = venue.account.last_price(symbol) or _ZERO
    held = value_of(symbol, venue.account.position(symbol).copy_abs(), mark)
    return add(
        held,
        total(
            value_of(symbol, resting.remaining, _highest_price(resting.order, mark))
            for resting in venue.open_orders
            if resting.order.symbol == symbol and resting.order.side is Side.BUY
        ),
    )


def excesses(
    venue: MatchingEngine, symbols: Collection[str], limit: Decimal, heard: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Of which symbol there is more than is allowed, and how much, in words.

    `heard`: executions that the engine has on record. One that it has not takes off more than it
    should while a cancel is believed, for as long as it is not heard of.
    """
    for symbol in symbols:
        unheard = total(
            value_of(symbol, fill.quantity, fill.price)
            for fill in venue.fills_of_symbol(symbol)
            if fill.execution_id not in heard
        )
        found = worst_exposure(venue, symbol)
        if found > add(multiply(limit, MARKS_DIFFER), unheard):
            yield symbol, f"exposure in {symbol} is {found:.2f}, of {limit} allowed"
        if venue.account.position(symbol) < 0:
            yield symbol, f"the account is short of {symbol}: {venue.account.position(symbol)}"


def _highest_price(order: Order, mark: Decimal) -> Decimal:
    return max(price for price in (mark, order.limit_price, order.stop_price) if price is not None)
