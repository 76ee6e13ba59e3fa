"""Which orders the simulated venue takes: pure checks of the order itself, one reason each.

What depends on the account too is in `account_rules`.

The reasons are worded as the real broker words them where its wording is known, so that whoever
reads a log sees the same sentence in simulation and at the broker.
"""

from collections.abc import Callable
from decimal import Decimal

from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Order, OrderType, TimeInForce
from hydra.venues.simulated.symbols import QUANTITY_DECIMALS, QUANTITY_STEP, price_step

CLIENT_ORDER_ID_LENGTH_MAX = 128
QUANTITY_MAX = Decimal(10**12)
PRICE_MAX = Decimal(10**9)


def first_refusal(order: Order) -> str | None:
    """Ask every check in turn; None means that the order may rest in the book."""
    for check in CHECKS:
        reason = check(order)
        if reason is not None:
            return reason
    return None


def client_order_id_is_usable(order: Order) -> str | None:
    length = len(order.client_order_id)
    if 1 <= length <= CLIENT_ORDER_ID_LENGTH_MAX:
        return None
    if length == 0:
        return "client_order_id is required"
    return f"client_order_id must be no more than {CLIENT_ORDER_ID_LENGTH_MAX} characters"


def symbol_is_given(order: Order) -> str | None:
    return None if order.symbol else "symbol is required"


def quantity_is_tradable(order: Order) -> str | None:
    quantity = order.quantity
    if not quantity.is_finite():
        return f"qty must be a number, found {quantity}"
    if quantity <= 0:
        return "qty must be > 0"
    if quantity > QUANTITY_MAX:
        return f"qty must be <= {QUANTITY_MAX}, found {quantity}"
    if quantity != quantity.quantize(QUANTITY_STEP):
        return f"qty must be limited to {QUANTITY_DECIMALS} decimal places, found {quantity}"
    return None


def order_type_is_known_for_the_symbol(order: Order) -> str | None:
    if is_crypto(order.symbol) and order.order_type is OrderType.STOP:
        return "invalid order type for crypto order"
    return None


def prices_fit_the_order_type(order: Order) -> str | None:
    has_limit, has_stop = order.limit_price is not None, order.stop_price is not None
    match order.order_type:
        case OrderType.MARKET:
            if has_limit or has_stop:
                return "market orders require no stop or limit price"
        case OrderType.LIMIT:
            if not has_limit:
                return "limit orders require a limit price"
            if has_stop:
                return "limit orders require no stop price"
        case OrderType.STOP:
            if not has_stop:
                return "stop orders require a stop price"
            if has_limit:
                return "stop orders require no limit price"
    return None


def limit_price_is_quotable(order: Order) -> str | None:
    return _fault_in_price("limit_price", order.limit_price)


def stop_price_is_quotable(order: Order) -> str | None:
    return _fault_in_price("stop_price", order.stop_price)


def time_in_force_is_known_for_the_symbol(order: Order) -> str | None:
    if is_crypto(order.symbol) and order.time_in_force is TimeInForce.DAY:
        return "invalid crypto time_in_force"
    return None


def fraction_of_a_share_is_for_the_day(order: Order) -> str | None:
    if is_crypto(order.symbol) or order.time_in_force is TimeInForce.DAY:
        return None
    if order.quantity != order.quantity.to_integral_value():
        return "fractional orders must be DAY orders"
    return None


def time_in_force_fits_the_order_type(order: Order) -> str | None:
    if order.time_in_force is TimeInForce.IOC and order.order_type is OrderType.STOP:
        return "invalid time_in_force: a stop order must be day or gtc"
    return None


CHECKS: tuple[Callable[[Order], str | None], ...] = (
    client_order_id_is_usable,
    symbol_is_given,
    quantity_is_tradable,
    order_type_is_known_for_the_symbol,
    prices_fit_the_order_type,
    limit_price_is_quotable,
    stop_price_is_quotable,
    time_in_force_is_known_for_the_symbol,
    time_in_force_fits_the_order_type,
    fraction_of_a_share_is_for_the_day,
)
"""The order of asking. A new rule is one function and one line here."""


def _fault_in_price(name: str, price: Decimal | None) -> str | None:
    if price is None:
        return None
    if not price.is_finite():
        return f"{name} must be a number, found {price}"
    if price <= 0:
        return f"{name} must be > 0"
    if price > PRICE_MAX:
        return f"{name} must be <= {PRICE_MAX}, found {price}"
    if price != price.quantize(price_step(price)):
        return (
            f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )
    return None
