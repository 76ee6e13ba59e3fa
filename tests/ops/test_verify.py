"""`hydra-trader verify` as an operator meets it."""

import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

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


def by_hand(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_session_that_ended_in_order_is_well_and_nothing_is_changed_i54_i55(
    folder: Path, run: Command
) -> None:
    before = files_in(folder)

    code, out, err = run("verify")

    assert (code, err) == (ExitCode.CLEAN, "")
    lines = out.splitlines()
    checks = [line.split("  ")[1].strip() for line in lines[:-3]]
    assert checks == [
        "rights", "sqlite", "schema", "chain", "tables", "replay", "journal", "marks", "owner",
        "last engine", "halt marker",
    ]  # fmt: skip
    assert all(line.startswith("ok   ") for line in lines[:-3])
    assert lines[-3] == (
        "69 events in 57 commits, 8 orders (0 open), 8 fills of 2 bots, 0 halts standing"
    )
    assert lines[-1] == "all is well"
    assert files_in(folder) == before


def test_what_is_wrong_is_one_line_that_says_what_was_found_and_wanted_where_and_what_to_do_i54(
    folder: Path, run: Command
) -> None:
    by_hand(ledger_in(folder), "UPDATE sub_ledgers SET cash = '1000000' WHERE bot = 'mom_AAPL'")

    code, out, err = run("verify")

    assert (code, err) == (ExitCode.DURABILITY_REFUSED, "")
    (line,) = [line for line in out.splitlines() if line.startswith("BAD")]
    assert line == (
        "BAD  tables       sub_ledgers mom_AAPL: found cash '1000000', wanted '-1.12';"
        f" wanted the tables that were written with event 69; {ledger_in(folder)};"
        " keep the files as they are, find out what changed them, start from the newest proven"
        " backup"
    )
    assert out.splitlines()[-1] == "NOT WELL: 1 of 11 are BAD"


def test_the_newest_backup_that_passes_is_named_beside_a_ledger_that_does_not_i66(
    folder: Path, run: Command
) -> None:
    backup = json_of(run("backup", "--json"))["path"]
    ledger_in(folder).write_bytes(b"")

    code, out, _ = run("verify")

    assert code == ExitCode.DURABILITY_REFUSED
    assert f"the newest backup that passes is {backup}" in out.splitlines()
    assert run("verify", "--ledger", backup)[0] == ExitCode.CLEAN


def test_damage_in_the_journal_is_said_with_file_line_and_byte_i63(
    folder: Path, run: Command
) -> None:
    journal = folder / "logs" / "app.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[40] = lines[40].replace(b'"seq":41', b'"seq":14')
    journal.write_bytes(b"".join(lines))

    code, out, _ = run("verify")

    assert code == ExitCode.DURABILITY_REFUSED
    where = f"{journal}, line 41 (byte {sum(map(len, lines[:40]))})"
    assert any(line.startswith("BAD  journal") and where in line for line in out.splitlines())


def test_for_programs_there_is_json(folder: Path, run: Command) -> None:
    found = json_of(run("verify", "--json"))

    assert found["ok"] is True
    assert found["exit_code"] == ExitCode.CLEAN
    assert {check["ok"] for check in found["checks"]} == {True}
    assert found["ledger"]["mark"]["seq"] == found["ledger"]["counts"]["events"] == 69
    assert found["ledger"]["ended_in_order"] is True
    assert found["journal"]["findings"] == []

    by_hand(ledger_in(folder), "UPDATE sub_ledgers SET cash = '0'")
    code, out, err = run("verify", "--json")

    assert (code, err) == (ExitCode.DURABILITY_REFUSED, "")
    assert json_of((code, out, err))["ok"] is False


def test_a_ledger_of_a_later_hydra_has_an_exit_code_of_its_own_i67(
    folder: Path, run: Command
) -> None:
    by_hand(ledger_in(folder), "PRAGMA user_version = 99")

    code, out, _ = run("verify")

    assert code == ExitCode.VERSION_FENCE
    assert "has schema version 99" in out


def test_the_venue_that_is_meant_is_that_of_the_command_line_i82(run: Command) -> None:
    code, out, _ = run("verify", "--venue", "paper")

    assert code == ExitCode.DURABILITY_REFUSED
    assert "a ledger of venue embedded; wanted one of venue paper" in out


def test_a_folder_without_a_ledger_gives_one_clear_line(tmp_path: Path) -> None:
    code, out, err = command(tmp_path)("verify")

    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"{ledger_in(tmp_path)}: found no ledger") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_gives_one_clear_line(run: Command, tmp_path: Path) -> None:
    code, out, err = run("verify", "--ledger", str(tmp_path / "none.db"))

    assert (code, out) == (ExitCode.USAGE, "")
    assert err == f"{tmp_path / 'none.db'}: found no file, wanted a ledger or a backup of one\n"


def test_settings_that_are_not_fit_hide_no_record_whose_place_is_known_i78(
    run: Command, tmp_path: Path
) -> None:
    config = Path(shutil.copytree(HOME / "config", tmp_path / "config"))
    settings = config / "settings.yaml"
    settings.write_text(settings.read_text() + "\nnonsense: 1\n")

    code, out, err = run("verify", "--config", str(config))

    assert code == ExitCode.CLEAN
    assert out.endswith("all is well\n")
    assert "settings.yaml" in err and "nonsense" in err


def test_without_any_settings_the_record_of_the_folder_that_was_named_is_read_i78(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    none = tmp_path / "none"

    code, out, err = run("verify", "--config", str(none))

    assert code == ExitCode.CLEAN
    assert out.endswith("all is well\n")
    ledger, journal = ledger_in(folder), folder / "logs" / "app.jsonl"
    assert err.splitlines()[-1] == (
        f"read all the same: {ledger} and {journal}, venue embedded; say where else with"
        " --state-dir and --log-dir"
    )


def test_each_venue_has_its_own_folders_where_none_are_named_i82(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(HOME / "config", tmp_path / "config")
    for kind in ("state", "logs"):
        (tmp_path / kind).mkdir(mode=0o700)
        shutil.move(folder / kind, tmp_path / kind / "embedded")

    def verified(*words: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "hydra.cli", "verify", *words],
            cwd=tmp_path,
            env={"PYTHONPATH": str(HOME), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            timeout=50,
            check=False,
        ).returncode

    assert verified() == ExitCode.CLEAN
    assert verified("--venue", "paper") == ExitCode.USAGE
    shutil.copytree(tmp_path / "state" / "embedded", tmp_path / "state", dirs_exist_ok=True)
    assert verified("--venue", "paper") == ExitCode.DURABILITY_REFUSED  # it is of embedded


@pytest.mark.parametrize("verb", ["verify", "backup", "export"])
def test_its_help_is_for_somebody_who_sees_it_for_the_first_time(run: Command, verb: str) -> None:
    code, out, _ = run(verb, "--help")

    assert code == ExitCode.CLEAN
    assert "The engine may run" in out or "the engine may run" in out
    assert "Exit code 0" in out
