"""A position that an operator assigned is its bot's as if it had bought it: held, and exited."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.differences import DifferenceKind
from hydra.venues.simulated.faults import DriftPosition
from messages.positions import BookChanged
from messages.reconciliation import DifferenceSettled, ReconcileNow, SettleDifference
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Life,
    World,
    bars_of,
    market_of,
    plan_of,
    rising,
    struck,
)
from tests.engine.judge import require_sound
from tests.engine.test_settling import settle

BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")
DRIFT = struck(DriftPosition(symbol="AAPL", quantity=Decimal(2)), from_event=8)
STOPPED_OUT = market_of(bars_of([100.0] * 20 + [99.4] * 20))
"""Half a percent below what it is said to have cost is passed after twenty minutes."""
HELD_TOO_LONG = market_of(bars_of([100.0] * 60))


def assigned(world: World) -> Life:
    """The bots run, and an operator has just given two shares to one of them."""
    life = world.begin()
    life.run_to(OPEN_AT + 10 * MINUTE + 5 * SECOND)
    assert life.causes.keys() == {"reconciliation"}
    settled = settle(life, decision="assign", bot="mom_AAPL", price=Decimal(100))
    assert isinstance(settled, DifferenceSettled)
    life.resume()
    assert life.causes == {}
    return life


def exits(life: Life) -> list[tuple[str, Decimal]]:
    """What the bots sold, and why: by a stop that rested, or an exit."""
    return [
        (each.intent.reason, each.state.filled_quantity)
        for each in life.ledger.orders()
        if each.intent.side.sign < 0 and each.state.filled_quantity
    ]


def position(life: Life) -> object:
    return life.view(BOT)["position"]


@pytest.mark.parametrize(
    ("data", "reason"), [(STOPPED_OUT, "stop_loss"), (HELD_TOO_LONG, "time_stop")]
)
def test_a_bot_holds_what_is_assigned_to_it_while_it_runs_and_exits_it_by_its_rules_i29_i30(
    data: Any, reason: str
) -> None:
    world = World(data, plan_of(DRIFT))
    life = assigned(world)

    held = position(life)
    life.run_out()

    assert (held, position(life)) == ("2", "0")
    assert exits(life) == [(reason, Decimal(2))]
    assert world.positions == life.positions == {}
    require_sound(world)


def test_a_short_position_that_is_assigned_is_bought_back_by_the_exit_bot_i29_i30() -> None:
    short = struck(DriftPosition(symbol="AAPL", quantity=Decimal(-2)), from_event=8)
    world = World(HELD_TOO_LONG, plan_of(short))
    life = assigned(world)
    held = position(life)

    life.run_for(6 * MINUTE)

    assert held == "-2"
    assert world.positions == life.positions == {}
    (bought,) = life.ledger.orders()
    assert bought.intent.reason == "exit bot: no rules of its bot are for a short position"
    require_sound(world)


def test_after_a_restart_a_bot_holds_what_was_assigned_to_it_before_i29_i38(tmp_path: Path) -> None:
    world = World(STOPPED_OUT, plan_of(DRIFT), ledger_path=tmp_path / "ledger.db")
    assigned(world).die()

    life = world.begin()
    held = position(life)
    life.run_out()

    assert (held, position(life)) == ("2", "0")
    assert exits(life) == [("stop_loss", Decimal(2))]
    assert world.positions == life.positions == {}
    require_sound(world)


def test_a_bot_that_crashed_holds_what_was_assigned_to_it_before_i29_i38() -> None:
    world = World(STOPPED_OUT, plan_of(DRIFT))
    life = assigned(world)

    life.crash(BOT)
    life.advance(SECOND)
    held = position(life)
    life.run_out()

    assert (held, exits(life)) == ("2", [("stop_loss", Decimal(2))])
    assert world.positions == life.positions == {}


def test_an_order_that_a_person_says_is_gone_is_not_waited_for_by_its_bot_i29() -> None:
    world = World(HELD_TOO_LONG)
    life = world.begin()
    life.run_to(OPEN_AT + 6 * MINUTE + 5 * SECOND)
    name = life.enter(1, limit="97")
    life.crash(BOT)  # it was wanted by the test's own hand: from the record the bot has it too
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(5 * SECOND)

    before = life.view(BOT)["working"]
    life.tell(
        paths.STATE_PERSISTER,
        SettleDifference(
            kind=DifferenceKind.MISSING_ORDER,
            subject=name,
            decision="adopt",
            reason="I have asked",
            operator="ada",
        ),
    )
    life.advance(SECOND)

    assert (len(before), life.view(BOT)["working"]) == (1, [])
    assert life.status_of(name) == "canceled"


def test_what_was_denied_keeps_its_number_when_the_book_is_read_again_i38() -> None:
    world = World(market_of(bars_of([100.0] * 10 + rising(30))))
    life = world.begin()
    life.halt_by_operator()
    life.run_to(OPEN_AT + 30 * MINUTE)
    before = {name: life.view(BOT)[name] for name in ("signals_today", "entries_today")}

    life.tell(BOT, BookChanged())
    life.advance(SECOND)

    assert before == {"signals_today": 1, "entries_today": 0}
    assert {name: life.view(BOT)[name] for name in before} == before
    assert life.view(BOT)["recovered"]
