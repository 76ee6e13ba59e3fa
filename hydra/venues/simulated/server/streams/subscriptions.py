"""What one client of a market-data stream has asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hydra.venues.simulated.server.rest.settings import DataPlan
from hydra.venues.simulated.server.streams.encodings import Message
from hydra.venues.simulated.server.streams.feeds import FOLLOWS, Feed, Kind

ALL = "*"


class StreamError(Exception):
    """An error message of the stream: its code, its words, and whether the connection ends."""

    def __init__(self, code: int, words: str, *, closes: bool = False) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words
        self.closes = closes

    @property
    def message(self) -> Message:
        """As it goes over the wire."""
        return {"T": "error", "code": self.code, "msg": self.words}


class Subscriptions(msgspec.Struct, frozen=True):
    """The symbols of each channel, "*" being all. A value: what is refused leaves it as it was."""

    feed: Feed
    chosen: Mapping[str, tuple[str, ...]] = {}

    def with_more(self, request: Mapping[str, Any], plan: DataPlan) -> Subscriptions:
        """After a subscribe, which adds, within what the plan allows. Raises `StreamError`."""
        chosen = dict(self.chosen)
        for channel, symbols in self._asked(request):
            chosen[channel] = _ordered({*chosen.get(channel, ()), *symbols})
        after = Subscriptions(self.feed, chosen)
        after._require_within(plan)
        return after

    def with_less(self, request: Mapping[str, Any]) -> Subscriptions:
        """After an unsubscribe. Raises `StreamError`."""
        chosen = dict(self.chosen)
        for channel, symbols in self._asked(request):
            chosen[channel] = _ordered({*chosen.get(channel, ())} - {*symbols})
        return Subscriptions(self.feed, chosen)

    def has(self, channel: str, symbols: Iterable[str]) -> bool:
        """Whether messages of the channel about any of these symbols are wanted."""
        wanted = self.chosen.get(FOLLOWS.get(channel, channel), ())
        return ALL in wanted or any(symbol in wanted for symbol in symbols)

    def symbols(self, channel: str) -> tuple[str, ...]:
        """What is subscribed in one channel."""
        return self.chosen.get(FOLLOWS.get(channel, channel), ())

    def new_in(self, channel: str, before: Subscriptions) -> frozenset[str]:
        """The symbols of a channel that were not in it before."""
        return frozenset(self.symbols(channel)) - frozenset(before.symbols(channel))

    @property
    def acknowledgement(self) -> Message:
        """The complete set, as it is told after each change."""
        feed = self.feed
        channels = (*feed.channels, *filter(self.symbols, feed.quiet_channels))
        return {"T": "subscription"} | {name: list(self.symbols(name)) for name in channels}

    def _asked(self, request: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str, ...]]]:
        for name, symbols in request.items():
            if name == "action":
                continue
            if name in FOLLOWS:
                continue  # they come with the trades, whatever a client says of them
            if name not in self.feed.channels and name not in self.feed.quiet_channels:
                raise StreamError(410, "invalid subscribe action for this feed")
            if not (isinstance(symbols, list) and all(map(self._is_symbol, symbols))):
                raise StreamError(400, "invalid syntax")
            if self.feed.kind is Kind.OPTIONS and name == "quotes" and ALL in symbols:
                raise StreamError(413, "star subscription is not allowed for option quotes")
            yield name, tuple(symbols)

    def _is_symbol(self, symbol: object) -> bool:
        return isinstance(symbol, str) and (
            symbol == ALL or _SYMBOLS[self.feed.kind].fullmatch(symbol) is not None
        )

    def _require_within(self, plan: DataPlan) -> None:
        channels, limits = _LIMITED[self.feed.kind]
        limit = limits[plan]
        symbols = {symbol for channel in channels for symbol in self.symbols(channel)}
        if limit is not None and len(symbols) > limit:
            raise StreamError(405, "symbol limit exceeded")


def _ordered(symbols: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(symbols))


_NO_LIMIT: dict[DataPlan, int | None] = {DataPlan.BASIC: None, DataPlan.PLUS: None}
_LIMITED: dict[Kind, tuple[tuple[str, ...], dict[DataPlan, int | None]]] = {
    Kind.STOCKS: (("trades", "quotes"), {DataPlan.BASIC: 30, DataPlan.PLUS: None}),
    Kind.OPTIONS: (("quotes",), {DataPlan.BASIC: 200, DataPlan.PLUS: 1000}),
    Kind.CRYPTO: ((), _NO_LIMIT),
    Kind.NEWS: ((), _NO_LIMIT),
}
"""Of which channels together how many symbols each plan allows."""

_SYMBOLS = {
    Kind.STOCKS: re.compile(r"[A-Z][A-Z0-9.]{0,11}", re.ASCII),
    Kind.CRYPTO: re.compile(r"[A-Z0-9]{1,10}/[A-Z0-9]{1,10}", re.ASCII),
    Kind.OPTIONS: re.compile(r"[A-Z0-9.]{1,6}\d{6}[CP]\d{8}", re.ASCII),
    Kind.NEWS: re.compile(r"[A-Z0-9./]{1,24}", re.ASCII),
}
