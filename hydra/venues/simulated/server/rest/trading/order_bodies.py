"""What a client sends about orders, parsed into requests; whether they make sense others say."""

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.requests import (
    Leg,
    PlaceOrder,
    ReplaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    TimeInForce,
)
from hydra.venues.simulated.server.rest.bodies import Fields


def place_order(body: Fields) -> PlaceOrder:
    """The body of POST /v2/orders. Raises `Refused`."""
    return PlaceOrder(
        symbol=body.text("symbol") or "",
        quantity=body.amount("qty"),
        notional=body.amount("notional"),
        side=body.word("side", Side),
        order_type=body.word("type", OrderType),
        time_in_force=body.word("time_in_force", TimeInForce),
        limit_price=body.amount("limit_price"),
        stop_price=body.amount("stop_price"),
        trail_price=body.amount("trail_price"),
        trail_percent=body.amount("trail_percent"),
        extended_hours=body.flag("extended_hours") or False,
        client_order_id=body.text("client_order_id"),
        order_class=body.word("order_class", OrderClass) or OrderClass.SIMPLE,
        take_profit=_take_profit(body.fields("take_profit")),
        stop_loss=_stop_loss(body.fields("stop_loss")),
        position_intent=body.word("position_intent", PositionIntent),
        legs=tuple(_leg(leg) for leg in body.rows("legs")),
    )


def replace_order(order_id: str, body: Fields) -> ReplaceOrder:
    """The body of PATCH /v2/orders/{id}. Raises `Refused`."""
    return ReplaceOrder(
        order_id=order_id,
        quantity=body.amount("qty"),
        time_in_force=body.word("time_in_force", TimeInForce),
        limit_price=body.amount("limit_price"),
        stop_price=body.amount("stop_price"),
        trail=body.amount("trail"),
        client_order_id=body.text("client_order_id"),
    )


def _take_profit(body: Fields | None) -> TakeProfit | None:
    return None if body is None else TakeProfit(body.required_amount("limit_price"))


def _stop_loss(body: Fields | None) -> StopLoss | None:
    if body is None:
        return None
    return StopLoss(body.required_amount("stop_price"), body.amount("limit_price"))


def _leg(body: Fields) -> Leg:
    return Leg(
        symbol=body.required_text("symbol"),
        ratio_quantity=body.required_amount("ratio_qty"),
        side=body.required_word("side", Side),
        position_intent=body.word("position_intent", PositionIntent),
    )
