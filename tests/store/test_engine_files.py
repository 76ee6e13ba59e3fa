"""The files of an engine: whether they go together, and those of its earlier sessions."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hydra.store.engine_files import (
    LIVES_KEPT,
    EngineFiles,
    NamesClash,
    OtherVenuesRecord,
    RecordGone,
    end_previous_life,
    is_first_start,
)
from hydra.store.engine_lock import EngineLock, last_holder
from hydra.store.halt_marker import HaltMarker


def files_in(folder: Path) -> EngineFiles:
    state, logs = folder / "state", folder / "logs"
    state.mkdir(mode=0o700)
    logs.mkdir(mode=0o700)
    return EngineFiles.under(state, logs, "trading_state.db", "app.jsonl")


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def everything_below(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def write_journal(files: EngineFiles) -> None:
    files.journal.write_text('{"ts":1}\n')


def write_segment(files: EngineFiles) -> None:
    files.journal.with_name("app.000000000001.jsonl").write_text('{"ts":1}\n')


def write_marker(files: EngineFiles) -> None:
    HaltMarker.open(files.halt_marker, at=1, first_start=True).close()


def name_in_lock(files: EngineFiles, venue: str = "paper", account: str | None = "PA1") -> None:
    lock = EngineLock(files.lock)
    lock.name(venue=venue, account=account)
    lock.release()


def write_backups(files: EngineFiles) -> None:
    files.backups.mkdir(mode=0o700)
    for number, at in ((1, 2_000), (2, 3_000), (3, 1_000)):
        backup = files.backups / f"trading_state-{number}.db"
        backup.write_text("a ledger")
        os.utime(backup, (at, at))
    (files.backups / "trading_state-4.db.partial").write_text("half of one")


def write_wal(files: EngineFiles) -> None:
    beside(files.ledger, "-wal").write_text("frames")


WITNESSES: list[tuple[Callable[[EngineFiles], None], str]] = [
    (write_journal, r"logs/app\.jsonl has 9 bytes"),
    (write_segment, r"logs/app\.000000000001\.jsonl has 9 bytes"),
    (write_marker, r"there is \S+/state/halt\.marker"),
    (name_in_lock, r"state/engine\.lock names process \d+ .*venue paper, account PA1;"),
    (write_backups, r"state/backups has 3 backups; .*newest backup is \S+/trading_state-2\.db \("),
    (write_wal, r"state/trading_state\.db-wal has 6 bytes"),
]


@pytest.mark.parametrize("ledger", ["missing", "empty"])
@pytest.mark.parametrize(("witness", "words"), WITNESSES)
def test_a_ledger_that_is_gone_is_not_begun_anew_i54_i58(
    tmp_path: Path, ledger: str, witness: Callable[[EngineFiles], None], words: str
) -> None:
    files = files_in(tmp_path)
    witness(files)
    if ledger == "empty":
        files.ledger.touch()
    before = everything_below(tmp_path)

    with pytest.raises(RecordGone, match=words) as refused:
        is_first_start(files)

    (line,) = str(refused.value).splitlines()
    found = "no ledger" if ledger == "missing" else "an empty ledger"
    assert line.startswith(f"{files.ledger}: found {found}, but ")
    assert everything_below(tmp_path) == before


def test_all_that_speaks_of_a_ledger_is_named_at_once_i54(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    for witness, _ in WITNESSES:
        witness(files)

    with pytest.raises(RecordGone) as refused:
        is_first_start(files)

    for name in ("-wal", "app.jsonl", "app.0", "halt.marker", "account PA1", "3 backups"):
        assert name in str(refused.value)


def test_nobody_is_told_to_move_the_journal_of_an_engine_that_runs_i54(tmp_path: Path) -> None:
    """One that has its ledger elsewhere: whoever asks has named the wrong folder."""
    files = files_in(tmp_path)
    write_journal(files)
    engine = subprocess.Popen(["sleep", "60"])
    line = {"pid": engine.pid, "host": socket.gethostname(), "started_at": "today"}
    files.journal_lock.write_bytes(msgspec.json.encode(line))
    files.journal_lock.chmod(0o600)
    try:
        with pytest.raises(RecordGone) as refused:
            is_first_start(files)
    finally:
        engine.kill()
        engine.wait()

    assert str(refused.value).endswith(
        f"; an engine (process {engine.pid} on {socket.gethostname()}, since today) writes that"
        " journal and has its ledger elsewhere: say where with --state-dir, and touch nothing here"
    )
    with pytest.raises(RecordGone, match="move these files away"):
        is_first_start(files)


def test_without_a_backup_none_is_promised(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    write_journal(files)

    with pytest.raises(RecordGone, match=r"; there is no backup;"):
        is_first_start(files)


def leave_nothing(files: EngineFiles) -> None:
    pass


def leave_what_a_killed_first_start_leaves(files: EngineFiles) -> None:
    """Killed before the ledger's first event was durable, with everything opened already."""
    EngineLock(files.lock).release()
    EngineLock(files.journal_lock).release()
    files.ledger.touch()
    beside(files.ledger, "-wal").touch()
    files.journal.touch()
    beside(files.halt_marker, ".partial").write_text("half of one")
    files.cache.mkdir()
    files.debug_socket.touch()


