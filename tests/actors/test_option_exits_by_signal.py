"""What the strategy says the contrary of is closed, also if it said so while nobody listened."""

from collections.abc import Mapping

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal
from messages.market import BarClosed
from tests.actors.option_stage import CALL, PUT, Stage, held, plan_for, recorded
from tests.engine.scenery import OPEN_AT

UP, DOWN, OUT = Signal.ENTER_LONG, Signal.ENTER_SHORT, Signal.EXIT_LONG
BEGIN_AT = OPEN_AT + 30 * MINUTE
OPENED_AT = BEGIN_AT + 4 * MINUTE + SECOND
AWAY_UNTIL = 8


class SaysAt:
    """A strategy that says something at the ends of these minutes, counted from `BEGIN_AT` on."""

    warm_up = 10

    def __init__(self, said: Mapping[int, Signal]) -> None:
        self._said = said

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return self._said.get((bar.end_at - BEGIN_AT) // MINUTE)


def stage_of(said: Mapping[int, Signal], symbol: str = CALL) -> Stage:
    """It holds this since the fifth minute, and starts again after the eighth."""
    plan = structs.replace(plan_for(), strategy_factory=lambda _: SaysAt(said), tickers=("SPY",))
    return Stage(
        plan,
        recorded(held(symbol, OPENED_AT)),
        start_at=BEGIN_AT + AWAY_UNTIL * MINUTE,
        history={"SPY": history()},
    )


def history() -> tuple[Bar, ...]:
    minutes = range(AWAY_UNTIL)
    return tuple(bar(100.0, symbol="SPY", start_at=BEGIN_AT + each * MINUTE) for each in minutes)


def exits(stage: Stage) -> list[tuple[str, str]]:
    sold = [each for each in stage.intents if each.side is Side.SELL]
    return [(each.decision.symbol, each.reason) for each in sold]


@pytest.mark.parametrize(
    ("symbol", "said", "is_sold"),
    [
        (CALL, {7: DOWN}, True),
        (CALL, {7: OUT}, True),
        (PUT, {7: UP}, True),
        (PUT, {7: OUT}, False),
        (CALL, {7: UP}, False),
        (CALL, {}, False),
        (CALL, {6: DOWN, 7: UP}, False),
        (PUT, {6: UP, 7: DOWN}, False),
        (CALL, {6: UP, 7: DOWN}, True),
        (CALL, {4: DOWN}, False),
    ],
    ids=[
        *("a fall, of a call", "an end of the rise, of a call", "a rise, of a put"),
        *("an end of a rise, of a put", "a rise, of a call", "nothing"),
        *("not last, of a call", "not last, of a put", "last", "before it held it"),
    ],
)
def test_a_restart_forgets_not_what_was_said_to_the_contrary_i38(
    symbol: str, said: Mapping[int, Signal], is_sold: bool
) -> None:
    stage = stage_of(said, symbol)

    stage.wait(30 * SECOND)
    before = exits(stage)
    stage.play([100.0])
    stage.wait(SECOND)

    assert before == [], "it is acted on at the next bar that is news"
    assert exits(stage) == [(symbol, "signal")] * is_sold


def test_what_is_said_before_the_record_is_known_is_not_forgotten_i38() -> None:
    stage = stage_of({9: DOWN})
    stage.wait(MINUTE)
    stage.kit.kill(stage.bot)
    stage.kit.runtime.run_until(lambda: stage.kit.status(stage.bot) == "running", within=10**10)

    stage.kit.tell(
        stage.bot, BarClosed(bar=bar(100.0, symbol="SPY", start_at=history()[-1].end_at))
    )
    stage.recover()
    stage.play([100.0])
    stage.wait(SECOND)

    assert exits(stage) == [(CALL, "signal")]


def test_what_is_said_of_bars_that_were_missed_counts_from_the_next_one_that_is_news_i38() -> None:
    stage = stage_of({10: DOWN})
    stage.play([100.0])

    stage.play([100.0], is_backfill=True)
    stage.wait(SECOND)
    before = exits(stage)
    stage.play([100.0])
    stage.wait(SECOND)

    assert before == []
    assert exits(stage) == [(CALL, "signal")]


def test_what_is_assigned_later_is_not_held_to_what_was_said_before_that_i38() -> None:
    stage = stage_of({7: DOWN})
    stage.record = recorded()
    stage.recover()
    stage.play([100.0])

    stage.record = recorded(held(CALL, OPENED_AT))
    stage.recover()
    stage.play([100.0])
    stage.play([100.0], is_backfill=True)
    stage.play([100.0])
    stage.wait(SECOND)

    assert exits(stage) == []


def test_what_could_not_be_sold_is_kept_when_its_strategy_wants_it_again() -> None:
    stage = stage_of({9: DOWN, 10: UP})
    stage.play([100.0])
    stage.wait(50 * SECOND)
    stage.deny(stage.intents[-1], "trading_is_open")
    before = exits(stage)

    stage.wait(10 * SECOND)
    next_bar = bar(100.0, symbol="SPY", start_at=stage.now - MINUTE)
    stage.kit.tell(stage.bot, BarClosed(bar=next_bar))
    stage.wait(MINUTE)

    assert before == [(CALL, "signal")]
    assert exits(stage) == before
