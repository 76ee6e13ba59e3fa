"""What a person decides about a difference, and that it takes a word besides to trade on (I29)."""

from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.settings import Settings
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import DriftCash, DriftPosition, Lose, PlantOrder
from hydra.venues.simulated.misbehaviour import Rule
from hydra.venues.simulated.requests import Cancel, TakeSnapshot
from messages.positions import PositionsReported, ReportPositions
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
    SettlementRefused,
)
from supervisors import paths
from tests.engine.harness import (
    NEXT_OPEN_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    settings_with,
    struck,
    two_days,
)
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


def lost_by_the_venue(world: World, name: str) -> None:
    """Without a word, and for ever."""
    engine = world.exchange.engine
    engine._book.remove(name)
    engine._register._orders.pop(name)
    engine._register._open.pop(name)


def compared(life: Life) -> None:
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(8 * SECOND)


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


def test_an_order_that_a_person_says_is_gone_is_over_for_everybody_who_waits_for_it_i25_i29() -> (
    None
):
    world = World(quiet(120))
    life = begun(world)
    name = life.enter(1, limit="97")
    life.run_closely(40 * SECOND)  # no list is late by then
    lost_by_the_venue(world, name)
    compared(life)
    sent_before = life.now
    # It halts, so that the order's cancel is asked for; the venue knows of none and says nothing.
    assert life.causes == {"reconciliation": HALTED}

    settled = settle(life, decision="adopt")
    told = life.told("OrderCanceled")
    life.resume()
    life.run_for(75 * MINUTE)

    assert settled == DifferenceSettled(
        subject=name, note=f"{name} counts as taken out of the market"
    )
    assert [(each.client_order_id, life.status_of(name)) for each in told] == [(name, "canceled")]
    assert (life.causes, life.view(paths.RISK_GUARDIAN)["cancels_overdue"]) == ({}, [])
    # The gateway waits for no cancel any more, and reads from lately on.
    assert life.view(paths.BROKER_GATEWAY)["read_from"] > sent_before
    readings = len(world.asked(TakeSnapshot))
    life.run_closely(2 * MINUTE)
    assert len(world.asked(TakeSnapshot)) - readings <= 5  # twelve, for a cancel
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


CALL = "AAPL160617C00100000"
CALLS_BOT = "mom_calls"


def with_a_bot_on_calls() -> Settings:
    """Beside the one on the shares; without a comparison that nobody asked for."""
    settings = settings_with({"guards.deadlines.reconcile_every_seconds": 3600})
    shares = settings.momentum_bots[0]
    calls = shares.model_copy(update={"bot_id": CALLS_BOT, "ticker": CALL})
    return settings.model_copy(update={"momentum_bots": (shares, calls)})


def exercised(folder: Path, *further: Rule) -> tuple[World, Life]:
    """Two calls were held, at 250 USD each; they have become 200 shares at their strike of 100,
    which are worth 102.50 each: the account is worth what it was.
    """
    bars = (*bars_of([102.5] * 60), *bars_of([2.5] * 60, symbol=CALL))
    drifts = (
        DriftPosition(symbol=CALL, quantity=Decimal(-2)),
        DriftPosition(symbol="AAPL", quantity=Decimal(200)),
        DriftCash(amount=Decimal(-20_000)),
    )
    world = World(
        market_of(tuple(sorted(bars, key=lambda bar: bar.end_at))),
        plan_of(*(struck(drift, from_event=20) for drift in drifts), *further),
        ledger_path=folder / "ledger.db",
        settings=with_a_bot_on_calls(),
    )
    life = begun(world)
    life.enter(2, bot=CALLS_BOT, symbol=CALL, reference="2.5", protective_stop="2.2", limit="2.50")
    life.run_to(OPEN_AT + 12 * MINUTE + 5 * SECOND)
    assert life.positions == {f"{CALLS_BOT} {CALL}": 2}
    look(life)
    assert life.causes == {"reconciliation": HALTED}
    assert world.positions == {"AAPL": 200}
    return world, life


def look(life: Life) -> None:
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_for(45 * SECOND)


def decide(life: Life, subject: str, **decision: Any) -> None:
    """About this one of the differences; then some prices come."""
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    (difference,) = [each for each in report.differences if each.subject == subject]
    wish = SettleDifference(
        kind=difference.kind,
        subject=subject,
        amount=difference.amount,
        reason="exercised",
        operator="ada",
        **decision,
    )
    assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    life.run_for(2 * MINUTE)


OF_AN_EXERCISE: dict[str, dict[str, Any]] = {
    "AAPL": {"decision": "assign", "bot": "mom_AAPL", "price": Decimal(100)},
    CALL: {"decision": "assign", "bot": CALLS_BOT, "price": Decimal("2.5")},
    "cash": {"decision": "adjust"},
}


def worth_of(life: Life) -> dict[str, Any]:
    view = life.view(paths.RISK_GUARDIAN)
    return {name: Decimal(view[name]) for name in ("equity", "peak", "day_start")}


WHOLE = dict.fromkeys(("equity", "peak", "day_start"), Decimal(100_000))


