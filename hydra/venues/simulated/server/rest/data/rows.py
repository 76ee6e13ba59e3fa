"""Bars, quotes, trades and snapshots as market data writes them, each class in its own way."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.rows import (
    HistoryBar,
    OptionSnapshot,
    OrderBook,
    Snapshot,
)
from hydra.venues.simulated.server.rest.amount_text import number
from hydra.venues.simulated.server.rest.timestamps import rfc3339

Row: TypeAlias = dict[str, object]

STOCK_EXCHANGE = "V"
STOCK_TAPE = "C"
OPTION_EXCHANGE = "C"
NOBODY_STOCK = " "
NOBODY_OPTION = "?"
_TAKERS = {Side.BUY: "B", Side.SELL: "S"}


class RowForms(msgspec.Struct, frozen=True):
    """How one class of assets writes its quotes and trades."""

    quote: Callable[[QuoteChanged], Row]
    trade: Callable[[TradePrinted], Row]


def bar_row(bar: HistoryBar) -> Row:
    """A bar, the same in every class."""
    return {
        "t": rfc3339(bar.at),
        "o": number(bar.open),
        "h": number(bar.high),
        "l": number(bar.low),
        "c": number(bar.close),
        "v": number(bar.volume),
        "n": bar.trades,
        "vw": number(bar.vwap),
    }


def order_book_row(book: OrderBook) -> Row:
    """A coin's book, the best prices first."""
    return {
        "t": rfc3339(book.at),
        "b": [{"p": number(price), "s": number(size)} for price, size in book.bids],
        "a": [{"p": number(price), "s": number(size)} for price, size in book.asks],
    }


def snapshot_row(snapshot: Snapshot, forms: RowForms) -> Row:
    """The newest of everything; what has not been yet is left out."""
    return _present(
        {
            "latestTrade": snapshot.trade and forms.trade(snapshot.trade),
            "latestQuote": snapshot.quote and forms.quote(snapshot.quote),
            **_bars_of(snapshot),
        }
    )


def option_snapshot_row(snapshot: OptionSnapshot) -> Row:
    """The newest of one contract; unknown greeks are left out, which is not zero."""
    greeks = snapshot.greeks
    return _present(
        {
            "latestQuote": snapshot.quote and OPTIONS.quote(snapshot.quote),
            "latestTrade": snapshot.trade and OPTIONS.trade(snapshot.trade),
            **_bars_of(snapshot),
            "greeks": greeks
            and {
                "delta": greeks.delta,
                "gamma": greeks.gamma,
                "rho": greeks.rho,
                "theta": greeks.theta,
                "vega": greeks.vega,
            },
            "impliedVolatility": snapshot.implied_volatility,
        }
    )


def _bars_of(snapshot: Snapshot | OptionSnapshot) -> Row:
    daily, before = snapshot.daily_bar, snapshot.previous_daily_bar
    return {
        "minuteBar": snapshot.minute_bar and bar_row(snapshot.minute_bar),
        "dailyBar": daily and bar_row(daily),
        "prevDailyBar": before and bar_row(before),
    }


def _present(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _stock_quote(quote: QuoteChanged) -> Row:
    return {
        "t": rfc3339(quote.at),
        "ax": STOCK_EXCHANGE if quote.ask_size else NOBODY_STOCK,
        "ap": number(quote.ask),
        "as": number(quote.ask_size),
        "bx": STOCK_EXCHANGE if quote.bid_size else NOBODY_STOCK,
        "bp": number(quote.bid),
        "bs": number(quote.bid_size),
        "c": ["R"],
        "z": STOCK_TAPE,
    }


def _stock_trade(trade: TradePrinted) -> Row:
    return {
        "t": rfc3339(trade.at),
        "x": STOCK_EXCHANGE,
        "p": number(trade.price),
        "s": number(trade.size),
        "c": ["@"],
        "i": trade.id,
        "z": STOCK_TAPE,
    }


def _crypto_quote(quote: QuoteChanged) -> Row:
    return {
        "t": rfc3339(quote.at),
        "bp": number(quote.bid),
        "bs": number(quote.bid_size),
        "ap": number(quote.ask),
        "as": number(quote.ask_size),
    }


def _crypto_trade(trade: TradePrinted) -> Row:
    return {
        "t": rfc3339(trade.at),
        "p": number(trade.price),
        "s": number(trade.size),
        "tks": _TAKERS[trade.taker],
        "i": trade.id,
    }


def _option_quote(quote: QuoteChanged) -> Row:
    has_both_sides = bool(quote.bid_size and quote.ask_size)
    return {
        "t": rfc3339(quote.at),
        "ax": OPTION_EXCHANGE if quote.ask_size else NOBODY_OPTION,
        "ap": number(quote.ask),
        "as": number(quote.ask_size),
        "bx": OPTION_EXCHANGE if quote.bid_size else NOBODY_OPTION,
        "bp": number(quote.bid),
        "bs": number(quote.bid_size),
        "c": "A" if has_both_sides else " ",
    }


def _option_trade(trade: TradePrinted) -> Row:
    return {
        "t": rfc3339(trade.at),
        "x": OPTION_EXCHANGE,
        "p": number(trade.price),
        "s": number(trade.size),
        "c": "I",
    }


STOCKS = RowForms(quote=_stock_quote, trade=_stock_trade)
CRYPTO = RowForms(quote=_crypto_quote, trade=_crypto_trade)
OPTIONS = RowForms(quote=_option_quote, trade=_option_trade)
