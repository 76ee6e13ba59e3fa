"""Record and venue: what they are compared by, what is taken up, and what nobody explains away.

The venue is asked for everything at the start, again and again, and whenever something is odd. What
is merely news is booked as if it had been reported; every other difference halts, and stays until a
person has decided about it. A real broker has pages of answers and a stream that breaks; here a
whole answer fails, and single reports get lost.
"""

import shutil
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.runtime.system import Suspend
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import (
    AlterEcho,
    BlockAccount,
    Delay,
    DriftCash,
    DriftPosition,
    FailLook,
    Fault,
    FillPart,
    FillRefused,
    HideEquity,
    Ignore,
    Lose,
    Overfill,
    Overtake,
    PlantOrder,
    Repeat,
)
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.requests import Cancel, TakeSnapshot
from messages.control import RecordChanged
from messages.reconciliation import (
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SnapshotFailed,
    SnapshotTaken,
)
from messages.streams import StreamGap
from supervisors import paths
from supervisors.core import ORDER_PATH
from tests.engine.harness import (
    ENTRY_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    rising,
    struck,
)
from tests.engine.judge import require_agreement, require_sound

HALTED = TradingState.HALTED
BY_HAND = Order(
    client_order_id="by-hand-1",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(4),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(90),
)


def differences(life: Life) -> list[tuple[DifferenceKind, str]]:
    """What the last comparison found."""
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    return [(each.kind, each.subject) for each in report.differences]


def traded(life: Life) -> None:
    """One round trip of two bots, with an order that rests in between."""
    life.enter(3)
    life.enter(2, bot="mom_AAPL_cross")
    life.run_for(2 * MINUTE)
    life.enter(1, bot="mom_AAPL_cross", limit="97")
    life.run_for(3 * MINUTE)
    life.exit(3)  # denied: the entry could meet it; it is taken out for it
    life.run_for(3 * MINUTE)
    life.exit(3)
    life.exit(2, bot="mom_AAPL_cross")
    life.run_for(6 * MINUTE)


@pytest.fixture(scope="module")
def honestly() -> Life:
    world = World(quiet())
    life = begun(world)
    traded(life)
    require_agreement(world)
    return life


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_reports_that_come_several_times_leave_the_same_state_to_the_last_digit_i23_i24(
    honestly: Life, copies: int
) -> None:
    world = World(quiet(), plan_of(struck(Repeat(copies=copies), times=None)))
    life = begun(world)

    traded(life)

    assert life.ledger.state_hash() == honestly.ledger.state_hash()
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


@pytest.mark.slow
def test_ten_thousand_reports_in_one_moment_leave_the_same_state_i23_i71(honestly: Life) -> None:
    world = World(quiet(), plan_of(struck(Repeat(copies=10_000), what="OrderFilled")))
    life = begun(world)

    traded(life)

    assert life.ledger.state_hash() == honestly.ledger.state_hash()
    assert life.causes == {}
    require_agreement(world)


def test_more_reports_than_may_wait_halt_and_what_they_said_is_found_again_i60_i71(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisors.core.ORDER_PATH", structs.replace(ORDER_PATH, bound=50))
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    name = life.enter(3)

    life.runtime.cells[paths.BROKER_GATEWAY.path].tell_system(Suspend())
    life.runtime.settle()
    for _ in range(51):
        life.runtime.tell(paths.BROKER_GATEWAY, StreamGap(stream="trading", reason="", raw=""))
    life.runtime.settle()
    at_once = life.runtime.gate.state
    life.run_for(2 * MINUTE)
    unheard = life.status_of(name)
    life.die()
    life = world.begin(with_bots=False)
    life.run_for(MINUTE)

    assert at_once is HALTED
    assert unheard == "accepted"
    assert life.status_of(name) in ("filled", "canceled")  # the halt may have come first
    assert world.submitted == [name]
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "faults",
    [
        (Overtake(by=1),),
        (Overtake(by=3), Repeat(copies=2)),
        (Delay(events=1),),
        (Delay(events=2), Repeat(copies=3), Overtake(by=2)),
    ],
    ids=["overtaken", "overtaken and repeated", "late", "all of it"],
)
def test_reports_out_of_order_and_late_leave_the_same_book_i22_i23_i24(
    honestly: Life, faults: tuple[Fault, ...], seed: int
) -> None:
    rules = [
        struck(fault, times=None, rate=0.5, what=what)
        for fault in faults
        for what in ("OrderAccepted", "OrderFilled", "OrderCanceled")
    ]
    world = World(quiet(), plan_of(*rules, seed=seed))
    life = begun(world)

    traded(life)

    assert life.causes == {}
    assert life.positions == honestly.positions == {}
    assert statuses(life) == statuses(honestly)
    require_sound(world)
    require_agreement(world)


