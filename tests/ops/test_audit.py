"""The offline auditor: every judgement made again, every order held against its approval (I90)."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.actor import MINUTE
from hydra.ops.audit import Audit, audit
from hydra.ops.exit_codes import ExitCode
from hydra.ops.why.journal import Line
from hydra.ops.why.judgements import NotReadable, judgement_in, read_back
from hydra.store.journal_line import line_of, record_in
from hydra.store.ledger import Ledger
from hydra.trading.orders import DecisionKey, Role, Side, client_order_id
from hydra.trading.risk_checks import first_denial
from hydra.trading.situation import Situation
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.orders import OrderApproved, OrderIntent
from supervisors import paths
from tests.engine.harness import Life, World, begun, quiet
from tests.ops.sessions import files_in, json_of, ledger_in
from tests.ops.why_worlds import (
    Asking,
    Record,
    explained,
    files_of,
    journal_in,
    on_disk,
    played_with,
    records,
    records_in,
    rewritten,
    shared_session,
    world_ledger,
)
from tests.store.orders import AT
from tests.trading.market_data import MARKET_DATA
from tests.trading.situations import NOW, changed
from tests.trading.test_explaining import FINE, ODD

Change = Callable[[Record], Record | None]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_session(tmp_path_factory)


@pytest.fixture
def folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "session"))


@pytest.fixture
def run(folder: Path) -> Asking:
    return Asking(folder)


def audited(folder: Path) -> Audit:
    return audit(files_of(folder), lambda _done: None)


def found_in(folder: Path) -> list[str]:
    return [f"{each.found}; wanted {each.wanted}" for each in audited(folder).differences]


def nth(event: str, number: int, change: Change) -> Change:
    """The change, made to one line of this event alone."""
    seen = iter(range(10**6))

    def made(record: Record) -> Record | None:
        if record["event"] == event and next(seen) == number:
            return change(record)
        return record

    return made


# --- What is well


def test_a_session_with_approvals_and_denials_has_no_differences_i90(
    folder: Path, run: Asking
) -> None:
    before = files_in(folder)
    approvals, denials = records_in(folder, "order_approved"), records_in(folder, "order_denied")
    assert len(approvals) > 4 and denials

    found = audited(folder)

    assert found == Audit(
        approved=len(approvals),
        denied=len(denials),
        orders=len(approvals),
        adopted=0,
        unrecorded=0,
        uncovered=0,
        differences=(),
    )
    code, out, err = run("verify", "--decisions")
    assert (code, err) == (ExitCode.CLEAN, "")
    (line,) = [line for line in out.splitlines() if line.startswith("ok   decisions")]
    assert line.split(maxsplit=2)[2] == (
        f"{len(approvals)} approvals and {len(denials)} denials, each as its situation says;"
        f" {len(approvals)} orders, each approved once"
    )
    assert files_in(folder) == before


@pytest.mark.slow
def test_weeks_of_real_bars_with_denials_have_no_differences_and_no_order_without_story_i28_i90(
    tmp_path: Path,
) -> None:
    bars = MARKET_DATA / "equity_1m" / "AAPL_1m_2016-04-15_2016-05-04.csv.gz"
    if not bars.exists():
        pytest.skip(f"real market data is not at hand: {bars.name}")
    played_with(tmp_path, bars, max_entries_per_day="3")

    found = audited(tmp_path)

    assert found.denied > 10 and found.approved == found.orders > 50
    assert found.differences == ()
    for record in records_in(tmp_path, "order_approved"):
        told = explained(Asking(tmp_path), record["client_order_id"])
        assert told["wanted"]["by"] == f"/hydra/bots/{told['wanted']['bot']}"
        assert told["judged"]["as_derived"]
        assert told["order"]["steps"][-1]["event"] == "OrderFilled"


def test_for_programs_the_audit_comes_with_the_checks_i90(run: Asking) -> None:
    told = json_of(run("verify", "--decisions", "--json"))

    assert told["ok"] and told["decisions"]["differences"] == []
    assert told["checks"][-1]["name"] == "decisions"
    assert "decisions" not in json_of(run("verify", "--json"))


def situation_of(line: bytes) -> Situation:
    record = record_in(line)
    return read_back(Situation, record["situation"])  # type: ignore[arg-type]


odd_values = st.sampled_from(
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1E+400"),
        Decimal("0E-9"),
        1.5,
        7,
        True,
        "ten",
        None,
    ]
)


@given(
    fine=st.sampled_from(FINE),
    names=st.sets(st.sampled_from(sorted(ODD))),
    odd=st.dictionaries(
        st.sampled_from(["quantity", "price", "peak", "bot_left", "heat_after", "equity"]),
        odd_values,
        max_size=1,
    ),
)
def test_what_the_journal_keeps_is_judged_as_it_was_then_also_if_it_was_no_number_i34_i90(
    fine: Situation, names: set[str], odd: dict[str, Any]
) -> None:
    then = changed(fine, **{**{name: ODD[name] for name in names}, **odd})

    kept = situation_of(line_of(NOW, 1, "order_denied", [("situation", then)]))

    assert all_of(kept) == all_of(then)
    assert first_denial(kept) == first_denial(then)


def all_of(situation: Situation) -> tuple[object, ...]:
    """With the type of each number; but sets, which have no order of their own, as they are."""
    limits = situation.limits
    bare = changed(situation, symbols=frozenset(), option_roots=frozenset())
    return repr(bare), limits.symbols, limits.option_roots


def begun_in(tmp_path: Path) -> Life:
    return begun(World(quiet(), ledger_path=world_ledger(tmp_path)))


def test_a_quantity_of_a_wrong_type_is_denied_and_the_denial_is_derived_again_i34_i90(
    tmp_path: Path,
) -> None:
    life = begun_in(tmp_path)
    for signal, quantity in enumerate([1.5, True, "3", Decimal("NaN")], 1):
        decision = DecisionKey("mom_AAPL", "AAPL", "2016-04-15", signal, Role.ENTRY)
        intent = OrderIntent(
            decision=decision,
            side=Side.BUY,
            quantity=quantity,  # type: ignore[arg-type]
            reason="a bug",
            decided_at=life.now,
            reference_price=Decimal(100),
        )
        life.tell(paths.RISK_GUARDIAN, intent)
    on_disk(tmp_path, life)

    found = audited(tmp_path)

    assert life.denials == ["numbers_are_sane"] * 4
    # A text that looks like a decimal is read as one: that alone the journal cannot tell apart.
    assert [each.line for each in found.differences] == [
        records_in(tmp_path, "order_denied")[2]["seq"]
    ]
    assert (found.denied, found.orders) == (4, 0)


def test_an_order_that_an_operator_took_over_needs_no_approval_i61_i90(tmp_path: Path) -> None:
    life = begun_in(tmp_path)
    name = life.enter()
    life.run_for(MINUTE)
    life.die()
    on_disk(tmp_path, life)
    ledger = Ledger.open(ledger_in(tmp_path), venue="embedded", at=AT)
    (order,) = ledger.orders()
    decision = DecisionKey("mom_AAPL", "AAPL", "2016-04-15", 99, Role.ENTRY)
    ledger.adopt_order(
        structs.replace(order.intent, decision=decision),
        structs.replace(order.state.order, client_order_id="by-hand-1"),
        reason="mine",
        operator="ada",
        at=AT,
    )
    ledger.commit()
    ledger.close()

    found = audited(tmp_path)

    assert name == order.state.order.client_order_id
    assert (found.orders, found.adopted, found.differences) == (2, 1, ())


def test_an_approval_that_was_lost_in_a_crash_and_given_again_is_no_difference_i16_i90(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    first = begun(world)
    first.enter(signal=1)
    lost = [r for r in first.journal.records if r["event"] in ("order_approved", "actor_started")]
    first.die()
    shutil.rmtree(tmp_path / "state")
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    second = begun(world)
    second.enter(signal=1)
    second.run_for(MINUTE)
    first.journal.records = lost
    on_disk(tmp_path, first, second)

    found = audited(tmp_path)

    assert (found.approved, found.orders, found.differences) == (2, 1, ())


def test_approvals_that_never_came_on_record_are_counted_and_are_no_difference_i14_i90(
    folder: Path,
) -> None:
    approved = records_in(folder, "order_approved")[0]
    approved["intent"]["decision"]["signal"] += 1_000
    decision = msgspec.convert(approved["intent"]["decision"], DecisionKey)
    approved["client_order_id"] = client_order_id(EMBEDDED_ACCOUNT, decision)

    def lost(record: Record) -> Record:
        return {**approved, **{key: record[key] for key in ("ts", "seq", "crc")}}

    rewritten(folder, nth("nothing_decided", 0, lost))

    found = audited(folder)

    assert (found.unrecorded, found.differences) == (1, ())


def test_of_orders_older_than_a_pruned_journal_nothing_is_said_i63_i90(tmp_path: Path) -> None:
    life = begun_in(tmp_path)
    old = life.enter()
    life.run_for(10 * MINUTE)
    life.exit()
    life.run_for(10 * MINUTE)
    on_disk(tmp_path, life, size=4_500)
    files = sorted(journal_in(tmp_path).parent.glob("app.0*.jsonl"))
    (place,) = [
        n
        for n, f in enumerate(files)
        if f'"order_approved","client_order_id":"{old}' in f.read_text()
    ]
    for file in files[: place + 1]:
        file.unlink()

    found = audited(tmp_path)

    assert (found.orders, found.approved, found.uncovered) == (2, 1, 1)
    assert found.differences == ()


# --- What is not


def set_situation(part: str, **values: Any) -> Change:
    def change(record: Record) -> Record:
        record["situation"][part].update(values)
        return record

    return change


def set_fields(**values: Any) -> Change:
    return lambda record: {**record, **values}


def quantity_of(intent: bool, situation: bool) -> Change:
    def change(record: Record) -> Record:
        if intent:
            record["intent"]["quantity"] = "1"
        if situation:
            record["situation"]["proposal"]["quantity"] = "1"
        return record

    return change


def as_denial(record: Record) -> Record:
    del record["client_order_id"], record["epoch"]
    return {**record, "event": "order_denied", "check": "no_order_opposes", "reason": "made up"}


def without_situation(record: Record) -> Record:
    del record["situation"]
    return record


NO_MORE = "entries_today_are_within_limit: 3 entries today, at most 3 allowed"
TAMPERED: list[tuple[str, Change, list[str]]] = [
    (
        "an approval that the checks refuse",
        nth("order_approved", 0, set_situation("rates", entries_today=3)),
        [f"approved; wanted denied by {NO_MORE}, as derived"],
    ),
    (
        "a denial of what the checks let pass",
        nth("order_denied", 0, set_situation("rates", entries_today=2)),
        [f"denied by {NO_MORE}; wanted approved, as derived"],
    ),
    (
        "a denial with another reason",
        nth("order_denied", 0, set_fields(reason="I do not like it")),
        [f"I do not like it; wanted denied by {NO_MORE}, as derived"],
    ),
    (
        "a denial by another check",
        nth("order_denied", 0, set_fields(check="equity_is_known")),
        [
            f"at most 3 allowed; wanted denied by {NO_MORE}, as derived",
        ],
    ),
    (
        "a judgement of another order than was wanted",
        nth("order_approved", 1, quantity_of(intent=False, situation=True)),
        ["judged on another proposal; wanted the intent's own"],
    ),
    (
        "an order that is another one than was approved",
        nth("order_approved", 1, quantity_of(intent=True, situation=True)),
        ["on record with another intent; wanted the one that was approved"],
    ),
    (
        "an order that nobody approved",
        nth("order_approved", 0, lambda _: None),
        ["on record, and not in the journal; wanted one approval of it"],
    ),
    (
        "a name that is not the decision's",
        nth("order_approved", 0, set_fields(client_order_id="hy1-mine")),
        [
            "which follows from the decision",
            "on record, and not in the journal; wanted one approval of it",
        ],
    ),
    (
        "a judgement without its situation",
        nth("order_denied", 0, without_situation),
        ["has no situation: it is not there; wanted a situation to judge again"],
    ),
]


@pytest.mark.parametrize(
    ("change", "wanted"), [row[1:] for row in TAMPERED], ids=[r[0] for r in TAMPERED]
)
def test_whatever_does_not_go_together_is_found_and_named_i90(
    folder: Path, change: Change, wanted: list[str]
) -> None:
    rewritten(folder, change)

    found = found_in(folder)

    assert len(found) == len(wanted)
    for text, expected in zip(found, wanted, strict=True):
        assert text.endswith(expected)


def without_loop(record: Record) -> Record:
    del record["situation"]["loop"], record["situation"]["coverage"]
    return record


def with_one_list_of_symbols(record: Record) -> Record:
    limits = record["situation"]["limits"]
    limits["symbols"] = [symbol for _, symbol in limits["symbols"]]
    return record


@pytest.mark.parametrize(
    ("older", "why"),
    [
        (without_loop, "Situation has no loop, coverage"),
        (with_one_list_of_symbols, "Limits.symbols does not say which bot may enter which"),
    ],
)
def test_a_journal_of_an_earlier_hydra_is_one_clear_line_i63_i90(
    folder: Path, older: Change, why: str
) -> None:
    def change(record: Record) -> Record | None:
        is_judgement = record["event"] in ("order_approved", "order_denied")
        return older(record) if is_judgement else record

    rewritten(folder, change)

    (found,) = found_in(folder)
    assert "judgements are not as this Hydra writes them: the first: line " in found
    assert why in found


def test_an_order_of_what_was_denied_is_found_i34_i90(folder: Path) -> None:
    rewritten(folder, nth("order_approved", 0, as_denial))

    found = found_in(folder)

    assert found == [
        "denied by no_order_opposes: made up; wanted approved, as derived",
        "on record, though denied by no_order_opposes: made up; wanted no order of what was denied",
    ]


def test_an_order_that_was_approved_twice_is_found_i16_i90(folder: Path) -> None:
    approved = records_in(folder, "order_approved")[0]

    def twice(record: Record) -> Record:
        if (
            record["event"] == "intent_stored"
            and record["order"]["client_order_id"] == (approved["client_order_id"])
        ):
            return {**approved, "seq": record["seq"], "ts": record["ts"], "crc": record["crc"]}
        return record

    rewritten(folder, twice)

    (found,) = found_in(folder)
    assert found.startswith("approved more than once, in lines ") and found.endswith("wanted once")


JUDGED = ("order_approved", "order_denied")


def moved_before(folder: Path, moved: Record, event: tuple[str, ...], which: int) -> None:
    """Put a line of the journal before one of the others of this kind."""
    lines = [record for record in records(folder) if record["seq"] != moved["seq"]]
    others = [number for number, record in enumerate(lines) if record["event"] in event]
    lines.insert(others[which], moved)
    places = ("ts", "seq", "crc")
    by_seq = {
        there["seq"]: {**line, **{key: there[key] for key in places}}
        for there, line in zip(records(folder), lines, strict=True)
    }
    rewritten(folder, lambda record: by_seq[record["seq"]])


def test_an_order_that_was_on_record_before_it_was_approved_is_found_i14_i90(folder: Path) -> None:
    """Before another judgement too: the guardian makes one after the other."""
    stored = records_in(folder, "intent_stored")[-1]
    judged = [record for record in records(folder) if record["event"] in JUDGED]
    name = stored["order"]["client_order_id"]
    (own,) = (n for n, each in enumerate(judged) if each.get("client_order_id") == name)

    moved_before(folder, stored, JUDGED, own - 1)

    (found,) = found_in(folder)
    assert "before its approval; wanted an approval before that" in found


def test_an_order_may_be_on_record_while_the_guardian_still_writes_that_it_approves_it_i14_i90(
    folder: Path,
) -> None:
    """It tells the persister first, which has a thread of its own."""
    stored = records_in(folder, "intent_stored")[0]

    moved_before(folder, stored, ("order_approved",), 0)

    assert found_in(folder) == []


def test_not_so_if_the_engine_was_started_in_between_i14_i90(folder: Path) -> None:
    approved, started = (records_in(folder, e)[0] for e in ("order_approved", "engine_started"))
    moved_before(folder, started, ("order_approved",), 0)
    stored = records_in(folder, "intent_stored")[0]

    moved_before(folder, stored, ("engine_started",), 0)

    (found,) = found_in(folder)
    assert approved["client_order_id"] == stored["order"]["client_order_id"]
    assert "before its approval; wanted an approval before that" in found


def test_an_order_that_is_not_what_its_own_intent_says_is_found_i27_i90(tmp_path: Path) -> None:
    life = begun_in(tmp_path)
    life.enter()
    (order,) = life.ledger.orders()
    life.die()
    on_disk(tmp_path, life)
    shutil.rmtree(tmp_path / "state")
    ledger = Ledger.open(world_ledger(tmp_path), venue="embedded", at=AT)
    content = structs.replace(order.state.order, quantity=Decimal(2))
    approved = OrderApproved(intent=order.intent, order=content, epoch=1, expires_at=0)
    ledger.record_intent(approved, AT)
    ledger.commit()
    ledger.close()

    assert found_in(tmp_path) == ["on record with another content; wanted what its intent says"]


def test_a_flattens_order_of_somebody_else_is_found_i89_i90(tmp_path: Path) -> None:
    life = begun_in(tmp_path)
    life.enter()
    life.run_for(2 * MINUTE)
    life.intend(role=Role.FLATTEN, side=Side.SELL)  # by hand: denied
    life.flatten()
    life.run_closely(2 * MINUTE)
    on_disk(tmp_path, life)
    assert life.denials == ["flatten_is_the_operators"]
    assert {r["source"] for r in records_in(tmp_path, "order_intended")} == {paths.FLATTENER.path}
    assert audited(tmp_path).differences == ()

    rewritten(tmp_path, nth("order_intended", 0, set_fields(source="/hydra/bots/mom_AAPL")))

    assert found_in(tmp_path) == ["a flatten's order of somebody else; wanted the flattener's"]


def test_a_judgement_that_cannot_be_read_is_found_with_its_line_i63_i90(
    folder: Path, run: Asking
) -> None:
    path = journal_in(folder)
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b'"state":"active","cause_codes"', b'"state":"halted","cause_codes"', 1)
    )

    code, out, _ = run("verify", "--decisions")

    assert code == ExitCode.DURABILITY_REFUSED
    bad = [line for line in out.splitlines() if line.startswith("BAD  decisions")]
    assert len(bad) == 2  # the line, and the order that lacks its approval
    assert "not as they were written" in bad[0] and "not in the journal" in bad[1]


def test_differences_are_checks_that_are_bad_with_where_and_what_to_do_i90(
    folder: Path, run: Asking
) -> None:
    rewritten(folder, nth("order_denied", 0, set_fields(reason="made up")))
    (denied, *_) = records_in(folder, "order_denied")

    code, out, _ = run("verify", "--decisions")

    assert code == ExitCode.DURABILITY_REFUSED
    (bad,) = [line for line in out.splitlines() if line.startswith("BAD  decisions")]
    assert f"{journal_in(folder)}, line {denied['seq']}" in bad
    assert "find out what else judges, sends or writes" in bad
    assert out.splitlines()[-1].startswith("NOT WELL: 1 of ")


@pytest.mark.parametrize("missing", ["journal", "ledger"])
def test_what_cannot_be_read_is_a_check_that_is_bad_and_the_others_are_told_i54(
    folder: Path, run: Asking, missing: str
) -> None:
    (journal_in if missing == "journal" else ledger_in)(folder).unlink()

    code, out, err = run("verify", "--decisions")

    assert (code, err) == (ExitCode.DURABILITY_REFUSED, "")
    assert any(line.startswith("BAD  decisions") for line in out.splitlines())
    assert any(line.startswith("ok   halt marker") for line in out.splitlines())


def test_decisions_cannot_be_verified_of_a_ledger_alone(run: Asking, folder: Path) -> None:
    code, _, err = run("verify", "--decisions", "--ledger", str(ledger_in(folder)))

    assert code == ExitCode.USAGE
    assert err == "--decisions needs the journal too: leave out --ledger\n"


def test_a_judgement_of_another_hydra_that_lacks_a_field_is_not_guessed_at(folder: Path) -> None:
    record = records_in(folder, "order_approved")[0]
    del record["situation"]["budget"]["day_left"]
    line = Line(seq=1, at=AT, event="order_approved", source="", record=record, file=0, offset=0)

    with pytest.raises(NotReadable, match="BudgetView has no day_left"):
        judgement_in(line)
