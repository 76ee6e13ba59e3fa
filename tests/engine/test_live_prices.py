"""The whole engine on live prices, in virtual time: what it does when they cannot be relied on."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND, ChildSpec
from hydra.trading.bars import Bar
from hydra.trading.corporate_actions import Spell
from hydra.trading.orders import Side
from hydra.trading.quotes import Quote
from hydra.trading.trading_state import TradingState
from hydra.trading.venue_clock import SKEW
from hydra.venues.simulated.market_data import MarketData
from messages.corporate_actions import ActionsReported
from messages.market import (
    BarsClosed,
    BarsComplete,
    BarsMissing,
    BarsReceived,
    QuoteReceived,
    TradingStatusReceived,
)
from messages.message import Message
from messages.streams import StreamConnected, StreamGap, StreamLost
from supervisors import paths
from supervisors.core import core
from tests.engine.harness import ENTRY_AT, Life, World, bars_of, market_of, quiet, rising

UNREADY, HALTED = "symbol_unready:AAPL", "symbol_halted:AAPL"
LOST = StreamLost(stream="stocks", reason="cut")


class LiveFeed:
    """The port, with a stream in a test's hand."""

    def __init__(self) -> None:
        self.life: Life | None = None
        self.connection = 1
        self.renewed: list[tuple[str, str]] = []

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        return {"stocks": ("AAPL",)}

    def report(self) -> None:
        if self.life is not None:
            self.life.runtime.tell(paths.DATA_FEED, self.connected)

    def renew(self, stream: str, reason: str) -> None:
        self.renewed.append((stream, reason))

    @property
    def connected(self) -> StreamConnected:
        return StreamConnected(stream="stocks", connection=self.connection)


class LiveLife:
    """A life on a quiet market of which there are quotes as well. `ahead`: the venue's clock is."""

    def __init__(
        self, data: MarketData | None = None, *, ahead: int = 0, with_bots: bool = False
    ) -> None:
        self.world = World(data or quiet())
        self.life = self.world.begin(with_bots=with_bots)
        self._ahead = ahead
        self._quotes = 0

    def hear(self, *messages: Message) -> None:
        for message in messages:
            self.life.tell(paths.DATA_FEED, message)

    def quote(self, bid: float | None = None) -> None:
        """One of now, a little different each time unless its bid is given."""
        self._quotes += 1
        price = 99.98 + self._quotes % 3 / 100 if bid is None else bid
        quote = Quote("AAPL", self.life.now + self._ahead, price, price + 0.02, 1.0, 1.0)
        self.hear(QuoteReceived(quote=quote))

    def run_for(self, duration: int, *, quoting: bool = True, bid: float | None = None) -> None:
        """With a quote every five seconds."""
        until = self.life.now + duration
        while self.life.now < until:
            self.life.run_to(min(self.life.now + 5 * SECOND, until))
            if quoting:
                self.quote(bid)

    def hear_bars(self, bars: Iterable[Bar]) -> None:
        """Each when it is over by the venue's clock, and a quote every five seconds until then."""
        for bar in bars:
            while (left := bar.end_at - self._ahead - self.life.now) > 0:
                self.life.advance(min(5 * SECOND, left))
                self.quote(bar.close)
            self.hear(BarsReceived(bars=(bar,)))

    def sends_an_entry(self) -> bool:
        """Whether one that is wanted now gets to the venue."""
        before = len(self.world.submitted)
        self.life.enter(1)
        self.life.advance(2 * SECOND)
        return len(self.world.submitted) > before


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> LiveFeed:
    feed = LiveFeed()

    def with_feed(**terms: Any) -> ChildSpec:
        return core(**{**terms, "price_feed": feed, "price_age_max": 15 * SECOND})

    monkeypatch.setattr("hydra.assembly.core", with_feed)
    return feed


@pytest.fixture
def live(feed: LiveFeed) -> LiveLife:
    """Connected, quoted, and where entries may be made."""
    live = LiveLife()
    feed.life = live.life
    live.hear(feed.connected)
    live.run_for(ENTRY_AT - live.life.now)
    assert live.life.state is TradingState.ACTIVE
    return live


def test_while_prices_flow_entries_are_sent_i45(live: LiveLife) -> None:
    assert live.life.causes == {}
    assert live.sends_an_entry()