def statuses(life: Life) -> list[tuple[str, str, str]]:
    return [
        (
            each.intent.decision.bot,
            each.state.status.value,
            f"{each.state.filled_quantity} of {each.state.order.quantity}",
        )
        for each in life.ledger.orders()
    ]


@pytest.mark.parametrize("what", ["OrderFilled", "OrderAccepted", "OrderCanceled", "OrderExpired"])
def test_a_report_that_is_lost_is_taken_up_within_the_minute_and_nothing_is_invented_i47_i61(
    what: str,
) -> None:
    close_at = OPEN_AT + 20 * MINUTE
    data = market_of(bars_of([100.0] * 20), close_at=close_at)
    world = World(data, plan_of(struck(Lose(), what=what, times=None)))
    life = begun(world)
    filled = life.enter(3)
    resting = life.enter(2, bot="mom_AAPL_cross", limit="97")
    life.run_to(OPEN_AT + 8 * MINUTE)
    if what == "OrderCanceled":
        life.exit(3)  # takes the entry out of its way
    life.run_to(close_at + 1)
    missing = {"OrderFilled": filled, "OrderAccepted": filled}.get(what, resting)
    wanted = {"OrderCanceled": "canceled", "OrderExpired": "expired"}.get(what, "filled")

    life.advance(60 * SECOND)

    assert life.status_of(missing) == wanted
    assert world.log.lines  # the judge was there
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_nothing_is_opened_before_the_first_comparison_has_come_to_an_end_i06_i60_i74() -> None:
    late = struck(Delay(events=1), what="SnapshotTaken", times=1)
    life = World(quiet(), plan_of(late)).begin(with_bots=False)

    life.run_for(10 * SECOND)
    while_it_is_out = (life.state, life.view(paths.BROKER_GATEWAY)["last_comparison"])
    life.run_for(2 * MINUTE)

    assert while_it_is_out == (TradingState.HALTED, "none yet")
    assert life.state is TradingState.ACTIVE


def test_no_entry_is_made_before_a_lost_fill_was_found_if_it_would_break_a_limit_i31_i47() -> None:
    # The order whose fill was lost counts as live, with all of it, until the fill is found.
    world = World(quiet(), plan_of(struck(Lose(), what="OrderFilled")))
    life = begun(world)
    life.enter(240, protective_stop="99.9")
    life.run_to(OPEN_AT + 7 * MINUTE)
    at_venue, on_record = dict(world.positions), dict(life.positions)

    life.enter(20, bot="mom_AAPL_cross")  # 26,000 USD in all, of 25,000

    assert (at_venue, on_record) == ({"AAPL": 240}, {})
    assert life.denials == ["symbol_exposure_is_within_limit"]
    life.run_for(1 * MINUTE)
    assert life.positions == {"mom_AAPL AAPL": 240}
    require_sound(world)
    require_agreement(world)


