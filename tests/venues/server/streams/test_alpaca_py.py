"""alpaca-py's own streams, unmodified, by their URL overrides alone."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alpaca.data.enums import DataFeed, OptionsFeed
from alpaca.data.live import CryptoDataStream, NewsDataStream, OptionDataStream, StockDataStream
from alpaca.data.models import Bar, News, Orderbook, Quote, Trade, TradingStatus
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce, TradeEvent
from alpaca.trading.models import TradeUpdate
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest
from alpaca.trading.stream import TradingStream

from hydra.venues.simulated.brokerage.acts import HaltSymbol
from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import admin
from tests.venues.server.kit import (
    KEYS,
    MINUTE,
    OPEN,
    PATIENCE_S,
    SECOND,
    in_loop,
    rising,
    served,
    venue_on,
)

CALL = "HYDR260116C00100000"


class Heard:
    """What a stream's handlers were called with, on whichever thread."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()

    async def handler(self, told: Any) -> None:
        self._queue.put(told)

    async def all_until(self, done: Callable[[list[Any]], bool], nudge: Any = None) -> list[Any]:
        """All that was told until it is enough; `nudge` is awaited while it is not."""
        found: list[Any] = []
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not done(found):
            assert asyncio.get_running_loop().time() < deadline, found
            if self._queue.empty():
                if nudge is not None:
                    await nudge()
                await asyncio.sleep(0.02)
            while not self._queue.empty():
                found.append(self._queue.get())
        return found


class Running:
    """A stream on a thread of its own, as its documentation runs it.

    When it is stopped it still waits for five seconds for a message; a lost connection ends that.
    """

    def __init__(self, stream: Any, port: int) -> None:
        self._stream = stream
        self._port = port

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(asyncio.to_thread(self._stream.run))

    async def __aexit__(self, *_: object) -> None:
        await asyncio.wait_for(asyncio.to_thread(self._stream.stop), PATIENCE_S)
        await admin(self._port, "POST", "/streams", {"type": "reset"})
        await asyncio.wait_for(self._task, 2 * PATIENCE_S)


def stepping(venue: LocalVenue, by: int = 15 * SECOND) -> Callable[[], Any]:
    async def step() -> None:
        await venue.move_to(venue.now() + by)

    return step


def kinds(*wanted: type) -> Callable[[list[Any]], bool]:
    return lambda found: {type(each) for each in found} >= set(wanted)


def test_its_stock_stream_hears_trades_quotes_bars_and_halts() -> None:
    venue, heard = venue_on(*rising("HYDR", 300)), Heard()

    async def test() -> list[Any]:
        async with served(venue) as port:
            stream = StockDataStream(
                KEYS.key_id,
                KEYS.secret,
                feed=DataFeed.IEX,
                url_override=f"ws://127.0.0.1:{port}/v2/iex",
            )
            stream.subscribe_trades(heard.handler, "HYDR")
            stream.subscribe_quotes(heard.handler, "*")
            stream.subscribe_bars(heard.handler, "HYDR")
            stream.subscribe_daily_bars(heard.handler, "HYDR")
            stream.subscribe_trading_statuses(heard.handler, "HYDR")
            async with Running(stream, port):
                await venue.move_to(OPEN)
                first = await heard.all_until(kinds(Trade, Quote, Bar), stepping(venue))
                venue.act(HaltSymbol("HYDR"))
                return [*first, *await heard.all_until(kinds(TradingStatus))]

    found = in_loop(test)

    bars = [each for each in found if isinstance(each, Bar)]
    assert {each.symbol for each in found} == {"HYDR"}
    assert len({each.timestamp for each in bars}) == 2, "a minute's and the day's"
    (status,) = [each for each in found if isinstance(each, TradingStatus)]
    assert (status.status_code, status.reason_code, status.tape) == ("H", "T1", "C")


