"""The judge is judged: an honest past is found honest, and each wrong that is planted is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.main import main
from hydra.ops import embedded
from hydra.ops.control.at_rest import resume_at_rest
from hydra.ops.exit_codes import ExitCode
from hydra.store.events import HaltCleared, ValuePut
from hydra.store.journal_line import timestamp
from hydra.testkit.judge import case
from hydra.testkit.judge.evidence import lives_in
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.causes import (
    COOLDOWN,
    KILL_SWITCH,
    OPERATOR_CLOSE_ONLY,
    OPERATOR_HALT,
    RECONCILIATION,
)
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import OrderType
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.market_data import MarketData, generated
from tests.ops.sessions import shares_alone, without_resting_stops
from tests.testkit.falsified import Past, files_in, plain_of
from tests.testkit.served_pasts import serve_instead

AT = 1_767_630_000_000_000_000
NOTHING = ValuePut(key="nothing", value="")


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an engine that was not let trade at first, and then traded for a session."""
    folder = tmp_path_factory.mktemp("honest")
    folders = ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    run = ["--venue", "embedded", "--clock", "virtual", *folders]
    run += ["--config", str(without_resting_stops(shares_alone(folder)))]
    (folder / "state").mkdir(mode=0o700)
    kill_file = folder / "state" / "kill_switch"
    kill_file.write_text("halt_all")
    assert main(run) == ExitCode.PREFLIGHT_FAILED
    kill_file.unlink()
    files = files_in(folder)
    resume_at_rest(files, "embedded", "it was a drill", "the test", AT, ())
    assert main(run) == ExitCode.CLEAN
    return folder


@pytest.fixture(scope="module")
def market(traded: Path) -> MarketData:
    return generated(("AAPL",), 0, traded / "state" / "cache")


