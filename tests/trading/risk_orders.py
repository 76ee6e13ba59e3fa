"""Orders, proposals and fills for the tests of the risk book, each of them one fine case."""

from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import structs

from hydra.trading.order_life import OrderState
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
)
from hydra.trading.situation import Proposal
from hydra.trading.working_orders import WorkingOrder

D = Decimal
Number: TypeAlias = str | int | Decimal


def proposal(side: Side, quantity: Number, **changes: Any) -> Proposal:
    """An entry at the market, of bot "one" in AAPL, decided at 100."""
    made = Proposal(
        bot="one",
        symbol="AAPL",
        role=Role.ENTRY,
        side=side,
        quantity=D(quantity),
        order_type=OrderType.MARKET,
        reference_price=D(100),
        decided_at=0,
    )
    return structs.replace(made, **changes)


def limit(side: Side, quantity: Number, price: str, **changes: Any) -> Proposal:
    """The same at a limit."""
    at_a_limit = {"order_type": OrderType.LIMIT, "limit_price": D(price)}
    return proposal(side, quantity, **{**at_a_limit, **changes})


def approved(name: str, wanted: Proposal) -> WorkingOrder:
    """The order that comes of a proposal, as it is when it is reserved."""
    order = Order(
        client_order_id=name,
        symbol=wanted.symbol,
        side=wanted.side,
        quantity=wanted.quantity,
        order_type=wanted.order_type,
        time_in_force=TimeInForce.DAY,
        limit_price=wanted.limit_price,
        stop_price=wanted.stop_price,
        replaces=wanted.replaces,
    )
    return WorkingOrder(
        decision=decision(wanted),
        state=OrderState(order=order),
        reference_price=wanted.reference_price,
        protective_stop=wanted.protective_stop,
    )


def decision(wanted: Proposal) -> DecisionKey:
    """Whose it is; the book asks for no more of a decision than its bot."""
    return DecisionKey(wanted.bot, wanted.symbol, "2024-01-02", 1, wanted.role)


def fill(order: Order, quantity: Number, price: Number, number: int = 1) -> Fill:
    """An execution of the order."""
    return Fill(
        execution_id=f"execution-{number}",
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=D(quantity),
        price=D(price),
        at=number,
    )
