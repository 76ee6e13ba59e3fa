"""One look at an engine from outside: real sockets, real records, and nothing of them changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hydra.ops.alerts.looking import Looking
from hydra.ops.control.place import Place
from hydra.store.engine_files import EngineFiles
from hydra.store.engine_lock import EngineLock
from hydra.store.journal import JournalFile
from hydra.trading.causes import OPERATOR_HALT
from tests.ops.control.engines import controlled, files_in
from tests.ops.control.lives import AT, lived
from tests.ops.sessions import files_in as contents_of
from tests.ops.test_health import make_well

HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")


@contextmanager
def looking_at(files: EngineFiles, journal_seq: int | None = None) -> Iterator[Looking]:
    with closing(Looking(Place(files=files, venue="embedded"), journal_seq)) as looking:
        yield looking


@contextmanager
def held(files: EngineFiles) -> Iterator[None]:
    """This process is the engine that has the record."""
    lock = EngineLock(files.lock)
    try:
        yield
    finally:
        lock.release()


def write(journal: JournalFile, *codes: str) -> None:
    for code in codes:
        journal.append({"ts": AT, "event": "halt_recorded", "code": code})


def codes(looking: Looking) -> list[str]:
    return [line["code"] for line in looking.look().lines]


def test_of_an_engine_that_answers_it_has_what_health_and_status_tell(tmp_path: Path) -> None:
    with (
        controlled(tmp_path, bots=("mom_AAPL",)) as engine,
        held(engine.files),
        looking_at(engine.files) as looking,
    ):
        make_well(engine)
        look = looking.look()

    assert look.told is not None and look.told["trading_state"] == "ACTIVE"
    assert {finding.passed for finding in look.findings} == {True}
    assert look.process is not None and look.process.startswith(f"process {os.getpid()} on ")


@pytest.mark.parametrize("in_order", [True, False])
def test_of_one_that_is_gone_it_has_how_it_ended(tmp_path: Path, in_order: bool) -> None:
    with looking_at(lived(tmp_path, in_order=in_order)) as looking:
        look = looking.look()

    assert (look.told, look.process, look.ended_in_order) == (None, None, in_order)
    assert look.findings[0].line.startswith("none runs: no engine has made a socket at ")


def test_one_that_began_and_ended_between_two_looks_is_not_taken_for_the_one_before(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path, in_order=False)
    with looking_at(files) as looking:
        assert looking.look().ended_in_order is False
        lived(tmp_path, in_order=True)
        assert looking.look().ended_in_order is True


def test_where_there_never_was_one_nobody_knows_how_it_ended(tmp_path: Path) -> None:
    with looking_at(files_in(tmp_path)) as looking:
        assert looking.look().ended_in_order is None


def test_one_that_has_the_record_and_is_silent_is_named(tmp_path: Path) -> None:
    files = lived(tmp_path)
    with held(files), looking_at(files) as looking:
        look = looking.look()

    assert (look.told, look.ended_in_order) == (None, None)
    assert look.process is not None
    assert f"({look.process}) has this record and does not answer" in look.findings[0].line


def test_a_record_that_cannot_be_read_is_none_that_ended_in_order(tmp_path: Path) -> None:
    files = lived(tmp_path)
    files.ledger.write_bytes(b"spoilt" * 100)
    with looking_at(files) as looking:
        assert looking.look().ended_in_order is None


def test_a_lock_that_cannot_be_looked_at_is_a_finding(tmp_path: Path) -> None:
    files = lived(tmp_path)
    files.lock.unlink()
    files.lock.mkdir()
    with looking_at(files) as looking:
        (finding,) = looking.look().findings

    assert (finding.name, finding.passed) == ("engine", False)
    assert finding.line.startswith("nobody can see whether one runs: IsADirectoryError")


def test_looking_changes_nothing(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED)
    before = contents_of(tmp_path)
    with looking_at(files) as looking:
        looking.look()

    assert contents_of(tmp_path) == before


def test_each_line_of_the_journal_is_seen_once_from_its_end_on(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with closing(JournalFile.open(files.journal, at=AT, file_bytes_max=700)) as journal:
        write(journal, "before")
        with looking_at(files) as looking:
            assert codes(looking) == []
            write(journal, "a", "b")
            assert codes(looking) == ["a", "b"]
            write(journal, *(str(number) for number in range(40)))
            assert codes(looking) == [str(number) for number in range(40)]
            assert codes(looking) == []


def test_what_the_journal_got_while_nobody_looked_is_seen_by_who_knows_where_he_was_i89(
    tmp_path: Path,
) -> None:
    files = files_in(tmp_path)
    with closing(JournalFile.open(files.journal, at=AT, file_bytes_max=700)) as journal:
        with looking_at(files) as looking:
            assert codes(looking) == []
            write(journal, "a")
            seq = looking.look().journal_seq
        write(journal, *(str(number) for number in range(40)))
        with looking_at(files, seq) as again:
            assert codes(again) == [str(number) for number in range(40)]
        with looking_at(files, 10_000) as of_another_journal:
            assert codes(of_another_journal) == []
            write(journal, "b")
            assert codes(of_another_journal) == ["b"]


def test_a_journal_that_is_begun_anew_is_seen_from_its_first_line(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with looking_at(files) as looking:
        with closing(JournalFile.open(files.journal, at=AT)) as journal:
            write(journal, "a")
            assert codes(looking) == []
            write(journal, "b", "c")
            assert codes(looking) == ["b", "c"]
        shutil.move(files.journal, tmp_path / "set aside")
        assert codes(looking) == []
        with closing(JournalFile.open(files.journal, at=AT)) as journal:
            write(journal, "d")
            assert codes(looking) == ["d"]


def test_a_journal_that_comes_to_be_while_it_looks_is_seen_whole(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with looking_at(files) as looking:
        assert codes(looking) == []
        with closing(JournalFile.open(files.journal, at=AT)) as journal:
            write(journal, "a")
            assert codes(looking) == ["a"]


def test_a_journal_that_is_damaged_has_no_lines_and_hides_nothing_else(tmp_path: Path) -> None:
    files = lived(tmp_path, in_order=False)
    files.journal.write_bytes(b"spoilt\n")
    with looking_at(files) as looking:
        look = looking.look()

    assert (look.lines, look.ended_in_order) == ((), False)
