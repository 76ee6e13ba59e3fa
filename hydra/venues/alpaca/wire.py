"""The broker's answers in the engine's own terms.

What cannot be said in them (a class of orders, a type, a status that we do not have) is not left
out and not guessed: the order counts as open, and says in `unread` what could not be read, which
the comparison with the record reports. Numbers that are no amounts are a `BadAnswer`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from hydra.trading.amounts import is_amount
from hydra.trading.echo import words
from hydra.trading.fees import USD
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueAccount, VenueFee, VenueOrder, VenuePosition
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.payloads import (
    AccountPayload,
    FeePayload,
    FillPayload,
    OrderPayload,
    PositionPayload,
)
from hydra.venues.alpaca.times import nanoseconds

NameOf = Callable[[str], str | None]
"""Our name of an order by the broker's id of it; None if it is not known."""

E = TypeVar("E", bound=Enum)

ZERO = Decimal(0)

PENDING = frozenset({"pending_cancel", "pending_replace"})
"""Something was asked of the order and is not answered; it may still trade."""
NOT_YET_LIVE = frozenset({"pending_new", "accepted", "accepted_for_bidding", "pending_review"})
IDLE = frozenset({"suspended", "done_for_day"})
"""It has to be taken for open, and is not eligible to trade, or not before the next session."""
OPEN = (
    frozenset({"new", "held", "partially_filled", "stopped", "calculated"})
    | IDLE
    | NOT_YET_LIVE
    | PENDING
)
"""May trade, today or later."""
OVER: Mapping[str, OrderStatus] = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.REPLACED,
}
SIMPLE = (None, "", "simple")
"""The classes of an order that stands alone."""
IN_EXTENDED_HOURS = "it works in extended hours"


def venue_order(payload: OrderPayload, name_of: NameOf) -> VenueOrder:
    """The order as the broker has it; `unread` says what of it has no words here."""
    unread: list[str] = []
    filled = _not_negative(payload.filled_qty or ZERO, "filled_qty")
    order = Order(
        client_order_id=payload.client_order_id or "",
        symbol=payload.symbol or "",
        side=_word(Side, payload.side, "side", Side.BUY, unread),
        quantity=_quantity(payload, unread),
        order_type=_word(OrderType, payload.type, "type", OrderType.MARKET, unread),
        time_in_force=_word(
            TimeInForce, payload.time_in_force, "time in force", TimeInForce.DAY, unread
        ),
        limit_price=_optional(payload.limit_price, "limit_price"),
        stop_price=_optional(payload.stop_price, "stop_price"),
        replaces=_name(payload.replaces, name_of, "replaces", unread),
    )
    if payload.order_class not in SIMPLE:
        unread.append(f"class is {words(payload.order_class)}")
    if payload.extended_hours:
        unread.append(IN_EXTENDED_HOURS)
    status = _status(payload.status, filled, unread)
    return VenueOrder(
        order=order,
        venue_order_id=payload.id,
        status=status,
        filled_quantity=filled,
        reason="rejected by the venue" if status is OrderStatus.REJECTED else "",
        replaced_by=_name(payload.replaced_by, name_of, "replaced by", unread),
        at=_changed_at(payload),
        is_queued=payload.status in NOT_YET_LIVE,
        is_idle=payload.status in IDLE,
        unread="; ".join(unread),
    )


def with_legs(orders: Iterable[OrderPayload]) -> Iterator[OrderPayload]:
    """Every order and every order that belongs to it, each by itself."""
    for order in orders:
        yield order
        yield from with_legs(order.legs or ())


def newer(one: OrderPayload, other: OrderPayload) -> OrderPayload:
    """Of two answers on one order the one that knows more; the other if neither does.

    What is filled only grows, and an order that is over is over, whichever was read first.
    """
    return one if _knowledge(one) > _knowledge(other) else other


def fill(payload: FillPayload, order: VenueOrder) -> Fill:
    """The execution, which is of this order. Its id is the one that the trading stream tells."""
    side = payload.side.removesuffix("_short")
    if side != order.order.side.value:
        raise BadAnswer(
            f"execution {words(payload.id)} is a {words(payload.side)}, its order a"
            f" {order.order.side.value}"
        )
    return Fill(
        execution_id=payload.id.rpartition("::")[2],
        client_order_id=order.order.client_order_id,
        symbol=order.order.symbol,
        side=order.order.side,
        quantity=_over_zero(payload.qty, "qty"),
        price=amount(payload.price, "price"),
        at=_instant(payload.transaction_time),
    )


def fees(payload: FeePayload, pair_of: Callable[[str], str]) -> Iterator[VenueFee]:
    """What the activity charges, once for each thing it is paid in.

    What is not executed, or gives something back, charges nothing: a person has to look at it,
    since what it changed then differs from the record. `pair_of` spells a coin's symbol as orders.
    """
    if payload.status not in (None, "executed"):
        return
    is_of_coins = payload.activity_type == "CFEE"
    symbol = payload.symbol or ""
    if is_of_coins and symbol:
        symbol = pair_of(symbol)
    coins = _optional(payload.qty, "qty") or ZERO
    usd = _optional(payload.net_amount, "net_amount") or ZERO
    for asset, change in ((symbol, coins if is_of_coins else ZERO), (USD, usd)):
        if change < 0:
            yield VenueFee(
                activity_id=payload.id,
                asset=asset,
                symbol=symbol,
                amount=change.copy_negate(),
                at=_booked_at(payload),
                is_of_coins=is_of_coins,
            )


