"""What a client may ask the broker to do: parsed, of the right types, not yet judged.

They go on the venue's record as they are, and a venue is rebuilt from them, so each is plain data.
"""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    TimeInForce,
)


class TakeProfit(msgspec.Struct, frozen=True):
    """The target of a bracket, OCO or OTO."""

    limit_price: Decimal


class StopLoss(msgspec.Struct, frozen=True):
    """The stop of a bracket, OCO or OTO; with a limit it is a stop-limit."""

    stop_price: Decimal
    limit_price: Decimal | None = None


class Leg(msgspec.Struct, frozen=True):
    """One leg of a multi-leg option order: `ratio_quantity` contracts for each of the order's."""

    symbol: str
    ratio_quantity: Decimal
    side: Side
    position_intent: PositionIntent | None = None


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, tag="place"):
    """A new order. Exactly one of `quantity` and `notional` is wanted; that is for the broker to
    say. `symbol` and `side` are "" and None for a multi-leg order, whose legs have them.
    """

    symbol: str = ""
    quantity: Decimal | None = None
    notional: Decimal | None = None
    side: Side | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    position_intent: PositionIntent | None = None
    legs: tuple[Leg, ...] = ()


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True, tag="replace"):
    """A new order in the place of the one of this id. What is None stays as it was."""

    order_id: str
    quantity: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    client_order_id: str | None = None


class CancelOrder(msgspec.Struct, frozen=True, tag="cancel"):
    """Take the order of this id out of the market."""

    order_id: str


class CancelAllOrders(msgspec.Struct, frozen=True, tag="cancel_all"):
    """Take out all that is open."""


class ClosePosition(msgspec.Struct, frozen=True, kw_only=True, tag="close"):
    """Close a position, whole or in part, at the market. `asset` is its symbol or asset id."""

    asset: str
    quantity: Decimal | None = None
    percentage: Decimal | None = None


class CloseAllPositions(msgspec.Struct, frozen=True, tag="close_all"):
    """Close all that is held; with `cancel_orders`, ask for the end of all orders before."""

    cancel_orders: bool = False


class ExerciseOption(msgspec.Struct, frozen=True, tag="exercise"):
    """Exercise what is held of an option contract (its symbol or id)."""

    contract: str


class DoNotExercise(msgspec.Struct, frozen=True, tag="do_not_exercise"):
    """Let an option contract that is held expire, whatever it is worth."""

    contract: str


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag="configure"):
    """Change the account's configuration. What is None stays."""

    no_shorting: bool | None = None
    suspend_trade: bool | None = None
    fractional_trading: bool | None = None
    max_margin_multiplier: str | None = None
    trade_confirm_email: str | None = None
    ptp_no_exception_entry: bool | None = None
    max_options_trading_level: int | None = None
    disable_overnight_trading: bool | None = None


BrokerRequest: TypeAlias = (
    PlaceOrder
    | ReplaceOrder
    | CancelOrder
    | CancelAllOrders
    | ClosePosition
    | CloseAllPositions
    | ExerciseOption
    | DoNotExercise
    | Configure
)
