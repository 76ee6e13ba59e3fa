"""What a person decides about a difference, and that it takes a word besides to trade on (I29)."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import DriftCash, DriftPosition, Lose, PlantOrder
from hydra.venues.simulated.misbehaviour import Rule
from hydra.venues.simulated.requests import Cancel
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
    SettlementRefused,
)
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, begun, plan_of, quiet, struck
from tests.engine.judge import require_agreement, require_sound

HALTED = TradingState.HALTED
BY_HAND = Order(
    client_order_id="by-hand-1",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(1),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(97),
)
PLANTED = struck(PlantOrder(order=BY_HAND), from_event=8)
IN_SILENCE = struck(Lose(), what="OrderAccepted", client_order_id="by-hand-1")


def halted_by(world: World) -> Life:
    """A life that holds three shares, and has halted over a difference."""
    life = begun(world)
    life.enter(3)
    life.run_to(OPEN_AT + 10 * MINUTE + 5 * SECOND)
    assert life.causes == {"reconciliation": HALTED}
    return life


def settle(life: Life, **decision: Any) -> DifferenceSettled | SettlementRefused:
    """Decide, as `reconcile` does, about the one difference there is."""
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    (difference,) = report.differences
    wish = SettleDifference(
        kind=difference.kind,
        subject=difference.subject,
        reason="I have asked",
        operator="ada",
        **{"amount": difference.amount, **decision},
    )
    answer = life.ask(paths.STATE_PERSISTER, wish)
    assert isinstance(answer, DifferenceSettled | SettlementRefused)
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="settled"))
    life.run_closely(5 * SECOND)
    return answer


DECISIONS: list[tuple[Rule, dict[str, Any]]] = [
    (PLANTED, {"decision": "exclude"}),
    (PLANTED, {"decision": "adopt", "bot": "mom_AAPL_cross"}),
    (
        struck(DriftPosition(symbol="AAPL", quantity=Decimal(2)), from_event=8),
        {"decision": "exclude"},
    ),
    (
        struck(DriftPosition(symbol="AAPL", quantity=Decimal(2)), from_event=8),
        {"decision": "assign", "bot": "mom_AAPL_cross", "price": Decimal(100)},
    ),
    (struck(DriftCash(amount=Decimal("-12.34")), from_event=8), {"decision": "adjust"}),
]
NAMES = ["order excluded", "order adopted", "position excluded", "position assigned", "cash"]


@pytest.mark.parametrize(("fault", "decision"), DECISIONS, ids=NAMES)
def test_a_difference_that_is_settled_still_halts_until_a_word_and_stays_settled_i04_i29_i60(
    tmp_path: Path, fault: Rule, decision: dict[str, Any]
) -> None:
    world = World(quiet(40), plan_of(fault, IN_SILENCE), ledger_path=tmp_path / "ledger.db")
    life = halted_by(world)
    fills = life.ledger.fills()

    settled = settle(life, **decision)
    without_a_word = life.causes
    life.resume("reconciliation")

    assert isinstance(settled, DifferenceSettled)
    assert without_a_word == {"reconciliation": HALTED}
    assert life.causes == {}
    assert life.ledger.fills() == fills  # nothing was made up
    life.die()
    world.pass_by(world.now + 1 * MINUTE)
    life = begun(world)
    life.run_for(2 * MINUTE)
    assert life.causes == {}
    name = life.enter(1, limit="96")
    assert life.status_of(name) == "accepted"
    require_sound(world)


def test_an_order_that_was_adopted_is_counted_filled_and_taken_out_like_our_own_i10_i29_i31() -> (
    None
):
    world = World(quiet(40), plan_of(PLANTED, IN_SILENCE))
    life = halted_by(world)
    before = Decimal(life.heat)

    settle(life, decision="adopt", bot="mom_AAPL_cross")
    counted = Decimal(life.heat)
    # It is an entry, and trading is halted.
    assert world.asked(Cancel) == [Cancel("by-hand-1")]
    assert life.status_of("by-hand-1") == "canceled"
    assert counted == before
    life.resume()
    assert life.causes == {}
    require_agreement(world)


def test_a_position_that_was_assigned_can_be_left_by_its_bot_i29() -> None:
    drift = struck(DriftPosition(symbol="AAPL", quantity=Decimal(2)), from_event=8)
    world = World(quiet(40), plan_of(drift))
    life = halted_by(world)

    settle(life, decision="assign", bot="mom_AAPL_cross", price=Decimal(100))
    life.resume()
    life.exit(2, bot="mom_AAPL_cross")
    life.exit(3)
    life.run_for(2 * MINUTE)

    assert life.denials == []
    assert life.positions == world.positions == {}
    require_sound(world)


def test_what_is_missing_is_taken_from_its_holder_and_not_given_to_another_as_short_i29() -> None:
    missing = struck(DriftPosition(symbol="AAPL", quantity=Decimal(-3)), from_event=8)
    world = World(quiet(40), plan_of(missing))
    life = halted_by(world)
    before = life.ledger.inventories()

    refused = settle(life, decision="assign", bot="mom_AAPL_cross", price=Decimal(100))
    after_that = life.ledger.inventories()
    settled = settle(life, decision="assign", bot="mom_AAPL", price=Decimal(100))
    life.resume()

    assert isinstance(refused, SettlementRefused)
    assert refused.reason == (
        "mom_AAPL_cross would hold -3 AAPL beside the 3 of mom_AAPL, and neither could be closed"
        " at the venue, which has one position; assign it to mom_AAPL as far as that holds any"
    )
    assert after_that == before
    assert isinstance(settled, DifferenceSettled)
    assert (life.positions, life.causes) == ({}, {})


def test_a_position_that_was_excluded_is_nobodys_to_sell_and_counts_as_exposure_i29_i31() -> None:
    drift = struck(DriftPosition(symbol="AAPL", quantity=Decimal(240)), from_event=8)
    world = World(quiet(40), plan_of(drift))
    life = halted_by(world)

    settle(life, decision="exclude")
    life.resume()
    life.exit(240, bot="mom_AAPL_cross")
    life.enter(8, bot="mom_AAPL_cross")  # with 240 excluded and 3 held, 25,100 USD

    assert life.denials == ["exit_reduces_position", "symbol_exposure_is_within_limit"]
    require_sound(world)


@pytest.mark.parametrize(
    "decision",
    [
        {"decision": "adopt"},
        {"decision": "adopt", "bot": "mom_AAPL", "subject": "sim-o-99"},
        {"decision": "exclude", "operator": ""},
        {"decision": "exclude", "reason": " "},
    ],
    ids=["for nobody", "another order", "by nobody", "for no reason"],
)
def test_a_decision_that_does_not_fit_is_refused_and_changes_nothing_i29_i61(
    decision: dict[str, Any],
) -> None:
    world = World(quiet(40), plan_of(PLANTED, IN_SILENCE))
    life = halted_by(world)
    before = life.ledger.state_hash()

    wish = SettleDifference(
        **{
            "kind": DifferenceKind.FOREIGN_ORDER,
            "subject": "sim-o-2",
            "reason": "I have asked",
            "operator": "ada",
            **decision,
        }
    )
    answer = life.ask(paths.STATE_PERSISTER, wish)

    assert isinstance(answer, SettlementRefused)
    assert life.ledger.state_hash() == before
    assert life.causes == {"reconciliation": HALTED}
