"""The execution monitor beside a market and a way of orders that a test plays."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from actors.execution_monitor import WRITTEN_EVERY, ExecutionMonitor, MonitorTerms
from hydra.actor import MILLISECOND, MINUTE, SECOND, Ref
from hydra.testkit import Kit
from hydra.testkit.builders import bars, intent
from hydra.trading.execution_quality import QualityTerms, RouterState
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.regimes import Regime, RegimeTerms
from hydra.trading.venue_clock import SKEW
from messages.control import Halt
from messages.execution import EXECUTION_TOPIC, ExecutionReported
from messages.journal import WriteEntry
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import FEED_TOPIC, BarsClosed, FeedEnded, HistoryReported, ReportHistory
from messages.message import Message
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    OrderAbsent,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    ReportStored,
)

D = Decimal
TERMS = MonitorTerms(
    quality=QualityTerms(
        orders_max=20,
        symbols_max=10,
        orders_min=3,
        slippage_bps_half=D(50),
        latency_ns_half=2 * SECOND,
        idle_ns=30 * SECOND,
        lasts_ns=10 * MINUTE,
    ),
    regimes=RegimeTerms(window=2, history=20, history_min=4, calm_bars=2),
    bar_age_max=5 * MINUTE // 2,
)
CALM, WILD = [100.0, 100.1, 100.0, 100.2, 100.1, 100.2, 100.1], [120.0]


class Stage:
    """The monitor, those it talks to, and a hand that plays market and orders."""

    def __init__(self) -> None:
        self.kit = Kit()
        self.journal = self.kit.probe("journal")
        self.kit.runtime._journal = self.journal.ref
        self.guardian = self.kit.probe("guardian")
        self.feed = self.kit.probe("feed")
        self.heard = self.kit.listen(EXECUTION_TOPIC)
        self.monitor: Ref[Any] = self.kit.start(
            ExecutionMonitor,
            name="execution_monitor",
            terms=TERMS,
            symbols=("AAPL",),
            guardian=self.guardian.ref,
            feed=self.feed.ref,
        )
        self.bars = 0

    def approve(
        self,
        name: str,
        *,
        price: str | None = "100",
        kind: OrderType = OrderType.MARKET,
        stop: str | None = None,
    ) -> OrderIntent:
        saw = None if price is None else D(price)
        wish = structs.replace(intent(decided_at=self.kit.now), reference_price=saw)
        order = Order(
            client_order_id=name,
            symbol="AAPL",
            side=Side.BUY,
            quantity=D(10),
            order_type=kind,
            time_in_force=TimeInForce.DAY,
            stop_price=None if stop is None else D(stop),
        )
        approved = OrderApproved(intent=wish, order=order, epoch=1, expires_at=0)
        self.kit.publish(JUDGEMENTS_TOPIC, approved)
        return wish

    def told(self, report: Outcome) -> None:
        self.kit.publish(REPORTS_TOPIC, ReportStored(decision=intent().decision, report=report))

    def fill(self, name: str, price: str = "100") -> None:
        fill = Fill(
            execution_id=f"x-{name}",
            client_order_id=name,
            symbol="AAPL",
            side=Side.BUY,
            quantity=D(10),
            price=D(price),
            at=self.kit.now,
        )
        self.told(OrderFilled(fill=fill))

    def close(self, closes: Iterable[float], *, is_backfill: bool = False) -> None:
        """Bars one after the other, each told at its end."""
        made = bars(closes, start_at=self.kit.now)
        for bar in made:
            self.kit.advance(bar.end_at - self.kit.now)
            self.kit.publish(FEED_TOPIC, BarsClosed(bars=(bar,), is_backfill=is_backfill))

    def loop(self) -> ExecutionReported:
        self.bars += 1
        self.kit.publish(LOOP_TOPIC, LoopRan(number=self.bars, passed=True, at=self.kit.now))
        return self.last

    @property
    def last(self) -> ExecutionReported:
        (*_, last) = self.heard.told
        assert isinstance(last, ExecutionReported)
        return last

    @property
    def halts(self) -> list[str]:
        return [each.cause.code for each in self.guardian.told if isinstance(each, Halt)]

    @property
    def view(self) -> Any:
        return self.kit.state(self.monitor)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def rejected(name: str) -> OrderRejected:
    return OrderRejected(client_order_id=name, reason="no", at=0)


def test_after_each_loop_it_says_what_it_knows_of_nothing_too(stage: Stage) -> None:
    told = stage.loop()

    assert told == ExecutionReported(
        at=stage.kit.now, regimes={}, is_whole=True, router=RouterState.UNTRIED, score=None
    )
    assert stage.halts == []


def test_orders_that_go_well_make_a_good_router(stage: Stage) -> None:
    for name in "abc":
        stage.approve(name)
        stage.kit.advance(100 * MILLISECOND)
        stage.told(OrderAccepted(client_order_id=name, venue_order_id="v", at=0))
        stage.fill(name, "100.10")

    told = stage.loop()

    # 10 bps of 50, and 0.1 s of 2: 0.8333 × 0.9523
    assert (told.router, told.score, stage.halts) == (RouterState.GOOD, D("0.7936"), [])
    assert stage.view["symbols"]["AAPL"] == {
        "score": D("0.7936"),
        "orders": 3,
        "filled": 3,
        "rejected": 0,
        "unknown": 0,
        "slippage_bps": D("10.00"),
        "slippage_usd": D(3),
        "latency_ms": 100,
        "fill_rate": D(1),
        "reject_rate": D(0),
    }


def test_a_degraded_router_is_told_to_the_guardian_each_loop_until_it_is_forgotten(
    stage: Stage,
) -> None:
    for name in "abc":
        stage.approve(name)
        stage.told(rejected(name))

    first, second = stage.loop(), stage.loop()
    stage.kit.advance(TERMS.quality.lasts_ns + 1)
    later = stage.loop()

    assert (first.router, second.router, later.router) == (
        RouterState.DEGRADED,
        RouterState.DEGRADED,
        RouterState.UNTRIED,
    )
    assert stage.halts == ["router_degraded", "router_degraded"]


def test_an_order_that_nothing_is_heard_of_makes_the_router_idle_until_a_word_comes(
    stage: Stage,
) -> None:
    stage.approve("a")
    stage.kit.advance(TERMS.quality.idle_ns)
    in_time = stage.loop()
    stage.kit.advance(TERMS.quality.idle_ns)
    late = stage.loop()
    stage.told(OrderAccepted(client_order_id="a", venue_order_id="v", at=0))

    assert (in_time.router, late.router) == (RouterState.UNTRIED, RouterState.IDLE)
    assert (stage.loop().router, stage.halts) == (RouterState.UNTRIED, ["router_idle"])


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        (OrderRejected(client_order_id="a", reason="no", at=0), {"rejected": 1}),
        (OrderUnknown(client_order_id="a", reason="no answer", at=0), {"unknown": 1}),
        (OrderAbsent(client_order_id="a", reason="not found", at=0), {}),
        (OrderCanceled(client_order_id="a", at=0), {"fill_rate": 0}),
        (OrderExpired(client_order_id="a", at=0), {"fill_rate": 0}),
        (OrderReplaced(client_order_id="a", by="b", at=0), {"fill_rate": 0}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_end_of_an_order_counts_as_what_it_is(
    stage: Stage, report: Outcome, counts: dict[str, int]
) -> None:
    stage.approve("a")
    stage.told(report)

    measured = stage.view["symbols"]["AAPL"]
    found = {key: measured[key] for key in ("rejected", "unknown", "fill_rate")}
    nothing_due = 0 if "fill_rate" in counts else None
    assert found == {"rejected": 0, "unknown": 0, "fill_rate": nothing_due, **counts}


def test_an_unknown_outcome_is_our_own_word_and_one_that_is_absent_the_venues(
    stage: Stage,
) -> None:
    stage.approve("a")
    stage.told(OrderUnknown(client_order_id="a", reason="no answer", at=0))
    stage.kit.advance(2 * TERMS.quality.idle_ns)
    unknown = stage.loop().router
    stage.told(OrderAbsent(client_order_id="a", reason="not found", at=0))

    assert (unknown, stage.loop().router) == (RouterState.IDLE, RouterState.UNTRIED)


def test_what_was_withheld_at_the_gate_says_nothing_of_the_venue(stage: Stage) -> None:
    for name in "abc":
        stage.approve(name)
        stage.told(OrderWithheld(client_order_id=name, reason="halted", at=0))
    stage.kit.advance(2 * TERMS.quality.idle_ns)

    assert (stage.loop().router, stage.halts) == (RouterState.UNTRIED, [])


def test_an_order_that_waits_for_its_price_is_not_held_to_be_filled(stage: Stage) -> None:
    stage.approve("a", kind=OrderType.LIMIT)
    stage.told(OrderCanceled(client_order_id="a", at=0))

    assert stage.view["symbols"]["AAPL"]["fill_rate"] is None


def test_an_exit_that_named_no_price_is_measured_by_the_last_close(stage: Stage) -> None:
    stage.close([50.0])
    stage.approve("a", price=None)
    stage.fill("a", "50.05")

    assert stage.view["symbols"]["AAPL"]["slippage_bps"] == 10


def test_a_stop_is_measured_by_its_own_price_and_not_by_that_of_when_it_was_placed(
    stage: Stage,
) -> None:
    stage.approve("a", price="100", kind=OrderType.STOP, stop="103")
    stage.fill("a", "103.103")

    assert stage.view["symbols"]["AAPL"]["slippage_bps"] == 10


def test_orders_of_before_it_began_are_counted_as_not_known(stage: Stage) -> None:
    stage.fill("old")

    assert (stage.view["unmatched"], stage.view["symbols"]) == (1, {})


def test_a_wild_market_is_told_at_once_and_not_only_after_the_loop(stage: Stage) -> None:
    stage.close(CALM)
    before = stage.last.regimes
    stage.close(WILD)

    assert before.keys() == {"AAPL"} and before["AAPL"] is not Regime.HIGH
    assert (stage.last.regimes, stage.last.is_whole) == ({"AAPL": Regime.HIGH}, False)
    whole = stage.loop()
    assert (whole.regimes, whole.is_whole) == ({"AAPL": Regime.HIGH}, True)
    assert stage.loop().regimes is whole.regimes


def test_markets_that_turn_wild_in_one_moment_are_told_of_in_one_word(stage: Stage) -> None:
    for closes in (CALM, WILD):
        for made in bars(closes, start_at=stage.kit.now):
            stage.kit.advance(made.end_at - stage.kit.now)
            both = (made, structs.replace(made, symbol="SPY"))
            stage.kit.publish(FEED_TOPIC, BarsClosed(bars=both))

    assert stage.last.regimes == {"AAPL": Regime.HIGH, "SPY": Regime.HIGH}
    assert not stage.last.is_whole


def test_a_market_of_which_no_bar_comes_has_no_regime_any_more(stage: Stage) -> None:
    stage.close(CALM)
    stage.kit.advance(TERMS.bar_age_max)
    known = stage.loop().regimes
    stage.kit.advance(1)

    assert known.keys() == {"AAPL"}
    assert stage.loop().regimes == {}


def test_a_bar_of_a_venue_whose_clock_is_ahead_leaves_a_wild_market_wild(stage: Stage) -> None:
    stage.close(CALM + WILD)
    (newest,) = bars([140.0], start_at=stage.kit.now)
    stage.kit.advance(newest.end_at - SKEW - stage.kit.now)
    stage.kit.publish(FEED_TOPIC, BarsClosed(bars=(newest,)))
    at_the_bar = stage.last.regimes

    assert (at_the_bar, stage.loop().regimes) == ({"AAPL": Regime.HIGH}, {"AAPL": Regime.HIGH})


def test_history_makes_a_regime_known_and_is_news_to_nobody(stage: Stage) -> None:
    stage.close(CALM, is_backfill=True)

    assert stage.heard.told == []
    assert stage.loop().regimes.keys() == {"AAPL"}


def test_after_a_crash_it_asks_for_history_and_says_that_it_measures_anew(stage: Stage) -> None:
    history: list[Message] = []
    stage.feed.reply_with(lambda message: history[0] if history else None)
    stage.approve("a")
    stage.close(CALM)
    history.append(HistoryReported(bars=bars(CALM, start_at=stage.kit.now - 7 * MINUTE)))
    began = stage.view["since"]

    stage.kit.crash_next(stage.monitor)
    stage.loop()
    stage.kit.advance(SECOND)

    asked = [each for each in stage.feed.told if isinstance(each, ReportHistory)]
    assert asked == [ReportHistory(symbol="AAPL", bars=22)]
    assert stage.view["since"] > began
    assert (stage.view["symbols"], stage.view["unmatched"]) == ({}, 0)
    assert stage.loop().regimes.keys() == {"AAPL"}


def measured(stage: Stage) -> list[Any]:
    entries = [each for each in stage.journal.told if isinstance(each, WriteEntry)]
    return [each.fields["orders"] for each in entries if each.event == "execution_measured"]


def test_what_was_measured_is_written_down_now_and_then_and_at_the_end(stage: Stage) -> None:
    stage.approve("a")
    stage.loop()
    early = measured(stage)
    stage.kit.advance(WRITTEN_EVERY)
    stage.loop()
    stage.kit.advance(WRITTEN_EVERY)
    stage.loop()  # nothing new
    stage.approve("b")
    stage.kit.publish(FEED_TOPIC, FeedEnded(at=stage.kit.now))

    assert (early, measured(stage)) == ([], [1, 2])
