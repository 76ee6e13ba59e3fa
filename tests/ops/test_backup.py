"""`hydra-trader backup` as an operator meets it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.crash_points import VARIABLE
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME, Command, command, files_in, json_of, ledger_in, played


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("session"))


@pytest.fixture
def folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "session"))


@pytest.fixture
def run(folder: Path) -> Command:
    return command(folder)


def test_it_says_where_the_backup_is_and_what_was_proven_i66(folder: Path, run: Command) -> None:
    before = files_in(folder)
    path = folder / "state" / "backups" / "trading_state-000000000069.db"

    code, out, err = run("backup")

    assert (code, err) == (ExitCode.CLEAN, "")
    lines = out.splitlines()
    assert lines[0] == f"backed up to {path} ({path.stat().st_size:,} bytes)"
    assert lines[1] == (
        "proven: SQLite's own check, every link of the chain, the tables, and the state after each"
        " of 57 commits"
    )
    assert lines[2] == "69 events, 8 orders, 8 fills"
    after = files_in(folder)
    del after[os.fspath(path.relative_to(folder))]
    assert after == before

    code, out, _ = run("backup")

    assert code == ExitCode.CLEAN
    assert out.startswith("was backed up already, and is still good: ")


def test_it_goes_to_the_file_or_folder_that_is_named(folder: Path, run: Command) -> None:
    (folder / "mine").mkdir(mode=0o700)

    to_file = json_of(run("backup", "--to", f"{folder}/safe/monday.db", "--json"))
    to_folder = json_of(run("backup", "--to", f"{folder}/mine", "--json"))

    assert to_file["path"] == f"{folder}/safe/monday.db"
    assert to_folder["path"] == f"{folder}/mine/trading_state-000000000069.db"
    assert to_file["ledger"] == to_folder["ledger"]
    assert to_file["ledger"]["counts"]["orders"] == 8
    assert not (folder / "state" / "backups").exists()


def test_a_ledger_that_is_not_whole_gives_one_clear_line_i66(folder: Path, run: Command) -> None:
    content = ledger_in(folder).read_bytes()
    ledger_in(folder).write_bytes(content.replace(b"signal", b"signaL"))

    code, out, err = run("backup")

    assert (code, out) == (ExitCode.DURABILITY_REFUSED, "")
    assert err.count("\n") == 1
    assert "is not what was written" in err
    assert list((folder / "state" / "backups").glob("*.db")) == []


def test_what_sqlite_cannot_read_gives_one_clear_line(folder: Path, run: Command) -> None:
    ledger_in(folder).write_bytes(b"this is no database, but it is long enough to be one" * 100)

    code, _, err = run("backup")

    assert code == ExitCode.DURABILITY_REFUSED
    assert err.count("\n") == 1
    assert "NotADBError" in err


def test_rights_that_are_too_open_give_one_clear_line_i84(folder: Path, run: Command) -> None:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o755)
    (folder / "open" / "something").touch()

    code, _, err = run("backup", "--to", f"{folder}/open")

    assert code == ExitCode.DURABILITY_REFUSED
    assert err == (f"{folder}/open has rights 0755, wanted 0700: chmod 700 {folder}/open\n")


def test_a_folder_without_a_ledger_gives_one_clear_line(tmp_path: Path) -> None:
    code, _, err = command(tmp_path)("backup")

    assert code == ExitCode.USAGE
    assert err.startswith(f"{ledger_in(tmp_path)}: found no ledger") and err.count("\n") == 1


def test_a_place_to_die_that_does_not_exist_is_refused(run: Command) -> None:
    code, _, err = run("backup", env={VARIABLE: "backup.nowhere"})

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert err.startswith(f"{VARIABLE}: found 'backup.nowhere'")


def test_a_killed_run_leaves_no_backup_and_the_next_one_clears_up_i66(
    folder: Path, run: Command
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hydra.cli", "backup", "--state-dir", f"{folder}/state",
         "--log-dir", f"{folder}/logs"],
        cwd=HOME,
        env={**os.environ, VARIABLE: "backup.copied"},
        timeout=50,
        check=False,
    )  # fmt: skip
    backups = folder / "state" / "backups"
    assert ended.returncode == -signal.SIGKILL
    assert [path.suffix for path in backups.iterdir()] == [".partial"]

    code, _, _ = run("backup")

    assert code == ExitCode.CLEAN
    assert [path.suffix for path in backups.iterdir()] == [".db"]
