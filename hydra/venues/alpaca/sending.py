"""Our orders as the bodies of the broker's requests, or why one cannot be sent as it is.

Nothing is rounded, and no time in force is put in the place of another: what the broker echoes must
be what was meant (I27), so what it would not take as it stands is not sent at all. Amounts are
strings with every digit and no exponent.
"""

import re
from collections.abc import Callable
from decimal import Decimal

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.echo import words
from hydra.trading.orders import Order, OrderType, Role
from hydra.venues.alpaca.order_matrix import AssetKind, Portion, times_in_force
from hydra.venues.alpaca.payloads import OrderPayload

NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
QUANTITY_DECIMALS_MAX = 9

_EQUITY = re.compile(r"[A-Z][A-Z0-9]{0,9}(?:\.[A-Z]{1,3})?", re.ASCII)
_OPTION = re.compile(r"[A-Z][A-Z0-9]{0,5}\d{6}[CP]\d{8}", re.ASCII)
_CRYPTO = re.compile(r"[A-Z0-9]{1,12}/[A-Z]{3,5}", re.ASCII)


class Unsendable(Exception):
    """The broker would not take the order as it stands; nothing was sent. Its text says why."""


def kind_of(symbol: str) -> AssetKind | None:
    """By its shape: AAPL, BRK.B; HYDR261218C00042500; BTC/USD. None: it can be none of them."""
    if _OPTION.fullmatch(symbol):
        return AssetKind.OPTION
    if _EQUITY.fullmatch(symbol):
        return AssetKind.EQUITY
    return AssetKind.CRYPTO if _CRYPTO.fullmatch(symbol) else None


def order_body(order: Order, role: Role) -> bytes:
    """The body of the request that places the order. Raises `Unsendable`."""
    if why := unsendable(order):
        raise Unsendable(f"{order.client_order_id}: {why}")
    body = {
        "symbol": order.symbol,
        "qty": amount(order.quantity),
        "side": order.side.value,
        "type": order.order_type.value,
        "time_in_force": order.time_in_force.value,
        "client_order_id": order.client_order_id,
    }
    if order.limit_price is not None:
        body["limit_price"] = amount(order.limit_price)
    if order.stop_price is not None:
        body["stop_price"] = amount(order.stop_price)
    intent = _position_intent(order, role)
    if intent is not None:
        body["position_intent"] = intent
    return msgspec.json.encode(body)


def replacement_body(order: Order, old: OrderPayload) -> bytes:
    """The body of the request that puts the order in the place of `old`. Raises `Unsendable`.

    The broker counts the quantity of a whole chain of replacements, we that of each order; they
    agree as long as nothing of the old one has traded, so only then is it replaced.
    """
    why = unsendable(order) or _not_a_successor(order, old)
    if why is not None:
        raise Unsendable(f"{order.client_order_id}: {why}")
    changes = {
        "qty": (order.quantity, old.qty),
        "limit_price": (order.limit_price, old.limit_price),
        "stop_price": (order.stop_price, old.stop_price),
    }
    body = {
        field: amount(new)
        for field, (new, was) in changes.items()
        if new is not None and new != was
    }
    if order.time_in_force.value != old.time_in_force:
        body["time_in_force"] = order.time_in_force.value
    if not body:
        raise Unsendable(f"{order.client_order_id}: it changes nothing of what it replaces")
    body["client_order_id"] = order.client_order_id
    return msgspec.json.encode(body)


def amount(value: Decimal) -> str:
    """Every digit, and no exponent: `Decimal("1E+2")` is "100"."""
    return f"{value:f}"


def unsendable(order: Order) -> str | None:
    """Why the broker would not take the order; None if nothing is known against it."""
    kind = kind_of(order.symbol)
    if kind is None:
        return f"symbol {words(order.symbol)} names no stock, option or coin pair"
    for rule in _RULES:
        why = rule(order, kind)
        if why is not None:
            return why
    return None


def _name_fits(order: Order, kind: AssetKind) -> str | None:
    if NAME.fullmatch(order.client_order_id):
        return None
    return "its name has to be 1 to 128 letters, digits or any of . _ : -"


