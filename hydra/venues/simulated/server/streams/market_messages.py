"""What happens in the market, as the messages of the streams tell it."""

from __future__ import annotations

from collections.abc import Iterable

from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.rows import HistoryBar, OrderBook
from hydra.venues.simulated.server.rest.amount_text import number
from hydra.venues.simulated.server.rest.data.rows import (
    CRYPTO,
    OPTIONS,
    STOCK_TAPE,
    STOCKS,
    RowForms,
    bar_row,
)
from hydra.venues.simulated.server.streams.encodings import Message
from hydra.venues.simulated.server.streams.feeds import Kind

Level = tuple[float, float]
"""Price and size."""

HALT = ("H", "Trading Halt", "T1", "Halt News Pending")
RESUMPTION = ("T", "Trading Resumption", "T3", "News and Resumption Times")

_FORMS: dict[Kind, RowForms] = {
    Kind.STOCKS: STOCKS,
    Kind.CRYPTO: CRYPTO,
    Kind.OPTIONS: OPTIONS,
}


def trade_message(kind: Kind, trade: TradePrinted) -> Message:
    """T t: a trade."""
    return {"T": "t", "S": trade.symbol} | _FORMS[kind].trade(trade) | {"t": trade.at}


def quote_message(kind: Kind, quote: QuoteChanged) -> Message:
    """T q: the best bid and ask."""
    return {"T": "q", "S": quote.symbol} | _FORMS[kind].quote(quote) | {"t": quote.at}


def bar_message(which: str, bar: HistoryBar) -> Message:
    """T b, u or d: a minute's bar, its correction, or the day's so far."""
    return {"T": which, "S": bar.symbol} | bar_row(bar) | {"t": bar.at}


def book_message(book: OrderBook) -> Message:
    """T o with r: the whole book."""
    return _book(book.symbol, book.at, book.bids, book.asks) | {"r": True}


def book_change_message(before: OrderBook, after: OrderBook) -> Message:
    """T o: what has changed in a book. Size 0 removes a level."""
    return _book(
        after.symbol,
        after.at,
        _changes(before.bids, after.bids),
        _changes(before.asks, after.asks),
    )


def status_message(symbol: str, at: int, words: tuple[str, str, str, str]) -> Message:
    """T s: trading in a symbol was halted, or goes on."""
    status, status_words, reason, reason_words = words
    return {
        "T": "s",
        "S": symbol,
        "sc": status,
        "sm": status_words,
        "rc": reason,
        "rm": reason_words,
        "t": at,
        "z": STOCK_TAPE,
    }


def _book(symbol: str, at: int, bids: Iterable[Level], asks: Iterable[Level]) -> Message:
    return {"T": "o", "S": symbol, "t": at, "b": _levels(bids), "a": _levels(asks)}


def _levels(levels: Iterable[Level]) -> list[Message]:
    return [{"p": number(price), "s": number(size)} for price, size in levels]


def _changes(before: Iterable[Level], after: Iterable[Level]) -> list[Level]:
    old, new = dict(before), dict(after)
    gone = [(price, 0.0) for price in old if price not in new]
    return gone + [(price, size) for price, size in new.items() if old.get(price) != size]
