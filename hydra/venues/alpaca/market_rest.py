"""Market data over REST: bars for gaps and beginnings, and latest quotes.

The feed is always named, since the broker's own choice differs from account to account. Prices are
floats here: they feed indicators. A bar that has not ended by the broker's clock, which may be a
little behind ours, is left out, although it is listed: its close would look like a close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from itertools import pairwise
from typing import TypeVar

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.echo import words
from hydra.trading.quotes import Quote
from hydra.trading.venue_clock import SKEW
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.outcomes import Ok, describe
from hydra.venues.alpaca.payloads import rows_reader
from hydra.venues.alpaca.reads import ReadFailed, get
from hydra.venues.alpaca.times import nanoseconds, rfc3339

T = TypeVar("T")

ROWS_A_PAGE = 10_000
PAGES_MAX = 1_000


class StockFeed(Enum):
    """Whose trades and quotes are seen."""

    IEX = "iex"
    SIP = "sip"


class Timeframe(msgspec.Struct, frozen=True):
    """How long a bar lasts: the broker's word for it, and nanoseconds."""

    word: str
    span: int


ONE_MINUTE = Timeframe("1Min", MINUTE)
ONE_HOUR = Timeframe("1Hour", 60 * MINUTE)


class MarketReads:
    """Reads what happened on the market. Safe to use from any thread; each call waits.

    Raises `ReadFailed` where something could not be read whole.
    """

    def __init__(self, calls: Calls, feed: StockFeed, market_time: Callable[[], int]) -> None:
        self._calls = calls
        self._feed = feed
        self._market_time = market_time

    def stock_bars(
        self, symbols: Iterable[str], timeframe: Timeframe, start: int, end: int, deadline: float
    ) -> Mapping[str, tuple[Bar, ...]]:
        """Bars that begin from `start` to `end` (UTC ns, both included) and have ended, unadjusted.

        By symbol, in time order; a symbol without any has none. Minutes in which nothing traded
        have no bar. `deadline`: monotonic, in seconds.
        """
        query = {"feed": self._feed.value, "adjustment": "raw"}
        return self._bars("/v2/stocks/bars", query, symbols, timeframe, start, end, deadline)

    def coin_bars(
        self, symbols: Iterable[str], timeframe: Timeframe, start: int, end: int, deadline: float
    ) -> Mapping[str, tuple[Bar, ...]]:
        """The same of coin pairs."""
        path = "/v1beta3/crypto/us/bars"
        return self._bars(path, {}, symbols, timeframe, start, end, deadline)

    def stock_quotes(self, symbols: Iterable[str], deadline: float) -> Mapping[str, Quote]:
        """The newest quote of each symbol that ever had one; how old it is, its time says."""
        path, query = "/v2/stocks/quotes/latest", {"feed": self._feed.value}
        return self._quotes(path, query, symbols, deadline)

    def coin_quotes(self, symbols: Iterable[str], deadline: float) -> Mapping[str, Quote]:
        """The same of coin pairs."""
        return self._quotes("/v1beta3/crypto/us/latest/quotes", {}, symbols, deadline)

    def _bars(
        self,
        path: str,
        query: Mapping[str, str],
        symbols: Iterable[str],
        timeframe: Timeframe,
        start: int,
        end: int,
        deadline: float,
    ) -> Mapping[str, tuple[Bar, ...]]:
        wanted = {
            **query,
            "symbols": ",".join(symbols),
            "timeframe": timeframe.word,
            "start": rfc3339(start),
            "end": rfc3339(end),
            "limit": str(ROWS_A_PAGE),
            "sort": "asc",
        }
        is_over_by = self._market_time() - SKEW
        found: dict[str, list[Bar]] = {}
        for page in all_pages(self._calls, path, wanted, read_bars_page, deadline):
            for symbol, rows in (page.bars or {}).items():
                found.setdefault(symbol, []).extend(_bars_of(symbol, rows or (), timeframe.span))
        for symbol, bars in found.items():
            if any(later.start_at <= bar.start_at for bar, later in pairwise(bars)):
                raise ReadFailed(f"GET {path}: bars of {words(symbol)} that are not in time order")
        return {
            symbol: tuple(bar for bar in bars if bar.end_at <= is_over_by)
            for symbol, bars in found.items()
        }

    def _quotes(
        self, path: str, query: Mapping[str, str], symbols: Iterable[str], deadline: float
    ) -> Mapping[str, Quote]:
        wanted = {**query, "symbols": ",".join(symbols)}
        outcome = self._calls.call(
            get(path, wanted), read_latest_quotes, Use.POLL, deadline=deadline
        )
        if not isinstance(outcome, Ok):
            raise ReadFailed(f"GET {path}: {describe(outcome)}")
        return outcome.value