def test_nothing_is_traded_before_prices_are_there_i45_i47(feed: LiveFeed) -> None:
    live = LiveLife()
    live.life.run_to(ENTRY_AT)
    assert "start" in live.life.causes

    live.hear(feed.connected)
    live.life.advance(5 * SECOND)
    without_a_price = live.life.causes
    entered = live.sends_an_entry()
    live.run_for(10 * SECOND)

    assert without_a_price == {UNREADY: TradingState.CLOSE_ONLY}
    assert not entered
    assert live.life.causes == {}


def test_a_feed_that_is_connected_and_mute_halts_i45(live: LiveLife) -> None:
    live.run_for(2 * MINUTE, quoting=False)

    assert live.life.state is TradingState.HALTED
    assert "stale_feed" in live.life.causes
    assert not live.sends_an_entry()


def test_a_mute_stream_is_connected_anew_once_a_minute_until_prices_come_i45(
    live: LiveLife, feed: LiveFeed
) -> None:
    live.life.advance(59 * SECOND)  # in which no bar comes either
    before = list(feed.renewed)
    live.life.advance(11 * SECOND)
    once = list(feed.renewed)
    live.life.advance(62 * SECOND)

    reason = "it is connected, and no price came for 60 s"
    assert before == []
    assert once == [("stocks", reason)]
    assert feed.renewed == [("stocks", reason)] * 2

    live.hear(StreamLost(stream="stocks", reason=reason))
    feed.connection = 2
    live.hear(feed.connected)
    live.run_for(3 * MINUTE)

    assert len(feed.renewed) == 2
    assert live.life.causes.keys() <= {"stale_feed"}  # a limit: its cool-off is still to come


def test_bars_alone_are_too_old_between_two_of_them_i45(live: LiveLife) -> None:
    live.life.run_for(20 * SECOND)

    assert live.life.causes[UNREADY] is TradingState.CLOSE_ONLY


def test_a_price_that_is_frozen_under_fresh_timestamps_stops_entries_i45(live: LiveLife) -> None:
    live.run_for(50 * SECOND, bid=99.98)
    before = live.life.causes
    for _ in range(12):  # 60 s without a bar: the market's own hand stands still
        live.life.advance(5 * SECOND)
        live.quote(99.98)

    assert before == {}
    assert live.life.causes[UNREADY] is TradingState.CLOSE_ONLY
    assert not live.sends_an_entry()


def test_while_its_stream_is_lost_a_symbol_is_not_entered_and_may_be_left_i14_i47(
    live: LiveLife, feed: LiveFeed
) -> None:
    live.life.enter(3)
    live.run_for(MINUTE)

    live.hear(LOST)
    entered = live.sends_an_entry()
    live.life.exit(3)
    live.life.advance(SECOND)

    assert not entered
    assert live.life.denials == ["trading_is_open"]
    assert len(live.world.submitted) == 2


def test_after_a_reconnect_nothing_is_entered_before_a_price_of_later_i47(
    live: LiveLife, feed: LiveFeed
) -> None:
    live.hear(LOST)
    feed.connection = 2
    live.hear(feed.connected)
    before_a_price = live.sends_an_entry()
    live.quote()

    assert not before_a_price
    assert live.sends_an_entry()
    assert live.life.state is TradingState.ACTIVE  # a short loss halts nothing


def test_a_loss_that_lasts_halts_i45(live: LiveLife) -> None:
    live.hear(LOST)
    live.life.advance(9 * SECOND)
    meanwhile = live.life.state
    live.life.advance(10 * SECOND)

    assert meanwhile is TradingState.ACTIVE
    assert live.life.state is TradingState.HALTED


def test_while_bars_are_missing_nothing_is_entered_i47(live: LiveLife) -> None:
    live.hear(BarsMissing(symbols=("AAPL",), reason="the stream was away"))
    live.quote()
    meanwhile = live.sends_an_entry()
    live.hear(BarsComplete(symbols=("AAPL",)))

    assert not meanwhile
    assert live.sends_an_entry()


