"""What the market's history is asked for, and what it answers."""

from enum import Enum
from typing import Generic, TypeVar

import msgspec

from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted

Row = TypeVar("Row")


class BadQuery(ValueError):
    """The history cannot be asked so. The message is one line for the client."""


class HistoryBar(msgspec.Struct, frozen=True, gc=False):
    """One bar of any length that starts at `at` (UTC ns).

    `trades` is their number and `vwap` their average price by volume, 0 where there was none.
    """

    symbol: str
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int
    vwap: float


class Adjustment(Enum):
    """Whether prices before a split are told as they were, or in shares of after it."""

    RAW = "raw"
    SPLIT = "split"


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `symbols` with times from `start` to `end` (UTC ns, both included).

    They come by symbol (in the order of the alphabet), then by time; `descending` turns the time
    alone. `limit` (1 or more) is of all symbols together; `token` is the one of the page before.
    """

    symbols: tuple[str, ...]
    start: int
    end: int
    limit: int = 1000
    token: str | None = None
    descending: bool = False


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """So many rows, and the token of the next page; None: these were the last."""

    rows: tuple[Row, ...]
    next_token: str | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The newest of everything. None: there has not been one yet."""

    symbol: str
    trade: TradePrinted | None
    quote: QuoteChanged | None
    minute_bar: HistoryBar | None
    daily_bar: HistoryBar | None
    previous_daily_bar: HistoryBar | None


class OrderBook(msgspec.Struct, frozen=True):
    """Price levels (price, size), the best first."""

    symbol: str
    at: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]


class Greeks(msgspec.Struct, frozen=True, gc=False):
    """How an option's price moves: with the underlying (delta; gamma is delta's own slope), with
    a day (theta), with a point of volatility (vega) and with a point of interest (rho).
    """

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


class OptionSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The newest of one contract. Greeks and volatility None: not known, which is not zero."""

    symbol: str
    quote: QuoteChanged | None
    trade: TradePrinted | None = None
    minute_bar: HistoryBar | None = None
    daily_bar: HistoryBar | None = None
    previous_daily_bar: HistoryBar | None = None
    greeks: Greeks | None = None
    implied_volatility: float | None = None
