"""Only bars that a market makes, in order, and in the past, are published."""

from collections.abc import Mapping
from math import inf, nan
from typing import Any, ClassVar

import pytest
from msgspec import structs

from actors.data_feed import DataFeed
from hydra.actor import MINUTE, SECOND, ChildSpec, Ref
from hydra.runtime.sim_runtime import EPOCH
from hydra.testkit import Kit, Probe
from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.trading.quotes import Quote
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.symbol_prices import Unready
from messages.health import HealthReported, ReportHealth
from messages.journal import WriteEntry
from messages.market import (
    FEED_TOPIC,
    SYMBOLS_TOPIC,
    BarClosed,
    BarsClosed,
    BarsReceived,
    FeedEnded,
    HistoryReported,
    QuoteChanged,
    QuoteReceived,
    ReportHistory,
    SymbolReported,
    TradingStatusReceived,
    bars_topic,
    quotes_topic,
)
from messages.message import Message
from messages.streams import StreamConnected
from supervisors.core import PRICES

SESSIONS = SessionTable((ExchangeSession("2026-01-05", EPOCH, EPOCH + 390 * MINUTE, False),))


def started() -> tuple[Kit, Ref[Message], Probe]:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL",), sessions=SESSIONS, bar_interval=MINUTE)
    probe = kit.probe()
    kit.runtime.bus.subscribe(bars_topic("AAPL"), kit.runtime.cells[probe.ref.path])
    kit.advance(10 * MINUTE)
    return kit, feed, probe


def published(*bars: Bar) -> list[Bar]:
    kit, feed, probe = started()
    for each in bars:
        kit.tell(feed, BarsReceived(bars=(each,)))
    return [message.bar for message in probe.told if isinstance(message, BarClosed)]


FINE = bar(100.0, opened=99.5, high=100.5, low=99.0)


def test_a_fine_bar_is_published_to_its_symbol() -> None:
    assert published(FINE) == [FINE]


def test_bars_of_one_moment_go_to_their_symbols_and_all_in_one_to_who_hears_all() -> None:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL", "SPY"), sessions=SESSIONS, bar_interval=MINUTE)
    of_spy, of_all = kit.probe("spy"), kit.probe("all")
    kit.runtime.bus.subscribe(bars_topic("SPY"), kit.runtime.cells[of_spy.ref.path])
    kit.runtime.bus.subscribe(FEED_TOPIC, kit.runtime.cells[of_all.ref.path])
    kit.advance(10 * MINUTE)
    spy, bad = changed(symbol="SPY"), changed(symbol="XYZ")

    kit.tell(feed, BarsReceived(bars=(FINE, bad, spy)))
    kit.tell(feed, BarsReceived(bars=(bad, FINE)))

    assert of_spy.told == [BarClosed(bar=spy)]
    assert of_all.told == [BarsClosed(bars=(FINE, spy))]


def changed(**fields: object) -> Bar:
    values = {name: getattr(FINE, name) for name in Bar.__struct_fields__}
    return Bar(**{**values, **fields})


@pytest.mark.parametrize(
    "odd",
    [
        changed(symbol="XYZ"),
        changed(close=nan),
        changed(open=nan),
        changed(high=inf),
        changed(low=0.0),
        changed(low=-1.0),
        changed(low=99.8),
        changed(high=99.9),
        changed(volume=-1.0),
        changed(volume=nan),
        changed(end_at=FINE.start_at),
        changed(start_at=EPOCH + 10 * MINUTE, end_at=EPOCH + 11 * MINUTE),
    ],
)
def test_an_odd_bar_is_dropped_i46(odd: Bar) -> None:
    assert published(odd, FINE) == [FINE]


def test_a_bar_again_or_one_that_overlaps_is_dropped_i46() -> None:
    overlapping = bar(100.0, start_at=EPOCH + 30 * SECOND)
    following = bar(100.0, start_at=EPOCH + MINUTE)

    assert published(FINE, FINE, overlapping, following) == [FINE, following]


def health(minutes: float, *bars: Bar, ended: bool = False) -> HealthReported:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL",), sessions=SESSIONS, bar_interval=MINUTE)
    for each in bars:
        kit.advance(each.end_at - kit.now)
        kit.tell(feed, BarsReceived(bars=(each,)))
    if ended:
        kit.tell(feed, FeedEnded(at=kit.now))
    kit.advance(EPOCH + int(minutes * MINUTE) - kit.now)
    answer = kit.ask(feed, ReportHealth())
    assert isinstance(answer, HealthReported)
    return answer


