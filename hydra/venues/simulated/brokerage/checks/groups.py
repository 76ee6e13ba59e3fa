"""Rules of orders that belong together: brackets, one-cancels-other, one-triggers-other."""

from decimal import Decimal

from hydra.trading.exact import add, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import CENT, plain
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.pricing import base_price
from hydra.venues.simulated.brokerage.refusals import Refusal, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, TimeInForce

EXIT_DISTANCE = CENT
"""USD. The exits of a bracket are at least so far from its base price."""


def group_lasts_for_days_or_the_day(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class not in _GROUPS:
        return None
    if order.time_in_force in (TimeInForce.DAY, TimeInForce.GTC):
        return None
    return unprocessable(f"{order.order_class.value} orders must be DAY or GTC orders")


def parent_has_a_simple_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class not in _WITH_ENTRY:
        return None
    if order.order_type in (OrderType.MARKET, OrderType.LIMIT):
        return None
    return unprocessable(f"{order.order_class.value} orders must be market or limit orders")


def parent_enters(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Its children are exits: after an order that closes there is nothing for them to close."""
    if order.order_class not in _WITH_ENTRY or not _closes(order, view):
        return None
    return unprocessable(f"{order.order_class.value} orders must be entry orders")


def oco_is_a_limit_order(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class is not OrderClass.OCO or order.order_type is OrderType.LIMIT:
        return None
    return unprocessable("oco orders must be limit orders")


def oco_exits(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if order.order_class is not OrderClass.OCO or _closes(order, view):
        return None
    return unprocessable("oco orders must be exit orders")


def target_is_beyond_the_stop(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.take_profit is None or order.stop_loss is None:
        return None
    target, stop = order.take_profit.limit_price, order.stop_loss.stop_price
    if target > stop if _exits_by_selling(order) else target < stop:
        return None
    relation = ">" if _exits_by_selling(order) else "<"
    return unprocessable(f"take_profit.limit_price must be {relation} stop_loss.stop_price")


def stop_is_away_from_the_base_price(order: PlaceOrder, view: OrderView) -> Refusal | None:
    base = _base_of_entry(order, view)
    if base is None or order.stop_loss is None:
        return None
    stop = order.stop_loss.stop_price
    if _exits_by_selling(order):
        if stop <= subtract(base, EXIT_DISTANCE):
            return None
        return _too_near("stop_loss.stop_price must be <= base_price - 0.01", base)
    if stop >= add(base, EXIT_DISTANCE):
        return None
    return _too_near("stop_loss.stop_price must be >= base_price + 0.01", base)


def target_is_away_from_the_base_price(order: PlaceOrder, view: OrderView) -> Refusal | None:
    base = _base_of_entry(order, view)
    if base is None or order.take_profit is None:
        return None
    target = order.take_profit.limit_price
    if _exits_by_selling(order):
        if target >= add(base, EXIT_DISTANCE):
            return None
        return _too_near("take_profit.limit_price must be >= base_price + 0.01", base)
    if target <= subtract(base, EXIT_DISTANCE):
        return None
    return _too_near("take_profit.limit_price must be <= base_price - 0.01", base)


COMBINATION: tuple[Check, ...] = (
    group_lasts_for_days_or_the_day,
    parent_has_a_simple_type,
    parent_enters,
    oco_is_a_limit_order,
    oco_exits,
    target_is_beyond_the_stop,
    stop_is_away_from_the_base_price,
    target_is_away_from_the_base_price,
)

_WITH_ENTRY = (OrderClass.BRACKET, OrderClass.OTO)
_GROUPS = (*_WITH_ENTRY, OrderClass.OCO)


def _closes(order: PlaceOrder, view: OrderView) -> bool:
    assert order.side is not None, "syntax comes first"
    return order.side.sign * view.subject.position < 0


def _exits_by_selling(order: PlaceOrder) -> bool:
    """An OCO is the exit itself; the exits of the others go the other way than the order."""
    exit_side = Side.SELL if order.order_class is OrderClass.OCO else Side.BUY
    return order.side is exit_side


def _base_of_entry(order: PlaceOrder, view: OrderView) -> Decimal | None:
    """Only an entry has a base price; None too where the symbol was never seen."""
    if order.order_class not in _WITH_ENTRY:
        return None
    return base_price(order, view.subject.quote)


def _too_near(message: str, base: Decimal) -> Refusal:
    refusal = unprocessable(message)
    return Refusal(refusal.status, refusal.code, message, {"base_price": plain(base)})
