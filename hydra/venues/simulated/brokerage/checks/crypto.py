"""Rules of orders in coins: round the clock, never short, paid in full."""

from decimal import Decimal

from hydra.trading.exact import multiply
from hydra.venues.simulated.account_rules import CRYPTO_VALUE_MAX, CRYPTO_VALUE_MIN
from hydra.venues.simulated.brokerage.amounts import NINE_DECIMALS, is_multiple
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.combinations import intent_is_what_it_does
from hydra.venues.simulated.brokerage.checks.equities import off_the_grid
from hydra.venues.simulated.brokerage.checks.syntax import prices_of
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, TimeInForce
from hydra.venues.simulated.symbols import price_step


def time_in_force_is_for_coins(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.time_in_force is TimeInForce.GTC:
        return None
    # A stop that waits cannot be immediate.
    if order.time_in_force is TimeInForce.IOC and order.order_type is not OrderType.STOP_LIMIT:
        return None
    return unprocessable("invalid crypto time_in_force")


def type_is_for_coins(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_type in (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT):
        return None
    return unprocessable("invalid order type for crypto order")


def order_is_simple(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class is OrderClass.SIMPLE:
        return None
    return unprocessable("crypto orders must be simple orders")


def hours_are_not_extended(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if not order.extended_hours:
        return None
    return unprocessable("extended hours is not supported for crypto orders")


def notional_fits_the_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.notional is None or order.order_type is not OrderType.STOP_LIMIT:
        return None
    return unprocessable("notional orders must be market or limit orders")


def quantity_is_in_steps(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    step = NINE_DECIMALS if asset is None else asset.min_trade_increment or NINE_DECIMALS
    if order.quantity is None or is_multiple(order.quantity, step):
        return None
    return unprocessable(f"qty must be a multiple of {step}, found {order.quantity}")


def prices_are_on_the_grid(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    increment = None if asset is None else asset.price_increment
    for name, price in prices_of(order):
        if not is_multiple(price, increment or price_step(price)):
            return off_the_grid(name, price)
    return None


def value_is_between_the_least_and_the_most(order: PlaceOrder, view: OrderView) -> Refusal | None:
    value = _value(order, view)
    if value is None:
        return None
    # Whoever closes a position may sell what is left of it, whatever that is worth.
    if value < CRYPTO_VALUE_MIN and not view.closes_position:
        return forbidden(f"cost basis must be >= minimal amount of order {CRYPTO_VALUE_MIN}")
    if value > CRYPTO_VALUE_MAX:
        return forbidden(f"cost basis must be <= maximal amount of order {CRYPTO_VALUE_MAX}")
    return None


COMBINATION: tuple[Check, ...] = (
    type_is_for_coins,
    time_in_force_is_for_coins,
    order_is_simple,
    hours_are_not_extended,
    notional_fits_the_type,
    quantity_is_in_steps,
    prices_are_on_the_grid,
    intent_is_what_it_does,
)


def _value(order: PlaceOrder, view: OrderView) -> Decimal | None:
    """What the order is worth in USD, at its limit or at the last price; None: nobody knows."""
    if order.notional is not None:
        return order.notional
    quote = view.subject.quote
    price = order.limit_price or (None if quote is None else quote.last)
    if price is None or order.quantity is None:
        return None
    return multiply(order.quantity, price)
