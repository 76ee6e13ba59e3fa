"""Short ways to say an order and a bar, for the tests of the simulated venue."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.orders import Order, OrderType, Side, TimeInForce

MINUTE = 60 * 1_000_000_000


def bar_of(
    minute: int,
    prices: tuple[float, float, float, float],
    symbol: str = "AAPL",
    volume: float = 1000.0,
) -> Bar:
    """The bar that starts `minute` minutes after the epoch: open, high, low, close."""
    start_at = minute * MINUTE
    return Bar(symbol, start_at, start_at + MINUTE, *prices, volume)


def market(name: str, side: Side, quantity: str = "10", symbol: str = "AAPL") -> Order:
    """A day order to trade at once."""
    return Order(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )


def limit(name: str, side: Side, price: str, quantity: str = "10") -> Order:
    """A day order to trade at `price` or better."""
    return Order(
        client_order_id=name,
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(price),
    )


def stop(name: str, side: Side, price: str, quantity: str = "10") -> Order:
    """A day order to trade once the market is at `price` or worse."""
    return Order(
        client_order_id=name,
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.DAY,
        stop_price=Decimal(price),
    )


def gtc(order: Order) -> Order:
    """The same, until it is canceled."""
    return structs.replace(order, time_in_force=TimeInForce.GTC)


def ioc(order: Order) -> Order:
    """The same, now or not at all."""
    return structs.replace(order, time_in_force=TimeInForce.IOC)


def replacing(old: str, order: Order) -> Order:
    """The same, in the place of another."""
    return structs.replace(order, replaces=old)


def of_symbol(symbol: str, order: Order) -> Order:
    """The same in another symbol."""
    return structs.replace(order, symbol=symbol)
