"""The market that every face plays: bars with a pause after each, so that timing changes nothing.

An order sent in a pause meets the open of the next bar on every face. One sent inside a bar would
be filled at the bar's open by the in-process face, which knows bars only, and at the price shown at
that moment by the face that is spoken to over a network.
"""

from decimal import Decimal

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.orders import Order, OrderType, Role, Side, TimeInForce
from hydra.venues.simulated.fill_model import as_written
from messages.orders import OrderApproved
from tests.venues.alpaca.samples import approved
from tests.venues.server.kit import OPEN, bar

SHARE = "AAPL"
COIN = "BTC/USD"
CLOSE = OPEN + 390 * MINUTE
NEXT_OPEN = OPEN + 24 * 60 * MINUTE
VOLUME = 400.0
"""Of every bar."""
BARS_AT = (*range(0, 24, 2), 388, 24 * 60, 24 * 60 + 2)
"""The minutes after the open at which bars begin; the last two are of the next day."""

BUY, SELL = Side.BUY, Side.SELL
ENTRY, EXIT = Role.ENTRY, Role.EXIT
MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
DAY, GTC, IOC = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC


class Shown(msgspec.Struct, frozen=True):
    """The prices of one bar, exact."""

    opens: Decimal
    high: Decimal
    low: Decimal
    start_at: int
    end_at: int


def bars() -> tuple[Bar, ...]:
    """Of both symbols. Each bar opens ten cents (coins: ten dollars) over the one before."""
    return tuple(
        bar(symbol, minute, *_prices(symbol, number), volume=VOLUME)
        for number, minute in enumerate(BARS_AT)
        for symbol in (SHARE, COIN)
    )


def shown(number: int, symbol: str = SHARE) -> Shown:
    """The bar of this number, from 0."""
    opens, high, low, _ = _prices(symbol, number)
    start_at = OPEN + BARS_AT[number] * MINUTE
    return Shown(as_written(opens), as_written(high), as_written(low), start_at, start_at + MINUTE)


def pause_before(number: int) -> int:
    """A moment in the pause that ends with the bar of this number, which is over 0."""
    return shown(number - 1).end_at + 30 * SECOND


def order(
    name: str,
    side: Side = BUY,
    quantity: str = "10",
    *,
    symbol: str = SHARE,
    limit: Decimal | str | None = None,
    stop: Decimal | str | None = None,
    time_in_force: TimeInForce = DAY,
    replaces: str | None = None,
) -> Order:
    """An order by a short name; its type follows from its prices."""
    return Order(
        client_order_id=name_of(name),
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        order_type=MARKET if limit is stop is None else LIMIT if stop is None else STOP,
        time_in_force=time_in_force,
        limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop),
        replaces=None if replaces is None else name_of(replaces),
    )


def name_of(name: str) -> str:
    """The whole name of an order; only what begins like ours is ours."""
    return f"hy1-{name}"


def approval(order: Order, role: Role, epoch: int) -> OrderApproved:
    """The guardian's word for it, good for the whole test."""
    return approved(order, role=role, epoch=epoch)


def _prices(symbol: str, number: int) -> tuple[float, float, float, float]:
    """Open, high, low, close."""
    first, step, decimals = (100.0, 0.1, 2) if symbol == SHARE else (50_000.0, 10.0, 0)
    opens = round(first + step * number, decimals)
    return (
        opens,
        round(opens + 2 * step, decimals),
        round(opens - step, decimals),
        round(opens + step, decimals),
    )