def test_what_fills_in_parts_is_held_in_parts_and_left_in_parts_i23() -> None:
    world = World(quiet(), plan_of(struck(FillPart(share=Decimal("0.4")), times=None)))
    life = begun(world)
    name = life.enter(10)

    seen = []
    for _ in range(4):
        life.run_for(1 * MINUTE)
        seen.append((life.status_of(name), life.positions.get("mom_AAPL AAPL")))
    life.exit(9)  # denied: what is left of the entry could meet it, and is taken out for it
    life.exit(9)
    life.run_for(9 * MINUTE)

    assert seen == [
        ("partially_filled", 6),
        ("partially_filled", 7),
        ("partially_filled", 8),
        ("partially_filled", 9),
    ]
    assert life.denials == ["no_order_opposes"]
    assert (life.status_of(name), life.positions) == ("canceled", {})
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize(
    ("wishes", "altered"),
    [
        ({}, AlterEcho(symbol="MSFT")),
        ({}, AlterEcho(side=Side.SELL)),
        ({}, AlterEcho(quantity=Decimal(30))),
        ({}, AlterEcho(order_type=OrderType.LIMIT, limit_price=Decimal(100))),
        ({}, AlterEcho(time_in_force=TimeInForce.GTC)),
        ({"limit": "97"}, AlterEcho(limit_price=Decimal(98))),
        ({}, AlterEcho(stop_price=Decimal(98))),
        ({}, AlterEcho(client_order_id="somebody-else")),
        ({}, AlterEcho(replaces="another")),
    ],
    ids=lambda value: ", ".join(
        field
        for field in AlterEcho.__struct_fields__
        if isinstance(value, AlterEcho) and getattr(value, field) is not None
    ),
)
def test_an_answer_that_is_not_what_was_sent_halts_at_once_i27(
    wishes: dict[str, Any], altered: AlterEcho
) -> None:
    world = World(quiet(), plan_of(altered))
    life = begun(world)

    name = life.enter(3, **wishes)

    assert life.causes == {"echo_mismatch": HALTED}
    (cause,) = life.report.causes
    assert cause.detail.startswith(f"{name} came back altered: ")
    life.enter(1, bot="mom_AAPL_cross")
    assert (life.denials, world.submitted) == (["trading_is_open"], [name])
    life.run_for(2 * MINUTE)
    assert life.state is HALTED
    require_sound(world)


def test_an_order_that_was_found_by_a_look_is_held_against_what_was_sent_i19_i27() -> None:
    lost = struck(Lose(), what="OrderAccepted")
    world = World(quiet(), plan_of(lost, AlterEcho(quantity=Decimal(30))))
    life = begun(world)
    life.enter(3)

    life.run_closely(15 * SECOND + 1 * SECOND)  # unknown, and found by the first look
    life.run_closely(3 * SECOND)  # three comparisons, a second apart

    assert life.causes == {"reconciliation": HALTED}
    assert [kind for kind, _ in differences(life)] == [DifferenceKind.ORDER_CONTENT]
    require_sound(world)


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "in silence"])
def test_an_order_that_is_not_ours_halts_until_a_person_decides_i29_i60(is_told: bool) -> None:
    planted = struck(PlantOrder(order=BY_HAND), from_event=8)
    lost = struck(Lose(), what="OrderAccepted", client_order_id=BY_HAND.client_order_id)
    world = World(quiet(), plan_of(planted, *([] if is_told else [lost])))
    life = begun(world)
    ours = life.enter(3, limit="97")

    life.run_to(OPEN_AT + 10 * MINUTE)
    life.enter(1)

    assert life.state is HALTED
    assert life.causes["reconciliation"] is HALTED
    assert life.causes.keys() <= {"reconciliation", "impossible_order"}
    assert differences(life) == [(DifferenceKind.FOREIGN_ORDER, "sim-o-2")]
    assert life.denials == ["trading_is_open"]
    assert life.status_of(ours) == "canceled"
    # What is not ours is no business of ours: not even a cancel.
    assert world.asked(Cancel) == [Cancel(ours)]
    refused = life.resume("reconciliation")
    assert (refused.noted, len(refused.refused)) == ((), 1)
    assert life.state is HALTED
    require_sound(world)


