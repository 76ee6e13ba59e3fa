"""What the broker shows, read once and held against what we know of it: nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote as quoted

import msgspec

from hydra.trading.coin_orders import CoinTerms
from hydra.trading.durations import MINUTE
from hydra.trading.echo import words
from hydra.trading.exact import multiply, subtract
from hydra.trading.local_time import new_york_date
from hydra.trading.quotes import Quote
from hydra.trading.situation import PriceStep
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.canary import contract
from hydra.venues.alpaca.canary.contract import Shape
from hydra.venues.alpaca.canary.desk import Desk
from hydra.venues.alpaca.canary.judging import (
    Found,
    judged,
    line_of,
    read_raw,
    unknown,
    worst_of_each,
)
from hydra.venues.alpaca.canary.lines import Line, Verdict
from hydra.venues.alpaca.link import STOCK_FEED
from hydra.venues.alpaca.market_rest import read_latest_quotes
from hydra.venues.alpaca.order_matrix import AssetKind
from hydra.venues.alpaca.outcomes import Ok, Refused, describe
from hydra.venues.alpaca.payloads import (
    AccountPayload,
    AssetPayload,
    PositionPayload,
    read_account,
    read_asset,
    read_clock,
    read_fills,
    read_orders,
    read_positions,
    read_sessions,
)
from hydra.venues.alpaca.times import nanoseconds

T = TypeVar("T")

CALENDAR_REACH = timedelta(days=7)
ROWS = "50"
QUOTE_AGE_MAX = 15 * MINUTE
"""An older price may be of before a split: nothing is "far below the market" by it."""
SPREAD_MAX = Decimal("0.1")
"""Of the bid: a wider market has no price."""
SHARE_PRICE_MIN = Decimal(5)
WRONG_ASKED = frozenset({400, 404, 405, 410, 422})
"""By these a request that we are used to make is refused for what it is."""
CALLED = {AssetKind.EQUITY: "share", AssetKind.CRYPTO: "coin"}


class Clock(msgspec.Struct, frozen=True):
    """The broker's time (UTC ns), and whether the exchange is open."""

    at: int
    is_open: bool


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be probed with, and what is bid for it now. `terms` are the steps of a share too:
    those of its price, and of fractions.
    """

    symbol: str
    bid: Decimal
    terms: CoinTerms


class Reading:
    """Reads one thing after the other; each leaves a line. What could not be read is None."""

    def __init__(self, trading: Desk, data: Desk) -> None:
        self._trading = trading
        self._data = data
        self.lines: list[Line] = []

    def account(self) -> AccountPayload | None:
        """The account. That it may not trade now is no drift, and is for whoever sends orders."""

        def read(body: bytes) -> AccountPayload:
            payload = read_account(body)
            wire.account(payload, trades_crypto=False)
            return payload

        def fine(payload: AccountPayload) -> str:
            return f"{words(payload.account_number)}, {words(payload.status)}"

        return self._read("account", "/v2/account", {}, contract.ACCOUNT, read, _one, fine)

    def clock(self) -> Clock | None:
        """See `Clock`."""

        def read(body: bytes) -> Clock:
            payload = read_clock(body)
            return Clock(nanoseconds(payload.timestamp), payload.is_open)

        def fine(clock: Clock) -> str:
            return "the exchange is open" if clock.is_open else "the exchange is closed"

        return self._read("clock", "/v2/clock", {}, contract.CLOCK, read, _one, fine)

    def calendar(self, now: int) -> None:
        """The week from `now` (UTC ns) on."""
        today = new_york_date(now)
        query = {"start": today.isoformat(), "end": (today + CALENDAR_REACH).isoformat()}
        path, shape = "/v2/calendar", contract.CALENDAR
        self._read("calendar", path, query, shape, read_sessions, _many, _so_many)

    def positions(self) -> list[PositionPayload] | None:
        """All that is held."""

        def read(body: bytes) -> list[PositionPayload]:
            found = read_positions(body)
            for each in found:
                wire.position(each, {})
            return found

        path, shape = "/v2/positions", contract.POSITION
        return self._read("positions", path, {}, shape, read, _many, _so_many)

    def orders(self) -> None:
        """The newest orders, open or over."""
        query = {"status": "all", "limit": ROWS, "direction": "desc", "nested": "true"}
        self._read("orders", "/v2/orders", query, contract.ORDER, read_orders, _many, _so_many)

    def fills(self) -> None:
        """The newest executions."""
        path, query = "/v2/account/activities/FILL", {"direction": "desc", "page_size": ROWS}
        self._read("fills", path, query, contract.FILL, read_fills, _many, _so_many)

    def market(
        self, kind: AssetKind, candidates: Iterable[str], taken: frozenset[str], clock: Clock
    ) -> Market | str:
        """The first of the candidates that can be probed with; or why there is none.

        `taken`: what the account holds or has orders in, by `plain`. A candidate that the broker
        does not list, or that is not for it, is passed over.
        """
        before, passed_over = len(self.lines), list[str]()
        try:
            for symbol in candidates:
                found: Market | str = "held, or with orders in it"
                if plain(symbol) not in taken:
                    found = self._market(kind, symbol, clock)
                if isinstance(found, Market):
                    return found
                passed_over.append(f"{symbol}: {found}")
            return f"none of those named: {'; '.join(passed_over)}"
        finally:
            self.lines[before:] = worst_of_each(self.lines[before:])

    def _market(self, kind: AssetKind, symbol: str, clock: Clock) -> Market | str:
        terms = self._asset(kind, symbol)
        return terms if isinstance(terms, str) else self._priced(kind, symbol, terms, clock)

    def _asset(self, kind: AssetKind, symbol: str) -> CoinTerms | str:
        """In which steps it is traded; or why it is not for us."""
        path = f"/v2/assets/{quoted(symbol, safe='')}"
        answer = self._trading.ask(path, {})
        if isinstance(answer, Refused) and answer.is_absence:
            return "not listed"
        is_coin = kind is AssetKind.CRYPTO
        fractional: list[object] = []

        def read(body: bytes) -> AssetPayload:
            asset, row = read_asset(body), read_raw(body)
            fractional.append(isinstance(row, dict) and row.get("fractionable"))
            return asset

        asset = self._judge(
            f"{CALLED[kind]} asset",
            path,
            answer,
            contract.COIN if is_coin else contract.ASSET,
            read,
            _one,
            lambda found: f"{words(found.symbol)}, {words(found.status)}",
        )
        if asset is None:
            return "it could not be read"
        if asset.status != "active" or asset.tradable is not True:
            return "not tradable now"
        if not is_coin:
            if fractional == [True]:
                return CoinTerms()
            return "not in fractions"
        quantity, price = _step(asset.min_trade_increment), _step(asset.price_increment)
        if quantity is None or price is None:
            return "its steps are no numbers"
        steps = (PriceStep(Decimal(0), price),)
        return CoinTerms(quantity_step=quantity, price_steps=steps)

    def _priced(self, kind: AssetKind, symbol: str, terms: CoinTerms, clock: Clock) -> Market | str:
        is_coin = kind is AssetKind.CRYPTO
        path = "/v1beta3/crypto/us/latest/quotes" if is_coin else "/v2/stocks/quotes/latest"
        query = {"symbols": symbol} if is_coin else {"feed": STOCK_FEED.value, "symbols": symbol}
        quotes: Mapping[str, Quote] | None = self._read(
            f"{CALLED[kind]} quote",
            path,
            query,
            contract.QUOTE,
            read_latest_quotes,
            _quotes,
            lambda found: f"of {words(symbol)}" if found else "the feed has none",
            desk=self._data,
        )
        quote = (quotes or {}).get(symbol)
        if quote is None:
            return "no price"
        bid = fair_bid(quote, clock.at)
        if isinstance(bid, str):
            return f"no price to go by: {bid}"
        if not is_coin and bid < SHARE_PRICE_MIN:
            return f"costs less than {SHARE_PRICE_MIN} USD"
        return Market(symbol=symbol, bid=bid, terms=terms)

    def _read(
        self,
        check: str,
        path: str,
        query: dict[str, str],
        shape: Shape,
        read: Callable[[bytes], T],
        rows_of: Callable[[Any], Iterable[object]],
        fine: Callable[[T], str],
        *,
        desk: Desk | None = None,
    ) -> T | None:
        answer = (desk or self._trading).ask(path, query)
        return self._judge(check, path, answer, shape, read, rows_of, fine)

    def _judge(
        self,
        check: str,
        path: str,
        answer: object,
        shape: Shape,
        read: Callable[[bytes], T],
        rows_of: Callable[[Any], Iterable[object]],
        fine: Callable[[T], str],
    ) -> T | None:
        """The value as the engine reads it. It has to be as we know it, and readable to us."""
        match answer:
            case Ok(value=bytes() as body):
                pass
            case Refused(status=status) as refused if status in WRONG_ASKED:
                said = f"GET {path}: {describe(refused)}"
                self.lines.append(Line(check=check, verdict=Verdict.DRIFTED, line=said))
                return None
            case other:
                said = f"GET {path}: {describe(other)}"  # type: ignore[arg-type]
                self.lines.append(unknown(check, said))
                return None
        try:
            raw = read_raw(body)
        except BadAnswer:
            self.lines.append(unknown(check, f"GET {path}: the answer is no JSON"))
            return None
        found = judged(shape, rows_of(raw))
        value: T | None = None
        try:
            value = read(body)
        except BadAnswer as bad:
            if not found.faults:
                found = Found((f"Hydra cannot read it: {bad}",), found.news)
        self.lines.append(line_of(check, found, "" if value is None else fine(value)))
        return value


def fair_bid(quote: Quote, now: int) -> Decimal | str:
    """What is bid, if that is a price to go by at `now` (UTC ns); else why not."""
    age = now - quote.at
    if not -QUOTE_AGE_MAX <= age <= QUOTE_AGE_MAX:
        return f"the quote is {age // MINUTE} min old, at most {QUOTE_AGE_MAX // MINUTE} allowed"
    bid, ask = Decimal(str(quote.bid)), Decimal(str(quote.ask))
    if not (bid.is_finite() and ask.is_finite() and 0 < bid <= ask):
        return f"it is {words(bid)} bid and {words(ask)} asked"
    if not subtract(ask, bid) <= multiply(bid, SPREAD_MAX):
        return f"{words(bid)} bid and {words(ask)} asked is too wide"
    return bid


def plain(symbol: str) -> str:
    """The symbol as orders and positions alike have it: BTC/USD is BTCUSD in positions."""
    return symbol.replace("/", "")


def _one(raw: Any) -> Iterable[object]:
    return (raw,)


def _many(raw: Any) -> Iterable[object]:
    return raw if isinstance(raw, list) else (raw,)


def _quotes(raw: Any) -> Iterable[object]:
    quotes = raw.get("quotes") if isinstance(raw, dict) else raw
    return quotes.values() if isinstance(quotes, dict) else (quotes,)


def _so_many(rows: list[T]) -> str:
    return f"{len(rows)} seen" if rows else "none there to be seen"


def _step(text: str | None) -> Decimal | None:
    try:
        step = Decimal(text or "")
    except ArithmeticError:
        return None
    return step if step.is_finite() and step > 0 else None
