"""Which of the broker's data endpoints tells of which symbol, and where its stream is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from hydra.trading.instruments import Instrument, instrument
from hydra.venues.alpaca.data_stream import Channels
from hydra.venues.alpaca.market_rest import StockFeed
from hydra.venues.alpaca.options import OptionFeed


class Endpoint(Enum):
    """By the names that their streams have in messages and journal."""

    STOCKS = "stocks"
    COINS = "coins"
    OPTIONS = "options"

    def path(self, stocks: StockFeed, options: OptionFeed) -> str:
        """Where its stream is, on the host of the data streams."""
        match self:
            case Endpoint.STOCKS:
                return f"/v2/{stocks.value}"
            case Endpoint.COINS:
                return "/v1beta3/crypto/us"
            case Endpoint.OPTIONS:
                return f"/v1beta1/{options.value}"

    def channels(self, symbols: tuple[str, ...]) -> Channels:
        """What there is to subscribe to: only stocks have statuses, and options have no bars."""
        match self:
            case Endpoint.STOCKS:
                return Channels(bars=symbols, quotes=symbols, statuses=symbols)
            case Endpoint.COINS:
                return Channels(bars=symbols, quotes=symbols)
            case Endpoint.OPTIONS:
                return Channels(quotes=symbols)


class UnknownSymbols(ValueError):
    """Some symbols are spelled like nothing that the broker has prices of."""


_OF = {
    Instrument.SHARE: Endpoint.STOCKS,
    Instrument.COIN: Endpoint.COINS,
    Instrument.OPTION: Endpoint.OPTIONS,
}


def by_endpoint(symbols: Iterable[str]) -> Mapping[Endpoint, tuple[str, ...]]:
    """The symbols of each endpoint that is needed, sorted. Raises `UnknownSymbols`."""
    found: dict[Endpoint, set[str]] = {}
    unknown = set()
    for symbol in symbols:
        kind = instrument(symbol)
        if kind is None:
            unknown.add(symbol)
        else:
            found.setdefault(_OF[kind], set()).add(symbol)
    if unknown:
        names = ", ".join(map(repr, sorted(unknown)))
        raise UnknownSymbols(
            f"found the symbols {names}, wanted shares (AAPL), pairs (BTC/USD) or options"
            " (AAPL261218C00200000); correct them in the bots' settings"
        )
    return {endpoint: tuple(sorted(found[endpoint])) for endpoint in Endpoint if endpoint in found}
