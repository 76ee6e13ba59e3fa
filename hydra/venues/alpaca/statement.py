"""The account with its values and all its activities, read for the equity bridge.

The lists are read one after the other while the account goes on living. Account and positions are
read before and after the activities: where cash and quantities are the same, nothing traded in
between, and all are of one moment. Else everything is read again, a few times at most. That prices
move meanwhile changes nothing of that: then what the account is worth is its cash and positions as
they were listed together, and the broker's own figure of a moment before is left alone.

Activities are read back to some time before the earlier reading, since they are listed late, are
dated to the day, and may still change. One of a kind that is not known is kept as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from hydra.trading.account_reading import FILL, AccountReading, AccountStatement, Activity, Mark
from hydra.trading.durations import DAY, HOUR, MILLISECOND
from hydra.trading.echo import words
from hydra.trading.exact import multiply
from hydra.trading.instruments import value_of
from hydra.trading.local_time import NEW_YORK, instant
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.outcomes import Ok, describe
from hydra.venues.alpaca.pages import all_activities
from hydra.venues.alpaca.payloads import read_assets, read_clock, reader
from hydra.venues.alpaca.reads import ReadFailed, get
from hydra.venues.alpaca.times import nanoseconds, rfc3339
from hydra.venues.alpaca.wire import amount

T = TypeVar("T")

TRIES = 5
A_PAGE = 100
WITHOUT_A_READING = 8 * DAY
"""So far back is read for whoever kept none: the last close is nearer than that."""
FILLS_OVERLAP = HOUR
OTHERS_OVERLAP = 4 * DAY
"""So much before the earlier reading is read again: what was pending may have come to something."""
NO_HOLDINGS = ("DIV", "INT", "FEE", "CGD")
"""What begins so is paid in cash: its quantity is that of the shares which it is paid for."""
OPTION_TRADE = "OPTRD"
ZERO = Decimal(0)


class WorthPayload(msgspec.Struct, kw_only=True):
    """The account, as far as it says what it is worth."""

    account_number: str
    currency: str | None = None
    cash: Decimal
    equity: Decimal
    last_equity: Decimal | None = None
    balance_asof: str | None = None


class ValuePayload(msgspec.Struct, kw_only=True):
    """A position, with what it is worth; `qty` and `market_value` are below zero when short."""

    symbol: str
    asset_class: str | None = None
    qty: Decimal
    market_value: Decimal | None = None
    current_price: Decimal | None = None
    lastday_price: Decimal | None = None


class ActivityPayload(msgspec.Struct, kw_only=True):
    """An activity of any kind: executions have the first fields, all others have `net_amount`."""

    id: str
    activity_type: str
    transaction_time: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None
    side: str | None = None
    symbol: str | None = None
    order_id: str | None = None
    net_amount: Decimal | None = None
    date: str | None = None
    created_at: str | None = None
    status: str | None = None


read_worth = reader(WorthPayload)
read_values = reader(list[ValuePayload])
read_activities = reader(list[ActivityPayload])


def read_statement(calls: Calls, since: int | None, *, deadline: float) -> AccountStatement:
    """The account now, and its activities since the reading of `since` (UTC ns; None: of none).

    It asks only what could as well be asked later. `deadline`: monotonic, in seconds. Raises
    `ReadFailed`.
    """
    return _Reading(calls, deadline).taken(since)


class _Reading:
    def __init__(self, calls: Calls, deadline: float) -> None:
        self._calls = calls
        self._deadline = deadline

    def taken(self, since: int | None) -> AccountStatement:
        try:
            for _ in range(TRIES):
                at = nanoseconds(self._got("/v2/clock", {}, read_clock).timestamp)
                found = self._once(at, at - WITHOUT_A_READING if since is None else since)
                if found is not None:
                    return found
        except BadAnswer as bad:
            raise ReadFailed(str(bad)) from bad
        raise ReadFailed(f"the account changed while it was read, {TRIES} times in a row")

    def _once(self, at: int, since: int) -> AccountStatement | None:
        """None: something traded meanwhile."""
        worth_before, held_before = self._worth(), self._held()
        listed = self._activities("trade_activity", since - FILLS_OVERLAP)
        listed += self._activities("non_trade_activity", since - OTHERS_OVERLAP)
        held, worth = self._held(), self._worth()
        if worth.cash != worth_before.cash or _quantities(held) != _quantities(held_before):
            return None
        stood_still = worth.equity == worth_before.equity and held == held_before
        pairs = self._pairs(held, listed)
        activities = tuple(activity(each, pairs) for each in listed)
        marks = tuple(mark(each, pairs) for each in held)
        if len({each.symbol for each in marks}) != len(marks):
            raise BadAnswer("a position is listed twice")
        last_prices = {
            pairs.get(each.symbol, each.symbol): each.lastday_price
            for each in held
            if each.lastday_price is not None
        }
        return AccountStatement(
            reading=AccountReading(
                account=worth.account_number,
                at=at,
                cash=worth.cash,
                equity=worth.equity if stood_still else None,
                marks=marks,
                counted=tuple(sorted(kept_ids(activities, at - 2 * FILLS_OVERLAP))),
            ),
            activities=activities,
            last_equity=worth.last_equity,
            last_session=worth.balance_asof,
            last_prices=last_prices,
        )

    def _worth(self) -> WorthPayload:
        worth = self._got("/v2/account", {}, read_worth)
        if worth.currency not in (None, "USD"):
            raise BadAnswer(f"the account's currency is {words(worth.currency)}, wanted USD")
        for figure in (worth.cash, worth.equity, worth.last_equity):
            _optional(figure, "what the account is worth")
        return worth

    def _held(self) -> list[ValuePayload]:
        held = self._got("/v2/positions", {}, read_values)
        for each in held:
            for figure in (each.qty, each.market_value, each.current_price, each.lastday_price):
                _optional(figure, "what is held")
        return held

    def _activities(self, category: str, after: int) -> list[ActivityPayload]:
        query = {
            "category": category,
            "direction": "desc",
            "page_size": str(A_PAGE),
            "after": rfc3339(max(0, after)),
        }

        def page(token: str | None) -> list[ActivityPayload]:
            more = {} if token is None else {"page_token": token}
            return self._got("/v2/account/activities", {**query, **more}, read_activities)

        return all_activities(page)

    def _pairs(
        self, held: Iterable[ValuePayload], listed: Iterable[ActivityPayload]
    ) -> Mapping[str, str]:
        """How orders spell the coins that are spelled otherwise; asked for if there are any."""
        has_coins = any(each.asset_class == "crypto" for each in held) or any(
            each.activity_type == "CFEE" or "/" in (each.symbol or "") for each in listed
        )
        if not has_coins:
            return {}
        coins = self._got("/v2/assets", {"asset_class": "crypto"}, read_assets)
        return {each.symbol.replace("/", ""): each.symbol for each in coins if "/" in each.symbol}

    def _got(self, path: str, query: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        outcome = self._calls.call(get(path, query), read, Use.POLL, deadline=self._deadline)
        if isinstance(outcome, Ok):
            return outcome.value
        raise ReadFailed(f"GET {path}: {describe(outcome)}")


def mark(payload: ValuePayload, pairs: Mapping[str, str]) -> Mark:
    """What is held, with its worth. Raises `BadAnswer` where the broker does not know it."""
    if payload.market_value is None or payload.current_price is None:
        raise BadAnswer(f"the broker does not say what {words(payload.symbol)} is worth")
    return Mark(
        symbol=pairs.get(payload.symbol, payload.symbol),
        quantity=payload.qty,
        value=payload.market_value,
        price=payload.current_price,
    )


def activity(payload: ActivityPayload, pairs: Mapping[str, str]) -> Activity:
    """One activity, of whatever kind. Raises `BadAnswer`."""
    symbol = payload.symbol or ""
    symbol = pairs.get(symbol, symbol)
    cash = _optional(payload.net_amount, "net_amount")
    quantity = _optional(payload.qty, "qty")
    if payload.activity_type == FILL:
        quantity, cash = _executed(payload, symbol)
    elif payload.activity_type.startswith(NO_HOLDINGS) or not symbol:
        quantity = ZERO
    elif payload.activity_type == OPTION_TRADE and cash:
        quantity = abs(quantity).copy_sign(-cash)  # what is paid for came, what is paid went
    return Activity(
        id=payload.id,
        kind=payload.activity_type,
        at=booked_at(payload),
        cash=cash,
        symbol=symbol,
        quantity=quantity,
        price=None if payload.price is None else amount(payload.price, "price"),
        order_id=payload.order_id or "",
        status=payload.status or "",
    )


def booked_at(payload: ActivityPayload) -> int:
    """When it was (UTC ns): to the day, if that is all it says, and then when that day began.

    Its id begins with the clocks of New York.
    """
    told = payload.transaction_time or payload.created_at
    if told is not None:
        return nanoseconds(told)
    digits = payload.id.partition("::")[0]
    if len(digits) != len("YYYYMMDDHHMMSSmmm") or not digits.isascii() or not digits.isdigit():
        if payload.date is None:
            raise BadAnswer(f"activity {words(payload.id)} does not say when it was booked")
        digits = payload.date.replace("-", "") + "000000000"
    try:
        moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError as error:
        raise BadAnswer(f"activity {words(payload.id)} is of no day that there is") from error
    return instant(moment) + int(digits[14:17]) * MILLISECOND


def kept_ids(activities: Iterable[Activity], fills_from: int) -> Iterable[str]:
    """Of those that have changed the account, what the next reading will be listed again."""
    for each in activities:
        if each.has_counted and (each.kind != FILL or each.at >= fills_from):
            yield each.id


def _executed(payload: ActivityPayload, symbol: str) -> tuple[Decimal, Decimal]:
    """Quantity and cash of an execution, each signed."""
    side = (payload.side or "").removesuffix("_short")
    if payload.qty is None or payload.price is None or side not in ("buy", "sell") or not symbol:
        raise BadAnswer(f"execution {words(payload.id)} does not say what was traded")
    quantity = multiply(amount(payload.qty, "qty"), Decimal(1 if side == "buy" else -1))
    cash = value_of(symbol, quantity, amount(payload.price, "price")).copy_negate()
    return quantity, cash


def _quantities(held: Iterable[ValuePayload]) -> list[tuple[str, Decimal]]:
    return sorted((each.symbol, each.qty) for each in held)


def _optional(value: Decimal | None, what: str) -> Decimal:
    return ZERO if value is None else amount(value, what)
