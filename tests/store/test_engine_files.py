"""The files of an engine, and those of its earlier sessions."""

from pathlib import Path

import pytest

from hydra.store.engine_files import LIVES_KEPT, EngineFiles, end_previous_life
from hydra.store.engine_lock import EngineLock, HeldByAnother


def files_in(folder: Path) -> EngineFiles:
    state, logs = folder / "state", folder / "logs"
    state.mkdir(mode=0o700)
    logs.mkdir(mode=0o700)
    return EngineFiles.under(state, logs, "trading_state.db", "app.jsonl")


def test_the_first_session_has_nothing_to_set_aside(tmp_path: Path) -> None:
    assert end_previous_life(files_in(tmp_path)) is None


def test_ledger_with_its_log_and_journal_go_together_and_only_the_newest_are_kept(
    tmp_path: Path,
) -> None:
    files = files_in(tmp_path)

    for session in range(1, LIVES_KEPT + 4):
        files.ledger.write_text(f"ledger {session}")
        files.ledger.with_name("trading_state.db-wal").write_text(f"log {session}")
        files.journal.write_text(f"journal {session}")
        folder = end_previous_life(files)
        assert folder == files.ledger.parent / "ended" / f"{session:06d}"
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            "trading_state.db": f"ledger {session}",
            "trading_state.db-wal": f"log {session}",
            "app.jsonl": f"journal {session}",
        }

    kept = sorted(int(path.name) for path in (files.ledger.parent / "ended").iterdir())
    assert kept == list(range(4, LIVES_KEPT + 4))
    assert not files.ledger.exists() and not files.journal.exists()


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path: Path) -> None:
    path = tmp_path / "state" / "engine.lock"
    first = EngineLock(path)

    with pytest.raises(HeldByAnother, match=r"another engine \(process \d+\) holds the account"):
        EngineLock(path)

    first.release()
    first.release()
    EngineLock(path).release()
