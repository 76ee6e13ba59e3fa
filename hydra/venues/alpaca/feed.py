"""Live prices from Alpaca: one stream for each data endpoint that the symbols need.

Streams tell of the present only. What was missed while one was down, or could not be read, is
fetched, and told before anything newer (`bar_filling`). The set of symbols is fixed, but for option
contracts: their quotes are subscribed to while they are wanted (`follow`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from time import monotonic
from typing import Any

from msgspec import structs

from hydra.settings.secret import Secret
from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.venue_clock import seen_at
from hydra.venues.alpaca.bar_filling import BarFilling, FillTerms
from hydra.venues.alpaca.data_endpoints import Endpoint, by_endpoint
from hydra.venues.alpaca.data_stream import HEADERS, DataConversation
from hydra.venues.alpaca.market_rest import (
    MarketReads,
    StockFeed,
)
from hydra.venues.alpaca.options import OptionFeed
from hydra.venues.alpaca.stream import Patience, Stream
from hydra.venues.alpaca.websocket import Connect
from messages.market import BarsReceived
from messages.streams import StreamConnected, StreamGap

BAR_INTERVAL = MINUTE
"""Of the streams' bars; there is no other."""
FOLLOW_LOOK_S = 0.05
"""So soon a contract that is followed is subscribed to: whoever wants it waits for its quote."""


