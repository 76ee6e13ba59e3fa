"""Whether an order can be understood: what it must have, and numbers that are numbers.

Nothing else may be asked before these: later checks count on amounts that are finite, over zero
and of a size that exact arithmetic can bear.
"""

from collections.abc import Iterator
from decimal import Decimal

from hydra.venues.simulated.brokerage.amounts import CENT, NINE_DECIMALS, is_multiple, is_whole
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.pricing import limit_of
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType
from hydra.venues.simulated.order_rules import CLIENT_ORDER_ID_LENGTH_MAX, PRICE_MAX, QUANTITY_MAX
from hydra.venues.simulated.symbols import QUANTITY_DECIMALS

NOTIONAL_MIN = Decimal("1.00")
TRAIL_MIN = Decimal("0.1")
TRAIL_PERCENT_END = Decimal(100)


def client_order_id_is_short_enough(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.client_order_id is None or len(order.client_order_id) <= CLIENT_ORDER_ID_LENGTH_MAX:
        return None
    return malformed(
        f"client_order_id must be no more than {CLIENT_ORDER_ID_LENGTH_MAX} characters"
    )


def symbol_is_given(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class is OrderClass.MLEG:
        return malformed("symbol must be empty for mleg orders") if order.symbol else None
    return None if order.symbol else malformed("symbol is required")


def side_is_known(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.order_class is OrderClass.MLEG:
        return None if order.side is None else malformed("side must be empty for mleg orders")
    return malformed("invalid side") if order.side is None else None


def type_is_known(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    return malformed("invalid type") if order.order_type is None else None


def time_in_force_is_known(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    return malformed("invalid time_in_force") if order.time_in_force is None else None


def one_of_quantity_and_notional_is_given(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    if order.quantity is None and order.notional is None:
        return malformed("qty or notional is required")
    if order.quantity is not None and order.notional is not None:
        return malformed("only one of qty or notional is accepted")
    return None


def quantity_is_tradable(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    quantity = order.quantity
    if quantity is None:
        return None
    if not quantity.is_finite():
        return malformed(f"qty must be a number, found {quantity}")
    if quantity <= 0:
        return malformed("qty must be > 0")
    if quantity > QUANTITY_MAX:
        return malformed(f"qty must be <= {QUANTITY_MAX}, found {quantity}")
    if not is_multiple(quantity, NINE_DECIMALS):
        return malformed(
            f"qty must be limited to {QUANTITY_DECIMALS} decimal places, found {quantity}"
        )
    return None


def notional_is_tradable(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    notional = order.notional
    if notional is None:
        return None
    if not notional.is_finite():
        return malformed(f"notional must be a number, found {notional}")
    if notional < NOTIONAL_MIN:
        return malformed(f"notional must be >= {NOTIONAL_MIN}")
    if notional > QUANTITY_MAX:
        return malformed(f"notional must be <= {QUANTITY_MAX}, found {notional}")
    if not is_multiple(notional, CENT):
        return unprocessable("notional value must be limited to 2 decimal places")
    return None


def prices_fit_the_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    has_limit, has_stop = limit_of(order) is not None, order.stop_price is not None
    fault = None
    match order.order_type:
        case OrderType.MARKET:
            if has_limit or has_stop:
                fault = "market orders require no stop or limit price"
        case OrderType.LIMIT:
            if not has_limit:
                fault = "limit orders require a limit price"
            elif has_stop:
                fault = "limit orders require no stop price"
        case OrderType.STOP:
            if not has_stop:
                fault = "stop orders require a stop price"
            elif has_limit:
                fault = "stop orders require no limit price"
        case OrderType.STOP_LIMIT:
            if not (has_limit and has_stop):
                fault = "stop limit orders require both stop and limit price"
        case OrderType.TRAILING_STOP:
            if has_limit or has_stop:
                fault = "trailing stop orders require no stop or limit price"
        case None:
            pass
    return None if fault is None else malformed(fault)


def prices_are_numbers(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    for name, price in prices_of(order):
        if not price.is_finite():
            return malformed(f"{name} must be a number, found {price}")
        # The price of a multi-leg order is a difference: a credit is below zero.
        if price <= 0 and order.order_class is not OrderClass.MLEG:
            return malformed(f"{name} must be > 0")
        if price.copy_abs() > PRICE_MAX:
            return malformed(f"{name} must be <= {PRICE_MAX}, found {price}")
    return None


def trail_fits_the_type(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    trails = [trail for trail in (order.trail_price, order.trail_percent) if trail is not None]
    if order.order_type is not OrderType.TRAILING_STOP:
        return malformed("only trailing stop orders accept a trail") if trails else None
    if len(trails) != 1:
        return malformed("trailing stop orders require either trail_price or trail_percent")
    return None


def trail_is_a_number(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    for name, trail, end in (
        ("trail_price", order.trail_price, PRICE_MAX),
        ("trail_percent", order.trail_percent, TRAIL_PERCENT_END),
    ):
        if trail is None:
            continue
        if not trail.is_finite():
            return malformed(f"{name} must be a number, found {trail}")
        if trail < TRAIL_MIN:
            return malformed(f"{name} must be >= {TRAIL_MIN}")
        if trail >= end:
            return malformed(f"{name} must be < {end}, found {trail}")
        if not is_multiple(trail, NINE_DECIMALS):
            return malformed(f"{name} must be limited to {QUANTITY_DECIMALS} decimal places")
    return None


def class_has_its_parts(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    parts = (order.take_profit is not None, order.stop_loss is not None)
    name = order.order_class.value
    match order.order_class:
        case OrderClass.SIMPLE | OrderClass.MLEG:
            if any(parts):
                return malformed(f"{name} orders accept no take_profit and no stop_loss")
        case OrderClass.BRACKET | OrderClass.OCO:
            if not all(parts):
                return malformed(f"{name} orders require take_profit and stop_loss")
        case OrderClass.OTO:
            if all(parts) or not any(parts):
                return malformed("oto orders require either take_profit or stop_loss")
    if order.legs and order.order_class is not OrderClass.MLEG:
        return malformed("only mleg orders accept legs")
    return None


def legs_are_counted(order: PlaceOrder, _view: OrderView) -> Refusal | None:
    for leg in order.legs:
        ratio = leg.ratio_quantity
        if not (ratio.is_finite() and 0 < ratio <= QUANTITY_MAX and is_whole(ratio)):
            return malformed(f"ratio_qty must be a whole number > 0, found {ratio}")
    return None


def client_order_id_is_new(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Asked before all that can change with time: whoever repeats an order must hear this."""
    if order.client_order_id and view.client_order_id_used:
        return malformed("client_order_id must be unique")
    return None


SYNTAX: tuple[Check, ...] = (
    client_order_id_is_short_enough,
    symbol_is_given,
    side_is_known,
    type_is_known,
    time_in_force_is_known,
    one_of_quantity_and_notional_is_given,
    quantity_is_tradable,
    notional_is_tradable,
    class_has_its_parts,
    prices_fit_the_type,
    prices_are_numbers,
    trail_fits_the_type,
    trail_is_a_number,
    legs_are_counted,
    client_order_id_is_new,
)


def prices_of(order: PlaceOrder) -> Iterator[tuple[str, Decimal]]:
    """Every price of the order with its name."""
    named = [("limit_price", order.limit_price), ("stop_price", order.stop_price)]
    if order.take_profit is not None:
        named.append(("take_profit.limit_price", order.take_profit.limit_price))
    if order.stop_loss is not None:
        named.append(("stop_loss.stop_price", order.stop_loss.stop_price))
        named.append(("stop_loss.limit_price", order.stop_loss.limit_price))
    for name, price in named:
        if price is not None:
            yield name, price