@pytest.mark.parametrize(
    ("minutes", "bars", "ended", "is_well"),
    [
        (2.4, (), False, True),
        (2.6, (), False, False),
        (3.4, (FINE,), False, True),
        (3.6, (FINE,), False, False),
        (3.6, (FINE,), True, True),
        (391, (FINE,), False, True),
    ],
    ids=["opened just now", "no bar", "a bar", "a bar long ago", "the end", "after the close"],
)
def test_the_feed_is_stale_after_two_and_a_half_bars_of_an_open_session_i45(
    minutes: float, bars: tuple[Bar, ...], ended: bool, is_well: bool
) -> None:
    assert health(minutes, *bars, ended=ended).is_well is is_well


def test_a_symbol_that_is_silent_is_stale_whatever_the_others_say_i45() -> None:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL", "SPY"), sessions=SESSIONS, bar_interval=MINUTE)
    for minute in range(4):
        kit.advance(MINUTE)
        of_spy = bar(500.0, symbol="SPY", start_at=EPOCH + minute * MINUTE)
        kit.tell(feed, BarsReceived(bars=(of_spy,)))

    answer = kit.ask(feed, ReportHealth())

    assert isinstance(answer, HealthReported)
    assert (answer.is_well, answer.detail) == (False, "AAPL: the newest bar is 240 s old")


COIN = bar(60_000.0, symbol="BTC/USD", start_at=EPOCH + 391 * MINUTE)


@pytest.mark.parametrize(
    ("minutes", "is_well"), [(394.4, True), (394.6, False)], ids=["a bar", "a bar long ago"]
)
def test_after_the_close_a_share_is_not_stale_and_a_coin_is_i45(
    minutes: float, is_well: bool
) -> None:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL", "BTC/USD"), sessions=SESSIONS, bar_interval=MINUTE)
    kit.advance(392 * MINUTE)
    kit.tell(feed, BarsReceived(bars=(COIN,)))

    kit.advance(EPOCH + int(minutes * MINUTE) - kit.now)

    answer = kit.ask(feed, ReportHealth())
    assert isinstance(answer, HealthReported)
    assert answer.is_well is is_well
    assert "AAPL" not in answer.detail


# History

BARS = [bar(100.0 + number, start_at=EPOCH + number * MINUTE) for number in range(6)]


def with_history(**history: int) -> tuple[Kit, Ref[Message]]:
    kit = Kit()
    feed = kit.start(
        DataFeed,
        symbols=("AAPL", "NOVA"),
        sessions=SESSIONS,
        bar_interval=MINUTE,
        history=history,
    )
    kit.advance(10 * MINUTE)
    return kit, feed


@pytest.mark.parametrize(("asked_for", "told"), [(4, BARS[2:]), (2, BARS[4:]), (9, BARS[2:])])
def test_the_newest_bars_are_kept_for_bots_that_start_as_many_as_they_need_i38(
    asked_for: int, told: list[Bar]
) -> None:
    kit, feed = with_history(AAPL=4)
    for number, each in enumerate(BARS):
        kit.tell(feed, BarsReceived(bars=(each,), is_backfill=number < 3))

    answer = kit.ask(feed, ReportHistory(symbol="AAPL", bars=asked_for))

    assert answer == HistoryReported(bars=tuple(told))


def test_what_was_dropped_and_what_was_not_asked_to_be_kept_is_in_no_history_i46() -> None:
    kit, feed = with_history(AAPL=4)
    for each in (BARS[0], BARS[0], changed(close=nan), bar(50.0, symbol="NOVA")):
        kit.tell(feed, BarsReceived(bars=(each,)))

    answers = [
        kit.ask(feed, ReportHistory(symbol=symbol, bars=4)) for symbol in ("AAPL", "NOVA", "XYZ")
    ]

    assert [answer.bars for answer in answers] == [(BARS[0],), (), ()]


def test_a_feed_that_was_restarted_knows_only_what_came_since() -> None:
    kit, feed = with_history(AAPL=4)
    kit.tell(feed, BarsReceived(bars=(BARS[0],)))
    kit.kill(feed)
    kit.advance(SECOND)
    kit.tell(feed, BarsReceived(bars=(BARS[1],)))

    answer = kit.ask(feed, ReportHistory(symbol="AAPL", bars=4))

    assert answer == HistoryReported(bars=(BARS[1],))  # an earlier life's is forgotten with it


