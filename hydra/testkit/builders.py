"""Messages and values with sensible contents, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hydra.actor import MINUTE
from hydra.runtime.sim_runtime import EPOCH
from hydra.trading.bars import Bar
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from messages.orders import OrderApproved, OrderIntent

ACCOUNT = "PA-TEST"


def bar(
    close: float,
    *,
    symbol: str = "AAPL",
    start_at: int = EPOCH,
    opened: float | None = None,
    high: float | None = None,
    low: float | None = None,
    volume: float = 1_000.0,
    interval: int = MINUTE,
) -> Bar:
    """A bar that closes at `close`; by default it opened there and went nowhere else."""
    opened = close if opened is None else opened
    high = max(opened, close) if high is None else high
    low = min(opened, close) if low is None else low
    return Bar(symbol, start_at, start_at + interval, opened, high, low, close, volume)


def bars(
    closes: Iterable[float],
    *,
    symbol: str = "AAPL",
    start_at: int = EPOCH,
    interval: int = MINUTE,
) -> tuple[Bar, ...]:
    """Bars one after the other, each opening where the last one closed."""
    made: list[Bar] = []
    for close in closes:
        opened = made[-1].close if made else close
        at = start_at + len(made) * interval
        made.append(bar(close, symbol=symbol, start_at=at, opened=opened, interval=interval))
    return tuple(made)


def decision(
    *,
    bot: str = "bot",
    symbol: str = "AAPL",
    session: str = "2026-01-05",
    signal: int = 1,
    role: Role = Role.ENTRY,
) -> DecisionKey:
    """One wish to trade."""
    return DecisionKey(bot, symbol, session, signal, role)


def intent(
    *,
    key: DecisionKey | None = None,
    side: Side = Side.BUY,
    quantity: str = "10",
    price: str = "100",
    decided_at: int = EPOCH,
    reason: str = "a test",
) -> OrderIntent:
    """An order that a bot would like."""
    return OrderIntent(
        decision=key or decision(),
        side=side,
        quantity=Decimal(quantity),
        reason=reason,
        decided_at=decided_at,
        reference_price=Decimal(price),
    )


def approved(
    wish: OrderIntent | None = None, *, epoch: int = 1, expires_at: int = 0
) -> OrderApproved:
    """The same, as the guardian would let it through. Only tests may make one."""
    wish = wish or intent()
    return OrderApproved(
        intent=wish,
        order=Order(
            client_order_id=client_order_id(ACCOUNT, wish.decision),
            symbol=wish.decision.symbol,
            side=wish.side,
            quantity=wish.quantity,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        ),
        epoch=epoch,
        expires_at=expires_at,
    )


def fill(
    of: OrderApproved | None = None,
    *,
    quantity: str | None = None,
    price: str = "100",
    execution_id: str = "x-1",
    at: int = EPOCH,
) -> Fill:
    """An execution of an order, whole unless `quantity` says less."""
    order = (of or approved()).order
    return Fill(
        execution_id=execution_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity if quantity is None else Decimal(quantity),
        price=Decimal(price),
        at=at,
    )
