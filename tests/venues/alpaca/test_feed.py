"""The feed of prices between a scripted stream and a scripted REST host."""

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from hydra.ports import PriceFeed
from hydra.settings.secret import Secret
from hydra.trading.bars import Bar
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.bar_filling import FillTerms
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.feed import AlpacaFeed
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.market_rest import MarketReads, StockFeed
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.options import OptionFeed
from hydra.venues.alpaca.stream import Patience
from messages.market import (
    BarsComplete,
    BarsMissing,
    BarsReceived,
    QuoteReceived,
    TradingStatusReceived,
)
from messages.streams import StreamConnected, StreamGap, StreamLost
from tests.venues.alpaca.fake_alpaca import Answer, FakeAlpaca, Received, Reply
from tests.venues.alpaca.sockets import connect, websocket_server

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
BEGUN = 1_795_444_260 * SECOND
"""Minute 0: market time begins 10 s after it."""
WITHIN_S = 5.0
QUICK = FillTerms(pause_s=0.02, fill_within_s=2.0, history_within_s=2.0)
PATIENCE = Patience(connect=2.0, live=2.0, ping=1.0, silence=2.0)
HANG_UP = "hang up"


def at(minute: int) -> datetime:
    return datetime.fromtimestamp((BEGUN + minute * MINUTE) / SECOND, tz=UTC)


def row(minute: int, close: float = 100.0) -> dict[str, Any]:
    """A bar as the stream has it, but for its kind and symbol."""
    return {"t": at(minute), "o": close, "h": close, "l": close, "c": close, "v": 5, "n": 1}


def live(minute: int, symbol: str = "AAPL", close: float = 100.0) -> dict[str, Any]:
    return {"T": "b", "S": symbol, **row(minute, close)}


def bar(minute: int, symbol: str = "AAPL", close: float = 100.0) -> Bar:
    start = BEGUN + minute * MINUTE
    return Bar(symbol, start, start + MINUTE, close, close, close, close, 5.0)


def news(minute: int, symbol: str = "AAPL", close: float = 100.0) -> BarsReceived:
    return BarsReceived(bars=(bar(minute, symbol, close),))


def history(minute: int, symbol: str = "AAPL", close: float = 100.0) -> BarsReceived:
    return BarsReceived(bars=(bar(minute, symbol, close),), is_backfill=True)