# Live prices


class LiveFeed:
    """The port, with nothing behind it: what it would tell, the test tells."""

    streams: ClassVar[Mapping[str, tuple[str, ...]]] = {"stocks": ("AAPL", "NOVA")}

    def __init__(self) -> None:
        self.reports = 0

    def report(self) -> None:
        self.reports += 1

    def renew(self, stream: str, reason: str) -> None:
        """Whoever tests that looks elsewhere."""


CONNECTED = StreamConnected(stream="stocks", connection=1)


class Live:
    """A data feed on streams, and everything that it publishes."""

    def __init__(self) -> None:
        self.port = LiveFeed()
        self.kit = Kit()
        self._journal = self.kit.probe("journal")
        self.kit.runtime._journal = self._journal.ref
        self.ref: Ref[Message] = self.kit.start_child(
            ChildSpec(
                name="feed",
                actor=DataFeed,
                args={
                    "symbols": ("AAPL", "NOVA"),
                    "sessions": SESSIONS,
                    "bar_interval": MINUTE,
                    "feed": self.port,
                    "price_age_max": 15 * SECOND,
                },
                mailbox=PRICES,
            )
        )
        self._probe = self.kit.probe()
        for topic in (
            bars_topic("AAPL"),
            quotes_topic("AAPL"),
            quotes_topic("NOVA"),
            SYMBOLS_TOPIC,
        ):
            self.kit.runtime.bus.subscribe(topic, self.kit.runtime.cells[self._probe.ref.path])
        self.kit.advance(10 * MINUTE - self.kit.now + EPOCH)

    def tell(self, *messages: Message) -> None:
        for message in messages:
            self.kit.tell(self.ref, message)

    def quote(self, bid: float = 100.0, *, symbol: str = "AAPL", at: int | None = None) -> Quote:
        return Quote(symbol, self.kit.now if at is None else at, bid, bid + 0.01, 1.0, 1.0)

    def published(self, kind: type[Message]) -> list[Any]:
        return [message for message in self._probe.told if isinstance(message, kind)]

    @property
    def whys(self) -> list[tuple[str, Unready | None]]:
        return [(each.symbol, each.why) for each in self.published(SymbolReported)]

    def journal(self, event: str) -> list[Mapping[str, Any]]:
        """What the feed wrote down under this name."""
        entries = [each for each in self._journal.told if isinstance(each, WriteEntry)]
        return [entry.fields for entry in entries if entry.event == event]

    @property
    def health(self) -> HealthReported:
        answer = self.kit.ask(self.ref, ReportHealth())
        assert isinstance(answer, HealthReported)
        return answer


def test_a_good_quote_is_published_to_its_symbol_and_makes_it_ready_i45_i46() -> None:
    live = Live()
    live.tell(CONNECTED)
    live.kit.advance(SECOND)
    good, odd = live.quote(), live.quote(nan)

    live.tell(QuoteReceived(quote=odd), QuoteReceived(quote=good))

    assert live.published(QuoteChanged) == [QuoteChanged(quote=good)]
    assert live.whys == [
        *(("AAPL", Unready.UNKNOWN), ("NOVA", Unready.UNKNOWN), ("AAPL", None)),
    ]
    assert live.port.reports == 1
    assert live.kit.state(live.ref)["unready"] == {"NOVA": "unknown"}


def test_a_symbol_is_told_to_be_ready_before_the_bar_that_is_decided_on_i45() -> None:
    live = Live()
    live.tell(CONNECTED)
    live.kit.advance(2 * MINUTE)

    live.tell(BarsReceived(bars=(bar(100.0, start_at=live.kit.now - MINUTE),)))

    told = [type(message) for message in live._probe.told if not _is_of("NOVA", message)]
    assert told[-2:] == [SymbolReported, BarClosed]
    assert live.whys[-1] == ("AAPL", None)


def test_history_is_published_as_history_and_is_no_sign_of_life_i45_i46() -> None:
    live = Live()
    live.tell(CONNECTED)
    past = [bar(100.0, start_at=EPOCH + number * MINUTE) for number in range(3)]

    live.tell(*(BarsReceived(bars=(each,), is_backfill=True) for each in past))

    assert live.published(BarClosed) == [BarClosed(bar=each, is_backfill=True) for each in past]
    assert ("AAPL", None) not in live.whys


