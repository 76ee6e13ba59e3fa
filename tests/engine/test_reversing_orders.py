"""What the venue holds less of than is on record: nothing may sell there what is gone."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import DriftPosition
from hydra.venues.simulated.requests import Cancel
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
)
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, plan_of, struck
from tests.engine.judge import require_sound
from tests.engine.test_resting_protection import FALL, FLAT, HELD_AT, resting

BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")


def holding_less(quantity: int, data: Any = FALL, ledger_path: Path | None = None) -> World:
    """Nine shares are held under a stop for them, and then the venue takes so many of them back."""
    gone = struck(DriftPosition(symbol="AAPL", quantity=Decimal(-quantity)), from_event=14)
    world = World(data, plan_of(gone), ledger_path=ledger_path)
    life = world.begin()
    life.run_to(HELD_AT)
    assert [order.quantity for order in resting(world)] == [Decimal(9)]
    life.run_to(HELD_AT + MINUTE + 30 * SECOND)
    return world


def compared(life: Life) -> tuple[Difference, ...]:
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(10 * SECOND)
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    return report.differences


def assign(life: Life, difference: Difference) -> None:
    wish = SettleDifference(
        kind=difference.kind,
        subject=difference.subject,
        amount=difference.amount,
        decision="assign",
        bot="mom_AAPL",
        price=Decimal("100.35"),
        reason="it was taken back",
        operator="ada",
    )
    assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    assert compared(life) == ()


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_stop_for_what_is_gone_is_taken_out_while_it_halts_and_opens_nothing_i11_i29_i30(
    is_settled: bool,
) -> None:
    world = holding_less(9)
    life = world.lives[-1]

    (difference,) = compared(life)
    if is_settled:
        assign(life, difference)
    life.run_to(OPEN_AT + 25 * MINUTE)  # it falls through the stop

    assert difference.kind is DifferenceKind.POSITION
    assert life.causes["reconciliation"] is TradingState.HALTED
    assert (world.positions, resting(world)) == ({}, [])
    assert life.positions == ({} if is_settled else {"mom_AAPL AAPL": Decimal(9)})
    require_sound(world)


def test_a_stop_for_more_than_is_left_goes_and_one_for_the_rest_comes_in_its_place_i30() -> None:
    world = holding_less(4, FLAT)
    life = world.lives[-1]

    (difference,) = compared(life)
    bare = resting(world)
    life.run_for(30 * SECOND)
    told = life.view(paths.RISK_GUARDIAN)["alarms"]
    assign(life, difference)
    life.resume()
    life.run_for(2 * MINUTE)

    assert (bare, [order.quantity for order in resting(world)]) == ([], [Decimal(5)])
    assert told == {"unprotected:AAPL": "mom_AAPL holds 9, unprotected while halted"}
    assert life.causes == {}
    life.run_to(OPEN_AT + 45 * MINUTE)
    assert life.positions == world.positions == {}
    require_sound(world)


def test_a_start_that_finds_the_position_gone_takes_its_stop_out_i11_i30_i38(
    tmp_path: Path,
) -> None:
    world = holding_less(0, FALL, ledger_path=tmp_path / "ledger.db")
    world.lives[-1].die()
    world.exchange.engine.account.adjust("AAPL", Decimal(-9))

    life = world.begin()
    life.run_to(OPEN_AT + 25 * MINUTE)

    assert (world.positions, resting(world)) == ({}, [])
    require_sound(world)


def test_a_guardian_that_was_started_again_takes_it_out_too_i11_i30_i38() -> None:
    world = holding_less(9)
    life = world.lives[-1]
    life.crash(paths.RISK_GUARDIAN)

    compared(life)
    life.run_to(OPEN_AT + 25 * MINUTE)

    assert (world.positions, resting(world)) == ({}, [])


def test_a_position_that_became_larger_keeps_its_stop_through_the_halt_i11_i29() -> None:
    world = holding_less(-2, FLAT)
    life = world.lives[-1]

    compared(life)
    life.run_for(3 * MINUTE)

    assert life.causes["reconciliation"] is TradingState.HALTED
    assert (world.asked(Cancel), len(resting(world))) == ([], 1)
