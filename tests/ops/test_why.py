"""`hydra-trader why ORDER`: the whole chain, from the wish to the last fill, from the record."""

import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.actor import MINUTE, SECOND
from hydra.ops.exit_codes import ExitCode
from hydra.runtime.system import Resume, Suspend
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.risk_checks import CHECKS
from hydra.venues.simulated.faults import (
    HoldCancel,
    Ignore,
    Lose,
    Overfill,
    RejectLater,
    Repeat,
)
from messages.orders import OrderAccepted
from supervisors import paths
from tests.engine.harness import WIDE, World, begun, plan_of, quiet, settings_with, struck
from tests.ops.sessions import files_in, ledger_in, typed
from tests.ops.why_worlds import (
    Asking,
    explained,
    journal_in,
    on_disk,
    page,
    records_in,
    rewritten,
    shared_session,
    world_ledger,
)
from tests.store.orders import AT, approved

LIMIT = "97"
"""Below what a quiet market comes to."""
STOP = "96.50"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_session(tmp_path_factory)


@pytest.fixture
def folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "session"))


@pytest.fixture
def run(folder: Path) -> Asking:
    return Asking(folder)


def names_in(folder: Path) -> list[str]:
    return [record["client_order_id"] for record in records_in(folder, "order_approved")]


def texts(told: dict[str, Any]) -> list[str]:
    return [step["text"] for step in told["order"]["steps"]]


# --- Whole sessions


def test_every_order_is_explained_from_its_wish_to_its_last_fill_i28_i90(session: Path) -> None:
    run = Asking(session)
    for name in names_in(session):
        told = explained(run, name)

        wanted, judged, order = told["wanted"], told["judged"], told["order"]
        assert (told["outcome"], order["client_order_id"]) == ("order", name)
        assert wanted["by"] == f"/hydra/bots/{wanted['bot']}"
        assert wanted["reason"] and wanted["line"] < judged["line"]
        assert (judged["verdict"], judged["as_derived"], judged["fault"]) == ("approved", True, "")
        assert [each["check"] for each in judged["checks"]] == [c.__name__ for c in CHECKS]
        assert {each["verdict"] for each in judged["checks"]} == {"passed", "not asked"}
        steps = [step["event"] for step in order["steps"]]
        assert steps == ["intent_stored", "OrderAccepted", "OrderFilled"]
        for step in order["steps"]:
            assert step["line"] > judged["line"] and step["ledger_event"] > 0
        assert order["version"] and len(order["configuration"]) == 32
        assert (order["status"], order["filled_quantity"]) == ("filled", wanted["quantity"])
        assert told["notes"] == []


def test_what_orders_did_to_money_adds_up_to_the_ledgers_own_sums_i50(session: Path) -> None:
    run = Asking(session)
    cash: defaultdict[str, Decimal] = defaultdict(Decimal)
    realised: defaultdict[str, Decimal] = defaultdict(Decimal)
    stories = [explained(run, name) for name in names_in(session)]

    for told in stories:
        cash[told["wanted"]["bot"]] += Decimal(told["order"]["cash"])
        realised[told["wanted"]["bot"]] += Decimal(told["order"]["realised"])

    assert any(told["order"]["executions"][0]["closed"] for told in stories)
    for told in stories:
        bot, order = told["wanted"]["bot"], told["order"]
        assert Decimal(order["cash_now"]) == cash[bot]
        assert Decimal(order["realised_now"]) == realised[bot]
        assert Decimal(order["position_now"]) == 0