class Page(msgspec.Struct, kw_only=True):
    """What all pages of data have: the way to the next one, None on the last."""

    next_page_token: str | None = None


class BarRow(msgspec.Struct, kw_only=True):
    """A bar as the broker writes it; `t` is when it begins."""

    t: str
    o: float
    h: float
    l: float  # noqa: E741 (the broker's name for the low)
    c: float
    v: float


class BarsPage(Page, kw_only=True):
    """Some bars of some symbols. Null, here and below, where there are none."""

    bars: dict[str, list[BarRow] | None] | None = None


class QuoteRow(msgspec.Struct, kw_only=True, rename={"as_": "as"}):
    """A quote as the broker writes it."""

    t: str
    bp: float
    bs: float
    ap: float
    as_: float


class LatestQuotes(msgspec.Struct, kw_only=True):
    """The newest quote of each symbol that has one."""

    quotes: dict[str, QuoteRow | None] | None = None


P = TypeVar("P", bound=Page)


def all_pages(
    calls: Calls,
    path: str,
    query: Mapping[str, str],
    read: Callable[[bytes], P],
    deadline: float,
) -> Iterable[P]:
    """Every page, in order; only a page without a token is the last, however short others are.

    Raises `ReadFailed`, also where a token comes back that was followed before.
    """
    followed: set[str] = set()
    wanted = dict(query)
    for _ in range(PAGES_MAX):
        outcome = calls.call(get(path, wanted), read, Use.POLL, deadline=deadline)
        if not isinstance(outcome, Ok):
            raise ReadFailed(f"GET {path}: {describe(outcome)}")
        yield outcome.value
        token = outcome.value.next_page_token
        if not token:
            return
        if token in followed:
            raise ReadFailed(f"GET {path}: a page that was read before")
        followed.add(token)
        wanted["page_token"] = token
    raise ReadFailed(f"GET {path}: more than {PAGES_MAX} pages")


def _bars_of(symbol: str, rows: Iterable[BarRow], span: int) -> list[Bar]:
    try:
        return [bar_of(symbol, row, span) for row in rows]
    except BadAnswer as bad:
        raise ReadFailed(str(bad)) from bad


def bar_of(symbol: str, row: BarRow, span: int) -> Bar:
    """The bar in the engine's terms, whatever its numbers are: one that can be none is dropped by
    whoever takes bars, wherever they come from. Raises `BadAnswer` for a time that is none.
    """
    start_at = nanoseconds(row.t)
    return Bar(
        symbol=symbol,
        start_at=start_at,
        end_at=start_at + span,
        open=row.o,
        high=row.h,
        low=row.l,
        close=row.c,
        volume=row.v,
    )


def quote_of(symbol: str, row: QuoteRow) -> Quote:
    """The quote in the engine's terms, whatever it is worth: who uses it, checks it."""
    return Quote(
        symbol=symbol,
        at=nanoseconds(row.t),
        bid=row.bp,
        ask=row.ap,
        bid_size=row.bs,
        ask_size=row.as_,
    )


read_bars_page = rows_reader(BarsPage, "bars")
_read_latest = rows_reader(LatestQuotes, "quotes")


def read_latest_quotes(body: bytes) -> Mapping[str, Quote]:
    """The newest quotes by symbol. Raises `BadAnswer`."""
    rows = _read_latest(body).quotes or {}
    return {symbol: quote_of(symbol, row) for symbol, row in rows.items() if row is not None}