def leave_no_folders(files: EngineFiles) -> None:
    files.ledger.parent.rmdir()
    files.journal.parent.rmdir()


@pytest.mark.parametrize(
    "leave", [leave_nothing, leave_what_a_killed_first_start_leaves, leave_no_folders]
)
def test_a_first_start_needs_nothing_and_can_be_tried_again_i59(
    tmp_path: Path, leave: Callable[[EngineFiles], None]
) -> None:
    files = files_in(tmp_path)
    leave(files)

    assert is_first_start(files)


def test_a_ledger_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.ledger.write_text("a ledger")
    for witness, _ in WITNESSES:
        witness(files)

    assert not is_first_start(files)


def test_the_first_session_has_nothing_to_set_aside(tmp_path: Path) -> None:
    assert end_previous_life(files_in(tmp_path)) is None


def test_all_of_one_life_goes_together_and_only_the_newest_lives_are_kept(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    segment = files.journal.with_name("app.000000000001.jsonl")

    for session in range(1, LIVES_KEPT + 4):
        files.ledger.write_text(f"ledger {session}")
        beside(files.ledger, "-wal").write_text(f"log {session}")
        files.journal.write_text(f"journal {session}")
        segment.write_text(f"full journal {session}")
        files.halt_marker.write_text(f"marker {session}")
        folder = end_previous_life(files)
        assert folder == files.ledger.parent / "ended" / f"{session:06d}"
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            "trading_state.db": f"ledger {session}",
            "trading_state.db-wal": f"log {session}",
            "app.jsonl": f"journal {session}",
            "app.000000000001.jsonl": f"full journal {session}",
            "halt.marker": f"marker {session}",
        }

    kept = sorted(int(path.name) for path in (files.ledger.parent / "ended").iterdir())
    assert kept == list(range(4, LIVES_KEPT + 4))


def test_after_a_life_was_set_aside_the_next_start_is_a_first_one(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    for witness, _ in WITNESSES:
        if witness is not name_in_lock:
            witness(files)
    files.ledger.write_text("a ledger")
    name_in_lock(files, venue="embedded", account="EMBEDDED")

    folder = end_previous_life(files)

    assert folder is not None
    assert sorted(path.name for path in (folder / "backups").iterdir()) == [
        "trading_state-1.db",
        "trading_state-2.db",
        "trading_state-3.db",
        "trading_state-4.db.partial",
    ]
    holder = last_holder(files.lock)
    assert holder is not None and (holder.venue, holder.account) == (None, None)
    assert is_first_start(files)


@pytest.mark.parametrize("venue", ["paper", "live"])
def test_the_record_of_a_venue_that_remembers_is_never_set_aside_i54(
    tmp_path: Path, venue: str
) -> None:
    files = files_in(tmp_path)
    files.ledger.write_text("a ledger")
    name_in_lock(files, venue=venue)
    before = everything_below(tmp_path)

    with pytest.raises(OtherVenuesRecord, match=f"found the record of the {venue} venue"):
        end_previous_life(files)

    assert everything_below(tmp_path) == before


@pytest.mark.parametrize("name", ["engine.lock", "halt.marker", "backups", "app.jsonl"])
def test_no_two_files_of_an_engine_are_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(NamesClash, match=f"found two files named {name}"):
        EngineFiles.under(tmp_path, tmp_path, name, "app.jsonl")