@pytest.fixture(scope="module", params=["in process", "served"])
def honest(
    request: pytest.FixtureRequest,
    traded: Path,
    market: MarketData,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The same past, with the log of the one venue or of the other."""
    if request.param == "in process":
        return traded
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(traded, folder, dirs_exist_ok=True)
    serve_instead(Past(folder, market), market)
    return folder


@pytest.fixture
def past(honest: Path, market: MarketData, tmp_path: Path) -> Past:
    shutil.copytree(honest, tmp_path, dirs_exist_ok=True)
    return Past(tmp_path, market)


def halt(state: str = "halted") -> Cause:
    kind = OPERATOR_HALT if state == "halted" else OPERATOR_CLOSE_ONLY
    return kind.cause(since=AT, detail="said so")


# Each plants one wrong, and tells what is to be found.


def an_order_sent_twice(past: Past) -> str:
    past.log.add(past.order(2))
    return f"I15 I20: {past.sent(2).name} was sent 2 times"


def more_requests_than_attempts(past: Past) -> str:
    past.log.add(past.order(1))
    return "I20: 9 orders came to the venue, of 8 attempts"


def a_decision_sent_under_two_names(past: Past) -> str:
    first, third = past.event("OrderIntended", 1), past.event("OrderIntended", 3)
    wanted = plain_of(first)["intent"]["decision"]
    past.change_body(third, lambda body: body["intent"].update(decision=wanted))
    return "I16: DecisionKey(bot='mom_AAPL'"


def an_order_that_nobody_meant(past: Past) -> str:
    past.log.add(structs.replace(past.order(1), client_order_id="by-hand"))
    return "I13: by-hand was sent, and nobody meant to by the record"


def an_order_without_an_attempt(past: Past) -> str:
    past.put_event(NOTHING, past.event("OrderAttempted", 2))
    return f"I14: {past.sent(2).name} was sent without an attempt on record"


def an_order_on_record_too_late(past: Past) -> str:
    past.put_time(past.event("OrderAttempted", 3), past.sent(3).at + 5)
    return f"I13 I14: {past.sent(3).name} was sent 5 ns before it was on record"


def an_order_that_was_withheld(past: Past) -> str:
    past.set_status(past.sent(4).name, OrderStatus.WITHHELD)
    return f"I14: {past.sent(4).name} was sent, and on record is withheld"


def an_order_of_other_content(past: Past) -> str:
    intended = past.event("OrderIntended", 1)
    past.change_body(intended, lambda body: body["order"].update(quantity="7"))
    return f"I15: {past.sent(1).name} was sent as Order("


def an_order_before_preflight(past: Past) -> str:
    past.rename_line("preflight_passed", to="preflight_thought_about")
    return f"I06: {past.sent(1).name} was sent before run 1 passed preflight"


def an_order_earlier_than_preflight(past: Past) -> str:
    first = past.sent(1)

    def later(record: dict[str, Any]) -> dict[str, Any] | None:
        is_meant = record["event"] == "preflight_passed"
        return {**record, "ts": timestamp(first.at + 1)} if is_meant else None

    past.change_journal(later)
    return f"I06: {first.name} was sent before run 1 passed preflight"


def a_flatten_before_the_account_was_read(past: Past) -> str:
    intended = past.event("OrderIntended", 1)
    past.change_body(intended, lambda body: body["intent"]["decision"].update(role="flatten"))
    past.rename_line("reconciled", to="reconsidered")
    return f"I06: {past.sent(1).name} was sent before run 1 had read the account"


def an_order_while_starting(past: Past) -> str:
    past.rename_line("halt_cleared", to="halt_thought_about")
    past.rename_line("trading_state", to="trading_thought_about")
    return f"I01: {past.sent(1).name} was sent in spite of start (journal)"


def an_order_behind_a_halt_in_the_journal(past: Past) -> str:
    past.latch_in_journal(halt(), before=past.sent(3))
    return f"I01: {past.sent(3).name} was sent in spite of operator-halt (journal)"


def an_order_later_than_a_halt_in_the_journal(past: Past) -> str:
    past.latch_in_journal(halt(), before=past.sent(3))
    past.rename_line("intent_stored", to="intent_thought_about", name=past.sent(4).name)
    return f"I01: {past.sent(4).name} was sent in spite of operator-halt (time)"


def an_order_behind_a_kill(past: Past) -> str:
    code = f"{KILL_SWITCH.code}state_file"
    past.latch_in_journal(halt(), before=past.sent(5))

    def kill(record: dict[str, Any]) -> dict[str, Any] | None:
        if record["event"] != "halt_latched" or "said so" not in str(record):
            return None
        return {**record, "event": "kill_switch", "code": code, "state": "HALTED"}

    past.change_journal(kill)
    return f"I01: {past.sent(5).name} was sent in spite of {code} (journal)"


def an_order_behind_a_halt_in_the_ledger(past: Past) -> str:
    past.latch_in_ledger(halt(), before=past.sent(6))
    return f"I01 I02: {past.sent(6).name} was sent in spite of a halt in the ledger"


def an_entry_when_close_only(past: Past) -> str:
    past.latch_in_journal(halt("close only"), before=past.sent(5))
    return f"I09: {past.sent(5).name} is an entry, sent while only closing was allowed"


def an_entry_of_a_bot_that_pauses(past: Past) -> str:
    bot = past.life.orders[past.sent(6).name].intent.decision.bot
    cause = COOLDOWN.cause(subject=bot, since=AT, detail="")
    past.latch_in_ledger(cause, before=past.sent(6))
    return f"I09: {past.sent(6).name} is an entry, sent while only closing was allowed"


def an_exit_of_more_than_is_held(past: Past) -> str:
    exit_ = past.sent(3)
    past.latch_in_journal(halt("close only"), before=exit_)
    past.log.put(exit_, structs.replace(past.order(3), quantity=Decimal(80)), is_last=True)
    return f"I09: {exit_.name} does not only reduce: sell 80 of 16 held, 16 of it not being closed"


def two_exits_of_the_same(past: Past) -> str:
    first, second = past.sent(3), past.sent(4)
    past.latch_in_journal(halt("close only"), before=first)
    order = structs.replace(past.order(4), quantity=Decimal(16))
    resting = structs.replace(past.order(3), order_type=OrderType.LIMIT, limit_price=Decimal(500))
    past.log.put(first, resting, is_last=True)
    past.log.add(order)
    return f"I09: {second.name} does not only reduce: sell 16 of 16 held, 8 of it not being closed"


def a_flatten_that_buys(past: Past) -> str:
    intended = past.event("OrderIntended", 2)
    past.change_body(intended, lambda body: body["intent"]["decision"].update(role="flatten"))
    return (
        f"I09: {past.sent(2).name} does not only reduce: buy 8 of 8 held, 8 of it not being closed"
    )


def an_execution_that_never_was(past: Past) -> str:
    filled = past.event("OrderFilled", 2)
    past.change_body(filled, lambda body: body["fill"].update(execution_id="made-up"))
    return "I61: the venue has no such execution as on record: Fill(execution_id='made-up'"


def an_execution_that_counts_twice(past: Past) -> str:
    execution = past.execution(2)
    past.put_event(past.event("OrderFilled", 2).event, past.event("ValuePut", 1))
    return f"I23: execution {execution} of {past.sent(2).name} is counted 2 times"


def an_execution_that_is_not_on_record(past: Past) -> str:
    execution = past.execution(8)
    past.put_event(NOTHING, past.event("OrderFilled", 8))
    return f"I23 I52: an execution is not on record: Fill(execution_id='{execution}'"


def an_execution_that_a_comparison_left_out(past: Past) -> str:
    past.end_early()
    execution = past.execution(8)
    past.put_event(NOTHING, past.event("OrderFilled", 8))

    def compared(record: dict[str, Any]) -> dict[str, Any] | None:
        is_last = record["event"] == "feed_ended"
        return {**record, "event": "reconciled", "is_clean": True} if is_last else None

    past.change_journal(compared)
    return f"I23 I52: an execution is not on record: Fill(execution_id='{execution}'"


def a_position_that_is_another_one(past: Past) -> str:
    past.put_event(NOTHING, past.event("OrderFilled", 8))
    return "I23 I60: positions are {}, on record {'AAPL': Decimal('8')}"


def cash_that_differs(past: Past) -> str:
    opened, cash = past.event("AccountOpened"), past.life.cash
    assert cash is not None
    past.change_body(opened, lambda body: body.update(cash="100001"))
    return f"I60: cash is {cash}, on record {cash + 1}"


def an_order_that_ended_otherwise(past: Past) -> str:
    past.set_status(past.sent(2).name, OrderStatus.CANCELED)
    return f"I19 I22: {past.sent(2).name} is filled, on record canceled"


def an_order_that_never_came(past: Past) -> str:
    name = past.sent(1).name
    past.log.put(past.sent(1), structs.replace(past.order(1), client_order_id="another"))
    return f"I14 I19: {name} never came to the venue, and on record is filled"


def a_halt_that_is_not_on_record(past: Past) -> str:
    past.rename_line("feed_ended", to="halt_recorded")

    def named(record: dict[str, Any]) -> dict[str, Any] | None:
        return {**record, "code": "gone"} if record["event"] == "halt_recorded" else None

    past.change_journal(named)
    return "I02: gone was said to be on record, and is not"


def a_journal_with_a_changed_line(past: Past) -> str:
    content = past.files.journal.read_bytes()
    past.files.journal.write_bytes(content.replace(b'"order_approved"', b'"order_approves"', 1))
    line = content[: content.index(b'"order_approved"')].count(b"\n") + 1
    return f"I63: app.jsonl, line {line}: its checksum does not fit"


PLANTS: Sequence[Callable[[Past], str]] = (
    an_order_sent_twice,
    more_requests_than_attempts,
    a_decision_sent_under_two_names,
    an_order_that_nobody_meant,
    an_order_without_an_attempt,
    an_order_on_record_too_late,
    an_order_that_was_withheld,
    an_order_of_other_content,
    an_order_before_preflight,
    an_order_earlier_than_preflight,
    a_flatten_before_the_account_was_read,
    an_order_while_starting,
    an_order_behind_a_halt_in_the_journal,
    an_order_later_than_a_halt_in_the_journal,
    an_order_behind_a_kill,
    an_order_behind_a_halt_in_the_ledger,
    an_entry_when_close_only,
    an_entry_of_a_bot_that_pauses,
    an_exit_of_more_than_is_held,
    two_exits_of_the_same,
    a_flatten_that_buys,
    an_execution_that_never_was,
    an_execution_that_counts_twice,
    an_execution_that_is_not_on_record,
    an_execution_that_a_comparison_left_out,
    a_position_that_is_another_one,
    cash_that_differs,
    an_order_that_ended_otherwise,
    an_order_that_never_came,
    a_halt_that_is_not_on_record,
    a_journal_with_a_changed_line,
)


def test_an_honest_past_is_found_honest(past: Past) -> None:
    assert past.found == []
    assert len(past.life.sent) == 8


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_each_wrong_that_is_planted_is_found(plant: Callable[[Past], str], past: Past) -> None:
    wanted = plant(past)

    assert [each for each in past.found if each.startswith(wanted)] != [], past.found


def test_a_flatten_may_go_out_in_spite_of_a_halt(past: Past) -> None:
    past.latch_in_journal(halt(), before=past.sent(3))
    past.latch_in_ledger(halt(), before=past.sent(3))
    intended = past.event("OrderIntended", 3)
    past.change_body(intended, lambda body: body["intent"]["decision"].update(role="flatten"))

    assert [each for each in past.found if past.sent(3).name in each] == []


def test_exits_may_go_out_when_only_closing_is_allowed(past: Past) -> None:
    past.latch_in_journal(halt("close only"), before=past.sent(3))

    exits = past.sent(3).name, past.sent(4).name
    assert [each for each in past.found if each.split()[1] in exits] == []
    assert len(past.found) == 2  # the entries that follow


def test_what_is_told_later_than_all_that_is_compared_may_be_missing(past: Past) -> None:
    past.end_early()
    past.put_event(NOTHING, past.event("OrderFilled", 8))

    assert past.found == []


def test_what_the_engine_found_out_itself_is_not_held_against_it(past: Past) -> None:
    opened = past.event("AccountOpened")
    past.change_body(opened, lambda body: body.update(cash="100001"))
    past.latch_in_tables(RECONCILIATION.cause(since=AT, detail="1 difference"))

    assert past.found == []


def test_of_a_run_whose_journal_is_pruned_only_the_rest_is_judged(past: Past) -> None:
    begins = past.life.runs[1].lines
    assert begins is not None
    past.forget_lines(before=begins[0].seq)

    assert [run.lines for run in past.life.runs] == [None, begins]
    assert {each.split(":")[0] for each in past.found} == {"I63"}

    past.forget_lines(before=10)

    assert [run.lines for run in past.life.runs] == [None, None]
    assert {each.split(":")[0] for each in past.found} == {"I63"}


def test_where_nobody_ever_traded_nothing_was_done_wrong(tmp_path: Path) -> None:
    assert violations_in(files_in(tmp_path), ()) == ()


def test_what_allows_it_makes_it_right(past: Past) -> None:
    past.latch_in_ledger(halt(), before=past.sent(6))
    before = past.life.orders[past.sent(6).name].seq
    later = [r for r in past.life.events if isinstance(r.event, ValuePut) and r.seq > before]
    past.put_event(HaltCleared(code=OPERATOR_HALT.code, reason="seen to"), later[0])

    names = {word for each in past.found for word in each.split() if word.startswith("hy1-")}
    orders = past.life.orders
    assert {orders[name].seq < later[0].seq for name in names} == {True}


def test_a_life_that_is_set_aside_in_part_is_one_life(past: Past) -> None:
    folder = past.files.ended / "000001"
    folder.mkdir(parents=True)
    venue = past.log.path
    for path in (past.files.journal, venue):
        path.rename(folder / path.name)

    assert (past.found, len(lives_in(past.files)), len(past.life.sent)) == ([], 1, 8)


def test_a_market_that_is_not_at_hand_is_no_acquittal(past: Past) -> None:
    other = generated(("MSFT",), 0, past.files.cache)

    with pytest.raises(LookupError, match="its market is not at hand"):
        violations_in(past.files, (other,))


def test_the_judge_and_the_engine_call_a_market_that_is_over_the_same() -> None:
    assert (case.MARKET, case.OVER) == (embedded.MARKET, embedded.OVER)
