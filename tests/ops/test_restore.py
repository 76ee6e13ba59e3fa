"""`hydra-trader restore` as an operator meets it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.engine_lock import EngineLock
from tests.ops.sessions import Command, command, files_in, json_of, ledger_in, played, typed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return played(tmp_path / "session")


@pytest.fixture
def run(folder: Path) -> Command:
    return command(folder)


def test_a_ledger_that_is_lost_comes_back_from_the_backup_that_verify_names_i54_i66(
    folder: Path, run: Command
) -> None:
    backup = Path(json_of(run("backup", "--json"))["path"])
    ledger_in(folder).unlink()
    _, told, _ = run("verify")
    assert f"the newest backup that passes is {backup}" in told
    assert typed(folder, f"hydra-trader restore {backup} --reason") in told

    code, out, err = run("restore", str(backup), "--reason", "the disk lost it")

    assert (code, err) == (ExitCode.CLEAN, "")
    assert out.splitlines() == [
        f"restored: {backup}, up to its event 69",
        "8 orders; what was traded later is not in it",
        f"kept: {folder}/logs/replaced/000001/app.jsonl",
        typed(
            folder,
            "the next start is HALTED; then `hydra-trader reconcile` shows what differs from the"
            " venue, and it ends by `hydra-trader resume --reason …`",
        ),
    ]
    assert run("verify")[0] == ExitCode.CLEAN
    (cause,) = json_of(run("status", "--json"))["causes"]
    assert cause["code"] == "operator-halt"
    assert cause["detail"].startswith(f"the disk lost it (restored from {backup}, uid ")


def change_a_line(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[20] = lines[20].replace(b"a", b"b", 1)
    journal.write_bytes(b"".join(lines))


def cut_it(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-20]))


@pytest.mark.parametrize("lose_it", [change_a_line, cut_it, Path.unlink])
def test_with_a_whole_ledger_a_lost_journal_costs_nothing_of_the_record_i54_i66(
    lose_it: Callable[[Path], None], folder: Path, run: Command
) -> None:
    lose_it(folder / "logs" / "app.jsonl")
    way_out = "with `hydra-trader backup`, then `hydra-trader restore BACKUP --reason …` of that"
    said = [run("resume", "--reason", "a drill")[2], run("verify")[1]]

    backup = json_of(run("backup", "--json"))["path"]
    code, out, err = run("restore", backup, "--reason", "the journal is lost")

    way_out = typed(folder, way_out)
    assert [way_out in each for each in said] == [True, True], said
    assert (code, err, out.splitlines()[0]) == (
        ExitCode.CLEAN,
        "",
        f"restored: {backup}, up to its event 69",
    )
    assert run("verify")[0] == ExitCode.CLEAN


def test_what_cannot_be_restored_gives_one_clear_line_and_touches_nothing_i66(
    folder: Path, run: Command
) -> None:
    backup = Path(json_of(run("backup", "--json"))["path"])
    bad = folder / "bad.db"
    bad.write_bytes(backup.read_bytes().replace(b"signal", b"signaL"))
    text = folder / "notes.txt"
    text.write_text("this is no database, but it is long enough to be one" * 100)
    before = files_in(folder)

    answers = {
        name: run("restore", str(folder / name), "--reason", "just a try")
        for name in ("bad.db", "notes.txt", "none.db", "state/trading_state.db")
    }
    files = EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl")
    lock = EngineLock(files.lock)
    held = run("restore", str(backup), "--reason", "just a try")
    lock.release()

    assert [(name, code, err.count("\n")) for name, (code, _, err) in answers.items()] == [
        ("bad.db", ExitCode.DURABILITY_REFUSED, 1),
        ("notes.txt", ExitCode.DURABILITY_REFUSED, 1),
        ("none.db", ExitCode.USAGE, 1),
        ("state/trading_state.db", ExitCode.USAGE, 1),
    ]
    assert (held[0], held[2].count("\n")) == (ExitCode.HELD_BY_ANOTHER, 1)
    after = files_in(folder)
    assert {name: after[name] for name in before if "lock" not in name} == {
        name: content for name, content in before.items() if "lock" not in name
    }
