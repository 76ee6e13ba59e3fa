"""Orders of which nobody can say what became of them: a venue that takes them and does not answer.

The in-process venue has no connection that could break or hang, but it can take an order and never
say a word, hide it, or fail to look for it, which is all that an engine sees of time-outs, resets
and 5xx. What comes with a real broker are the deadlines of the calls themselves.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.runtime.system import Resume as Unsuspend
from hydra.runtime.system import Suspend
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import FailLook, Hide, Ignore, Lose, PlantOrder, RejectLater
from hydra.venues.simulated.requests import Cancel, LookUp
from supervisors import paths
from tests.engine.harness import ENTRY_AT, Life, World, begun, plan_of, quiet, settings_with, struck
from tests.engine.judge import require_agreement, require_sound

ACCEPTANCE_LOST = struck(Lose(), what="OrderAccepted")
ANSWER_OVERDUE = 15 * SECOND
GIVEN_UP = 57 * SECOND
"""From the send: 15 s without an answer, the looks of 40 s that it takes, and the snapshot."""


def test_an_order_not_answered_for_15_s_is_unknown_and_is_looked_up_not_resent_i17_i21() -> None:
    world = World(quiet(), plan_of(ACCEPTANCE_LOST))
    life = begun(world)
    name = life.enter(3)

    life.advance(ANSWER_OVERDUE - 1)
    before = life.status_of(name)
    life.advance(1)
    at_the_deadline = life.status_of(name)
    life.advance(2 * SECOND)

    assert (before, at_the_deadline, life.status_of(name)) == ("attempted", "unknown", "accepted")
    assert [each.reason for each in life.told("OrderUnknown")] == [
        "the venue has not answered for 15 s"
    ]
    assert world.asked(LookUp) == [LookUp(name)]
    assert world.submitted == [name]
    life.run_for(2 * MINUTE)
    assert (life.causes, life.positions) == ({}, {"mom_AAPL AAPL": 3})
    require_sound(world)
    require_agreement(world)


def test_a_look_that_cannot_be_made_proves_nothing_and_the_snapshot_finds_it_i19() -> None:
    world = World(quiet(), plan_of(ACCEPTANCE_LOST, struck(FailLook(), what="look_up", times=None)))
    life = begun(world)
    name = life.enter(3)
    life.advance(20 * SECOND)
    while_looks_fail = life.status_of(name)

    life.advance(12 * SECOND)  # the periodic comparison is among them

    assert (while_looks_fail, life.status_of(name)) == ("unknown", "accepted")
    assert len(life.journal.events("look_failed")) >= 2
    life.run_for(1 * MINUTE)
    assert (life.causes, life.positions) == ({}, {"mom_AAPL AAPL": 3})
    require_sound(world)
    require_agreement(world)


def test_an_order_that_ended_unseen_is_found_by_a_snapshot_that_reaches_back_i19_i62() -> None:
    # Rejected by the market a minute later, which nobody is told; and for a while nobody sees it,
    # so that comparisons in between are clean.
    plan = plan_of(
        ACCEPTANCE_LOST,
        RejectLater(),
        struck(Lose(), what="OrderRejected"),
        Hide(for_ns=68 * SECOND),
        struck(FailLook(), what="look_up", times=None),
    )
    settings = settings_with({"guards.deadlines.reconcile_every_seconds": 5})
    world = World(quiet(), plan, settings=settings)
    life = begun(world)
    name = life.enter(3)

    life.run_closely(67 * SECOND)
    unseen = life.status_of(name)
    life.run_closely(6 * SECOND)

    assert (unseen, life.status_of(name)) == ("unknown", "rejected")
    assert (life.causes, world.submitted) == ({}, [name])
    require_sound(world)
    require_agreement(world)


def test_while_an_order_is_unknown_its_budget_is_reserved_and_nothing_adds_risk_there_i19_i33() -> (
    None
):
    world = World(quiet(), plan_of(ACCEPTANCE_LOST, Hide(for_ns=40 * SECOND)))
    life = begun(world)
    name = life.enter(3)
    reserved = life.heat

    life.advance(20 * SECOND)
    life.enter(1)
    life.enter(1, bot="mom_AAPL_cross")

    assert (life.status_of(name), life.heat) == ("unknown", reserved)
    assert life.denials == ["no_outcome_is_unknown", "no_outcome_is_unknown"]
    life.advance(30 * SECOND)
    assert (life.status_of(name), life.heat) == ("accepted", reserved)
    assert life.status_of(life.enter(1, bot="mom_AAPL_cross")) == "accepted"
    life.run_for(2 * MINUTE)
    assert life.positions == {"mom_AAPL AAPL": 3, "mom_AAPL_cross AAPL": 1}
    require_sound(world)
    require_agreement(world)


def test_a_position_can_be_left_while_an_entry_in_its_symbol_is_unknown_i19() -> None:
    world = World(quiet(), plan_of(struck(Ignore(), what="submit", leg="-e", from_event=8)))
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    life.enter(2, bot="mom_AAPL_cross")
    life.advance(16 * SECOND)

    life.exit(3)

    # The venue would refuse it beside an entry that may be live, so the entry is taken out first.
    assert life.denials == ["no_order_opposes"]
    assert len(life.journal.events("cancel_requested")) == 1
    life.run_for(70 * SECOND)  # the entry is given up
    life.exit(3)
    life.run_for(1 * MINUTE)
    assert life.positions == {}
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("hidden_s", [0, 10, 30, 50])
def test_an_order_that_shows_itself_within_the_settle_window_is_as_if_answered_i19(
    hidden_s: int,
) -> None:
    world = World(quiet(), plan_of(ACCEPTANCE_LOST, Hide(for_ns=hidden_s * SECOND)))
    life = begun(world)
    name = life.enter(3, limit="97")
    reserved = life.heat

    seen = followed(life, name, seconds=120)

    assert [status for status, _ in seen] == ["attempted", "unknown", "accepted"]
    assert {heat for _, heat in seen} == {reserved}
    assert (life.causes, world.submitted) == ({}, [name])
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("hidden_s", [60, 90, 120])
def test_an_order_that_shows_itself_after_it_was_given_up_halts_and_is_taken_out_i10_i19(
    hidden_s: int,
) -> None:
    world = World(quiet(), plan_of(ACCEPTANCE_LOST, Hide(for_ns=hidden_s * SECOND)))
    life = begun(world)
    name = life.enter(3, limit="97")

    seen = [status for status, _ in followed(life, name, seconds=180)]

    assert seen == ["attempted", "unknown", "absent", "canceled"]
    assert [each.client_order_id for each in life.told("OrderAccepted")] == [name]
    assert life.causes == {"absent_order_lives": TradingState.HALTED}
    assert len(life.journal.events("order_given_up")) == 1
    assert (life.status_of(name), world.asked(Cancel)) == ("canceled", [Cancel(name)])
    assert world.submitted == [name]
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("hidden_s", [60, 90, 120])
def test_the_budget_of_an_order_is_not_freed_while_it_lives_unseen_i19_i33(hidden_s: int) -> None:
    world = World(quiet(), plan_of(ACCEPTANCE_LOST, Hide(for_ns=hidden_s * SECOND)))
    life = begun(world)
    name = life.enter(3, limit="97")
    reserved = life.heat

    seen = followed(life, name, seconds=hidden_s)

    assert {heat for _, heat in seen} == {reserved}


def test_an_order_that_never_arrived_is_given_up_and_reported_after_the_settle_window_i19() -> None:
    world = World(quiet(), plan_of(struck(Ignore(), what="submit")))
    life = begun(world)
    name = life.enter(3)

    life.advance(GIVEN_UP - 3 * SECOND)
    before = life.status_of(name)
    life.advance(3 * SECOND)

    assert (before, life.status_of(name)) == ("unknown", "absent")
    (given_up,) = life.journal.events("order_given_up")
    assert (given_up["client_order_id"], str(given_up["reason"])[:8]) == (name, "7 looks ")
    assert life.causes == {}
    assert life.status_of(life.enter(1)) == "accepted"  # another decision is another order
    assert world.submitted[:1] == [name]
    assert world.submitted.count(name) == 1
    require_sound(world)


def test_what_is_unknown_for_60_s_halts_and_no_word_clears_it_while_it_is_so_i04_i19() -> None:
    # Looks cannot be made, snapshots do not have it, and the venue hears no cancel.
    plan = plan_of(
        ACCEPTANCE_LOST,
        Hide(for_ns=200 * SECOND),
        struck(FailLook(), what="look_up", times=None),
        struck(Ignore(), what="cancel", times=None),
    )
    world = World(quiet(), plan)
    life = begun(world)
    name = life.enter(3, limit="97")

    life.run_for(ANSWER_OVERDUE + 60 * SECOND - 1)
    before = life.causes
    life.run_for(1)

    assert (before, life.causes) == ({}, {"unknown_outcome": TradingState.HALTED})
    noted = life.resume("unknown_outcome")
    assert (noted.noted, len(noted.refused)) == ((), 1)
    assert noted.refused[0].startswith("unknown_outcome: it is still so; ")
    assert (life.state, life.status_of(name)) == (TradingState.HALTED, "unknown")
    life.run_for(3 * MINUTE)  # a snapshot has it
    assert (life.state, life.status_of(name)) == (TradingState.HALTED, "accepted")
    assert life.resume("unknown_outcome").noted == ("unknown_outcome",)
    # It still hears no cancel, which is another matter; and for so long it said nothing at all.
    assert life.causes == {
        "cancel_pending:AAPL": TradingState.CLOSE_ONLY,
        "router_idle": TradingState.CLOSE_ONLY,
    }
    assert world.submitted == [name]
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("hidden_s", [0, 30])
def test_an_order_that_was_not_answered_when_the_process_died_is_looked_up_by_the_next_i14_i19(
    tmp_path: Path, hidden_s: int
) -> None:
    plan = plan_of(ACCEPTANCE_LOST, Hide(for_ns=hidden_s * SECOND))
    world = World(quiet(), plan, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    name = life.enter(3, limit="97")
    reserved = life.heat
    life.die()

    life = world.begin(with_bots=False)
    at_first = life.heat
    life.run_for(1 * MINUTE)

    assert at_first == life.heat == reserved
    assert [each.reason for each in life.told("OrderUnknown")] == [
        "the engine ended before it was answered"
    ]
    assert (life.status_of(name), world.submitted) == ("accepted", [name])
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_an_order_on_record_that_was_never_sent_is_not_sent_by_the_next_process_i14_i17_i74(
    tmp_path: Path,
) -> None:
    # The process dies between the commit of the attempt and the send.
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.runtime.cells[paths.BROKER_GATEWAY.path].tell_system(Suspend())
    name = life.enter(3)
    stored = life.status_of(name)
    life.die()

    life = world.begin(with_bots=False)
    life.run_for(GIVEN_UP + 5 * SECOND)

    assert (stored, life.status_of(name)) == ("attempted", "absent")
    assert world.submitted == []
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_an_approval_that_waited_for_more_than_30_s_is_not_sent_and_frees_its_budget_i14_i33() -> (
    None
):
    # With a loop of ten minutes nobody notices before that the gateway hangs.
    world = World(quiet(), settings=settings_with({"runner.loop_interval_seconds": 600}))
    life = begun(world)
    gateway = life.runtime.cells[paths.BROKER_GATEWAY.path]
    gateway.tell_system(Suspend())
    late = life.enter(3, limit="97")
    reserved = life.heat
    life.advance(20 * SECOND)
    in_time = life.enter(2, limit="97")

    life.advance(11 * SECOND)
    gateway.tell_system(Unsuspend())
    life.runtime.settle()

    assert (life.status_of(late), life.status_of(in_time)) == ("withheld", "accepted")
    assert [each.reason for each in life.told("OrderWithheld")] == [
        "the approval expired 1000 ms ago"
    ]
    assert world.submitted == [in_time]
    assert Decimal(life.heat) == Decimal(reserved) * 2 / 3
    require_sound(world)
    require_agreement(world)


def test_a_search_that_a_crash_cut_short_goes_on_in_the_next_process_i19_i59(
    tmp_path: Path,
) -> None:
    plan = plan_of(ACCEPTANCE_LOST, Hide(for_ns=50 * SECOND))
    world = World(quiet(), plan, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    name = life.enter(3, limit="97")
    life.advance(20 * SECOND)
    unknown = life.status_of(name)
    life.die()

    life = world.begin(with_bots=False)
    again = life.status_of(name)
    life.advance(40 * SECOND)

    assert (unknown, again, life.status_of(name)) == ("unknown", "unknown", "accepted")
    assert (life.causes, world.submitted) == ({}, [name])
    require_sound(world)
    require_agreement(world)


def test_that_its_name_is_taken_means_that_the_order_exists_not_that_it_is_rejected_i18() -> None:
    # How it got there is nobody's business here: the venue has an order of this name and content,
    # and has told nobody.
    name = begun(World(quiet())).enter(3, limit="97", signal=7)
    there = Order(
        client_order_id=name,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(3),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(97),
    )
    planted = struck(PlantOrder(order=there), from_event=7)
    world = World(quiet(), plan_of(planted, ACCEPTANCE_LOST))
    life = world.begin(with_bots=False)
    life.run_to(ENTRY_AT + 1 * MINUTE)

    assert life.enter(3, limit="97", signal=7) == name
    life.advance(5 * SECOND)

    assert life.told("OrderRejected") == []
    assert (life.status_of(name), world.submitted) == ("accepted", [name])
    assert life.causes == {}
    require_agreement(world)


def followed(life: Life, name: str, *, seconds: int) -> list[tuple[str | None, str]]:
    """Each new pair of the order's status and the heat, looked at every second."""
    seen = [(life.status_of(name), life.heat)]
    for _ in range(seconds):
        life.run_for(1 * SECOND)
        now = (life.status_of(name), life.heat)
        if now != seen[-1]:
            seen.append(now)
    return seen