@pytest.mark.parametrize("begins_anew", [False, True], ids=["living", "restarted in between"])
@pytest.mark.parametrize("order", tuple(permutations(OF_AN_EXERCISE)), ids=" then ".join)
def test_an_exercise_is_settled_side_by_side_and_is_no_loss_and_no_gain_i29_i37_i38(
    tmp_path: Path, order: tuple[str, ...], begins_anew: bool
) -> None:
    world, life = exercised(tmp_path)

    for subject in order:
        decide(life, subject, **OF_AN_EXERCISE[subject])
        if begins_anew:
            life.die()
            world.pass_by(world.now + MINUTE)
            life = world.begin(with_bots=False)
            life.run_for(MINUTE)
    look(life)
    settled = life.causes
    life.resume()
    life.run_for(MINUTE)
    opened, worth = life.causes, worth_of(life)
    life.exit(200, bot="mom_AAPL", reference="102.5")
    life.run_for(2 * MINUTE)

    assert settled == {"reconciliation": HALTED}
    assert (opened, worth) == ({}, WHOLE)
    assert world.positions == life.positions == {}
    assert life.causes == {}
    require_sound(world)


def test_a_loss_is_found_by_the_venues_word_while_an_exercise_is_settled_i29_i37(
    tmp_path: Path,
) -> None:
    gone = struck(DriftCash(amount=Decimal(-4_000)), from_event=30)
    _, life = exercised(tmp_path, gone)
    before = life.causes

    decide(life, "AAPL", **OF_AN_EXERCISE["AAPL"])
    life.run_to(OPEN_AT + 16 * MINUTE + 5 * SECOND)
    unread = life.causes
    look(life)

    assert before == unread == {"reconciliation": HALTED}
    assert life.causes.keys() == {"reconciliation", "daily_loss", "drawdown", "nav_jump"}
    assert worth_of(life) == {**WHOLE, "equity": Decimal(96_000)}


def test_what_comes_to_the_account_and_is_left_alone_is_neither_a_peak_nor_a_loss_i29_i37() -> None:
    drift = struck(DriftPosition(symbol="AAPL", quantity=Decimal(240)), from_event=8)
    world = World(quiet(40), plan_of(drift))
    life = halted_by(world)
    before = worth_of(life)

    settle(life, decision="exclude")
    life.resume()
    life.run_for(2 * MINUTE)

    assert worth_of(life) == before
    assert life.causes == {}


def test_cash_that_comes_is_no_gain_of_the_day_i29_i37() -> None:
    world = World(quiet(40), plan_of(struck(DriftCash(amount=Decimal(50_000)), from_event=8)))
    life = halted_by(world)

    settle(life, decision="adjust")
    life.resume()
    life.run_for(2 * MINUTE)

    assert worth_of(life) == dict.fromkeys(WHOLE, Decimal(150_000))
    assert life.causes == {}


EXPIRES_ON_FRIDAY = "AAPL160415C00100000"
FRIDAY = 30
"""Minutes of it in which there are prices, and as many events of the market."""


def with_a_persons_contracts(folder: Path, *, gone_from: int) -> tuple[World, Life]:
    """Two that expire on that day, left alone by name; from this event on they are gone."""
    came = struck(DriftPosition(symbol=EXPIRES_ON_FRIDAY, quantity=Decimal(2)), from_event=8)
    went = struck(
        DriftPosition(symbol=EXPIRES_ON_FRIDAY, quantity=Decimal(-2)), from_event=gone_from
    )
    market = two_days([100.0] * FRIDAY, [100.0] * 30)
    world = World(market, plan_of(came, went), ledger_path=folder / "ledger.db")
    life = halted_by(world)
    settle(life, decision="exclude")
    life.resume()
    assert life.causes == {}
    assert excluded_in(life) == {EXPIRES_ON_FRIDAY: 2}
    return world, life


def excluded_in(life: Life) -> dict[str, Decimal]:
    report = life.ask(paths.RISK_GUARDIAN, ReportPositions())
    assert isinstance(report, PositionsReported)
    return dict(report.excluded_positions)


def test_an_excluded_contract_that_has_expired_is_no_difference_i29_i38_i60(tmp_path: Path) -> None:
    world, life = with_a_persons_contracts(tmp_path, gone_from=FRIDAY + 4)

    life.run_to(NEXT_OPEN_AT + 10 * MINUTE)

    assert life.causes == {}
    assert life.ledger.exclusions() == ()
    (ended,) = life.journal.events("exclusion_ended")
    assert (ended["symbol"], ended["quantity"]) == (EXPIRES_ON_FRIDAY, 2)
    living = excluded_in(life)
    life.die()
    life = begun(world)
    life.run_for(MINUTE)
    assert (living, excluded_in(life), life.causes) == ({}, {}, {})
    require_sound(world)


def test_one_that_is_gone_before_its_last_session_is_over_is_a_difference_i29_i60(
    tmp_path: Path,
) -> None:
    _, life = with_a_persons_contracts(tmp_path, gone_from=FRIDAY - 10)

    life.run_to(OPEN_AT + (FRIDAY - 5) * MINUTE)

    assert life.causes == {"reconciliation": HALTED}
    assert excluded_in(life) == {EXPIRES_ON_FRIDAY: 2}
