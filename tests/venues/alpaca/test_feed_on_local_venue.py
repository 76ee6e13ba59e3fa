"""The feed of prices on the local venue: what both sides of the wire mean is the same."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from typing import Any

from hydra.settings.secret import Secret
from hydra.venues.alpaca.bar_filling import FillTerms
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.feed import AlpacaFeed
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.market_rest import MarketReads, StockFeed
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.options import OptionFeed
from hydra.venues.simulated.brokerage.acts import HaltSymbol
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.keys import ApiKeys
from messages.market import BarsComplete, BarsReceived, QuoteReceived, TradingStatusReceived
from messages.streams import StreamConnected
from tests.venues.alpaca.sockets import connect
from tests.venues.server.clients import admin
from tests.venues.server.kit import (
    FREE,
    MINUTE,
    OPEN,
    PATIENCE_S,
    SECOND,
    TOKEN,
    in_loop,
    rising,
    served,
    venue_on,
)

KEYS = ApiKeys("HYDRA0001", "a-secret")
TERMS = AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN)
SYMBOLS = ("HYDR", "BTC/USD")


class Told:
    """What the feed has told, and a look at it that lets the venue go on."""

    def __init__(self, venue: LocalVenue) -> None:
        self._venue = venue
        self._waiting: queue.Queue[Any] = queue.Queue()
        self.all: list[Any] = []

    def __call__(self, message: Any) -> None:
        self._waiting.put(message)

    def of(self, kind: type) -> list[Any]:
        while not self._waiting.empty():
            self.all.append(self._waiting.get())
        return [each for each in self.all if isinstance(each, kind)]

    async def until(self, done: Callable[[], bool], step: int = 0) -> None:
        """Until it is so; meanwhile the venue's clock goes on by this step, again and again."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not done():
            assert asyncio.get_running_loop().time() < deadline, self.all
            if step:
                await self._venue.move_to(self._venue.now() + step)
            await asyncio.sleep(0.02)


def client_on(port: int) -> HttpClient:
    return HttpClient(
        f"http://127.0.0.1:{port}",
        Keys(Secret(KEYS.key_id), Secret(KEYS.secret)),
        Network(loopback_only=True),
    )


def feed_on(port: int, client: HttpClient, venue: LocalVenue, told: Told) -> AlpacaFeed:
    calls = Calls(
        client,
        Shares(),
        minutes_by=lambda: 0,
        market_time=venue.now,
        ended=lambda _: None,
    )
    return AlpacaFeed(
        SYMBOLS,
        base_url=f"ws://127.0.0.1:{port}",
        key_id=Secret(KEYS.key_id),
        secret=Secret(KEYS.secret),
        stock_feed=StockFeed.IEX,
        option_feed=OptionFeed.INDICATIVE,
        reads=MarketReads(calls, StockFeed.IEX, venue.now),
        connect=connect,
        market_time=venue.now,
        tell=told,
        terms=FillTerms(history_bars=5, pause_s=0.02),
    )


def test_prices_halts_and_what_was_missed_come_whole_and_in_order_i46_i47() -> None:
    bars = {symbol: rising(symbol, 60) for symbol in SYMBOLS}
    venue = venue_on(*bars["HYDR"], *bars["BTC/USD"])
    told = Told(venue)

    def told_of(symbol: str) -> list[BarsReceived]:
        return [each for each in told.of(BarsReceived) if each.bars[0].symbol == symbol]

    async def test() -> None:
        async with served(venue, TERMS) as port:
            await venue.move_to(OPEN + 10 * MINUTE + SECOND)
            client = client_on(port)
            feed = feed_on(port, client, venue, told)
            feed.start()
            try:
                await told.until(lambda: len(told.of(BarsComplete)) >= 2)
                begun = {symbol: len(told_of(symbol)) for symbol in SYMBOLS}
                await told.until(
                    lambda: all(len(told_of(each)) > begun[each] + 1 for each in SYMBOLS),
                    15 * SECOND,
                )
                venue.act(HaltSymbol("HYDR"))
                await told.until(lambda: bool(told.of(TradingStatusReceived)))
                await admin(port, "POST", "/streams", {"type": "reset"})
                await venue.move_to(venue.now() + 5 * MINUTE)
                await told.until(lambda: len(told.of(StreamConnected)) == 4)
                await told.until(
                    lambda: len(told_of("BTC/USD")) > begun["BTC/USD"] + 6, 15 * SECOND
                )
            finally:
                assert await asyncio.to_thread(feed.stop, PATIENCE_S)
                client.close()

    in_loop(test)

    for symbol in SYMBOLS:
        received = told_of(symbol)
        starts = [each.bars[0].start_at for each in received]
        known = {each.start_at: each for each in bars[symbol]}
        assert starts == list(range(starts[0], starts[-1] + MINUTE, MINUTE))
        assert [each.bars[0] for each in received] == [known[at] for at in starts]
        assert [each.is_backfill for each in received[:5]] == [True] * 5
    (status,) = told.of(TradingStatusReceived)
    assert (status.symbol, status.trades) == ("HYDR", False)
    assert any(each.is_backfill for each in told_of("BTC/USD")[5:])
    assert {each.quote.symbol for each in told.of(QuoteReceived)} == set(SYMBOLS)