def test_the_page_has_the_chain_in_its_order_with_numbers_units_and_both_times_i90(
    session: Path,
) -> None:
    lines = page(Asking(session), names_in(session)[0])

    assert lines[0] == "EMBEDDED VENUE: not real money, not real prices"
    titles = [line for line in lines if line.isupper() and "VENUE" not in line]
    assert titles == ["WANTED", "JUDGED", "WHAT BECAME OF IT", "POSITION AND MONEY"]
    text = "\n".join(lines)
    for part in (
        ": FILLED",
        "at most 25,000 USD",
        " checks, in the order of asking; none said no:",
        "what may still be lost today, in USD: before it, at stake with it, left after it",
        "intent and attempt are on record",
        "the venue took it, as sim-o-1",
        ": position 0 -> ",
    ):
        assert part in text
    (at,) = [line.split("at  ")[1].strip() for line in lines if line.startswith("  at  ")]
    utc, local = at.split("  ")[0].split(" ", 1)
    assert utc.endswith("Z") and local.endswith((" PST)", " PDT)"))


def test_for_programs_there_is_json_with_all_that_the_page_has_i90(session: Path) -> None:
    run, name = Asking(session), names_in(session)[0]

    code, out, err = run("why", name, "--json")

    assert (code, err) == (ExitCode.CLEAN, "")
    told = orjson.loads(out)
    assert told == {"venue": "embedded", **explained(run, name), "faults": []}


def test_an_order_is_found_by_the_venues_name_and_by_a_beginning_that_is_its_own(
    session: Path,
) -> None:
    run = Asking(session)
    name = names_in(session)[0]

    found = {
        explained(run, text)["order"]["client_order_id"] for text in (name, "sim-o-1", name[:-4])
    }

    assert found == {name}


def test_a_whole_name_is_not_taken_for_the_beginning_of_others(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path), settings=settings_with(WIDE))
    life = begun(world)
    names = []
    for number in range(1, 11):
        names.append(life.enter(number))
        life.run_for(2 * SECOND)
    run = on_disk(tmp_path, life)

    assert explained(run, "sim-o-1")["order"]["client_order_id"] == names[0]
    assert run("why", "sim-o-")[0] == ExitCode.USAGE


def test_a_beginning_of_many_names_tells_them_apart_and_explains_none(run: Asking) -> None:
    code, out, err = run("why", "hy1-")

    assert (code, out) == (ExitCode.USAGE, "")
    first, *candidates = err.splitlines()
    assert first == f"hy1- may be any of {len(candidates)} orders; say more of the name:"
    assert all("sim-o-" in line and "filled)" in line for line in candidates)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("hy1-none", "no order of that name, or that begins so, is on record"),
        ("mom_AAPL", "it is a bot: ask `hydra-trader why mom_AAPL SYMBOL last`"),
        ("moving_average_cross", "the journal speaks of it: intent_stored (line "),
    ],
)
def test_what_is_no_order_is_said_with_what_was_found(run: Asking, text: str, hint: str) -> None:
    code, out, err = run("why", text)

    assert (code, out) == (ExitCode.USAGE, "")
    assert typed(run.folder, hint) in err and err.count("\n") == 1


def test_where_earlier_accounts_lie_is_said_of_an_order_that_is_not_found(
    folder: Path, run: Asking
) -> None:
    life = folder / "state" / "ended" / "000003"
    life.mkdir(parents=True)

    _, _, err = run("why", "hy1-none")

    assert f"--state-dir {life} --log-dir {life}" in err


@pytest.mark.parametrize(
    "words", [("sim-o-1",), ("mom_AAPL", "AAPL", "last"), ("--last-denial",), ("none",)]
)
def test_looking_changes_nothing_i54(folder: Path, run: Asking, words: tuple[str, ...]) -> None:
    before = files_in(folder)

    run("why", *words)

    assert files_in(folder) == before


# --- An engine that runs, or was killed