@pytest.mark.parametrize(
    "fault",
    [
        PlantOrder(order=BY_HAND),
        DriftPosition(symbol="AAPL", quantity=Decimal(2)),
        DriftCash(amount=Decimal("-0.01")),
    ],
    ids=["order", "position", "cash"],
)
def test_what_changed_by_another_hand_while_the_engine_was_down_keeps_it_shut_i06_i29_i60_i61(
    tmp_path: Path, fault: Fault
) -> None:
    world = World(quiet(), plan_of(struck(fault, from_event=8)), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.enter(3)
    life.run_to(OPEN_AT + 8 * MINUTE)
    before = life.ledger.fills()
    life.die()
    world.pass_by(OPEN_AT + 10 * MINUTE)

    life = world.begin(with_bots=False)
    life.run_for(1 * MINUTE)
    life.enter(1)

    assert life.causes["reconciliation"] is HALTED
    assert life.denials == ["trading_is_open"]
    assert len(differences(life)) == 1
    assert life.ledger.fills() == before
    require_sound(world)


def test_an_older_ledger_is_refused_by_the_orders_at_the_venue_i06_i15_i60(tmp_path: Path) -> None:
    # As after a restore of state and journal together: neither of them knows of any later order.
    state, backup = tmp_path / "state", tmp_path / "backup"
    world = World(quiet(), ledger_path=state / "ledger.db")
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    life.die()
    shutil.copytree(state, backup)
    life = begun(world)
    life.run_for(1 * MINUTE)
    forgotten = life.enter(2, bot="mom_AAPL_cross", signal=7)
    life.run_for(2 * MINUTE)
    assert life.positions == {"mom_AAPL AAPL": 3, "mom_AAPL_cross AAPL": 2}
    life.die()
    shutil.rmtree(state)
    shutil.copytree(backup, state)

    life = world.begin(with_bots=False)
    life.run_for(1 * MINUTE)
    again = life.enter(2, bot="mom_AAPL_cross", signal=7)
    life.run_for(1 * MINUTE)

    assert life.causes["reconciliation"] is HALTED
    assert {kind for kind, _ in differences(life)} == {
        DifferenceKind.UNRECORDED_ORDER,
        DifferenceKind.POSITION,
        DifferenceKind.CASH,
    }
    assert again == forgotten
    assert life.denials == ["trading_is_open"]
    assert world.submitted.count(forgotten) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (DriftPosition(symbol="AAPL", quantity=Decimal(1)), DifferenceKind.POSITION),
        (DriftPosition(symbol="AAPL", quantity=Decimal(-3)), DifferenceKind.POSITION),
        (DriftPosition(symbol="MSFT", quantity=Decimal(1)), DifferenceKind.POSITION),
        (DriftCash(amount=Decimal("0.01")), DifferenceKind.CASH),
        (DriftCash(amount=Decimal(-500)), DifferenceKind.CASH),
    ],
    ids=["a share more", "all gone", "another symbol", "a cent", "a lot"],
)
def test_positions_and_cash_that_drift_halt_within_the_minute_and_are_not_mended_i60_i61(
    fault: Fault, kind: DifferenceKind
) -> None:
    world = World(quiet(), plan_of(struck(fault, from_event=9)))
    life = begun(world)
    life.enter(3)
    life.run_to(OPEN_AT + 9 * MINUTE)
    before = (life.causes, life.ledger.fills())

    life.run_for(2 * MINUTE)

    assert before[0] == {}
    assert life.causes == {"reconciliation": HALTED}
    assert [each for each, _ in differences(life)] == [kind]
    assert life.ledger.fills() == before[1]
    refused = life.resume("reconciliation")
    assert (refused.noted, len(refused.refused)) == ((), 1)
    assert refused.refused[0].startswith("reconciliation: it is still so; ")
    life.run_for(1 * MINUTE)
    assert life.causes == {"reconciliation": HALTED}
    require_sound(world)


def test_a_blocked_account_halts_within_the_minute_and_needs_a_word_when_it_is_over_i44() -> None:
    plan = plan_of(
        struck(BlockAccount(), from_event=7), struck(BlockAccount(reason=""), from_event=12)
    )
    world = World(quiet(), plan)
    life = begun(world)

    life.run_to(OPEN_AT + 9 * MINUTE)

    assert life.causes == {"account_blocked": HALTED}
    life.enter(1)
    assert (life.denials, world.submitted) == (["trading_is_open"], [])
    refused = life.resume("account_blocked")
    assert (refused.noted, len(refused.refused)) == ((), 1)
    assert refused.refused[0].startswith("account_blocked: it is still so; ")
    life.run_to(OPEN_AT + 15 * MINUTE)
    assert life.causes == {"account_blocked": HALTED}  # not by time alone
    assert life.resume("account_blocked").noted == ("account_blocked",)
    assert life.causes == {}
    require_sound(world)


