"""What a strategy wants out of is sold, also where that takes longer than the bar that said it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest
from msgspec import structs

from hydra.actor import MINUTE
from hydra.trading.bars import Bar
from hydra.trading.orders import Role
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal
from tests.actors.stop_stage import PLAN, Sent, StopStage
from tests.engine.scenery import OPEN_AT

TEN = Decimal(10)
IN, OUT = Signal.ENTER_LONG, Signal.EXIT_LONG


class Says:
    """A strategy that says one thing after the other, a bar each, and then nothing more."""

    warm_up = 1

    def __init__(self, *said: Signal | None) -> None:
        self._said: Iterator[Signal | None] = iter(said)

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return next(self._said, None)


def quiet(stage: StopStage) -> None:
    stage.bar("100", "100", "100")


def holding(*said: Signal | None, protected: bool = True) -> StopStage:
    """Ten shares that the first bar was the reason to buy; `said`: what follows it."""
    plan = structs.replace(PLAN, strategy_factory=lambda _: Says(IN, *said))
    stage = StopStage(plan if protected else structs.replace(plan, price_steps=()))
    quiet(stage)
    (entry,) = stage.sent
    stage.accept(entry)
    stage.fill(entry, TEN)
    stage.answer_everything()
    return stage


def exits(stage: StopStage) -> list[Sent]:
    return [each for each in stage.sent if each.role is Role.EXIT]


def test_it_is_sold_at_the_next_bar_where_the_stop_was_still_in_the_way_i30() -> None:
    stage = holding(OUT)
    quiet(stage)
    (stop,) = stage.live(Role.PROTECT)
    assert stop.is_asked_out

    quiet(stage)  # the venue takes its time
    stage.cancel(stop)

    (exit_,) = exits(stage)
    assert (exit_.intent.reason, exit_.intent.quantity) == ("signal", TEN)
    assert stage.live() == [exit_]


def test_it_is_wished_again_at_the_next_bar_where_it_was_denied() -> None:
    stage = holding(OUT, protected=False)
    quiet(stage)
    (denied,) = exits(stage)
    stage.deny(denied)

    quiet(stage)

    assert [each.intent.reason for each in stage.live()] == ["signal"]


def test_it_is_wished_again_once_the_entry_that_kept_it_in_is_out_k3() -> None:
    stage = holding(OUT, protected=False)
    quiet(stage)
    (denied,) = exits(stage)
    stage.deny(denied)

    stage.change_record()

    assert [each.intent.reason for each in stage.live()] == ["signal"]


@pytest.mark.parametrize("ended", ["cancel", "reject"])
def test_what_came_to_nothing_at_the_venue_is_wished_again(ended: str) -> None:
    stage = holding(OUT, protected=False)
    quiet(stage)
    (lost,) = exits(stage)
    stage.accept(lost)
    quiet(stage)
    getattr(stage, ended)(lost)

    assert [each.intent.reason for each in stage.live()] == ["signal"]


def test_who_wants_in_again_is_not_sold_any_more() -> None:
    stage = holding(OUT, IN, protected=False)
    quiet(stage)
    (denied,) = exits(stage)
    stage.deny(denied)

    quiet(stage)
    quiet(stage)

    assert exits(stage) == [denied]


def test_that_it_was_sold_is_no_reason_to_sell_the_next_position() -> None:
    stage = holding(OUT, IN, protected=False)
    quiet(stage)
    (exit_,) = exits(stage)
    stage.accept(exit_)
    stage.fill(exit_, TEN)

    quiet(stage)
    (entry,) = stage.live(Role.ENTRY)
    stage.accept(entry)
    stage.fill(entry, TEN)
    quiet(stage)

    assert (stage.position, exits(stage)) == (TEN, [exit_])


def test_what_it_wanted_out_of_before_it_held_anything_is_over_i29() -> None:
    stage = StopStage(structs.replace(PLAN, strategy_factory=lambda _: Says(OUT)))
    quiet(stage)

    stage.assign(TEN)
    quiet(stage)

    assert exits(stage) == []


class SaysAt:
    """A strategy that says something at the ends of these minutes, counted from the bell on."""

    warm_up = 5

    def __init__(self, said: Mapping[int, Signal]) -> None:
        self._said = said

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return self._said.get((bar.end_at - OPEN_AT) // MINUTE)


@pytest.mark.parametrize(
    ("said", "is_sold"),
    [({2: OUT}, True), ({}, False), ({2: OUT, 3: IN}, False), ({1: OUT}, False)],
    ids=["since it holds it", "never", "but not last", "before it held it"],
)
def test_a_restart_forgets_not_what_it_wanted_out_of_i38(
    said: dict[int, Signal], is_sold: bool
) -> None:
    plan = structs.replace(PLAN, strategy_factory=lambda _: SaysAt(said), price_steps=())
    stage = StopStage(plan)
    quiet(stage)
    stage.assign(TEN)
    for _ in range(2):
        stage.misses_a_bar()

    stage.crash()
    quiet(stage)

    assert [each.intent.reason for each in exits(stage)] == ["signal"] * is_sold
