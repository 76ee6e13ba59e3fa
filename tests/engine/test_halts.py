"""What a halt does to a running engine, what survives it, and what ends it.

The kill switch, the exit codes and the marker on the disk are tested where they live; here it is
what the guardian, the gate, the gateway and the record make of a cause, over several lives.
"""

from pathlib import Path

import msgspec
import pytest

from hydra.actor import MINUTE, SECOND
from hydra.settings.bot_parts import ProtectiveOrder
from hydra.settings.section import ResumePolicy
from hydra.trading.causes import API_FAILURES, COOLDOWN, ECHO_MISMATCH, THROTTLE
from hydra.trading.orders import Role
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.venues.simulated.faults import FailLook, HoldCancel, Ignore, Lose
from hydra.venues.simulated.requests import Cancel, Submit
from messages.control import OPERATOR_RESUME, Resume
from supervisors import paths
from tests.engine.harness import (
    CLOSE_AT,
    OPEN_AT,
    WIDE,
    Gibberish,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    rising,
    settings_with,
    struck,
)
from tests.engine.judge import require_agreement, require_sound
from tests.engine.scenery import protected_by

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED


def operators(state: TradingState, code: str = "operator-halt", at: int = OPEN_AT) -> Cause:
    return Cause(
        code=code, cause_class=CauseClass.INTEGRITY, state=state, since=at, detail="looks wrong"
    )


