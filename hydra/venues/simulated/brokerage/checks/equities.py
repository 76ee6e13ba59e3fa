"""Rules of orders in stocks and funds: how type, time in force, fractions and hours go together."""

from decimal import Decimal

from hydra.venues.simulated.brokerage.amounts import is_multiple, is_whole
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.combinations import intent_is_what_it_does
from hydra.venues.simulated.brokerage.checks.syntax import prices_of
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, TimeInForce
from hydra.venues.simulated.symbols import price_step

FRACTIONS_IN_EXTENDED_HOURS = "fractional_eh_enabled"
"""The attribute of an asset of which fractions trade in the extended hours."""


def prices_are_on_the_grid(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    for name, price in prices_of(order):
        if not is_multiple(price, price_step(price)):
            return off_the_grid(name, price)
    return None


def time_in_force_fits_the_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    """Orders for an auction, and for this very moment, are at the market or have a limit."""
    if order.time_in_force in _LASTING or order.order_type in _MARKET_OR_LIMIT:
        return None
    assert order.order_type is not None, "syntax comes first"
    kind = order.order_type.value
    return unprocessable(f"invalid time_in_force: a {kind} order must be day or gtc")


def extended_hours_are_for_limit_orders(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if not order.extended_hours:
        return None
    if order.order_type is not OrderType.LIMIT or order.time_in_force not in _LASTING:
        return unprocessable("extended hours order must be DAY or GTC limit orders")
    if order.order_class is not OrderClass.SIMPLE:
        return unprocessable("extended hours orders must be simple orders")
    return None


def fraction_is_for_the_day(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if not is_fractional(order) or order.time_in_force is TimeInForce.DAY:
        return None
    return unprocessable("fractional orders must be DAY orders")


def fraction_is_simple(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if not is_fractional(order) or order.order_class is OrderClass.SIMPLE:
        return None
    return unprocessable("fractional orders must be simple orders")


def fraction_fits_the_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.notional is not None and order.order_type not in _MARKET_OR_LIMIT:
        return unprocessable("notional orders must be market or limit orders")
    if is_fractional(order) and order.order_type is OrderType.TRAILING_STOP:
        return unprocessable("fractional orders cannot be trailing stop orders")
    return None


def fraction_trades_in_the_extended_hours(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    if not (order.extended_hours and is_fractional(order)):
        return None
    if asset is not None and FRACTIONS_IN_EXTENDED_HOURS in asset.attributes:
        return None
    return unprocessable("fractional orders are not supported in extended hours for this asset")


def fraction_of_the_asset_trades(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    if not is_fractional(order) or (asset is not None and asset.fractionable):
        return None
    return forbidden(f'asset "{order.symbol}" is not fractionable')


COMBINATION: tuple[Check, ...] = (
    time_in_force_fits_the_type,
    fraction_of_the_asset_trades,
    fraction_is_for_the_day,
    fraction_is_simple,
    fraction_fits_the_type,
    extended_hours_are_for_limit_orders,
    fraction_trades_in_the_extended_hours,
    prices_are_on_the_grid,
    intent_is_what_it_does,
)


def is_fractional(order: PlaceOrder) -> bool:
    """Whether it is not for a whole number of shares: by money, or with a part of one."""
    return order.notional is not None or (
        order.quantity is not None and not is_whole(order.quantity)
    )


def off_the_grid(name: str, price: Decimal) -> Refusal:
    """The refusal of a price between two prices that can be quoted."""
    return unprocessable(
        f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
    )


_LASTING = (TimeInForce.DAY, TimeInForce.GTC)
_MARKET_OR_LIMIT = (OrderType.MARKET, OrderType.LIMIT)