def position(payload: PositionPayload, symbols: Mapping[str, str]) -> VenuePosition:
    """What is held, by the symbol of orders: `symbols` has those that positions spell otherwise."""
    quantity = amount(payload.qty, "qty")
    if payload.side is not None and (payload.side == "short") is not (quantity < 0):
        raise BadAnswer(
            f"position {words(payload.symbol)} is {words(payload.side)} with {words(quantity)}"
        )
    return VenuePosition(symbol=symbols.get(payload.asset_id, payload.symbol), quantity=quantity)


def account(payload: AccountPayload, trades_crypto: bool) -> VenueAccount:
    """The account, and what keeps it from trading. A flag that is missing keeps it from trading."""
    equity = payload.equity
    return VenueAccount(
        account=payload.account_number,
        cash=amount(payload.cash, "cash"),
        equity=None if equity is None else amount(equity, "equity"),
        blocked="; ".join(_blocks(payload, trades_crypto)),
    )


def amount(value: Decimal, what: str) -> Decimal:
    """The value, if it can be compared and added. Raises `BadAnswer`."""
    if not is_amount(value):
        raise BadAnswer(f"{what} is {words(value)}, which is no amount")
    return value


def _blocks(payload: AccountPayload, trades_crypto: bool) -> Iterator[str]:
    if payload.status != "ACTIVE":
        yield f"status is {words(payload.status)}"
    if trades_crypto and payload.crypto_status != "ACTIVE":
        yield f"crypto status is {words(payload.crypto_status)}"
    if payload.currency not in (None, "USD"):
        yield f"its currency is {words(payload.currency)}"
    flags = {
        "trading_blocked": payload.trading_blocked,
        "account_blocked": payload.account_blocked,
        "trade_suspended_by_user": payload.trade_suspended_by_user,
    }
    for flag, is_set in flags.items():
        if is_set is None:
            yield f"{flag} is missing"
        elif is_set:
            yield flag


def _status(status: str | None, filled: Decimal, unread: list[str]) -> OrderStatus:
    if status is not None and status in OVER:
        return OVER[status]
    if status not in OPEN:
        unread.append(f"status is {words(status)}")
    return OrderStatus.PARTIALLY_FILLED if filled > 0 else OrderStatus.ACCEPTED


def _quantity(payload: OrderPayload, unread: list[str]) -> Decimal:
    if payload.qty is None:
        unread.append(f"no quantity, but a notional of {words(payload.notional)}")
        return ZERO
    return _not_negative(payload.qty, "qty")


def _word(kind: type[E], text: str | None, what: str, instead: E, unread: list[str]) -> E:
    try:
        return kind(text)
    except ValueError:
        unread.append(f"{what} is {words(text)}")
        return instead


def _name(order_id: str | None, name_of: NameOf, what: str, unread: list[str]) -> str | None:
    if order_id is None:
        return None
    name = name_of(order_id)
    if name is None:
        unread.append(f"{what} {words(order_id)}, which is no order that we know")
    return name


def _changed_at(payload: OrderPayload) -> int:
    text = payload.updated_at or payload.submitted_at or payload.created_at
    return 0 if text is None else _instant(text)


def _booked_at(payload: FeePayload) -> int:
    """To the day, if that is all it says; then the beginning of that day."""
    if payload.created_at is not None:
        return _instant(payload.created_at)
    if payload.date is None:
        raise BadAnswer(f"activity {words(payload.id)} does not say when it was booked")
    return _instant(f"{payload.date}T00:00:00Z")


def _instant(text: str) -> int:
    """Of what has happened on the account; what says that it was before 1970 has no time at all."""
    at = nanoseconds(text)
    if at < 0:
        raise BadAnswer(f"found the time {words(text)}, wanted one from 1970 on")
    return at


def _optional(value: Decimal | None, what: str) -> Decimal | None:
    return None if value is None else amount(value, what)


def _not_negative(value: Decimal, what: str) -> Decimal:
    if amount(value, what) < 0:
        raise BadAnswer(f"{what} is {words(value)}, wanted 0 or more")
    return value


def _over_zero(value: Decimal, what: str) -> Decimal:
    if amount(value, what) <= 0:
        raise BadAnswer(f"{what} is {words(value)}, wanted a number over zero")
    return value


def _knowledge(payload: OrderPayload) -> tuple[Decimal, int]:
    filled = payload.filled_qty or ZERO
    match payload.status:
        case status if status in OVER:
            rank = 3
        case status if status in PENDING:
            rank = 2
        case status if status in NOT_YET_LIVE:
            rank = 0
        case _:
            rank = 1
    return amount(filled, "filled_qty"), rank