def test_a_page_that_fails_once_is_read_again_and_halts_nobody_i62() -> None:
    world = World(quiet(), plan_of(struck(FailLook(), what="snapshot", times=2, from_event=7)))
    life = begun(world)
    life.enter(3)

    life.run_for(3 * MINUTE)

    (tried,) = [r for r in life.journal.events("reconciled") if r["tries"] > 1] or [{"tries": 3}]
    assert tried["tries"] == 3
    assert life.causes == {}
    require_agreement(world)


def test_a_venue_that_cannot_be_read_whole_three_times_is_not_well_and_halts_i60_i62() -> None:
    failing = struck(FailLook(), what="snapshot", times=5, from_event=7)
    world = World(quiet(), plan_of(failing))
    life = begun(world)
    life.enter(3)

    life.run_to(OPEN_AT + 9 * MINUTE)
    life.enter(1)

    assert life.causes == {"preflight": HALTED}
    assert life.report.causes[0].detail == (
        "gateway: the venue cannot be read: page 2 of the orders could not be read"
    )
    assert life.denials == ["trading_is_open"]
    life.run_for(5 * MINUTE)  # it can be read again by now; the cool-off has not passed
    assert life.causes == {"preflight": HALTED}
    require_sound(world)
    require_agreement(world)


def test_a_start_does_not_pass_while_the_venue_cannot_be_read_i06_i60_i62() -> None:
    world = World(quiet(), plan_of(struck(FailLook(), what="snapshot", times=30)))

    life = begun(world)
    life.enter(1)

    assert life.causes == {"start": HALTED}
    assert (life.denials, world.submitted) == (["trading_is_open"], [])
    for _ in range(20):
        life.run_for(1 * MINUTE)
        if not life.causes:
            break
    assert life.causes == {}
    assert life.status_of(life.enter(1)) == "accepted"
    require_sound(world)


def test_a_venue_that_does_not_answer_for_the_account_has_failed_after_15_s_i21_i73() -> None:
    ignored = struck(Ignore(), what="snapshot", times=None, from_event=7)
    world = World(quiet(), plan_of(ignored))
    life = begun(world)

    life.run_to(OPEN_AT + 7 * MINUTE)
    life.run_closely(30 * SECOND + 3 * 15 * SECOND + 2 * SECOND + 5 * SECOND)

    assert life.causes == {"preflight": HALTED}
    assert life.report.causes[0].detail == (
        "gateway: the venue cannot be read: no answer within 15 s"
    )
    first, second, third, *_ = world.came_at(TakeSnapshot, since=OPEN_AT + 7 * MINUTE)
    assert (second - first, third - second) == (16 * SECOND, 16 * SECOND)
    require_sound(world)


def test_an_account_without_its_equity_goes_by_our_own_figures_i37_i60() -> None:
    world = World(quiet(), plan_of(struck(HideEquity(), times=None)))
    life = begun(world)
    life.enter(3)

    life.run_for(10 * MINUTE)

    assert life.causes == {}
    require_agreement(world)


@pytest.mark.parametrize("extra", [Decimal(1), Decimal("0.5")])
def test_more_executed_than_was_ordered_is_recorded_and_halts_i22_i23(extra: Decimal) -> None:
    world = World(quiet(), plan_of(Overfill(extra=extra)))
    life = begun(world)
    name = life.enter(3)

    life.run_for(2 * MINUTE)

    assert life.causes["impossible_order"] is HALTED
    (report,) = life.journal.events("report_impossible")
    assert (report["client_order_id"], report["content"].fill.quantity) == (name, 3 + extra)
    # Nothing is clamped: the record does not say that three were bought.
    assert life.positions == {}
    assert (DifferenceKind.POSITION, "AAPL") in differences(life)
    life.enter(1)
    assert life.denials == ["trading_is_open"]
    require_sound(world)


