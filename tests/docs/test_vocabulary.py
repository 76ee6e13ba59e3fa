"""The journal's vocabulary is what the code says, and what a session writes."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Resume, Suspend
from hydra.store.journal import JournalFile
from hydra.store.journal_line import LINE_START, line_of, record_in
from hydra.store.journal_reading import read_journal
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.control import Halt
from messages.event_kinds import is_free
from messages.lifecycle import RestartChild
from messages.market import BarsReceived
from messages.orders import OrderAccepted
from messages.vocabulary import EVENTS, KINDS_BY_NAME
from supervisors import paths
from tests.docs.said_events import LINE_KEYS, Said, Unnamed, events_in, events_said
from tests.engine.harness import OPEN_AT, ListJournal, bars_of, market_of, play, rising

ANY_LINE_MAY_HAVE = {"ledger_seq", "ledger_chain"}
"""The journal repeats the ledger's newest mark in any line."""


MISHAPS = {
    "actor_failed",
    "actor_suspended",
    "bar_dropped",
    "bot_quarantined",
    "child_quarantined",
    "halt_acknowledged",
    "halt_latched",
    "report_duplicate",
    "supervisor_command",
}
HALT = Cause(
    code="operator",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=OPEN_AT,
    detail="a test",
)


def misfit_in(record: Mapping[str, Any]) -> str | None:
    """What is wrong with a line of the journal, as the vocabulary has it."""
    event = record["event"]
    if is_free(event):
        return None
    kind = KINDS_BY_NAME.get(event)
    if kind is None:
        return f"{event}: not in the vocabulary"
    fields = record.keys() - LINE_KEYS
    missing = kind.fields.keys() - fields
    extra = fields - kind.fields.keys() - kind.optional.keys() - ANY_LINE_MAY_HAVE
    if missing or extra:
        return f"{event}: missing {sorted(missing)}, not in the vocabulary {sorted(extra)}"
    if not fnmatchcase(record.get("source", ""), kind.speaker.source):
        return f"{event}: said by {record.get('source')}, not by {kind.speaker.source}"
    for way in kind.order_at:
        if not order_named(record, way):
            return f"{event}: no order is named at {way}"
    return None


def order_named(record: Mapping[str, Any], way: str) -> object:
    found: Any = record
    for step in way.split("."):
        found = found.get(step)
    return found


@pytest.fixture(scope="module")
def all_said() -> list[Said | Unnamed]:
    """Read once: it is every module of the product."""
    return list(events_said())


def test_every_event_that_the_code_says_is_in_the_vocabulary_with_its_fields(
    all_said: list[Said | Unnamed],
) -> None:
    strange = [fault for said in all_said if (fault := fault_in(said))]

    assert strange == []


def fault_in(said: Said | Unnamed) -> str | None:
    """What is wrong with a place in the code that says an event, as the vocabulary has it."""
    if isinstance(said, Unnamed):
        return f"{said.place}: found {said.expression}, wanted a name that can be looked up"
    kind = KINDS_BY_NAME.get(said.event)
    if kind is None:
        return f"{said.place}: {said.event} is not in messages/vocabulary.py"
    wanted, allowed = kind.fields.keys(), kind.fields.keys() | kind.optional.keys()
    if said.fields is None or wanted <= said.fields <= allowed:
        return None
    return f"{said.place}: {said.event} has {sorted(said.fields)}, wanted {sorted(wanted)}"


def test_every_event_in_the_vocabulary_is_said_somewhere(all_said: list[Said | Unnamed]) -> None:
    said = {said.event for said in all_said if isinstance(said, Said)}

    assert KINDS_BY_NAME.keys() - said == set()


@pytest.mark.parametrize(
    ("code", "event", "fields"),
    [
        ('ctx.log("x", a=1, b=2)', "x", {"a", "b"}),
        ('ctx.log("x", **more)', "x", None),
        ('self.runtime.log("x", "main", {"a": 1})', "x", {"a"}),
        ('runtime.log("x", "main", fields)', "x", None),
        ('X = "x"; ctx.log(X)', "x", set()),
        ('runtime.record("x", cell, "y")', "actor_x", {"incarnation", "detail"}),
        ('line_of(at, 1, "x", fields, mark=mark)', "x", None),
        ('WriteEntry(at=1, event="x", source="y", fields={"a": 1})', "x", {"a"}),
        ('journal.append({"ts": at, "event": "x", "a": 1})', "x", {"a"}),
    ],
)
def test_every_way_to_say_an_event_is_found(code: str, event: str, fields: set[str] | None) -> None:
    said = Said("m.py:1", event, None if fields is None else frozenset(fields))

    assert list(events_in("m.py", code)) == [said]


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("ctx.log(name, a=1)", "name"),
        ('ctx.log(f"x_{y}")', "f'x_{y}'"),
        ('journal.append({"ts": at, "event": x})', "x"),
    ],
)
def test_an_event_without_a_name_that_can_be_looked_up_is_found(code: str, expression: str) -> None:
    assert list(events_in("m.py", code)) == [Unnamed("m.py:1", expression)]


