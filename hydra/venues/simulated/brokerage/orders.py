"""An order as the broker keeps it, and what it tells of it."""

from decimal import Decimal

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
    UpdateEvent,
)


class BrokerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order, whole. Ids are UUIDs; times are market time (UTC ns), None: has not happened.

    `quantity` is None for an order by `notional` until it is filled. `legs` are the ids of the
    orders that belong to it, in the order in which they are listed; `parent` is the way back. A
    multi-leg order has no symbol and no side; its legs have a `ratio_quantity`. `filled_value` is
    the sum of quantity times price over all executions, so that the average is exact.
    """

    id: str
    client_order_id: str
    symbol: str
    asset_id: str
    asset_class: AssetClass | None
    side: Side | None
    position_intent: PositionIntent | None
    quantity: Decimal | None
    notional: Decimal | None = None
    order_type: OrderType
    time_in_force: TimeInForce
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    high_water_mark: Decimal | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    legs: tuple[str, ...] = ()
    parent: str | None = None
    ratio_quantity: Decimal | None = None
    status: Status
    filled_quantity: Decimal = Decimal(0)
    filled_value: Decimal = Decimal(0)
    created_at: int
    submitted_at: int
    updated_at: int
    expires_at: int | None = None
    filled_at: int | None = None
    expired_at: int | None = None
    canceled_at: int | None = None
    cancel_requested_at: int | None = None
    failed_at: int | None = None
    replaced_at: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    reason: str = ""
    """Why it was rejected or canceled, where the broker says so."""


class LegFill(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg of a multi-leg order got in an execution of the whole."""

    order_id: str
    symbol: str
    execution_id: str
    price: Decimal
    quantity: Decimal
    position_quantity: Decimal


class TradeUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the trading stream. `order` is whole and as it is after the event.

    Price, quantity and execution are those of one execution; `position_quantity` is what the
    account holds of the symbol after it. `previous_execution_id` names what is busted or corrected.
    """

    event: UpdateEvent
    order: BrokerOrder
    at: int
    execution_id: str | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    position_quantity: Decimal | None = None
    legs: tuple[LegFill, ...] = ()
    previous_execution_id: str | None = None
    reason: str = ""