def test_live_prices_are_held_against_where_history_ended_i46() -> None:
    live = Live()
    live.tell(CONNECTED)
    live.tell(BarsReceived(bars=(bar(100.0),), is_backfill=True))

    live.tell(QuoteReceived(quote=live.quote(200.0)))

    assert live.published(QuoteChanged) == []


def test_a_bar_of_a_moment_in_our_future_is_within_what_clocks_may_differ_i48() -> None:
    live = Live()
    live.tell(CONNECTED)
    near = bar(100.0, start_at=live.kit.now - MINUTE + SECOND)
    far = bar(100.0, symbol="NOVA", start_at=live.kit.now - MINUTE + 3 * SECOND)

    live.tell(BarsReceived(bars=(near,)), BarsReceived(bars=(far,)))

    assert live.published(BarClosed) == [BarClosed(bar=near)]


def test_a_feed_that_falls_behind_sees_the_newest_quote_and_every_bar_i46() -> None:
    live = Live()
    live.tell(CONNECTED)
    bars = [bar(100.0, start_at=EPOCH + number * MINUTE) for number in range(5)]

    for number, each in enumerate(bars):  # nothing is handled in between
        for symbol in ("AAPL", "NOVA"):
            quote = live.quote(100 + number / 100, symbol=symbol)
            live.kit.runtime.tell(live.ref, QuoteReceived(quote=quote))
        live.kit.runtime.tell(live.ref, BarsReceived(bars=(each,), is_backfill=True))
    live.kit.settle()

    assert [message.bar for message in live.published(BarClosed)] == bars
    assert [(each.quote.symbol, each.quote.bid) for each in live.published(QuoteChanged)] == [
        *(("AAPL", 100.04), ("NOVA", 100.04)),
    ]


def test_odd_quotes_are_counted_and_told_now_and_then_i46() -> None:
    live = Live()
    live.tell(CONNECTED)

    for number in range(50):
        live.tell(QuoteReceived(quote=live.quote(0.0)))
        live.tell(QuoteReceived(quote=live.quote(symbol=f"X{number}")))
    live.kit.advance(2 * MINUTE)
    live.tell(QuoteReceived(quote=live.quote(0.0)))

    told = [(each["symbol"], each["number"]) for each in live.journal("quotes_dropped")]
    assert told == [
        *(("AAPL", 1), ("unknown", 1), ("AAPL", 50)),
    ]
    assert live.kit.state(live.ref)["quotes_dropped"] == 101


def test_a_status_of_a_strange_symbol_is_told_and_left_alone_i46() -> None:
    live = Live()

    live.tell(TradingStatusReceived(symbol="XYZ", trades=False, code="H", reason="", at=0))

    assert [each["fault"] for each in live.journal("trading_status")] == ["unknown symbol"]


def test_a_halt_of_which_nobody_knows_when_is_one_of_now_i46() -> None:
    live = Live()
    live.tell(CONNECTED)
    halt = TradingStatusReceived(symbol="AAPL", trades=False, code="?", reason="", at=None)

    live.tell(halt, structs.replace(halt, trades=True, code="T", at=live.kit.now - 1))
    still = live.kit.state(live.ref)["unready"]
    live.tell(structs.replace(halt, trades=True, code="T", at=live.kit.now))

    assert still == {"AAPL": "halted", "NOVA": "unknown"}
    assert live.kit.state(live.ref)["unready"] == {"AAPL": "unknown", "NOVA": "unknown"}
    assert live.journal("trading_status")[0]["at"] == live.kit.now


def test_a_feed_without_streams_takes_no_quotes_i46() -> None:
    kit, feed, probe = started()

    kit.tell(feed, QuoteReceived(quote=Quote("AAPL", EPOCH, 99.0, 100.0, 1.0, 1.0)))
    kit.tell(feed, CONNECTED)

    assert probe.told == []
    assert kit.incarnation(feed) == 1


def test_the_feed_is_well_only_while_prices_come_i45() -> None:
    live = Live()
    never = live.health
    live.tell(CONNECTED)
    live.tell(QuoteReceived(quote=live.quote()))
    live.kit.advance(15 * SECOND)
    just_now = live.health
    live.kit.advance(SECOND)

    assert never == unwell("the stream stocks is not connected yet")
    assert just_now.is_well
    assert live.health == unwell("the stream stocks: the newest price is 16 s old")


def unwell(detail: str) -> HealthReported:
    return HealthReported(component="feed", is_well=False, detail=detail)


def _is_of(symbol: str, message: Message) -> bool:
    return isinstance(message, SymbolReported) and message.symbol == symbol