def test_each_name_stands_in_the_vocabulary_once_and_has_no_dot() -> None:
    names = [kind.name for kind in EVENTS]

    assert sorted(KINDS_BY_NAME) == sorted(names)
    assert [name for name in names if is_free(name)] == []


def test_no_field_has_the_name_of_a_key_that_every_line_has() -> None:
    taken = {
        kind.name: clash
        for kind in EVENTS
        if (clash := LINE_KEYS & (kind.fields.keys() | kind.optional.keys()))
    }

    assert taken == {}


def test_a_session_writes_nothing_that_is_not_in_the_vocabulary(tmp_path: Path) -> None:
    folders = ["--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"]

    assert main([*folders, "--clock", "virtual"]) == ExitCode.CLEAN

    records = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    assert {"session_started", "order_approved", "report_stored"} <= {r["event"] for r in records}
    assert [misfit for record in records if (misfit := misfit_in(record))] == []


def test_a_session_full_of_mishaps_writes_nothing_that_is_not_in_the_vocabulary() -> None:
    bars = bars_of([100.0] * 10 + rising(30) + rising(20, from_price=101.5))
    bot: Ref[Any] = Ref(f"{paths.BOTS.path}/mom_AAPL")

    def crash_the_bot(runtime: SimRuntime) -> None:
        runtime.tell(bot, Halt(cause=HALT))  # not in its inbox

    def hold_it(runtime: SimRuntime) -> None:
        runtime.cells[bot.path].tell_system(Suspend())
        runtime.cells[bot.path].tell_system(Resume())

    def say_twice(runtime: SimRuntime) -> None:
        runtime.tell(paths.DATA_FEED, BarsReceived(bars=(bars[3],)))
        for record in journal.events("report_stored"):
            if isinstance(record["content"], OrderAccepted):
                runtime.tell(paths.STATE_PERSISTER, record["content"])

    def command(runtime: SimRuntime) -> None:
        runtime.tell(paths.BOTS, RestartChild(name="mom_AAPL_cross"))

    def halt_everything(runtime: SimRuntime) -> None:
        runtime.gate.trip(HALT)

    journal = ListJournal()
    mishaps = {18 * MINUTE: hold_it, 19 * MINUTE: say_twice, 30 * MINUTE: command}
    mishaps |= {20 * MINUTE + number * SECOND: crash_the_bot for number in range(1, 6)}
    mishaps |= {40 * MINUTE: halt_everything}

    play(market_of(bars), journal=journal, at={OPEN_AT + at: does for at, does in mishaps.items()})

    records = [as_written(record) for record in journal.records]
    expected = {
        "actor_failed",
        "bar_dropped",
        "bot_quarantined",
        "halt_latched",
        "halt_acknowledged",
    }
    expected |= {"actor_suspended", "child_quarantined", "report_duplicate", "supervisor_command"}
    assert expected - {record["event"] for record in records} == set()
    assert [misfit for record in records if (misfit := misfit_in(record))] == []


def test_what_the_journal_says_of_itself_is_in_the_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    full = JournalFile.open(path, at=OPEN_AT, file_bytes_max=1_000)
    for number in range(40):
        full.append({"ts": OPEN_AT, "event": "mybot.counted", "number": number})
    full.close()
    with path.open("ab") as file:
        file.write(LINE_START)

    journal = JournalFile.open(path, at=OPEN_AT)
    journal.prune(at=OPEN_AT, wall_ns=2**63 - 1)
    journal.close()

    records = list(read_journal(path))
    said = {record["event"] for record in records}
    assert said == {"mybot.counted", "journal_continued", "journal_tail_cut", "journal_pruned"}
    assert [misfit for record in records if (misfit := misfit_in(record))] == []


def as_written(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record after its way through a line."""
    fields = {key: value for key, value in record.items() if key not in ("ts", "event")}
    return record_in(line_of(record["ts"], 1, record["event"], fields.items()))


@pytest.mark.parametrize(
    ("record", "misfit"),
    [
        ({"event": "mybot.crossed", "fast": 1.0}, None),
        ({"event": "crossed"}, "crossed: not in the vocabulary"),
        (
            {"event": "fail_closed", "why": "x", "source": "runtime"},
            "fail_closed: missing ['reason'], not in the vocabulary ['why']",
        ),
        (
            {"event": "fail_closed", "reason": "x", "source": "/hydra/bots/mine"},
            "fail_closed: said by /hydra/bots/mine, not by runtime",
        ),
        ({"event": "fail_closed", "reason": "x", "source": "runtime", "ledger_seq": 3}, None),
    ],
)
def test_a_line_that_does_not_fit_the_vocabulary_is_found(
    record: dict[str, object], misfit: str | None
) -> None:
    assert misfit_in(record) == misfit
