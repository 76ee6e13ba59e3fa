"""An update of an order, as the trading stream tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hydra.venues.simulated.brokerage.orders import BrokerOrder, LegFill, TradeUpdate
from hydra.venues.simulated.brokerage.words import OrderClass
from hydra.venues.simulated.server.rest.amount_text import amount_text
from hydra.venues.simulated.server.rest.timestamps import rfc3339, rfc3339_or_none
from hydra.venues.simulated.server.rest.trading.order_answers import legs_of, order_body

Body: TypeAlias = dict[str, Any]

EVENT = "event"
"""What has happened. The word is the broker's, and none of our journal's."""


def update_message(update: TradeUpdate, order_of: Callable[[str], BrokerOrder | None]) -> Body:
    """The whole message. Of the orders of a multi-leg order `order_of` gives what they are now."""
    data: Body = {
        EVENT: update.event.value,
        "timestamp": rfc3339(update.at),
        "order": _order(update.order, order_of),
    }
    for name, amount in (
        ("price", update.price),
        ("qty", update.quantity),
        ("position_qty", None if update.legs else update.position_quantity),
    ):
        if amount is not None:
            data[name] = amount_text(amount)
    if update.previous_execution_id is not None:
        data["previous_execution_id"] = update.previous_execution_id
    if update.execution_id is not None and not update.legs:
        data["execution_id"] = update.execution_id
    if update.legs:
        data["legs"] = [_leg(leg, update.at) for leg in update.legs]
    if update.reason:
        data["reason"] = update.reason
    return {"stream": "trade_updates", "data": data}


def _order(order: BrokerOrder, order_of: Callable[[str], BrokerOrder | None]) -> Body:
    """On the stream an order has a field more than over REST, and a simple one some less."""
    if order.order_class is OrderClass.MLEG:
        return order_body(order, legs_of(order, order_of))
    body = order_body(order)
    if not body["position_intent"]:
        del body["position_intent"]
    body["cancel_requested_at"] = rfc3339_or_none(order.cancel_requested_at)
    return body


def _leg(leg: LegFill, at: int) -> Body:
    return {
        "order_id": leg.order_id,
        "symbol": leg.symbol,
        "execution_id": leg.execution_id,
        "price": amount_text(leg.price),
        "qty": amount_text(leg.quantity),
        "timestamp": rfc3339(at),
    }
