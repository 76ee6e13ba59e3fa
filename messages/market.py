"""What the market did, on its way from the venue to the bots."""

from hydra.trading.bars import Bar
from hydra.trading.quotes import Quote
from hydra.trading.symbol_prices import Unready
from messages.message import Message


class BarsReceived(Message, frozen=True, kw_only=True):
    """The venue's adapter has closed bars, in order. Nothing about them has been checked yet.

    Bars of many symbols that end at one instant come in one message: whoever hears all symbols is
    woken once. `is_backfill`: they were fetched after they had happened, and are history, not news.
    """

    bars: tuple[Bar, ...]
    is_backfill: bool = False


class BarClosed(Message, frozen=True, kw_only=True):
    """The data feed checked a bar and publishes it on `bars_topic(symbol)`.

    `is_backfill`: it closed a while ago. It feeds indicators, and nobody decides on it.
    """

    bar: Bar
    is_backfill: bool = False


class BarsClosed(Message, frozen=True, kw_only=True):
    """The data feed's word on `FEED_TOPIC`: what it published by symbol just now, all in one.

    `is_backfill` as of `BarClosed`.
    """

    bars: tuple[Bar, ...]
    is_backfill: bool = False


class QuoteReceived(Message, frozen=True, kw_only=True):
    """The venue's adapter has a new quote. Nothing about it has been checked yet."""

    quote: Quote


class TradingStatusReceived(Message, frozen=True, kw_only=True):
    """The exchange says whether a symbol trades. Every word but a known resume is a halt.

    `code` and `reason` are the exchange's own; `at` is venue time (UTC ns), None where it could not
    be read: then it is when it is heard.
    """

    symbol: str
    trades: bool
    code: str
    reason: str
    at: int | None


class QuoteChanged(Message, frozen=True, kw_only=True):
    """The data feed checked a quote and publishes it on `quotes_topic(symbol)`."""

    quote: Quote


class BarsMissing(Message, frozen=True, kw_only=True):
    """Bars of these symbols were missed. No newer one is told before `BarsComplete` is.

    It may be told again, with another reason: why they are still missing.
    """

    symbols: tuple[str, ...]
    reason: str


class BarsComplete(Message, frozen=True, kw_only=True):
    """What was missing of these symbols has been told."""

    symbols: tuple[str, ...]


class SymbolReported(Message, frozen=True, kw_only=True):
    """The data feed's word on one symbol, on `SYMBOLS_TOPIC`, whenever it changes.

    `why` says why the symbol must not be entered; None: it may be. `at` is market time.
    """

    symbol: str
    why: Unready | None
    detail: str
    at: int


class PricesDue(Message, frozen=True, kw_only=True):
    """The data feed's word to itself: see how old every price is by now."""


class ReportHistory(Message, frozen=True, kw_only=True):
    """Ask the data feed for the newest bars of a symbol, at most so many. It has kept some."""

    symbol: str
    bars: int


class HistoryReported(Message, frozen=True, kw_only=True):
    """They, the oldest first: fewer if no more are kept, none of a symbol that nobody trades.

    Whoever has subscribed to the symbol is told every later one, and none of these after it.
    """

    bars: tuple[Bar, ...]


class HistoryDue(Message, frozen=True, kw_only=True):
    """A bot's word to itself: the data feed did not answer, ask it again."""


class FeedEnded(Message, frozen=True, kw_only=True):
    """The venue has no more market data: the file, or the generated session, is over."""

    at: int


FEED_TOPIC = "feed"
"""Where `FeedEnded` is published, and `BarsClosed` of every symbol."""

SYMBOLS_TOPIC = "symbols"
"""Where `SymbolReported` is published."""


def bars_topic(symbol: str) -> str:
    """Where `BarClosed` of one symbol is published."""
    return f"bars/{symbol}"


def quotes_topic(symbol: str) -> str:
    """Where `QuoteChanged` of one symbol is published."""
    return f"quotes/{symbol}"
