"""`python -m hydra.main` that is killed with SIGKILL, and the run that comes after it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.crash_points import VARIABLE
from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.ports import LedgerMark
from hydra.store import projections
from hydra.store.agreement import disagreement
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import Clear, read_halt_marker
from hydra.store.journal_files import files_of
from hydra.store.journal_reading import findings_in, read_journal
from hydra.store.reading import Records
from tests.crash.checks import whole_head
from tests.crash.lives import ROOT, WITHIN_S, environment_with

ANOTHER_MARKET = ("--seed", "7")
"""The account of the market before is over with it, and its record is set aside."""
TO_THE_END = ""
"""Not killed: the market comes to its end, and what comes after it is another account."""

PLACES = (
    ("ledger.commit.after:5", TO_THE_END),
    ("journal.append.after:40", TO_THE_END, "recovery.set_aside:2"),
    (TO_THE_END, "recovery.locked", "recovery.crosschecked", "recovery.done", TO_THE_END),
    ("ledger.open.created", "ledger.migrate.step:7", "ledger.migrate.after", TO_THE_END),
    ("ledger.commit.events_written:3", "ledger.commit.tables_written:9", TO_THE_END),
    ("ledger.commit.before:20", TO_THE_END, *(f"recovery.set_aside:{t}" for t in (1, 2, 1))),
    ("journal.append.before:60", TO_THE_END, "recovery.set_aside:4", "ledger.open.verified"),
    (TO_THE_END, "recovery.set_aside:3", "recovery.set_aside:1", "ledger.open.proven"),
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a session that nobody killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(folder) == ExitCode.CLEAN
    return files_in(folder).journal.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("places", PLACES, ids=" ".join)
def test_after_killed_sessions_the_next_one_trades_as_if_nothing_had_been_i52_i59(
    places: tuple[str, ...], tmp_path: Path, undisturbed: bytes
) -> None:
    for place in places:
        if place == TO_THE_END:
            assert run(tmp_path) == ExitCode.CLEAN
        else:
            assert run(tmp_path, place) == -signal.SIGKILL, place

    assert run(tmp_path) == ExitCode.CLEAN

    files = files_in(tmp_path)
    assert files.journal.read_bytes() == undisturbed
    faults = [fault for life in lives_in(files) for fault in faults_of(life)]
    assert faults == []


@pytest.mark.slow
@pytest.mark.parametrize("time", [1, 2, 3, 4])
def test_a_life_whose_setting_aside_was_killed_is_set_aside_whole_i52_i59(
    time: int, tmp_path: Path
) -> None:
    assert run(tmp_path, "ledger.commit.after:20") == -signal.SIGKILL
    files = files_in(tmp_path)
    left = [files.ledger, files.journal, files.halt_marker, files.venue_log]
    names = {path.name for path in left if path.exists()}

    assert run(tmp_path, f"recovery.set_aside:{time}", *ANOTHER_MARKET) == -signal.SIGKILL
    assert run(tmp_path, "recovery.crosschecked", *ANOTHER_MARKET) == -signal.SIGKILL

    (life,) = files.ended.iterdir()
    assert {path.name for path in life.iterdir()} == names
    assert list(faults_of(in_folder(life))) == []


@pytest.mark.slow
@pytest.mark.parametrize("times_asked", [1, 2])
def test_a_session_that_is_asked_to_stop_and_then_killed_leaves_a_whole_record_i52_i76(
    times_asked: int, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--speed", "3000"),
        cwd=ROOT,
        env=environment_with({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    journal = files_in(tmp_path).journal
    while not journal.exists() or b'"ledger_committed"' not in journal.read_bytes():
        assert process.poll() is None
    for _ in range(times_asked):
        process.terminate()
    process.kill()
    process.communicate(timeout=WITHIN_S)

    assert run(tmp_path, None, *ANOTHER_MARKET) == ExitCode.CLEAN

    (killed, _) = lives_in(files_in(tmp_path))
    assert list(faults_of(killed)) == []


@pytest.mark.parametrize("asked", ["", "ledger.commit", "ledger.commit.after:0"])
def test_a_place_to_crash_at_that_there_is_not_is_refused_in_one_line_i78(
    asked: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(VARIABLE, asked)

    code = main(arguments_for(tmp_path))

    (line,) = capfd.readouterr().err.splitlines()
    assert code == ExitCode.CONFIGURATION_REFUSED
    assert line.startswith(f"{VARIABLE}: found {asked!r}; wanted one of ")
    assert list(tmp_path.iterdir()) == []


def test_live_refuses_to_start_with_a_place_to_crash_at_i59_i78(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    settings = (config / "settings.yaml").read_text()
    (config / "settings.yaml").write_text(settings.replace("resume: preflight", "resume: operator"))
    monkeypatch.setenv(VARIABLE, "backup.copied")

    code = main([*arguments_for(tmp_path), "--venue", "live", "--config", str(config)])

    (line,) = capfd.readouterr().err.splitlines()
    assert code == ExitCode.CONFIGURATION_REFUSED
    assert line.startswith(f"{VARIABLE}: found 'backup.copied' with venue live; wanted it unset")
    assert not files_in(tmp_path).ledger.parent.exists()


def run(folder: Path, place: str | None = None, *arguments: str) -> int:
    """A session in virtual time; how its process ended."""
    return subprocess.run(
        command(folder, "--clock", "virtual", *arguments),
        cwd=ROOT,
        env=environment_with({} if place is None else {VARIABLE: place}),
        stdout=subprocess.DEVNULL,
        timeout=WITHIN_S,
        check=False,
    ).returncode


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "hydra.main", *arguments_for(folder), *arguments]


def arguments_for(folder: Path) -> list[str]:
    return ["--venue", "embedded", "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"]


def files_in(folder: Path) -> EngineFiles:
    return EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl")


def in_folder(life: Path) -> EngineFiles:
    """A life that was set aside has all its files in one folder."""
    return EngineFiles.under(life, life, "trading_state.db", "app.jsonl")


def lives_in(files: EngineFiles) -> list[EngineFiles]:
    """Those that were set aside, and the one that ran last."""
    return [*(in_folder(life) for life in sorted(files.ended.iterdir())), files]


def faults_of(life: EngineFiles) -> Iterator[str]:
    """What is wrong with its record; an order is acknowledged once the journal says so."""
    connection = connected_to_read(life.ledger)
    try:
        if connection.pragma("user_version") == 0:
            assert not files_of(life.journal), "the ledger has its tables before there is a journal"
            return
        head, records = whole_head(connection), Records(connection)
        lines = []
        if files_of(life.journal):
            lines = list(read_journal(life.journal))
            yield from (each.reason for each in findings_in(life.journal))
        names = {each.state.order.client_order_id for each in records.orders()}
        mark = None
        for line in lines:
            if "ledger_seq" in line:
                mark = LedgerMark(int(str(line["ledger_seq"])), str(line["ledger_chain"]))
                if records.link_at(mark.seq) != mark.chain:
                    yield f"{life.ledger}: event {mark.seq} was acknowledged, and is not there"
            if line["event"] == "intent_stored":
                order = line["order"]
                assert isinstance(order, dict), "so it is written"
                if order["client_order_id"] not in names:
                    yield f"{life.ledger}: order {order} was acknowledged, and is not there"
        journal_seen = int(records.facts().get(projections.JOURNAL, 0))
        fault = disagreement(
            LedgerMark(head.seq, head.link.hex()), journal_seen, records.link_at, len(lines), mark
        )
        if fault is not None:
            yield f"{life.ledger}: {fault}"
        if life.halt_marker.exists() and read_halt_marker(life.halt_marker) != Clear():
            yield f"{life.halt_marker}: {read_halt_marker(life.halt_marker)}"
    finally:
        connection.close()
