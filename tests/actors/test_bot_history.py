"""A bot that starts asks for the bars its strategy has to have seen; it enters nothing before."""

from typing import Any

import msgspec
import pytest

from actors.momentum_bot import MomentumBot, MomentumPlan
from hydra.actor import SECOND, Ref
from hydra.terms import history_of, plans_of
from hydra.testkit import Kit
from hydra.trading.bars import Bar
from hydra.trading.orders import Role
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import BadParameters
from messages.market import BarClosed, HistoryReported, ReportHistory
from messages.message import Message
from messages.orders import OrderIntent
from messages.positions import BookRecovered, RecoverBook
from tests.actors.test_momentum_bot import HELD
from tests.engine.scenery import bars_of, quiet, rising, shipped_settings

MOMENTUM, CROSS, *_ = plans_of(shipped_settings(), quiet()).momentum
ENTRY = 14
"""The bar at which momentum is enough: 0.20 above the close ten bars before."""
BARS = bars_of([100.0] * 11 + rising(12, from_price=100.05))


class Stage:
    """A bot between a guardian and a data feed that the test speaks for."""

    def __init__(self, plan: MomentumPlan = MOMENTUM, *, holding: bool = False) -> None:
        self.kit = Kit()
        self._guardian = self.kit.probe("guardian")
        self.feed = self.kit.probe("feed")
        self.answers: list[Message | None] = []
        self.feed.reply_with(lambda _: self.answers.pop(0) if self.answers else None)
        self._held = (HELD,) if holding else ()
        self._plan = plan

    def start(self, *answers: Message | None) -> Ref[Any]:
        """Start it; the feed will answer so, one question after the other."""
        self.answers = list(answers)
        self.bot = self.kit.start(
            MomentumBot,
            plan=self._plan,
            guardian=self._guardian.ref,
            feed=self.feed.ref,
            persister=self.kit.probe("persister").ref,
        )
        self.tell_book()
        return self.bot

    def tell_book(self) -> None:
        asked = [each for each in self._guardian.told if isinstance(each, RecoverBook)][-1]
        self.kit.tell(
            self.bot,
            BookRecovered(
                orders=(), fills=(), held=self._held, asked_by=asked.asked_by, number=asked.number
            ),
        )

    def show(self, *bars: Bar) -> None:
        for bar in bars:
            self.kit.tell(self.bot, BarClosed(bar=bar))

    @property
    def questions(self) -> list[ReportHistory]:
        return [each for each in self.feed.told if isinstance(each, ReportHistory)]

    @property
    def intents(self) -> list[tuple[Role, int]]:
        """The role of each wish, with the bar it was decided on."""
        wishes = [each for each in self._guardian.told if isinstance(each, OrderIntent)]
        ends = [bar.end_at for bar in BARS]
        return [(wish.decision.role, ends.index(wish.decided_at)) for wish in wishes]


def history(*bars: Bar) -> HistoryReported:
    return HistoryReported(bars=bars)


def test_it_asks_for_as_many_bars_as_its_strategy_remembers_i38() -> None:
    stage = Stage()

    stage.start(history())

    assert stage.questions == [ReportHistory(symbol="AAPL", bars=11)]


@pytest.mark.parametrize("restart_at", [1, 5, 11, ENTRY])
def test_with_history_it_enters_where_it_would_have_entered_i38(restart_at: int) -> None:
    stage = Stage()
    stage.start(history(*BARS[max(0, restart_at - 11) : restart_at]))

    stage.show(*BARS[restart_at:])

    assert stage.intents == [(Role.ENTRY, ENTRY)]


def test_a_rise_that_began_in_its_history_is_not_entered_again_i16_i38() -> None:
    stage = Stage()
    stage.start(history(*BARS[ENTRY - 10 : ENTRY + 1]))

    stage.show(*BARS[ENTRY + 1 :])

    assert stage.intents == []


def test_nothing_is_entered_before_history_is_there_and_then_on_the_newest_bar_i47() -> None:
    stage = Stage()
    stage.start(None, history(*BARS[3:12]))

    stage.show(*BARS[12 : ENTRY + 1])
    before = stage.intents
    stage.kit.advance(6 * SECOND)

    assert before == []
    assert stage.intents == [(Role.ENTRY, ENTRY)]


def test_a_signal_of_an_older_bar_is_no_reason_once_history_is_there_i47() -> None:
    stage = Stage()
    stage.start(None, history(*BARS[3:12]))

    stage.show(*BARS[12 : ENTRY + 2])
    stage.kit.advance(6 * SECOND)

    assert stage.intents == []
    assert stage.kit.state(stage.bot)["has_history"] is True


def test_bars_that_history_has_too_are_shown_to_the_strategy_once_i46() -> None:
    stage = Stage()
    stage.start(None, history(*BARS[3 : ENTRY + 1]))

    stage.show(*BARS[10 : ENTRY + 1])
    stage.kit.advance(6 * SECOND)
    stage.show(BARS[ENTRY])

    assert stage.intents == [(Role.ENTRY, ENTRY)]


def test_what_it_holds_is_guarded_also_while_there_is_no_history_i30() -> None:
    stage = Stage(msgspec.structs.replace(MOMENTUM, price_steps=()), holding=True)
    stage.start(None)

    stage.show(*BARS[6:9], *bars_of([90.0], start_at=BARS[9].start_at))

    assert stage.intents == [(Role.EXIT, 9)]


def test_it_asks_again_for_as_long_as_there_is_no_answer_and_does_not_fail_i38() -> None:
    stage = Stage()
    stage.start(None, None, None, history())

    stage.kit.advance(60 * SECOND)

    assert len(stage.questions) == 4
    assert stage.kit.incarnation(stage.bot) == 1


def test_a_feed_that_is_gone_is_asked_now_and_then() -> None:
    stage = Stage()
    gone: Ref[Any] = Ref("/kit/nobody")
    bot = stage.kit.start(
        MomentumBot,
        name="other",
        plan=MOMENTUM,
        guardian=stage.kit.probe().ref,
        feed=gone,
        persister=stage.kit.probe("another").ref,
    )

    stage.kit.advance(4 * SECOND)

    assert 1 <= len(stage.kit.dead_letters) <= 5
    assert stage.kit.state(bot)["has_history"] is False


def test_a_bot_that_fails_asks_anew_and_goes_on_as_if_it_had_not_i38_i69() -> None:
    stage = Stage()
    stage.start(history(), history(*BARS[:12]))
    stage.show(*BARS[:12])

    stage.kit.kill(stage.bot)
    stage.kit.advance(SECOND)
    stage.tell_book()
    stage.show(*BARS[12 : ENTRY + 1])

    assert stage.kit.incarnation(stage.bot) == 2
    assert stage.intents == [(Role.ENTRY, ENTRY)]


def test_of_each_symbol_as_much_is_kept_as_the_bot_that_asks_for_most_i38() -> None:
    opening = msgspec.structs.replace(
        MOMENTUM,
        bot_id="x",
        symbol="TSLA",
        strategy_factory=STRATEGIES["opening_range_breakout"],
        parameters={},
    )

    assert history_of((MOMENTUM, CROSS, opening)) == {"AAPL": 59, "TSLA": 1_440}


def test_a_plan_that_names_nonsense_makes_no_strategy() -> None:
    nonsense = msgspec.structs.replace(MOMENTUM, parameters={"lookback_bars": 0})

    with pytest.raises(BadParameters, match="parameter lookback_bars is 0"):
        nonsense.new_strategy()
