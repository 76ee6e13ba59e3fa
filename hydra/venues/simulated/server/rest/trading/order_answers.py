"""An order as the broker shows it, over REST and in the updates of the trading stream."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeAlias

from msgspec.structs import replace

from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import AssetClass, OrderClass, Status
from hydra.venues.simulated.server.rest.amount_text import (
    amount_text,
    amount_text_or_none,
    rounded_text,
)
from hydra.venues.simulated.server.rest.timestamps import rfc3339, rfc3339_or_none

Body: TypeAlias = dict[str, object]
OrderOf: TypeAlias = Callable[[str], BrokerOrder | None]

_AVERAGE_PLACES = 6
_AVERAGE_PLACES_BELOW_ONE = 9


def order_body(order: BrokerOrder, legs: Iterable[BrokerOrder] = ()) -> Body:
    """All fields of an order. `legs` are the orders below it, if they are to be shown."""
    is_leg = order.ratio_quantity is not None
    order_type = "" if is_leg else order.order_type.value
    body: Body = {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": rfc3339(order.created_at),
        "updated_at": rfc3339(order.updated_at),
        "submitted_at": rfc3339(order.submitted_at),
        "filled_at": rfc3339_or_none(order.filled_at),
        "expired_at": rfc3339_or_none(order.expired_at),
        "canceled_at": rfc3339_or_none(order.canceled_at),
        "failed_at": rfc3339_or_none(order.failed_at),
        "replaced_at": rfc3339_or_none(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": order.asset_id,
        "symbol": order.symbol,
        "asset_class": "" if order.asset_class is None else order.asset_class.value,
        "notional": amount_text_or_none(order.notional),
        "qty": amount_text_or_none(order.quantity),
        "filled_qty": amount_text(order.filled_quantity),
        "filled_avg_price": _average_price(order),
        "order_class": _order_class(order),
        "order_type": order_type,
        "type": order_type,
        "side": "" if order.side is None else order.side.value,
        "position_intent": "" if order.position_intent is None else order.position_intent.value,
        "time_in_force": order.time_in_force.value,
        "limit_price": amount_text_or_none(order.limit_price),
        "stop_price": amount_text_or_none(order.stop_price),
        "status": order.status.value,
        "extended_hours": order.extended_hours,
        "legs": [order_body(leg) for leg in legs] or None,
        "trail_percent": amount_text_or_none(order.trail_percent),
        "trail_price": amount_text_or_none(order.trail_price),
        "hwm": amount_text_or_none(order.high_water_mark),
        "subtag": None,
        "source": None,
        "expires_at": rfc3339_or_none(order.expires_at),
    }
    if order.ratio_quantity is not None:
        body["ratio_qty"] = amount_text(order.ratio_quantity)
    return body


def taken_order_body(order: BrokerOrder, order_of: OrderOf) -> Body:
    """An order as it was taken, with those that belong to it as they were then.

    By now they may have gone further: in one answer all must be of one moment.
    """
    is_multi_leg = order.order_class is OrderClass.MLEG
    status = order.status if is_multi_leg else Status.HELD
    return order_body(order, [_at_first(leg, status) for leg in legs_of(order, order_of)])


def nested_order_body(order: BrokerOrder, order_of: OrderOf) -> Body:
    """An order with those that belong to it, as they are by now."""
    return order_body(order, legs_of(order, order_of))


def legs_of(order: BrokerOrder, order_of: OrderOf) -> tuple[BrokerOrder, ...]:
    """The orders that belong to this one, in their order."""
    found = (order_of(leg) for leg in order.legs)
    return tuple(leg for leg in found if leg is not None)


def _at_first(leg: BrokerOrder, status: Status) -> BrokerOrder:
    return replace(
        leg,
        status=status,
        filled_quantity=Decimal(0),
        filled_value=Decimal(0),
        filled_at=None,
        canceled_at=None,
        failed_at=None,
        updated_at=leg.created_at,
    )


def _average_price(order: BrokerOrder) -> str | None:
    """Over all executions; prices below a dollar need more digits."""
    if not order.filled_quantity:
        return None
    average = order.filled_value / order.filled_quantity
    below_one = abs(average) < Decimal(1)
    return rounded_text(average, _AVERAGE_PLACES_BELOW_ONE if below_one else _AVERAGE_PLACES)


def _order_class(order: BrokerOrder) -> str:
    """The broker leaves the class of a simple order empty, except for options."""
    if order.order_class is OrderClass.SIMPLE and order.asset_class is not AssetClass.OPTION:
        return ""
    return order.order_class.value