def test_a_fill_of_an_order_that_was_rejected_is_recorded_and_halts_i22() -> None:
    # Refused, because the account is blocked for a moment, and executed all the same.
    plan = plan_of(
        struck(BlockAccount(), from_event=7),
        struck(BlockAccount(reason=""), from_event=8),
        FillRefused(),
    )
    world = World(quiet(), plan)
    life = world.begin(with_bots=False)
    life.run_to(OPEN_AT + 7 * MINUTE + 1)
    name = life.enter(3)
    rejected = life.status_of(name)

    life.run_for(2 * MINUTE)

    assert rejected == life.status_of(name) == "rejected"
    assert life.causes["impossible_order"] is HALTED
    assert life.positions == {}
    assert world.positions == {"AAPL": 3}
    require_sound(world)


def test_record_and_venue_are_compared_at_least_every_30_s_while_orders_work_i47_i60() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3, limit="97")

    life.run_closely(5 * MINUTE)

    asked_at = world.came_at(TakeSnapshot, since=ENTRY_AT)
    gaps = {after - before for before, after in pairwise(asked_at)}
    assert (len(asked_at), gaps) == (10, {30 * SECOND})


def test_the_bots_trades_are_the_same_whatever_becomes_of_the_reports_i23_i24_i61() -> None:
    market = market_of(bars_of([100.0] * 10 + rising(30) + rising(20, from_price=101.5)))
    plain, troubled = World(market), World(market, plan_of(struck(Repeat(copies=3), times=None)))
    for world in (plain, troubled):
        world.begin().run_out()

    first, second = plain.lives[0].ledger, troubled.lives[0].ledger
    assert len(first.fills()) == 2
    assert first.state_hash() == second.state_hash()
    require_sound(troubled)
    require_agreement(troubled)


def test_what_is_approved_while_the_record_is_read_again_stays_counted_i31_i33() -> None:
    # An operator settled something, so the guardian reads the record again; meanwhile it judges.
    world = World(quiet())
    life = begun(world)
    before = life.enter(2, bot="mom_AAPL_cross", limit="97")
    reserved = life.heat

    life.runtime.tell(paths.RISK_GUARDIAN, RecordChanged())
    name = life.enter(3, limit="97")

    open_orders = life.view(paths.RISK_GUARDIAN)["open_orders"]
    assert sorted(open_orders) == sorted([before, *([name] if name in world.submitted else [])])
    assert life.heat != "0"
    assert (life.heat == reserved) is (name not in world.submitted)


@pytest.mark.parametrize("is_same", [True, False], ids=["the same", "of another price"])
def test_an_execution_that_the_venue_lists_under_another_name_is_not_booked_again_i23_i61(
    is_same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = MisbehavingExchange._snapshot

    def renamed(
        venue: MisbehavingExchange, number: int, since: int, at: int
    ) -> SnapshotTaken | SnapshotFailed:
        taken = honest(venue, number, since, at)
        if not isinstance(taken, SnapshotTaken):
            return taken
        fills = tuple(
            structs.replace(
                fill,
                execution_id=f"activity-{fill.execution_id}",
                price=fill.price if is_same else fill.price + 1,
            )
            for fill in taken.snapshot.fills
        )
        return structs.replace(taken, snapshot=structs.replace(taken.snapshot, fills=fills))

    monkeypatch.setattr(MisbehavingExchange, "_snapshot", renamed)
    world = World(quiet(), plan_of(struck(FillPart(share=Decimal("0.2")), times=None)))
    life = begun(world)
    life.enter(10)
    while not life.positions:
        life.run_closely(SECOND)
    held = dict(life.positions)

    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(10 * SECOND)
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(40 * SECOND)

    assert life.positions["mom_AAPL AAPL"] == world.positions["AAPL"] >= held["mom_AAPL AAPL"]
    assert life.causes == ({} if is_same else {"reconciliation": HALTED})
