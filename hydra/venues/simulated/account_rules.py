"""Which orders the account can bear: pure checks of an order against what is held and working.

Worded as the real broker words them, like those of `order_rules`, and asked in its order: account,
quantity, wash trade, money.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from hydra.trading.exact import plain, subtract, total
from hydra.trading.instruments import is_crypto, value_of
from hydra.trading.orders import Order, OrderType, Side
from hydra.venues.simulated.fill_model import dearest_at_stop
from hydra.venues.simulated.resting_orders import RestingOrder
from hydra.venues.simulated.symbols import base_of

CRYPTO_VALUE_MIN = Decimal(10)
"""USD. What is worth less cannot be traded by an order."""
CRYPTO_VALUE_MAX = Decimal(200_000)
"""USD. The most that one order of coins may be worth."""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks may know. An order that the new one replaces is left out of it.

    `blocked` is why the account must not trade, "" if it may. `position` is signed; `last_price`
    None: the symbol was never seen. `working` are the open orders in the symbol.
    """

    blocked: str
    shorts_allowed: bool
    position: Decimal
    last_price: Decimal | None
    working: tuple[RestingOrder, ...]
    cash_left: Decimal
    """Cash less what all open buys may cost."""


def first_account_refusal(order: Order, view: AccountView) -> str | None:
    """Ask every check in turn; None means that the account can bear the order."""
    for check in CHECKS:
        reason = check(order, view)
        if reason is not None:
            return reason
    return None


def account_may_trade(_order: Order, view: AccountView) -> str | None:
    return "account is not authorized to trade" if view.blocked else None


def what_it_closes_is_available(order: Order, view: AccountView) -> str | None:
    """No order may pass through zero, and what other orders are to close is held for them."""
    held = -order.side.sign * view.position
    if held <= 0:
        return _fault_in_opening(order, view)
    reserved = total(other.remaining for other in view.working if other.order.side is order.side)
    available = max(Decimal(0), subtract(held, reserved))
    if order.quantity <= available:
        return None
    wanted = f"(requested: {plain(order.quantity):f}, available: {plain(available):f})"
    if is_crypto(order.symbol):
        return f"insufficient balance for {base_of(order.symbol)} {wanted}"
    return f"insufficient qty available for order {wanted}"


def it_would_not_trade_with_our_own(order: Order, view: AccountView) -> str | None:
    if all(_cannot_meet(order, other.order) for other in view.working):
        return None
    return "potential wash trade detected. use complex orders"


def crypto_is_worth_the_least_amount(order: Order, view: AccountView) -> str | None:
    if not is_crypto(order.symbol):
        return None
    value = worst_value(order, order.quantity, view.last_price)
    if value is None or value >= CRYPTO_VALUE_MIN:
        return None
    return f"cost basis must be >= minimal amount of order {CRYPTO_VALUE_MIN}"


def crypto_is_worth_the_most_amount_at_most(order: Order, view: AccountView) -> str | None:
    if not is_crypto(order.symbol):
        return None
    value = worst_value(order, order.quantity, view.last_price)
    if value is None or value <= CRYPTO_VALUE_MAX:
        return None
    return f"cost basis must be <= maximal amount of order {CRYPTO_VALUE_MAX}"


def it_can_be_paid(order: Order, view: AccountView) -> str | None:
    """Buys are paid in cash, but no account is so poor that it must not close a short.

    A market order in a symbol that was never seen has no price yet, and passes.
    """
    if order.side is Side.SELL or view.position < 0:
        return None
    cost = worst_value(order, order.quantity, view.last_price)
    return None if cost is None or cost <= view.cash_left else "insufficient buying power"


CHECKS: tuple[Callable[[Order, AccountView], str | None], ...] = (
    account_may_trade,
    what_it_closes_is_available,
    it_would_not_trade_with_our_own,
    crypto_is_worth_the_least_amount,
    crypto_is_worth_the_most_amount_at_most,
    it_can_be_paid,
)
"""The order of asking. A new rule is one function and one line here."""


def worst_value(order: Order, quantity: Decimal, last_price: Decimal | None) -> Decimal | None:
    """What so much of the order may come to, in USD; None if its price cannot be known."""
    price = order.limit_price or last_price
    if order.stop_price is not None:
        price = dearest_at_stop(order.stop_price)
    return None if price is None else value_of(order.symbol, quantity, price)


def _fault_in_opening(order: Order, view: AccountView) -> str | None:
    """There is nothing to close, so the order opens or enlarges."""
    if order.side is Side.BUY:
        return None
    if is_crypto(order.symbol):
        wanted = f"(requested: {plain(order.quantity):f}, available: 0)"
        return f"insufficient balance for {base_of(order.symbol)} {wanted}"
    if not view.shorts_allowed:
        return "account is not allowed to short"
    if order.quantity != order.quantity.to_integral_value():
        return "fractional orders cannot be sold short"
    if any(other.order.side is Side.BUY for other in view.working):
        return "cannot open a short sell while a long buy order is open"
    return None


def _cannot_meet(order: Order, other: Order) -> bool:
    """Only two limits that do not cross may rest on both sides; bracket orders are not known."""
    if order.side is other.side:
        return True
    if not order.order_type is other.order_type is OrderType.LIMIT:
        return False
    assert order.limit_price is not None and other.limit_price is not None
    buy, sell = order.limit_price, other.limit_price
    if order.side is Side.SELL:
        buy, sell = sell, buy
    return buy < sell