def test_an_engine_that_runs_is_looked_at_while_it_writes_i90(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    life = begun(world)
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_for(MINUTE)
    run = on_disk(tmp_path, life)
    assert (tmp_path / "state" / "trading_state.db-wal").exists()
    with journal_in(tmp_path).open("ab") as file:
        file.write(b'{"ts":"2016-04-15T13:40')  # a line that is on its way

    told = explained(run, name)

    assert (told["order"]["status"], told["order"]["is_open"]) == ("accepted", True)
    assert told["headline"].endswith("ACCEPTED, 0 of 1 executed, it may still trade")
    life.die()
    assert explained(run, name) == told


def test_what_the_ledger_knows_and_the_journal_lost_is_told_in_its_place_i90(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    life = begun(world)
    name = life.enter()
    life.run_for(2 * MINUTE)
    run = on_disk(tmp_path, life)
    whole = explained(run, name)["order"]

    rewritten(tmp_path, lambda record: None if record["event"] == "report_stored" else record)

    lost = explained(run, name)["order"]
    assert texts({"order": lost}) == texts({"order": whole})
    assert [step["line"] for step in lost["steps"]] == [whole["steps"][0]["line"], None, None]
    assert [s["ledger_event"] for s in lost["steps"]] == [s["ledger_event"] for s in whole["steps"]]
    journal_in(tmp_path).unlink()
    code, out, _ = run("why", name)
    assert code == ExitCode.DURABILITY_REFUSED
    assert "the intent is on record; nothing is sent yet" in out
    assert "there is no journal" in out.splitlines()[-1]


def test_an_approval_that_never_came_on_record_was_never_sent_i14_i90(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    life = begun(world)
    name = life.enter()
    life.die()
    run = on_disk(tmp_path, life)
    lost = f"{name[:-3]}9-e"

    def is_lost(record: dict[str, Any]) -> dict[str, Any]:
        if record["event"] == "order_approved":
            record["client_order_id"] = lost
            record["intent"]["decision"]["signal"] += 1
        return record

    rewritten(tmp_path, is_lost)
    told = explained(run, lost)

    assert told["order"]["status"] == "not on record"
    assert "so it was never sent" in told["headline"]
    assert told["judged"]["verdict"] == "approved"


# --- Odd fates


def played(tmp_path: Path, *faults: Any, **how: Any) -> tuple[World, Any]:
    world = World(quiet(), plan_of(*faults) if faults else None, ledger_path=world_ledger(tmp_path))
    return world, begun(world, **how)


def test_an_order_that_was_withheld_says_so_i12_i90(tmp_path: Path) -> None:
    world, life = played(tmp_path)
    gateway = life.runtime.cells[paths.BROKER_GATEWAY.path]
    gateway.tell_system(Suspend())
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_closely(40 * SECOND)
    gateway.tell_system(Resume())
    life.run_closely(SECOND)

    told = explained(on_disk(tmp_path, life), name)

    assert told["order"]["status"] == "withheld"
    late = "withheld at the order gate, so it was never sent: the approval expired "
    assert texts(told)[-1].startswith(late)
    assert world.submitted == []


def test_a_canceled_order_says_who_asked_for_it_and_why_i10_i90(tmp_path: Path) -> None:
    _, life = played(tmp_path, struck(HoldCancel(events=1)))
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_for(MINUTE)
    life.halt(OPERATOR_HALT.cause(since=life.now, detail="a drill"))
    life.run_for(3 * MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    asked = "the venue was asked to cancel it: trading is not open"
    assert asked in texts(told)
    assert texts(told)[-1] == "the venue has taken it out of the market: canceled"
    assert told["order"]["status"] == "canceled"


def test_an_unknown_outcome_is_told_with_its_end_i19_i90(tmp_path: Path) -> None:
    _, life = played(tmp_path, struck(Lose(), what="OrderAccepted"))
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_closely(MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    unknown, *others = texts(told)[1:]
    assert unknown == "its outcome is unknown: the venue has not answered for 15 s"
    assert others == ["the venue took it, as sim-o-1"]


def test_an_order_that_nobody_finds_is_told_as_given_up_with_what_it_led_to_i19_i90(
    tmp_path: Path,
) -> None:
    _, life = played(tmp_path, struck(Ignore(), what="submit"))
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_closely(5 * MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    assert told["order"]["status"] == "absent"
    assert any(text.startswith("it is given up, as no look found it: ") for text in texts(told))
    assert any(text.startswith("given up: no look for it found it: ") for text in texts(told))


def test_a_late_rejection_and_repeated_reports_are_told_i24_i90(tmp_path: Path) -> None:
    _, life = played(
        tmp_path, struck(RejectLater(events=1)), struck(Repeat(), what="OrderAccepted")
    )
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_closely(2 * MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    assert texts(told)[1:] == [
        "OrderAccepted came once more; it counts once",  # before the first one was durable
        "the venue took it, as sim-o-1",
        "the venue refused it: rejected by the market",
    ]
    assert told["headline"].endswith("REJECTED, 0 of 1 executed, rejected by the market")


def test_a_report_that_cannot_be_true_is_told_with_the_halt_that_it_led_to_i22_i90(
    tmp_path: Path,
) -> None:
    _, life = played(tmp_path, struck(Overfill(extra=Decimal(1)), times=None))
    name = life.enter()
    life.run_closely(2 * MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    impossible = [text for text in texts(told) if "cannot be true" in text]
    assert impossible and impossible[0].startswith("OrderFilled cannot be true, and was not booked")
    assert any("trading is halted because of it: impossible_order" in t for t in texts(told))


def test_a_wish_that_comes_again_is_told_and_is_not_sent_again_i15_i90(tmp_path: Path) -> None:
    world, life = played(tmp_path)
    name = life.enter(signal=7)
    life.run_for(MINUTE)
    assert life.enter(signal=7) == name
    life.run_for(MINUTE)

    told = explained(on_disk(tmp_path, life), name)

    assert "the bot wanted it once more: it was approved before, and is not sent again" in texts(
        told
    )
    assert world.submitted == [name]


def test_an_order_that_was_taken_over_has_no_judgement_and_says_why_i61(tmp_path: Path) -> None:
    folder, at = tmp_path, AT
    ledger = Ledger.open(world_ledger(folder), venue="embedded", at=at)
    foreign = approved(client_order_id="by-hand-1")
    ledger.adopt_order(foreign.intent, foreign.order, reason="mine", operator="ada", at=at)
    ledger.record_report(
        OrderAccepted(client_order_id="by-hand-1", venue_order_id="v-1", at=at), at
    )
    ledger.commit()
    ledger.close()
    journal_in(folder).parent.mkdir(mode=0o700)
    journal = JournalFile.open(journal_in(folder), at=at)
    journal.append({"ts": at, "event": "engine_started", "source": "record"})
    journal.close()

    told = explained(Asking(folder), "v-1")

    assert told["judged"] is None
    assert told["notes"] == [
        "an operator took it over from the venue: no bot asked, no check was made"
    ]
    assert texts(told)[0] == "ada took it over for the bot, as it was at the venue: mine"


# --- A journal that is rotated, pruned or damaged


def test_a_story_goes_on_over_many_files_and_ends_where_they_were_pruned_i90(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=world_ledger(tmp_path))
    life = begun(world)
    name = life.enter(limit=LIMIT, protective_stop=STOP)
    life.run_for(5 * MINUTE)
    life.halt(OPERATOR_HALT.cause(since=life.now, detail="a drill"))
    life.run_for(MINUTE)
    life.die()
    run = on_disk(tmp_path, life, size=3_000)
    files = sorted(journal_in(tmp_path).parent.glob("app.0*.jsonl"))
    assert len(files) > 3

    told = explained(run, name)
    assert told["judged"]["as_derived"] is True
    steps = texts(told)
    assert steps[-1] == "the venue has taken it out of the market: canceled"

    (first,) = [file for file in files if b'"order_approved"' in file.read_bytes()]
    for file in files[: files.index(first) + 1]:
        file.unlink()
    pruned = explained(run, name)
    assert pruned["judged"] is None
    assert pruned["notes"] == ["its judgement is not in what is left of the journal"]
    assert texts(pruned)[-1] == steps[-1]


def test_a_line_that_was_changed_is_not_believed_and_the_rest_is_told_i63_i90(
    folder: Path, run: Asking
) -> None:
    name, path = names_in(folder)[0], journal_in(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    (place,) = [
        n for n, line in enumerate(lines) if b'"order_approved"' in line and name.encode() in line
    ]
    lines[place] = lines[place].replace(b'"state":"active"', b'"state":"halted"')
    path.write_bytes(b"".join(lines))

    code, out, _ = run("why", name)

    assert code == ExitCode.DURABILITY_REFUSED
    assert "note: its judgement is not in what is left of the journal" in out.splitlines()
    assert "the venue took it, as sim-o-1" in out
    last = out.splitlines()[-1]
    assert last.startswith(f"NOT ALL CAN BE READ: {path}: 1 lines") and "verify" in last


@pytest.mark.parametrize("damage", ["emptied", "gone", "garbage"])
def test_without_a_ledger_the_journal_alone_tells_what_it_can_i57_i90(
    folder: Path, run: Asking, damage: str
) -> None:
    name, path = names_in(folder)[0], ledger_in(folder)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "emptied" else b"no database " * 500)

    code, out, _ = run("why", name)

    assert code == ExitCode.DURABILITY_REFUSED
    assert "what became of it cannot be read" in out.splitlines()[1]
    assert "executed: buy" in out and "was never sent" not in out
    assert out.splitlines()[-1].startswith(f"NOT ALL CAN BE READ: {path} cannot be read: ")
    assert run("why", "--last-denial")[0] == ExitCode.CLEAN
    _, _, err = run("why", "hy1-none")
    assert f"no such order is in the journal, and {path} cannot be read: " in err


# --- The command itself


@pytest.mark.parametrize(
    "words", [(), ("a", "b"), ("a", "b", "c", "d"), ("",), ("--last-denial", "a", "b")]
)
def test_a_question_that_is_none_gets_one_clear_line(run: Asking, words: tuple[str, ...]) -> None:
    code, out, err = run("why", *words)

    assert (code, out) == (ExitCode.USAGE, "")
    assert "wanted ORDER, or BOT SYMBOL TIME, or --last-denial [BOT]" in err


def test_a_folder_without_a_record_gets_one_clear_line(tmp_path: Path) -> None:
    code, out, err = Asking(tmp_path)("why", "x")

    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"{ledger_in(tmp_path)}: found no ledger") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "is_in_utc"),
    [
        ("system:", "nonsense: 1\nsystem:", False),
        ("timezone: America/Los_Angeles", "timezone: America/Nowhere", True),
        ("system:", "system: [", True),
    ],
)
def test_settings_that_are_not_fit_hide_no_record_whose_place_is_known_i78(
    folder: Path, run: Asking, old: str, new: str, is_in_utc: bool
) -> None:
    (name, *_) = names_in(folder)
    settings = folder / "config" / "settings.yaml"
    settings.write_text(settings.read_text().replace(old, new, 1))

    code, out, err = run("why", name, "--config", str(folder / "config"))

    assert code == ExitCode.CLEAN
    assert ": FILLED\n" in out
    assert "settings.yaml" in err
    assert ("the timezone is not known: times are in UTC" in err) == is_in_utc


def test_what_others_wrote_cannot_play_tricks_on_the_terminal(run: Asking) -> None:
    code, _, err = run("why", "\x1b[2Jx")

    assert code == ExitCode.USAGE
    assert "\x1b" not in err


def test_its_help_is_for_somebody_who_sees_it_for_the_first_time(run: Asking) -> None:
    code, out, _ = run("why", "--help")

    assert code == ExitCode.CLEAN
    for part in (
        "Changes nothing",
        "may run meanwhile",
        "why mom_AAPL AAPL 14:32",
        "Exit code 0",
        "--last-denial",
    ):
        assert part in out