def test_its_crypto_stream_hears_trades_quotes_bars_and_books() -> None:
    venue, heard = venue_on(*rising("BTC/USD", 300)), Heard()

    async def test() -> list[Any]:
        async with served(venue) as port:
            stream = CryptoDataStream(
                KEYS.key_id, KEYS.secret, url_override=f"ws://127.0.0.1:{port}/v1beta3/crypto/us"
            )
            stream.subscribe_trades(heard.handler, "BTC/USD")
            stream.subscribe_quotes(heard.handler, "BTC/USD")
            stream.subscribe_bars(heard.handler, "*")
            stream.subscribe_orderbooks(heard.handler, "BTC/USD")
            await venue.move_to(OPEN)
            async with Running(stream, port):
                return await heard.all_until(kinds(Trade, Quote, Bar, Orderbook), stepping(venue))

    found = in_loop(test)

    assert {each.symbol for each in found} == {"BTC/USD"}
    first_book = next(each for each in found if isinstance(each, Orderbook))
    assert first_book.reset
    assert first_book.bids[0].price < first_book.asks[0].price


def test_its_option_stream_hears_quotes_and_trades() -> None:
    venue, heard = venue_on(*rising("HYDR", 380)), Heard()

    async def test() -> list[Any]:
        async with served(venue) as port:
            stream = OptionDataStream(
                KEYS.key_id,
                KEYS.secret,
                feed=OptionsFeed.INDICATIVE,
                url_override=f"ws://127.0.0.1:{port}/v1beta1/indicative",
            )
            stream.subscribe_quotes(heard.handler, CALL)
            stream.subscribe_trades(heard.handler, CALL)
            async with Running(stream, port):
                await venue.move_to(OPEN)
                return await heard.all_until(kinds(Quote, Trade), stepping(venue, MINUTE))

    found = in_loop(test)

    assert {each.symbol for each in found} == {CALL}
    assert all(each.bid_price < each.ask_price for each in found if isinstance(each, Quote))


def test_its_news_stream_hears_what_is_told_by_hand() -> None:
    venue, heard = venue_on(*rising("HYDR", 1)), Heard()
    news = {
        "T": "n",
        "id": 1,
        "headline": "Nothing happened",
        "summary": "",
        "author": "",
        "created_at": "2026-01-05T14:00:00Z",
        "updated_at": "2026-01-05T14:00:01Z",
        "url": "",
        "content": "",
        "symbols": ["HYDR"],
        "source": "made up",
    }

    async def test() -> list[Any]:
        async with served(venue) as port:
            stream = NewsDataStream(
                KEYS.key_id, KEYS.secret, url_override=f"ws://127.0.0.1:{port}/v1beta1/news"
            )
            stream.subscribe_news(heard.handler, "HYDR")

            async def tell() -> None:
                await admin(port, "POST", "/messages", {"kind": "news", "message": news})

            async with Running(stream, port):
                return await heard.all_until(kinds(News), tell)

    found = in_loop(test)

    assert found[0].headline == "Nothing happened"
    assert found[0].created_at == datetime(2026, 1, 5, 14, 0, tzinfo=UTC)


def test_its_trading_client_and_stream_agree_on_the_life_of_orders() -> None:
    venue, heard = venue_on(*rising("HYDR", 30), *rising("BTC/USD", 30)), Heard()

    async def test() -> list[Any]:
        async with served(venue) as port:
            client = TradingClient(
                KEYS.key_id, KEYS.secret, paper=True, url_override=f"http://127.0.0.1:{port}"
            )
            stream = TradingStream(
                KEYS.key_id, KEYS.secret, paper=True, url_override=f"ws://127.0.0.1:{port}/stream"
            )
            stream.subscribe_trade_updates(heard.handler)
            await venue.move_to(OPEN + SECOND)
            async with Running(stream, port):

                async def place(request: Any) -> Any:
                    return await asyncio.to_thread(client.submit_order, request)

                async def probe() -> None:
                    """Until the stream listens nothing is told; a new order is cheap."""
                    await place(limit_of("HYDR", 1, "50"))

                await heard.all_until(bool, probe)
                order = await place(
                    MarketOrderRequest(
                        symbol="HYDR", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
                    )
                )
                coins = await place(
                    MarketOrderRequest(
                        symbol="BTC/USD", notional=50, side=OrderSide.BUY,
                        time_in_force=TimeInForce.GTC,
                    )
                )  # fmt: skip
                updates = await heard.all_until(
                    lambda found: (
                        {each.order.id for each in found if is_fill(each)} >= {order.id, coins.id}
                    )
                )
                final = [
                    await asyncio.to_thread(client.get_order_by_id, each.id)
                    for each in (order, coins)
                ]
                return [updates, *final]

    updates, order, coins = in_loop(test)

    assert all(isinstance(update, TradeUpdate) for update in updates)
    fills = {update.order.id: update for update in updates if is_fill(update)}
    for each in (order, coins):
        assert each.status is OrderStatus.FILLED
        assert fills[each.id].order.filled_avg_price == each.filled_avg_price
    assert fills[coins.id].position_qty < fills[coins.id].qty, "the fee is taken in coins"