def test_a_symbol_that_the_exchange_halts_is_closed_until_it_is_resumed_and_priced_i46(
    live: LiveLife,
) -> None:
    def status(*, trades: bool) -> None:
        live.hear(
            TradingStatusReceived(
                symbol="AAPL", trades=trades, code="HT"[trades], reason="", at=live.life.now
            )
        )

    resting = live.life.enter(1, limit="99", reference="100")
    live.run_for(5 * SECOND)
    status(trades=False)
    live.run_for(30 * SECOND)
    halted, canceled = live.life.causes, live.life.status_of(resting)
    status(trades=True)
    live.life.advance(7 * SECOND)
    resumed = live.life.causes
    live.run_for(10 * SECOND)

    assert halted == {HALTED: TradingState.CLOSE_ONLY, UNREADY: TradingState.CLOSE_ONLY}
    assert canceled == "canceled"
    assert resumed == halted
    assert live.life.causes == {}
    assert live.sends_an_entry()


def test_a_feed_that_starts_anew_knows_nothing_until_it_hears_something_i38_i47(
    live: LiveLife,
) -> None:
    live.life.crash(paths.DATA_FEED)
    live.life.advance(2 * SECOND)
    anew = live.life.causes
    live.run_for(20 * SECOND)

    assert anew[UNREADY] is TradingState.CLOSE_ONLY
    assert UNREADY not in live.life.causes


def test_history_is_no_price_to_judge_an_order_by_i46(live: LiveLife) -> None:
    (past,) = bars_of([50.0], start_at=live.life.now - MINUTE)

    live.life.tell(paths.RISK_GUARDIAN, BarsClosed(bars=(past,), is_backfill=True))

    assert live.sends_an_entry()


def test_after_a_split_that_was_told_of_the_first_price_is_no_jump_i46(live: LiveLife) -> None:
    life, cut_at = live.life, live.life.now + 30 * SECOND
    split = Spell(
        symbols=("AAPL",),
        words="a split",
        shut_from=0,
        flat_from=0,
        cut_at=cut_at,
        shut_until=cut_at + MINUTE,
    )
    live.hear(ActionsReported(at=life.now, known=("AAPL",), spells=(split,)))

    live.run_for(cut_at - life.now - 5 * SECOND)
    live.quote(25.0)  # before it that is a jump like any other
    before = life.view(paths.DATA_FEED)["quotes_dropped"]
    life.run_to(cut_at)
    live.run_for(10 * SECOND, bid=25.0)

    assert (before, life.view(paths.DATA_FEED)["quotes_dropped"]) == (1, 1)
    assert UNREADY not in life.causes


def test_a_feed_of_nonsense_halts_i46(live: LiveLife) -> None:
    gap = StreamGap(stream="stocks", reason="noise", raw="?")
    live.hear(*[gap] * 100)
    live.run_for(10 * SECOND)

    assert live.life.state is TradingState.HALTED
    assert len(live.life.journal.events("stream_gap")) == 1


@pytest.mark.parametrize(
    ("ahead", "trades"),
    [
        (0, True),
        (1_500 * MILLISECOND, True),
        (SKEW, True),
        (SKEW + 1, False),
        (2_500 * MILLISECOND, False),
    ],
)
def test_a_feed_whose_clock_is_a_little_ahead_is_traded_on_and_no_other_i46_i48(
    feed: LiveFeed, ahead: int, trades: bool
) -> None:
    live = LiveLife(ahead=ahead)
    feed.life = live.life
    live.hear(feed.connected)

    live.hear_bars(live.world.data.bars[:8])  # the last one is of `ahead` from now
    sent = live.sends_an_entry()

    assert sent is trades
    assert (live.life.state is TradingState.ACTIVE) is trades
    assert (live.life.journal.events("bar_dropped") == []) is trades


@pytest.mark.parametrize(
    ("ahead", "bought"), [(1_500 * MILLISECOND, True), (2_500 * MILLISECOND, False)]
)
def test_a_bot_decides_on_bars_that_are_a_little_ahead_and_on_no_others_i46_i48(
    feed: LiveFeed, ahead: int, bought: bool
) -> None:
    market = market_of(bars_of([100.0] * 10 + rising(20)))
    live = LiveLife(market, ahead=ahead, with_bots=True)
    feed.life = live.life
    live.hear(feed.connected)

    live.hear_bars(market.bars[:20])
    live.life.advance(SECOND)

    assert live.life.denials == []
    sides = {record["order"].side for record in live.life.journal.events("intent_stored")}
    assert sides == ({Side.BUY} if bought else set())
    assert bool(live.world.submitted) is bought
