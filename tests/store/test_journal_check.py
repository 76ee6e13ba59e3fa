"""A journal that is renamed, pruned and written to while all of it is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.store.journal import JournalFile
from hydra.store.journal_check import LINES_BETWEEN_TELLING, journal_read
from hydra.store.journal_files import segments_of
from tests.store.journals import record
from tests.store.orders import AT

FILE_BYTES = 100_000
COUNT = 3 * LINES_BETWEEN_TELLING


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    journal = JournalFile.open(tmp_path / "logs" / "app.jsonl", at=AT, file_bytes_max=FILE_BYTES)
    for number in range(COUNT):
        journal.append(record(number))
    return journal


def prune(journal: JournalFile) -> None:
    journal.prune(at=AT, wall_ns=2**62, kept_for_ns=0)


def write(journal: JournalFile, count: int) -> None:
    for number in range(count):
        journal.append(record(number))


def write_and_prune(journal: JournalFile) -> None:
    write(journal, 1_000)
    prune(journal)


@pytest.mark.parametrize(
    ("happens", "is_read_again"),
    [
        (lambda journal: write(journal, 1), False),
        (lambda journal: write(journal, 1_000), True),
        (prune, True),
        (write_and_prune, True),
    ],
)
def test_what_happens_to_it_meanwhile_is_no_damage_i54_i63(
    journal: JournalFile,
    tmp_path: Path,
    happens: Callable[[JournalFile], object],
    is_read_again: bool,
) -> None:
    told: list[int] = []
    path = tmp_path / "logs" / "app.jsonl"

    def tell(_doing: str, lines: int, _total: int | None) -> None:
        told.append(lines)
        if len(told) == 1:
            happens(journal)

    read = journal_read(path, lambda _seq: None, tell)

    assert read.findings == ()
    assert read.files == len(segments_of(path)) + 1
    if is_read_again:
        assert read.last_seq == journal.last_seq
    journal.close()


def test_what_stays_wrong_however_often_it_is_read_is_said_i63(
    journal: JournalFile, tmp_path: Path
) -> None:
    journal.close()
    path = tmp_path / "logs" / "app.jsonl"
    segments_of(path)[1].unlink()

    read = journal_read(path, lambda _seq: None, lambda _doing, _done, _total: None)

    assert len(read.damage) == 1


def test_where_nothing_is_there_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        journal_read(tmp_path / "app.jsonl", lambda _seq: None, lambda _d, _n, _t: None)