def _quantity_fits(order: Order, kind: AssetKind) -> str | None:
    quantity = order.quantity
    if not (is_amount(quantity) and quantity > 0):
        return f"quantity is {words(quantity)}, wanted a number over zero"
    most = 0 if kind is AssetKind.OPTION else QUANTITY_DECIMALS_MAX
    if _decimals(quantity) <= most:
        return None
    return f"quantity is {words(quantity)}, wanted at most {most} decimals"


def _prices_fit(order: Order, kind: AssetKind) -> str | None:
    wanted = {
        "limit price": (order.limit_price, order.order_type is OrderType.LIMIT),
        "stop price": (order.stop_price, order.order_type is OrderType.STOP),
    }
    for what, (price, is_wanted) in wanted.items():
        if (price is not None) is not is_wanted:
            found = "a" if price is not None else "no"
            return f"a {order.order_type.value} order with {found} {what}"
        if price is not None and (why := _price_fits(price, kind)):
            return f"{what} is {words(price)}, wanted {why}"
    return None


def _price_fits(price: Decimal, kind: AssetKind) -> str | None:
    if not (is_amount(price) and price > 0):
        return "a number over zero"
    most = QUANTITY_DECIMALS_MAX
    if kind is not AssetKind.CRYPTO:
        most = 4 if kind is AssetKind.EQUITY and price < 1 else 2
    return None if _decimals(price) <= most else f"at most {most} decimals"


def _time_in_force_fits(order: Order, kind: AssetKind) -> str | None:
    allowed = times_in_force(kind, portion_of(order.quantity), order.order_type)
    if order.time_in_force in allowed:
        return None
    wanted = " or ".join(sorted(each.value for each in allowed))
    return f"time in force is {order.time_in_force.value}, for this order wanted {wanted}"


def portion_of(quantity: Decimal) -> Portion:
    """Whether it is of whole units."""
    return Portion.FRACTION if _decimals(quantity) else Portion.WHOLE


def _type_fits(order: Order, kind: AssetKind) -> str | None:
    if kind is AssetKind.CRYPTO and order.order_type is OrderType.STOP:
        return "the broker has no stop orders for coins"
    return None


_RULES: tuple[Callable[[Order, AssetKind], str | None], ...] = (
    _name_fits,
    _quantity_fits,
    _prices_fit,
    _type_fits,
    _time_in_force_fits,
)


def _position_intent(order: Order, role: Role) -> str | None:
    """What the order is to do to the position, where saying so can only prevent harm.

    What reduces says so, and is then refused rather than opening the other side; for coins the
    broker does not know the field. An entry into shares does not say, as it may add to either.
    """
    match kind_of(order.symbol):
        case AssetKind.EQUITY | AssetKind.OPTION if role.reduces:
            return f"{order.side.value}_to_close"
        case AssetKind.OPTION:
            return f"{order.side.value}_to_open"
        case _:
            return None


def _not_a_successor(order: Order, old: OrderPayload) -> str | None:
    same = {
        "symbol": (order.symbol, old.symbol),
        "side": (order.side.value, old.side),
        "type": (order.order_type.value, old.type),
    }
    for what, (new, was) in same.items():
        if new != was:
            return f"its {what} is {words(new)}, that of what it replaces {words(was)}"
    if old.order_class not in (None, "", "simple"):
        return f"what it replaces is of class {words(old.order_class)}"
    if old.filled_qty is None or not is_amount(old.filled_qty) or old.filled_qty != 0:
        return f"what it replaces has {words(old.filled_qty)} filled; cancel it and decide anew"
    if old.qty is None or not is_amount(old.qty) or _decimals(old.qty) or _decimals(order.quantity):
        return "only orders of whole quantities can be replaced"
    for price in (old.limit_price, old.stop_price):
        if price is not None and not is_amount(price):
            return f"what it replaces has a price of {words(price)}, which is none"
    return None


def _decimals(value: Decimal) -> int:
    """Digits behind the point that say something."""
    return len(f"{value:f}".partition(".")[2].rstrip("0"))
