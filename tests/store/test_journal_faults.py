"""Disks that fail, full or broken or taken away: the journal says so once and for good."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.journal import JournalDamaged, JournalFailed, JournalFile
from hydra.store.journal_files import segment_path
from hydra.store.journal_line import MAX_LINE_BYTES
from hydra.store.journal_reading import findings_in, read_journal
from hydra.testkit.disk.descriptors import descriptors_of, put_in_place_of
from tests.faults.quota import no_file_longer_than
from tests.store.journals import (
    SMALL,
    contents_of,
    events_in,
    lay_out,
    new_file,
    numbers_in,
    record,
    write,
    write_numbers,
)
from tests.store.orders import AT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def is_full(path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    put_in_place_of(path, os.open(full, os.O_RDWR))


def is_closed(path: Path) -> None:
    (descriptor,) = descriptors_of(path)
    os.close(descriptor)


def cannot_sync(path: Path) -> None:
    """What is in a pipe is on no disk, so it refuses to be synced, but takes what is written."""
    reader, writer = os.pipe()
    put_in_place_of(path, writer)
    _READERS.append(reader)


_READERS: list[int] = []


@pytest.fixture(autouse=True)
def readers_closed() -> Iterator[None]:
    yield
    while _READERS:
        os.close(_READERS.pop())


def test_a_write_that_went_in_only_in_part_is_a_failure_and_is_cut_later_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))

    with (
        no_file_longer_than(path.stat().st_size + 10),
        pytest.raises(JournalFailed, match=r"only 10 of \d+ bytes went in"),
    ):
        journal.append(record(2))
    with pytest.raises(JournalFailed, match="not tried, it failed before: only 10 of"):
        journal.append(record(3))
    assert journal.is_the_file_on_disk() is not None
    journal.close()

    write(path, record(4))
    assert events_in(path) == [(1, "Counted"), (2, "journal_tail_cut"), (3, "Counted")]


def test_a_write_that_fails_is_a_failure_for_good_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))

    with (
        no_file_longer_than(path.stat().st_size),
        pytest.raises(JournalFailed, match="File too large"),
    ):
        journal.append(record(2))

    for use in (lambda: journal.append(record(3)), journal.sync):
        with pytest.raises(JournalFailed, match="not tried, it failed before"):
            use()
    assert journal.last_seq == 1
    journal.close()


@pytest.mark.parametrize("number", range(1, 21))
def test_a_disk_full_at_the_nth_line_fails_for_good_and_all_before_it_is_there_i64(
    path: Path, number: int
) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
    for each in range(1, number):
        journal.append(record(each))

    is_full(path)
    # Where a new file is to be begun, the full one is synced first, which a device cannot do.
    with pytest.raises(JournalFailed, match=r"No space left|Invalid argument"):
        journal.append(record(number))
    for use in (lambda: journal.append(record(number)), journal.sync):
        with pytest.raises(JournalFailed, match="not tried, it failed before"):
            use()
    with suppress(JournalFailed):
        journal.close()

    write_numbers(path, 0)
    assert numbers_in(path) == list(range(1, number))


@pytest.mark.parametrize("number", range(1, 21))
def test_a_descriptor_closed_before_the_nth_line_fails_for_good_i64(
    path: Path, number: int
) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
    for each in range(1, number):
        journal.append(record(each))

    is_closed(path)
    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        journal.append(record(number))
    for use in (lambda: journal.append(record(number)), journal.sync):
        with pytest.raises(JournalFailed, match="not tried, it failed before"):
            use()

    write_numbers(path, 0)
    assert numbers_in(path) == list(range(1, number))


@pytest.mark.parametrize("use", [JournalFile.sync, JournalFile.close])
def test_a_descriptor_that_was_closed_cannot_be_synced_i64(
    path: Path, use: Callable[[JournalFile], None]
) -> None:
    journal = JournalFile.open(path, at=AT)
    is_closed(path)

    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        use(journal)


def test_a_descriptor_that_can_only_read_fails_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))

    put_in_place_of(path, os.open(path, os.O_RDONLY))
    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        journal.append(record(2))

    journal.close()
    assert numbers_in(path) == [1]


def test_a_sync_that_failed_is_never_tried_again_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    journal.sync()
    journal.append(record(2))
    (descriptor,) = descriptors_of(path)

    cannot_sync(path)
    with pytest.raises(JournalFailed, match="Invalid argument"):
        journal.sync()
    well = os.open(path, os.O_RDWR | os.O_APPEND)
    os.dup2(well, descriptor, inheritable=False)
    os.close(well)

    for use in (journal.sync, lambda: journal.append(record(3))):
        with pytest.raises(JournalFailed, match=r"not tried, it failed before: .*Invalid argument"):
            use()
    journal.close()
    assert (journal.synced_seq, journal.last_seq) == (1, 2)


def test_closing_does_not_sync_again_what_failed_to_be_synced_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    (descriptor,) = descriptors_of(path)
    cannot_sync(path)
    with pytest.raises(JournalFailed, match="Invalid argument"):
        journal.sync()

    journal.close()  # would raise what it got

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_closing_a_journal_that_cannot_be_synced_fails_and_closes_it_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    (descriptor,) = descriptors_of(path)
    cannot_sync(path)

    with pytest.raises(JournalFailed, match="Invalid argument"):
        journal.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert journal.synced_seq == 0


def test_a_journal_that_is_closed_fails_and_may_be_closed_again_i64(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    journal.sync()
    journal.close()
    journal.close()

    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        journal.append(record(2))
    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        journal.sync()
    assert numbers_in(path) == [1]


def full_journal(path: Path) -> JournalFile:
    """Eight lines; the next one begins a new file."""
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
    for number in range(1, 9):
        journal.append(record(number))
    assert path.stat().st_size + len(path.read_bytes().splitlines(keepends=True)[-1]) > SMALL
    return journal


def test_a_new_file_that_cannot_be_synced_is_a_failure_i64(path: Path) -> None:
    journal = full_journal(path)
    content = path.read_bytes()
    cannot_sync(path)

    with pytest.raises(JournalFailed, match="Invalid argument"):
        journal.append(record(9))
    with pytest.raises(JournalFailed, match="not tried"):
        journal.append(record(9))

    assert contents_of(path) == {path: content}


@pytest.mark.parametrize("room", range(0, 297, 37))
def test_a_disk_that_is_full_at_the_first_line_of_a_new_file_i64(path: Path, room: int) -> None:
    journal = full_journal(path)

    with (
        no_file_longer_than(room),
        pytest.raises(JournalFailed, match=r"bytes went in|File too large"),
    ):
        journal.append(record(9))
    with pytest.raises(JournalFailed, match="not tried"):
        journal.append(record(9))
    journal.close()

    again = JournalFile.open(path, at=AT)
    again.append(record(10))
    again.close()
    assert numbers_in(path) == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert list(findings_in(path)) == []


def test_a_full_file_is_never_replaced_i63(path: Path) -> None:
    journal = full_journal(path)
    in_the_way = segment_path(path, 1)
    new_file(in_the_way, b"somebody else's")

    with pytest.raises(JournalFailed, match=r"000000000001\.jsonl is there already"):
        journal.append(record(9))

    assert in_the_way.read_bytes() == b"somebody else's"
    assert len(path.read_bytes().splitlines()) == 8


def test_a_file_put_in_our_place_is_not_set_aside_as_ours_i58(path: Path) -> None:
    journal = full_journal(path)
    ours = path.rename(path.with_name("moved.jsonl"))
    new_file(path, b"somebody else's")

    with pytest.raises(JournalFailed, match="another file than the one that is written to"):
        journal.append(record(9))

    assert path.read_bytes() == b"somebody else's"
    assert len(ours.read_bytes().splitlines()) == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: path.unlink(), "not there any more"),
        (lambda path: path.rename(path.with_name("app.jsonl.1")), "not there any more"),
        (lambda path: path.parent.rename(path.parent.with_name("old")), "not there any more"),
        (lambda path: new_file(path.with_name("x"), b"").replace(path), "another file"),
        (lambda path: new_file(path, path.read_bytes() + b"x"), "somebody else wrote"),
        (lambda path: os.truncate(path, 10), "has 10 bytes, wanted"),
    ],
    ids=["unlinked", "renamed", "folder moved", "replaced", "written to", "cut"],
)
def test_a_file_that_is_not_ours_any_more_is_noticed_i54_i58(
    path: Path, change: Callable[[Path], None], says: str
) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    assert journal.is_the_file_on_disk() is None

    change(path)

    wrong = journal.is_the_file_on_disk()
    assert wrong is not None and says in wrong and str(path) in wrong
    journal.close()


def test_a_symbolic_link_in_our_place_is_noticed_i58(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    elsewhere = path.rename(path.with_name("elsewhere.jsonl"))
    path.symlink_to(elsewhere)

    assert "another file" in str(journal.is_the_file_on_disk())
    journal.close()
    with pytest.raises(JournalFailed, match="cannot open the journal"):
        JournalFile.open(path, at=AT)


def test_the_file_is_ours_through_every_new_file_i58(path: Path) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)
    for number in range(1, 40):
        journal.append(record(number))
        assert journal.is_the_file_on_disk() is None
    journal.close()
    assert journal.is_the_file_on_disk() is None


def test_the_last_3_lines_torn_at_every_byte_are_cut_also_behind_full_files_i63(
    path: Path,
) -> None:
    write_numbers(path, 12)
    contents = contents_of(path)
    live = contents[path]
    lines = live.splitlines(keepends=True)
    assert len(contents) == 2 and len(lines) == 5

    for size in range(len(b"".join(lines[:-3])), len(live) + 1):
        whole = live[:size].count(b"\n")
        lay_out({**contents, path: live[:size]})

        write(path, record(99))

        assert numbers_in(path) == [*range(1, 8 + whole), 99]
        assert list(findings_in(path)) == []


@given(data=st.data())
def test_any_byte_changed_in_any_file_is_noticed_i63(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs" / "app.jsonl"
        write_numbers(path, 20)
        contents = contents_of(path)
        changed = data.draw(st.sampled_from(sorted(contents)))
        content = bytearray(contents[changed])
        places = st.integers(0, len(content) - 1)
        for place, mask in data.draw(
            st.dictionaries(places, st.integers(1, 255), min_size=1, max_size=3)
        ).items():
            content[place] ^= mask
        new_file(changed, bytes(content))

        with pytest.raises(JournalDamaged):
            list(read_journal(path))
        assert next(finding.path for finding in findings_in(path)) == changed


@given(data=st.data())
def test_any_bytes_taken_away_are_noticed_or_were_the_end_i63(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs" / "app.jsonl"
        write_numbers(path, 20)
        contents = contents_of(path)
        changed = data.draw(st.sampled_from(sorted(contents)))
        content = contents[changed]
        begin = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(begin + 1, len(content)))
        left = content[:begin] + content[end:]
        new_file(changed, left)
        is_shorter = changed == path and end == len(content) and left[-1:] in (b"", b"\n")

        # Whole lines gone from the very end are the ledger's to notice, which knows how far it was.
        assert (list(findings_in(path)) == []) == is_shorter


BIG = "x" * 10_000_000
ODD = [
    {"text": BIG},
    {"text": BIG + "\ud800"},
    {BIG: 1},
    {"text": "\ud83d alone \udfff"},
    {"\ud800": "\udfff"},
    {"text": 'glue\n{"ts":"x"}\r\n\x00\u2028'},
    {"seq": 99, "crc": "00000000", "ts_": 1, "event_": 2, "seq_": 98},
    {"ledger_seq": -1, "ledger_chain": "x"},
    {"ledger_seq": "1", "ledger_chain": None},
    {"price": float("nan"), "size": float("inf")},
]


@pytest.mark.parametrize("fields", ODD, ids=range(len(ODD)))
def test_odd_fields_leave_the_journal_whole_i63(path: Path, fields: dict[str, object]) -> None:
    write(path, record(1), {**fields, "ts": AT, "event": "Odd"}, record(2))

    assert events_in(path) == [(1, "Counted"), (2, "Odd"), (3, "Counted")]
    assert all(len(line) < MAX_LINE_BYTES for line in path.read_bytes().splitlines())