class Conditions:
    """What watches outside of the actors find, as the test says."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def present(self) -> frozenset[str]:
        return frozenset(self.found)


def test_a_halt_takes_the_entries_out_and_leaves_the_exits_i10_i11() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    exit_ = life.exit(2, limit="103")
    entry = life.enter(1, bot="mom_AAPL_cross", limit="97")
    assert (life.status_of(exit_), life.status_of(entry)) == ("accepted", "accepted")

    life.halt(operators(HALTED))

    assert (life.status_of(exit_), life.status_of(entry)) == ("accepted", "canceled")
    assert world.asked(Cancel) == [Cancel(entry)]
    life.run_closely(2 * MINUTE)
    assert [each.order.client_order_id for each in world.exchange.engine.open_orders] == [exit_]
    assert len(world.asked(Cancel)) == 1
    require_sound(world)
    require_agreement(world)


def resting(world: World, orders: int) -> tuple[Life, list[str]]:
    """A life with so many entries that rest; no two that are alike within five seconds."""
    life = begun(world)
    names = []
    for number in range(orders):
        bot = ("mom_AAPL", "mom_AAPL_cross")[number % 2]
        names.append(life.enter(1 + number % 10, bot=bot, limit="97", protective_stop="96.99"))
        life.run_for(SECOND if number % 2 else 0)
    assert life.denials == []
    assert {life.status_of(name) for name in names} == {"accepted"}
    return life, names


def test_a_kill_takes_100_resting_entries_out_within_a_second_i10() -> None:
    world = World(quiet(), settings=settings_with(WIDE))
    life, names = resting(world, 100)

    life.halt(operators(HALTED))

    assert {life.status_of(name) for name in names} == {"canceled"}
    assert sorted(each.client_order_id for each in world.asked(Cancel)) == sorted(names)
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("seed", range(3))
def test_cancels_that_fail_are_asked_for_again_and_what_is_left_after_60_s_is_listed_i10_i36(
    seed: int,
) -> None:
    # Three in ten come to nothing, as with answers of 429 and 500.
    deaf = struck(Ignore(), what="cancel", times=None, rate=0.3)
    world = World(quiet(), plan_of(deaf, seed=seed), settings=settings_with(WIDE))
    life, names = resting(world, 100)
    halted_at = life.now

    life.halt(operators(HALTED))
    after_the_first = [name for name in names if life.status_of(name) != "canceled"]
    life.run_closely(60 * SECOND)
    after_a_minute = [name for name in names if life.status_of(name) != "canceled"]
    listed = list(life.view(paths.RISK_GUARDIAN)["cancels_overdue"])
    life.run_closely(60 * SECOND)

    assert 10 < len(after_the_first) < 60
    assert sorted(after_a_minute) == sorted(listed)
    assert {life.status_of(name) for name in names} == {"canceled"}
    assert max(cancels_within_a_minute(world, halted_at)) <= 120
    require_sound(world)
    require_agreement(world)


def cancels_within_a_minute(world: World, since: int) -> list[int]:
    """For each cancel how many there were in the minute before it."""
    times = world.came_at(Cancel, since)
    return [sum(at - MINUTE < other <= at for other in times) for at in times]


def test_a_cancel_that_stays_pending_leaves_the_order_counted_as_live_and_is_listed_i10_i25() -> (
    None
):
    world = World(quiet(), plan_of(HoldCancel(events=None)))
    life = begun(world)
    name = life.enter(3, limit="97")
    counted = life.heat

    life.halt(operators(HALTED))
    life.run_closely(59 * SECOND)
    before = life.journal.events("cancel_overdue")
    life.run_closely(2 * SECOND)

    assert before == []
    (overdue,) = life.journal.events("cancel_overdue")
    assert (overdue["client_order_id"], life.status_of(name)) == (name, "accepted")
    assert life.heat == counted != "0"
    life.run_closely(10 * MINUTE)
    assert life.heat == counted
    assert len(life.journal.events("cancel_overdue")) == 1  # said once, and asked for again
    assert len(world.asked(Cancel)) >= 100
    require_sound(world)
    require_agreement(world)


def test_a_fill_that_overtakes_the_cancel_counts_and_belongs_to_its_bot_i10_i25() -> None:
    # The cancel takes effect after the second bar; the first one reaches the limit.
    data = market_of(bars_of([100.0] * 7 + [96.0, 96.0, 96.0, 96.0]))
    world = World(data, plan_of(HoldCancel(events=2)))
    life = begun(world)
    name = life.enter(3, limit="97")

    life.halt(operators(HALTED))
    pending = life.status_of(name)
    life.run_for(3 * MINUTE)

    assert (pending, life.status_of(name)) == ("accepted", "filled")
    assert life.positions == {"mom_AAPL AAPL": 3}
    assert life.causes == {"operator-halt": HALTED}
    require_sound(world)
    require_agreement(world)


def test_what_is_unknown_when_the_kill_comes_is_canceled_too_and_its_end_is_found_i10_i19() -> None:
    world = World(
        quiet(), plan_of(struck(Lose(), what="OrderAccepted"), struck(Lose(), what="OrderCanceled"))
    )
    life = begun(world)
    name = life.enter(3, limit="97")
    life.run_closely(15 * SECOND)
    unknown = life.status_of(name)

    life.halt(operators(HALTED))
    life.run_closely(10 * SECOND)

    assert (unknown, life.status_of(name)) == ("unknown", "canceled")
    assert world.asked(Cancel) == [Cancel(name)]
    require_sound(world)
    require_agreement(world)


def test_a_cause_of_one_bot_takes_out_its_entries_only_i10() -> None:
    world = World(quiet())
    life = begun(world)
    first = life.enter(3, limit="97")
    second = life.enter(3, bot="mom_AAPL_cross", limit="97")

    life.halt(COOLDOWN.cause(subject="mom_AAPL", since=life.now, detail="a streak of losses"))
    life.run_for(5 * SECOND)
    life.enter(1)
    other = life.enter(1, bot="mom_AAPL_cross", limit="96")

    assert (life.status_of(first), life.status_of(second)) == ("canceled", "accepted")
    assert (life.denials, life.status_of(other)) == (["trading_is_open"], "accepted")
    assert (life.state, life.causes) == (ACTIVE, {"cooldown:mom_AAPL": CLOSE_ONLY})
    life.run_for(20 * MINUTE)
    assert life.causes == {"cooldown:mom_AAPL": CLOSE_ONLY}


@pytest.mark.parametrize("scope", ["all", "one bot"])
def test_the_next_process_goes_on_taking_out_what_the_one_before_could_not_i02_i10(
    tmp_path: Path, scope: str
) -> None:
    deaf = struck(Ignore(), what="cancel", times=1)
    world = World(quiet(), plan_of(deaf), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    name = life.enter(3, limit="97")
    cause = (
        operators(HALTED)
        if scope == "all"
        else COOLDOWN.cause(subject="mom_AAPL", since=life.now, detail="a streak of losses")
    )
    life.halt(cause)
    left = life.status_of(name)
    life.die()

    life = world.begin(with_bots=False)
    life.run_closely(5 * SECOND)

    assert (left, life.status_of(name)) == ("accepted", "canceled")
    assert world.asked(Cancel) == [Cancel(name)] * 2
    require_sound(world)
    require_agreement(world)


def test_a_halt_is_acknowledged_when_it_is_durable_and_nothing_is_in_flight_any_more_i01_i02() -> (
    None
):
    world = World(quiet())
    life = begun(world)

    life.halt(operators(HALTED))

    report = life.report
    assert (report.durable, report.is_drained) == (("operator-halt",), True)
    assert [cause.code for cause in life.ledger.halts()] == ["operator-halt"]
    events = [r["event"] for r in life.journal.records]
    assert events.index("halt_latched") < events.index("halt_recorded")


@pytest.mark.parametrize("state", [CLOSE_ONLY, HALTED])
def test_a_halt_stands_with_its_cause_and_time_over_five_restarts_and_fifty_days_i02_i04(
    tmp_path: Path, state: TradingState
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    halted_at = life.now
    life.halt(operators(state, at=halted_at))
    cause = life.report.causes
    life.die()

    for _ in range(5):
        life = world.begin(with_bots=False)
        life.run_for(1 * MINUTE)
        assert (life.report.causes, life.state) == (cause, state)
        life.enter(1)
        assert life.denials == ["trading_is_open"]
        life.die()
        world.pass_by(world.now + 10 * 24 * 60 * MINUTE)  # and nobody has looked

    assert world.submitted == []
    require_nothing_was_cleared(world)


def require_nothing_was_cleared(world: World) -> None:
    for life in world.lives:
        cleared = [record["code"] for record in life.journal.events("halt_cleared")]
        assert cleared == ["start"]


def test_what_was_latched_and_not_yet_durable_when_the_process_died_was_not_acknowledged_i02(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.runtime.gate.trip(operators(HALTED))  # nothing of the engine has run since
    acknowledged = life.journal.events("halt_recorded")
    life.die()

    life = world.begin(with_bots=False)

    assert acknowledged == []
    assert (
        life.causes == {}
    )  # what nobody was told may be gone; the marker on the disk is elsewhere


def test_of_several_causes_each_goes_by_itself_and_the_worst_that_stands_counts_i05_i07() -> None:
    world = World(quiet())
    life = begun(world)
    life.halt(operators(CLOSE_ONLY, "operator-close-only"))
    life.halt(operators(HALTED))
    both = (life.state, life.causes)

    life.resume("operator-halt")
    one_less = (life.state, life.causes)
    life.resume("operator-close-only")

    assert both == (HALTED, {"operator-close-only": CLOSE_ONLY, "operator-halt": HALTED})
    assert one_less == (CLOSE_ONLY, {"operator-close-only": CLOSE_ONLY})
    assert (life.state, life.causes) == (ACTIVE, {})
    assert life.status_of(life.enter(1)) == "accepted"
    require_sound(world)


def test_the_gate_keeps_shut_for_a_limit_where_an_operator_s_halt_goes_i05() -> None:
    life = begun(World(quiet()))
    limit = API_FAILURES.cause(since=OPEN_AT, detail="5 calls failed within 60 s")
    life.halt(limit)
    life.halt(operators(HALTED))

    life.resume("operator-halt")

    assert life.causes == {"api_failures": HALTED}
    assert (life.state, life.runtime.gate.standing()) == (HALTED, (limit,))


def test_what_an_operator_clears_is_on_record_with_the_reason_and_the_evidence_i04_i89(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(operators(HALTED))

    noted = life.resume("operator-halt", reason="the screen was upside down")

    assert noted.noted == ("operator-halt",)
    cleared = life.journal.events("halt_cleared")[-1]
    assert str(cleared["reason"]).startswith(
        "ada: the screen was upside down; preflight and reconciliation passed: "
    )
    assert life.ledger.halts() == ()
    life.die()
    assert world.begin(with_bots=False).causes == {}


def test_a_word_without_a_reason_clears_nothing_i04() -> None:
    life = begun(World(quiet()))
    life.halt(operators(HALTED))

    life.resume("operator-halt", reason="  ")

    assert life.causes == {"operator-halt": HALTED}


@pytest.mark.parametrize("second", ["kill:one", "kill:two"])
def test_two_operators_at_once_each_let_go_what_they_named_and_nothing_else_i04_i05(
    second: str,
) -> None:
    life = begun(World(quiet()))
    for code in ("kill:one", "kill:two", "kill:three"):
        life.halt(operators(HALTED, code))

    for operator, code in (("ada", "kill:one"), ("bob", second)):
        word = Resume(reason=f"{operator} has looked", operator=operator, codes=(code,))
        life.runtime.tell(paths.RISK_GUARDIAN, word)
    life.advance(6 * SECOND)

    named = {"kill:one", second}
    assert life.causes == dict.fromkeys({"kill:one", "kill:two", "kill:three"} - named, HALTED)
    cleared = [line for line in life.journal.events("halt_cleared") if line["code"] in named]
    assert {line["code"]: str(line["reason"])[:3] for line in cleared} == {
        "kill:one": "ada" if second == "kill:two" else "bob",
        second: "bob",
    }


def test_a_word_for_what_does_not_stand_or_is_still_so_is_refused_i04_i05() -> None:
    conditions = Conditions()
    life = begun(World(quiet()), conditions=conditions)
    life.halt(operators(HALTED, "kill:file"))
    conditions.found.add("kill:file")

    unknown = life.resume("daily_loss")
    present = life.resume("kill:file")
    while_present = life.causes
    conditions.found.clear()
    life.advance(30 * SECOND)
    without_a_word = life.causes
    accepted = life.resume("kill:file")

    assert unknown.refused == ("daily_loss: there is no such cause; what stands: kill:file",)
    assert (present.noted, len(present.refused)) == ((), 1)
    assert present.refused[0].startswith("kill:file: it is still so; ")
    assert while_present == without_a_word == {"kill:file": HALTED}
    assert (accepted.noted, life.causes) == (("kill:file",), {})


def test_a_word_does_not_reach_a_cause_that_comes_up_after_it_i04() -> None:
    world = World(quiet())
    life = begun(world)
    life.halt(operators(HALTED))
    word = life.ask_to_resume("operator-halt")
    again = operators(HALTED, at=life.now)
    life.runtime.gate.trip(again)
    life.advance(30 * SECOND)

    assert word.noted == ("operator-halt",)
    assert life.causes == {"operator-halt": HALTED}


def test_a_word_does_not_reach_what_an_actor_finds_once_more_after_it_i04_i05() -> None:
    life = begun(World(quiet()))
    life.halt(ECHO_MISMATCH.cause(since=life.now, detail="one order came back altered"))
    word = life.ask_to_resume("echo_mismatch")
    life.halt(ECHO_MISMATCH.cause(since=life.now, detail="and another one"))
    life.advance(30 * SECOND)

    assert word.noted == ("echo_mismatch",)
    assert life.causes == {"echo_mismatch": HALTED}
    assert life.resume("echo_mismatch").noted == ("echo_mismatch",)
    assert life.causes == {}


def test_a_word_given_at_rest_does_not_reach_what_comes_up_after_it_over_a_restart_i02_i04(
    tmp_path: Path,
) -> None:
    # One of the two that it lets go has its time to wait for, so that it stays on record meanwhile.
    world = World(quiet(60), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(COOLDOWN.cause(subject="mom_AAPL", since=life.now, detail="a streak of losses"))
    life.halt(THROTTLE.cause(subject="mom_AAPL_cross", since=life.now, detail="20 round trips"))
    codes = tuple(life.causes)
    life.die()
    kept_for_the_next_start(world, *codes)

    life = begun(world)
    once_carried_out = life.causes
    life.halt(THROTTLE.cause(subject="mom_AAPL_cross", since=life.now, detail="20 more"))
    life.run_for(1 * MINUTE)
    anew = life.causes
    life.die()
    life = begun(world)
    life.run_for(1 * MINUTE)
    after_a_restart = life.causes
    life.run_to(OPEN_AT + 40 * MINUTE)

    assert codes == ("cooldown:mom_AAPL", "throttle:mom_AAPL_cross")
    assert once_carried_out == {"cooldown:mom_AAPL": CLOSE_ONLY}
    assert anew == after_a_restart == dict.fromkeys(codes, CLOSE_ONLY)
    assert life.causes == {"throttle:mom_AAPL_cross": CLOSE_ONLY}
    assert life.ledger.get(OPERATOR_RESUME) == ""


def kept_for_the_next_start(world: World, *codes: str) -> None:
    """What `resume` leaves on record where no engine runs."""
    ledger = world.open_ledger()
    word = Resume(reason="looked into", operator="ada", codes=codes)
    ledger.put(OPERATOR_RESUME, msgspec.json.encode(word).decode(), world.now)
    ledger.commit()
    ledger.close()


LASTS = Cause(
    code="preflight", cause_class=CauseClass.LIMIT, state=HALTED, since=OPEN_AT, detail="a test"
)
"""It is not over for hours, whatever is said of it."""


def test_a_word_kept_for_the_next_start_is_used_up_cause_by_cause_i04_i05(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(operators(HALTED))
    life.halt(LASTS)
    life.die()
    kept_for_the_next_start(world, "operator-halt", "preflight")
    life = world.begin(with_bots=False)
    life.advance(30 * SECOND)
    let_go = life.causes

    life.halt(operators(HALTED, at=life.now))  # hours later, maybe, and for another reason
    life.die()
    life = world.begin(with_bots=False)
    life.advance(30 * SECOND)

    assert let_go == {"preflight": HALTED}
    assert life.causes == {"operator-halt": HALTED, "preflight": HALTED}
    assert life.report.noted == ("preflight",)


def test_a_word_kept_for_the_next_start_does_not_reach_a_halt_of_after_that_start_i04(
    tmp_path: Path,
) -> None:
    conditions = Conditions()
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(operators(HALTED, "kill:file"))
    life.die()
    kept_for_the_next_start(world, "kill:file")
    conditions.found.add("kill:file")  # nothing is cleared by the word yet
    life = world.begin(with_bots=False, conditions=conditions)
    noted = life.report.noted

    life.runtime.gate.trip(operators(HALTED, "kill:file", at=life.now))
    life.advance(30 * SECOND)
    life.die()
    life = world.begin(with_bots=False)
    life.advance(30 * SECOND)

    assert noted == ("kill:file",)
    assert (life.report.noted, life.causes) == ((), {"kill:file": HALTED})


def test_a_word_kept_for_the_next_start_is_of_no_use_after_it_for_what_did_not_stand_then_i04(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    begun(world).die()
    kept_for_the_next_start(world, "operator-halt")  # of a record that was set aside meanwhile
    life = world.begin(with_bots=False)
    life.halt(operators(HALTED, at=life.now))
    life.die()

    life = world.begin(with_bots=False)
    life.advance(30 * SECOND)

    assert (life.report.noted, life.causes) == ((), {"operator-halt": HALTED})


def test_a_word_kept_for_the_next_start_outlives_a_crash_before_it_was_carried_out_i04(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(LASTS)
    life.halt(operators(HALTED))
    life.die()
    kept_for_the_next_start(world, "operator-halt", "preflight")

    for _ in range(3):
        life = world.begin(with_bots=False)
        life.advance(30 * SECOND)
        assert (life.report.noted, life.causes) == (("preflight",), {"preflight": HALTED})
        life.die()


def test_a_word_kept_for_the_next_start_does_not_reach_a_halt_while_the_guardian_is_away_i04(
    tmp_path: Path,
) -> None:
    conditions = Conditions()
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.halt(operators(HALTED))
    life.die()
    kept_for_the_next_start(world, "operator-halt")
    conditions.found.add("operator-halt")
    life = world.begin(with_bots=False, conditions=conditions)

    life.runtime.tell(paths.RISK_GUARDIAN, Gibberish())
    life.runtime.gate.trip(operators(HALTED, at=life.now))
    life.advance(30 * SECOND)
    conditions.found.clear()
    life.advance(30 * SECOND)

    assert life.report.noted == ()
    assert "operator-halt" in life.causes


def test_a_limit_is_not_cleared_before_its_cool_off_and_then_by_a_pass_i04() -> None:
    # A venue that cannot be read is a limit of the surroundings: 390 minutes at least.
    data = market_of(bars_of([100.0] * 500), close_at=OPEN_AT + 500 * MINUTE)
    world = World(data)
    life = begun(world)
    at = life.now
    limit = Cause(
        code="preflight", cause_class=CauseClass.LIMIT, state=HALTED, since=at, detail="a test"
    )
    life.halt(limit)

    early = life.resume("preflight")
    life.run_to(at + 390 * MINUTE - 1 * SECOND)
    before = life.causes
    life.run_for(20 * SECOND)

    assert (early.noted, len(early.refused)) == ((), 1)
    assert "it is not cleared before 2016-04-15 20:06:" in early.refused[0]
    assert (before, life.causes) == ({"preflight": HALTED}, {})
    require_sound(world)


def test_a_failure_that_lasts_is_written_down_when_it_changes_not_all_the_time() -> None:
    # Ten minutes without the account; somebody will have to find the first line of it.
    world = World(quiet(), plan_of(struck(FailLook(), what="snapshot", times=None, from_event=7)))
    life = begun(world)
    life.run_to(OPEN_AT + 9 * MINUTE)
    before = len(life.journal.events("preflight_failed"))

    life.run_closely(10 * MINUTE)

    assert life.causes == {"preflight": HALTED}
    assert len(life.journal.events("preflight_failed")) - before <= 10


def test_where_a_person_has_to_resume_no_limit_ends_by_itself_i04() -> None:
    data = market_of(bars_of([100.0] * 500), close_at=OPEN_AT + 500 * MINUTE)
    world = World(data, settings=settings_with({"safety.resume": ResumePolicy.OPERATOR}))
    life = begun(world)
    at = life.now
    limit = Cause(
        code="preflight", cause_class=CauseClass.LIMIT, state=HALTED, since=at, detail="a test"
    )
    life.halt(limit)

    life.run_to(at + 400 * MINUTE)
    by_itself = life.causes
    life.resume("preflight")

    assert (by_itself, life.causes) == ({"preflight": HALTED}, {})


def test_close_only_passes_what_reduces_a_bots_own_position_and_never_turns_it_round_i09() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.enter(2, bot="mom_AAPL_cross")
    life.run_for(2 * MINUTE)
    life.halt(operators(CLOSE_ONLY, "operator-close-only"))

    life.enter(1)
    life.exit(4)  # more than its own, less than the account's
    life.exit(3, bot="mom_AAPL_cross")
    first = life.exit(2)
    life.exit(2)  # one is left beside the two that work
    second = life.exit(2, bot="mom_AAPL_cross")
    life.run_for(2 * MINUTE)
    rest = life.exit(1)
    life.run_for(2 * MINUTE)
    life.exit(1)

    assert life.denials == [
        "trading_is_open",
        "exit_reduces_position",
        "exit_reduces_position",
        "exit_reduces_position",
        "exit_reduces_position",
    ]
    assert [life.status_of(each) for each in (first, second, rest)] == ["filled"] * 3
    assert life.positions == world.positions == {}
    require_sound(world)
    require_agreement(world)


def test_two_bots_on_one_symbol_leave_and_do_not_enter_while_only_closing_is_allowed_i09() -> None:
    data = market_of(bars_of([100.0] * 40 + rising(40) + rising(40, from_price=101.0)))
    world = World(data, settings=protected_by(ProtectiveOrder.ENGINE))
    life = world.begin()
    life.run_to(OPEN_AT + 100 * MINUTE)
    held = set(life.positions)
    life.halt(operators(CLOSE_ONLY, "operator-close-only"))

    life.run_to(OPEN_AT + 119 * MINUTE)

    assert held == {"mom_AAPL AAPL", "mom_AAPL_cross AAPL"}
    assert life.positions == {}
    roles = [order.intent.decision.role for order in life.ledger.orders()]
    assert roles.count(Role.ENTRY) == roles.count(Role.EXIT) == 3
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 150))]
)
def test_no_order_leaves_after_a_halt_at_any_instant_i01(seed: int) -> None:
    # The instant moves through the decision, the record, the send and the fill, microsecond-wise.
    data = market_of(bars_of([100.0] * 10 + rising(12)), close_at=CLOSE_AT)
    world = World(data)
    life = world.begin(explore=seed)
    decided_at = OPEN_AT + 15 * MINUTE
    halted_at = decided_at + (seed * 977 % 5_000) * 1_000
    life.run_to(decided_at - 1)

    def trip() -> None:
        life.runtime.gate.trip(operators(HALTED))

    life.runtime.call_at(halted_at, trip)

    life.run_to(OPEN_AT + 22 * MINUTE)

    assert world.came_at(Submit, since=halted_at + 1) == []
    assert life.state is HALTED
    require_sound(world)
    require_agreement(world)