@pytest.mark.parametrize(
    ("symbol", "quantity", "time_in_force", "prices"),
    [
        ("HYDR", 3, TimeInForce.DAY, (50, 51)),
        ("BTC/USD", 0.5, TimeInForce.GTC, (50, 51)),
        (CALL, 1, TimeInForce.DAY, (0.05, 0.1)),
    ],
    ids=["a share", "a coin", "an option"],
)
def test_its_trading_client_places_replaces_and_cancels_what_its_stream_tells_of(
    symbol: str, quantity: float, time_in_force: TimeInForce, prices: tuple[float, float]
) -> None:
    venue, heard = venue_on(*rising("HYDR", 30), *rising("BTC/USD", 30)), Heard()

    async def test() -> tuple[list[Any], Any, Any]:
        async with served(venue) as port:
            client = TradingClient(
                KEYS.key_id, KEYS.secret, paper=True, url_override=f"http://127.0.0.1:{port}"
            )
            stream = TradingStream(
                KEYS.key_id, KEYS.secret, paper=True, url_override=f"ws://127.0.0.1:{port}/stream"
            )
            stream.subscribe_trade_updates(heard.handler)
            await venue.move_to(OPEN + SECOND)
            async with Running(stream, port):
                await heard.all_until(
                    bool,
                    lambda: asyncio.to_thread(client.submit_order, limit_of("HYDR", 1, "40")),
                )
                old: Any = await asyncio.to_thread(
                    client.submit_order,
                    LimitOrderRequest(
                        symbol=symbol,
                        qty=quantity,
                        side=OrderSide.BUY,
                        time_in_force=time_in_force,
                        limit_price=prices[0],
                    ),
                )
                new: Any = await asyncio.to_thread(
                    client.replace_order_by_id,
                    old.id,
                    ReplaceOrderRequest(limit_price=prices[1]),
                )
                await asyncio.to_thread(client.cancel_order_by_id, new.id)
                told = await heard.all_until(
                    lambda found: (str(new.id), "canceled") in events_of(found)
                )
                final = await asyncio.to_thread(client.get_order_by_id, new.id)
                return events_of(told), old, final

    told, old, new = in_loop(test)

    assert (old.symbol, float(old.limit_price)) == (symbol, prices[0])
    assert (new.symbol, float(new.limit_price), new.status) == (
        symbol,
        prices[1],
        OrderStatus.CANCELED,
    )
    assert new.replaces == old.id
    ours = [event for event in told if event[0] in (str(old.id), str(new.id))]
    assert [event for event in ours if event[1] in ("new", "replaced", "canceled")] == [
        (str(old.id), "new"),
        (str(old.id), "replaced"),
        (str(new.id), "new"),
        (str(new.id), "canceled"),
    ]


def events_of(found: list[Any]) -> list[tuple[str, str]]:
    return [(str(update.order.id), str(getattr(update.event, "value", update.event)))
            for update in found]  # fmt: skip


def is_fill(update: TradeUpdate) -> bool:
    return update.event == TradeEvent.FILL.value  # it reads the word as a plain text


def limit_of(symbol: str, quantity: float, price: str) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol=symbol,
        qty=quantity,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        limit_price=float(price),
    )
