"""Which orders the simulated venue takes: pure checks of the order itself, one reason each.

The reasons are worded as the real broker words them where its wording is known, so that whoever
reads a log sees the same sentence in simulation and at the broker.
"""

from collections.abc import Callable
from decimal import Decimal

from hydra.trading.orders import Order, OrderType, TimeInForce

CLIENT_ORDER_ID_LENGTH_MAX = 128
QUANTITY_STEP = Decimal("0.000000001")
QUANTITY_MAX = Decimal(10**12)
PRICE_MAX = Decimal(10**9)


def first_refusal(order: Order) -> str | None:
    """Ask every check in turn; None means that the order may rest in the book."""
    for check in CHECKS:
        reason = check(order)
        if reason is not None:
            return reason
    return None


def price_step(price: Decimal) -> Decimal:
    """The smallest difference between two prices at this height: a cent, below $1 a hundredth."""
    return _STEP_FROM_ONE_DOLLAR if price >= 1 else _STEP_BELOW_ONE_DOLLAR


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
        return f"qty must be limited to 9 decimal places, found {quantity}"
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


def time_in_force_fits_the_order_type(order: Order) -> str | None:
    if order.time_in_force is TimeInForce.IOC and order.order_type is OrderType.STOP:
        return "invalid time_in_force: a stop order must be day or gtc"
    return None


CHECKS: tuple[Callable[[Order], str | None], ...] = (
    client_order_id_is_usable,
    symbol_is_given,
    quantity_is_tradable,
    prices_fit_the_order_type,
    limit_price_is_quotable,
    stop_price_is_quotable,
    time_in_force_fits_the_order_type,
)
"""The order of asking. A new rule is one function and one line here."""

_STEP_FROM_ONE_DOLLAR = Decimal("0.01")
_STEP_BELOW_ONE_DOLLAR = Decimal("0.0001")


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