class FeedWorld:
    """The feed, what it tells, and both sides of the broker in the hands of a test."""

    def __init__(self, symbols: tuple[str, ...], terms: FillTerms) -> None:
        self.now = BEGUN + 10 * SECOND
        self.told: queue.Queue[Any] = queue.Queue()
        self.subscribed: list[dict[str, Any]] = []
        self.bars: dict[str, list[dict[str, Any]]] = {}
        """What the broker has, by symbol."""
        self.rest: Callable[[Received], Answer] = self._answer
        self._says: queue.Queue[Any] = queue.Queue()
        self._closing = threading.Event()
        self._stack = contextlib.ExitStack()
        url = self._stack.enter_context(websocket_server(self._serve))
        self.broker = FakeAlpaca(self._ask_rest)
        self._stack.callback(self.broker.close)
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))
        client = HttpClient(self.broker.url, keys, Network(loopback_only=True), call_within_s=2.0)
        self._stack.callback(client.close)
        calls = Calls(
            client,
            Shares(),
            minutes_by=lambda: 0,
            market_time=lambda: self.now,
            ended=lambda _: None,
        )
        self.feed = AlpacaFeed(
            symbols,
            base_url=url.removesuffix("/stream"),
            key_id=Secret("HYDRA-a-key"),
            secret=Secret("a-secret"),
            stock_feed=StockFeed.IEX,
            option_feed=OptionFeed.INDICATIVE,
            reads=MarketReads(calls, StockFeed.IEX, lambda: self.now),
            connect=connect,
            market_time=lambda: self.now,
            tell=self.told.put,
            terms=terms,
            patience=PATIENCE,
        )
        self.feed.start()

    def come_to(self, minute: int) -> None:
        """It is ten seconds after the end of this minute's bar."""
        self.now = BEGUN + (minute + 1) * MINUTE + 10 * SECOND

    def say(self, *elements: dict[str, Any]) -> None:
        """One frame on the stream."""
        self._says.put(list(elements))

    def hang_up(self) -> None:
        self._says.put(HANG_UP)

    def next(self, number: int) -> list[Any]:
        """So much of what is told, waited for."""
        return [self.told.get(timeout=WITHIN_S) for _ in range(number)]

    def nothing_more(self) -> bool:
        with contextlib.suppress(queue.Empty):
            self.told.get(timeout=0.05)
            return False
        return True

    def close(self) -> None:
        self._closing.set()
        assert self.feed.stop(WITHIN_S)
        self._stack.close()

    def _serve(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            connection.send(msgspec.msgpack.encode([{"T": "success", "msg": "connected"}]))
            connection.recv()
            connection.send(msgspec.msgpack.encode([{"T": "success", "msg": "authenticated"}]))
            wish = msgspec.msgpack.decode(connection.recv(decode=False))
            self.subscribed.append({"path": connection.request.path, **wish})  # type: ignore[union-attr]
            wish.pop("action")
            connection.send(msgspec.msgpack.encode([{"T": "subscription", **wish}]))
            while not self._closing.is_set():
                with contextlib.suppress(queue.Empty):
                    said = self._says.get(timeout=0.02)
                    if said == HANG_UP:
                        return
                    connection.send(msgspec.msgpack.encode(said))

    def _ask_rest(self, received: Received) -> Answer:
        return self.rest(received)

    def _answer(self, received: Received) -> Answer:
        start = datetime.fromisoformat(received.query["start"][:26] + "+00:00")
        found = {
            symbol: [
                {**each, "t": f"{each['t']:%Y-%m-%dT%H:%M:%SZ}"}
                for each in self.bars.get(symbol, ())
                if each["t"] >= start
            ]
            for symbol in received.query["symbols"].split(",")
        }
        return Reply(200, {"bars": {name: rows for name, rows in found.items() if rows}})


@pytest.fixture
def begin() -> Iterator[Callable[..., FeedWorld]]:
    with contextlib.ExitStack() as stack:

        def make(*symbols: str, terms: FillTerms = QUICK) -> FeedWorld:
            world = FeedWorld(symbols or ("AAPL",), terms)
            stack.callback(world.close)
            return world

        yield make


FIRST = StreamConnected(stream="stocks", connection=1)
AGAIN = StreamConnected(stream="stocks", connection=2)
AWAY = BarsMissing(symbols=("AAPL",), reason="the stream stocks was away")
COMPLETE = BarsComplete(symbols=("AAPL",))


def test_bars_quotes_and_statuses_are_told_as_they_come(begin: Callable[..., FeedWorld]) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    world.say(
        {"T": "q", "S": "AAPL", "bp": 1.0, "bs": 2, "ap": 1.5, "as": 3, "t": at(1)},
        {"T": "s", "S": "AAPL", "sc": "H", "sm": "Halt", "z": "C", "t": at(1)},
    )

    told = world.next(4)

    quote = Quote("AAPL", BEGUN + MINUTE, 1.0, 1.5, 2.0, 3.0)
    halt = TradingStatusReceived(
        symbol="AAPL", trades=False, code="H", reason="Halt", at=BEGUN + MINUTE
    )
    assert told == [FIRST, news(0), QuoteReceived(quote=quote), halt]
    assert world.subscribed == [
        {
            "path": "/v2/iex",
            "action": "subscribe",
            "bars": ["AAPL"],
            "quotes": ["AAPL"],
            "statuses": ["AAPL"],
        }
    ]
    assert world.broker.asked == []


def test_each_endpoint_has_a_stream_of_its_own(begin: Callable[..., FeedWorld]) -> None:
    world = begin("AAPL", "BTC/USD", "AAPL261218C00200000")

    told = world.next(3)

    assert {message.stream for message in told} == {"stocks", "coins", "options"}
    assert {each["path"] for each in world.subscribed} == {
        *("/v2/iex", "/v1beta3/crypto/us", "/v1beta1/indicative")
    }
    port: PriceFeed = world.feed
    assert port.streams == {
        "stocks": ("AAPL",),
        "coins": ("BTC/USD",),
        "options": ("AAPL261218C00200000",),
    }


def test_what_was_missed_while_it_was_away_is_told_in_order_before_what_is_new_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    assert world.next(2) == [FIRST, news(0)]

    world.bars = {"AAPL": [row(minute) for minute in range(4)]}
    world.come_to(2)
    world.hang_up()
    told = world.next(6)
    world.come_to(3)
    world.say(live(3))

    assert isinstance(told[0], StreamLost)
    assert told[1:] == [AWAY, AGAIN, history(1), history(2), COMPLETE]
    assert world.next(1) == [news(3)]
    assert [each.query["feed"] for each in world.broker.received] == ["iex"]


def test_a_live_bar_waits_for_those_before_it_and_the_fetched_content_counts_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    world.next(2)

    world.bars = {"AAPL": [row(0), row(1), row(2, 101.0)]}
    world.come_to(2)
    world.say(live(2, close=100.5))

    assert world.next(2) == [history(1), news(2, close=101.0)]
    assert world.nothing_more()


def test_the_bar_that_has_not_ended_is_not_told(begin: Callable[..., FeedWorld]) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    world.next(2)

    world.bars = {"AAPL": [row(0), row(1), row(2), row(3)]}
    world.come_to(2)
    world.hang_up()

    assert world.next(6)[3:] == [history(1), history(2), COMPLETE]
    assert world.nothing_more()


def test_a_bar_that_the_broker_has_still_to_end_is_told_when_it_has_i46_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    world.next(2)

    world.bars = {"AAPL": [row(0), row(1), row(2, 99.0)]}  # so far: its clock is behind ours
    world.now = bar(2).end_at + SECOND
    world.hang_up()
    told = world.next(5)
    world.say(live(2, close=100.5))

    assert told[3:] == [history(1), COMPLETE]
    assert world.next(1) == [news(2, close=100.5)]


def test_a_host_that_fails_is_asked_again_and_nothing_newer_is_told_meanwhile_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    failing = [True, True]

    def fail_twice(received: Received) -> Answer:
        return Reply(503, {}) if failing and failing.pop() else world._answer(received)

    world.rest = fail_twice
    world.come_to(0)
    world.say(live(0))
    world.next(2)
    world.bars = {"AAPL": [row(0), row(1), row(2)]}
    world.come_to(2)
    world.say(live(2))

    missing, *filled = world.next(4)

    assert missing == BarsMissing(
        symbols=("AAPL",), reason="GET /v2/stocks/bars: the broker answered 503"
    )
    assert filled == [history(1), news(2), COMPLETE]
    assert len(world.broker.asked) == 3


def test_a_symbol_that_has_missed_too_much_stays_as_it_is_and_says_so_once_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin(terms=msgspec.structs.replace(QUICK, bars_max=2))
    world.come_to(0)
    world.say(live(0))
    world.next(2)

    world.bars = {"AAPL": [row(minute) for minute in range(6)]}
    world.come_to(5)
    world.say(live(5))

    given_up = BarsMissing(
        symbols=("AAPL",),
        reason="AAPL: 5 bars are missing, which is more than is fetched; start the engine again",
    )
    assert world.next(1) == [given_up]
    world.come_to(6)
    world.say(live(6))
    assert world.nothing_more()
    assert len(world.broker.asked) == 1

    world.feed.report()

    assert world.next(2) == [FIRST, given_up]


def test_what_cannot_be_read_is_told_and_everything_of_its_stream_is_looked_into_i46_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin("AAPL", "NOVA")
    world.next(1)

    world.say({"T": "b", "S": "AAPL", "t": at(0), "o": "dear"})

    missing, gap, complete = world.next(3)
    assert missing.symbols == ("AAPL", "NOVA")
    assert isinstance(gap, StreamGap)
    assert complete == BarsComplete(symbols=("AAPL", "NOVA"))


@pytest.mark.parametrize("odd", [live(0, close=-1.0), live(900)], ids=["no price", "future"])
def test_a_bar_that_can_be_none_is_passed_on_to_be_dropped_and_holds_nothing_up_i46(
    begin: Callable[..., FeedWorld], odd: dict[str, Any]
) -> None:
    world = begin()
    world.come_to(0)
    world.next(1)
    world.bars = {"AAPL": [row(0)]}

    world.say(odd)
    missing, passed_on, complete = world.next(3)
    world.say(live(0))

    assert missing.reason == "a bar of AAPL that can be none"
    assert isinstance(passed_on, BarsReceived) and not passed_on.is_backfill
    assert complete == COMPLETE
    assert world.next(1) == [news(0)]


def test_a_fetched_bar_that_can_be_none_is_passed_on_to_be_dropped_and_holds_nobody_up_i46(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin("AAPL", "NOVA", terms=msgspec.structs.replace(QUICK, history_bars=2))
    world.bars = {"AAPL": [row(-2, close=-1.0), row(-1)], "NOVA": [row(-1)]}

    told = world.next(6)[2:]

    assert told == [
        history(-2, close=-1.0),
        history(-1),
        history(-1, "NOVA"),
        BarsComplete(symbols=("AAPL", "NOVA")),
    ]


def test_indicators_can_begin_with_history_before_anything_live(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin(terms=msgspec.structs.replace(QUICK, history_bars=3))
    world.bars = {"AAPL": [row(minute) for minute in range(-9, 1)]}

    missing, *told = world.next(6)

    assert missing == BarsMissing(symbols=("AAPL",), reason="bars of before the start are fetched")
    assert told == [FIRST, history(-3), history(-2), history(-1), COMPLETE]
    world.come_to(0)
    world.say(live(0))
    assert world.next(1) == [news(0)]


def test_who_begins_to_listen_is_told_how_it_is_and_nothing_is_fetched_for_that_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin(terms=msgspec.structs.replace(QUICK, pause_s=5.0))
    world.rest = lambda _: Reply(503, {})
    world.come_to(0)
    world.say(live(0))
    world.next(2)
    world.hang_up()
    assert world.next(3)[1:] == [AWAY, AGAIN]

    world.feed.report()

    assert world.next(2) == [
        AGAIN,
        BarsMissing(symbols=("AAPL",), reason="bars are still fetched"),
    ]
    assert world.nothing_more()


def test_telling_once_more_how_it_is_interrupts_nothing(begin: Callable[..., FeedWorld]) -> None:
    world = begin()
    world.come_to(0)
    world.say(live(0))
    world.next(2)
    world.hang_up()
    assert world.next(4)[1:] == [AWAY, AGAIN, COMPLETE]

    world.feed.report()

    assert world.next(1) == [AGAIN]
    assert world.nothing_more()


def test_what_is_missed_while_something_else_is_fetched_is_fetched_too_i47(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    asked, answered = threading.Event(), threading.Event()

    def slowly(received: Received) -> Answer:
        answer = world._answer(received)
        asked.set()
        answered.wait(WITHIN_S)
        return answer

    world.rest = slowly
    world.come_to(0)
    world.say(live(0))
    world.next(2)
    world.hang_up()
    world.next(3)
    assert asked.wait(WITHIN_S)
    world.bars = {"AAPL": [row(0), row(1)]}  # too late for that answer
    world.come_to(1)
    world.hang_up()
    lost, third = world.next(2)
    answered.set()

    assert isinstance(lost, StreamLost)
    assert third == StreamConnected(stream="stocks", connection=3)
    assert world.next(2) == [history(1), COMPLETE]


def test_a_slow_answer_holds_up_no_quotes_and_is_no_idleness_i45(
    begin: Callable[..., FeedWorld],
) -> None:
    world = begin()
    answered = threading.Event()

    def slowly(received: Received) -> Answer:
        answered.wait(WITHIN_S)
        return world._answer(received)

    world.rest = slowly
    world.come_to(0)
    world.say(live(0))
    world.next(2)
    world.hang_up()
    assert world.next(3)[1:] == [AWAY, AGAIN]

    world.say({"T": "q", "S": "AAPL", "bp": 1.0, "bs": 2, "ap": 1.5, "as": 3, "t": at(1)})
    (quote,) = world.next(1)
    threading.Event().wait(0.1)
    idle_s = world.feed._filling.idle_s
    answered.set()

    assert isinstance(quote, QuoteReceived)
    assert idle_s == 0.0
    assert world.next(1) == [COMPLETE]


def test_a_stream_that_is_wanted_late_was_not_idle_until_then_i45(
    begin: Callable[..., FeedWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin()
    contracts, idle_s = world.feed._contracts, list[float]()
    contracts._turns._due_at -= 3_600.0  # it was made an hour ago
    start = threading.Thread.start

    def watched(thread: threading.Thread) -> None:
        if thread.name == f"stream-{contracts.name}":
            idle_s.append(world.feed.idle_s)  # the watch looks whenever it likes
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", watched)
    world.feed.follow(("AAPL261218C00200000",))
    idle_s.append(contracts.idle_s)

    assert max(idle_s) < WITHIN_S


def test_the_keys_are_in_no_text_that_it_shows_i83(begin: Callable[..., FeedWorld]) -> None:
    world = begin()
    world.next(1)

    shown = json.dumps([repr(world.feed), repr(vars(world.feed)), repr(world.feed._streams)])

    assert "a-secret" not in shown and "HYDRA-a-key" not in shown


def test_it_ends_when_it_is_told_to_also_before_it_has_begun() -> None:
    before = threading.active_count()
    world = FeedWorld(("AAPL", "BTC/USD"), QUICK)

    world.close()

    assert threading.active_count() <= before
