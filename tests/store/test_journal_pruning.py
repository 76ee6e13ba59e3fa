"""Old files are deleted, and nothing else is: what went was said before it went."""

import os
from pathlib import Path

import pytest

from hydra.store.journal import JournalDamaged, JournalFailed, JournalFile
from hydra.store.journal_files import KEPT_FOR_NS, files_of, first_record, segments_of
from hydra.store.journal_reading import Fault, findings_in, read_journal
from tests.store.journals import (
    SMALL,
    contents_of,
    events_in,
    lay_out,
    numbers_in,
    record,
    write,
    write_numbers,
)
from tests.store.orders import AT

DAY_NS = 24 * 3600 * 1_000_000_000
NOW = AT + 1_000 * DAY_NS
"""The wall clock; the lines are of another time, as when last year's bars are played."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Five full files, seven lines in most, and a live one."""
    path = tmp_path / "logs" / "app.jsonl"
    write_numbers(path, 36)
    assert len(segments_of(path)) == 5
    for file in files_of(path):
        make_old(file, 0)
    return path


def make_old(file: Path, days: float) -> None:
    written_ns = int(NOW - days * DAY_NS)
    os.utime(file, ns=(written_ns, written_ns))


def prune(path: Path, *, wall_ns: int = NOW) -> int:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
    gone = journal.prune(at=AT, wall_ns=wall_ns)
    assert journal.synced_seq == journal.last_seq  # what went was said on the disk
    journal.close()
    return gone


def test_files_older_than_14_days_go_and_a_line_says_which_i65(path: Path) -> None:
    first, second, third, *_ = segments_of(path)
    for file, days in ((first, 20), (second, 15), (third, 13)):
        make_old(file, days)
    size_bytes = first.stat().st_size + second.stat().st_size

    assert prune(path) == 2

    assert segments_of(path)[0] == third
    (said,) = (each for each in read_journal(path) if each["event"] == "journal_pruned")
    assert {name: said[name] for name in said if name not in ("ts", "seq", "event", "crc")} == {
        "first_seq": 1,
        "last_seq": 15,
        "kept_from": 16,
        "files": 2,
        "bytes": size_bytes,
    }
    assert first_record(third)["seq"] == 16
    assert list(findings_in(path)) == []


@pytest.mark.parametrize(
    ("days", "gone"),
    [
        ([0, 0, 0, 0, 0], 0),
        ([14, 14, 14, 14, 14], 0),
        ([14.001, 14, 14, 14, 14], 1),
        ([15, 15, 15, 15, 15], 4),  # the newest full one stays
        ([99, 99, 99, 99, 0], 4),
        ([15, 13, 15, 15, 15], 1),  # no holes
        ([13, 15, 15, 15, 15], 0),
        ([-5, 15, 15, 15, 15], 0),
    ],
)
def test_what_goes_is_old_and_lies_before_all_that_is_kept_i65(
    path: Path, days: list[float], gone: int
) -> None:
    segments = segments_of(path)
    for file, old in zip(segments, days, strict=True):
        make_old(file, old)

    assert prune(path) == gone

    kept = segments_of(path)
    assert kept[: 5 - gone] == segments[gone:]
    assert list(findings_in(path)) == []
    events = [event for _, event in events_in(path)]
    assert events.count("journal_pruned") == (1 if gone else 0)


def test_the_live_file_stays_however_old_i65(path: Path) -> None:
    for file in files_of(path):
        make_old(file, 1_000)

    prune(path)

    assert len(segments_of(path)) == 1
    assert path.exists()
    assert numbers_in(path)[-1] == 36


def test_old_market_time_in_the_lines_makes_no_file_old_i65(path: Path) -> None:
    # All lines are of AT, which is a thousand days before NOW.
    assert prune(path) == 0


def test_without_full_files_there_is_nothing_to_prune(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "app.jsonl"
    write(path, record(1))

    assert prune(path) == 0

    assert events_in(path) == [(1, "Counted")]


def test_how_long_files_are_kept_is_up_to_the_caller(path: Path) -> None:
    for file in segments_of(path):
        make_old(file, 2)
    journal = JournalFile.open(path, at=AT)

    assert journal.prune(at=AT, wall_ns=NOW, kept_for_ns=3 * DAY_NS) == 0
    assert journal.prune(at=AT, wall_ns=NOW, kept_for_ns=1 * DAY_NS) == 4

    journal.close()
    assert KEPT_FOR_NS == 14 * DAY_NS


def test_a_journal_goes_on_after_pruning_again_and_again_i49_i65(path: Path) -> None:
    last = 36
    for _ in range(5):
        for file in segments_of(path):
            make_old(file, 20)
        journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
        assert journal.prune(at=AT, wall_ns=NOW) > 0
        for _ in range(20):
            last += 1
            journal.append(record(last))
        journal.close()

        assert list(findings_in(path)) == []
        numbers = numbers_in(path)
        assert numbers == list(range(int(str(numbers[0])), last + 1))


def test_what_was_said_to_go_may_still_be_there_or_in_part_i65(path: Path) -> None:
    before = contents_of(path)
    for file in segments_of(path):
        make_old(file, 20)
    prune(path)
    after = contents_of(path)
    pruned = [file for file in before if file not in after]
    assert len(pruned) == 4

    for number in range(len(pruned) + 1):
        lay_out({**{file: before[file] for file in pruned[number:]}, **after})
        assert list(findings_in(path)) == []
        write(path)


@pytest.mark.parametrize("later_files", [0, 1, 3])
def test_a_file_that_was_not_pruned_but_taken_away_is_noticed_i54(
    path: Path, later_files: int
) -> None:
    """Also when the line about the pruning lies in an older file by then."""
    for file in segments_of(path)[:2]:
        make_old(file, 20)
    prune(path)
    write(path, *(record(number) for number in range(7 * later_files)), file_bytes_max=SMALL)
    assert list(findings_in(path)) == []

    taken = segments_of(path)[0]
    taken.unlink()

    (finding,) = findings_in(path)
    assert finding.fault is Fault.FILE_MISSING
    assert finding.reason.startswith("the journal begins with seq 23, wanted 16")
    with pytest.raises(JournalDamaged, match="begins with seq 23, wanted 16"):
        list(read_journal(path))
    with pytest.raises(JournalDamaged, match="begins with seq 23, wanted 16"):
        JournalFile.open(path, at=AT)


def test_files_that_cannot_be_deleted_stop_the_journal_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    oldest = segments_of(path)[0]
    oldest.unlink()
    oldest.mkdir()  # no file, so it cannot be unlinked
    for file in segments_of(path):
        make_old(file, 20)

    with pytest.raises(JournalFailed, match="cannot delete old files"):
        journal.prune(at=AT, wall_ns=NOW)
    with pytest.raises(JournalFailed, match="not tried, it failed before"):
        journal.append(record(1))

    journal.close()
    assert len(segments_of(path)) == 5