class AlpacaFeed:
    """See the module. A `PriceFeed`; `tell` is called from any of its threads."""

    def __init__(
        self,
        symbols: Collection[str],
        *,
        base_url: str,
        key_id: Secret,
        secret: Secret,
        stock_feed: StockFeed,
        option_feed: OptionFeed,
        reads: MarketReads,
        connect: Connect,
        market_time: Callable[[], int],
        tell: Callable[[Any], None],
        terms: FillTerms | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`base_url`: scheme and host of the data streams, `wss://stream.data.alpaca.markets`.

        Raises `UnknownSymbols`. `reads` must be of the same stock feed.
        """
        self._tell = tell
        self._key_id, self._secret = key_id, secret
        self._market_time = market_time
        self._symbols = by_endpoint(symbols)
        self._connections = dict.fromkeys(self._symbols, 0)
        sources = {Endpoint.STOCKS: reads.stock_bars, Endpoint.COINS: reads.coin_bars}
        self._filling = BarFilling(
            [
                (each, sources[endpoint])
                for endpoint, each in self._symbols.items()
                if endpoint in sources
            ],
            terms or FillTerms(),
            market_time=market_time,
            tell=tell,
        )
        self._followed: tuple[str, ...] = ()
        self._following = threading.Lock()
        self._is_running = False
        self._talks: dict[Endpoint, DataConversation] = {}
        patience = patience or Patience()

        def stream(endpoint: Endpoint) -> Stream:
            is_followed = endpoint is Endpoint.OPTIONS
            return Stream(
                endpoint.value,
                base_url.rstrip("/") + endpoint.path(stock_feed, option_feed),
                HEADERS,
                partial(self._converse, endpoint),
                partial(self._hear, endpoint),
                connect,
                structs.replace(patience, look=FOLLOW_LOOK_S) if is_followed else patience,
            )

        self._contracts = stream(Endpoint.OPTIONS)
        """Connected once it is wanted: by what is traded from the start, or by `follow`."""
        self._streams = [
            self._contracts if endpoint is Endpoint.OPTIONS else stream(endpoint)
            for endpoint in self._symbols
        ]

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """See `PriceFeed.streams`."""
        return {endpoint.value: symbols for endpoint, symbols in self._symbols.items()}

    def renew(self, stream: str, reason: str) -> None:
        """See `PriceFeed.renew`."""
        for each in self._streams:
            if each.name == stream:
                each.renew(reason)

    @property
    def contract_stream(self) -> str:
        """See `PriceFeed.contract_stream`."""
        return Endpoint.OPTIONS.value

    def start(self) -> None:
        """Begin to connect. Who is to hear of it, and of history, must be there by now."""
        self._filling.start()
        with self._following:
            self._is_running = True
            for stream in self._streams:
                stream.start()

    def follow(self, contracts: tuple[str, ...]) -> None:
        """See `PriceFeed.follow`."""
        with self._following:
            self._followed = contracts
            if contracts and self._contracts not in self._streams:
                self._connections[Endpoint.OPTIONS] = 0
                if self._is_running:
                    self._contracts.start()
                self._streams = [*self._streams, self._contracts]  # watched from now on

    def stop(self, within_s: float) -> bool:
        """End it all; False if a thread has not ended in time."""
        deadline = monotonic() + within_s
        with self._following:
            self._is_running = False
        self._filling.ask_to_stop()
        for stream in self._streams:
            stream.ask_to_stop()
        ended = [stream.stop(max(0.0, deadline - monotonic())) for stream in self._streams]
        return self._filling.join(max(0.0, deadline - monotonic())) and all(ended)

    def report(self) -> None:
        """See `PriceFeed.report`."""
        for stream in self._streams:
            stream.report()
        self._filling.report()

    @property
    def idle_s(self) -> float:
        """For how long the idlest of its threads has been overdue."""
        return max((self._filling.idle_s, *(stream.idle_s for stream in self._streams)))

    @property
    def frames_heard(self) -> int:
        """Of all its streams together, see `Stream.frames_heard`."""
        return sum(stream.frames_heard for stream in self._streams)

    @property
    def is_settled(self) -> bool:
        """Whether it has what is wanted of it: streams are there, each contract that is followed
        is subscribed to, and no bar is being fetched.
        """
        talk = self._talks.get(Endpoint.OPTIONS)
        is_followed = not self._followed if talk is None else talk.is_as_wanted
        is_there = all(stream.is_live for stream in self._streams)
        return is_there and is_followed and self._filling.is_idle

    def _converse(self, endpoint: Endpoint) -> DataConversation:
        self._talks[endpoint] = talk = DataConversation(
            endpoint.value,
            self._key_id.reveal(),
            self._secret.reveal(),
            endpoint.channels(self._symbols.get(endpoint, ())),
            BAR_INTERVAL,
            followed=lambda: self._followed if endpoint is Endpoint.OPTIONS else (),
        )
        return talk

    def _hear(self, endpoint: Endpoint, fact: Any) -> None:
        match fact:
            case BarsReceived(bars=(bar,)) if self._filling.knows(bar.symbol):
                if self._is_sane(bar):
                    self._filling.live(bar)
                    return
                # Whoever checks bars is told all the same, and what it should have been is fetched.
                self._filling.interrupted([bar.symbol], f"a bar of {bar.symbol} that can be none")
            case StreamConnected(connection=connection):
                self._be_connected(endpoint, connection)
            case StreamGap(reason=reason):
                self._interrupt(endpoint, f"the stream {endpoint.value} has a gap: {reason}")
            case _:
                pass
        self._tell(fact)

    def _be_connected(self, endpoint: Endpoint, connection: int) -> None:
        if connection == self._connections[endpoint]:
            return  # only told once more
        self._connections[endpoint] = connection
        if connection > 1:
            self._interrupt(endpoint, f"the stream {endpoint.value} was away")
        elif endpoint is not Endpoint.OPTIONS:
            self._filling.begun(self._symbols[endpoint])

    def _interrupt(self, endpoint: Endpoint, reason: str) -> None:
        if endpoint is not Endpoint.OPTIONS:  # there are no bars of options
            self._filling.interrupted(self._symbols[endpoint], reason)

    def _is_sane(self, bar: Bar) -> bool:
        """Whether the bars after it may be held against it."""
        fault = fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume)
        now = self._market_time()
        return fault is None and bar.end_at > 0 and seen_at(bar.end_at, now) <= now
