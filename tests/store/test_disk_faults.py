"""The disk fails, lies or rots: the ledger refuses, stops, or is found out by what it once said."""

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import apsw
import pytest

from hydra.ports import LedgerMark
from hydra.store.checking import LedgerDamaged
from hydra.store.connection import DurabilityRefused
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.store.schema import NewerThanThisHydra, NotALedger
from hydra.testkit.disk.failing import FAILURES, LYING, Disk, Failure, Fault, disk_in_use
from hydra.testkit.disk.log import DiskLog, contents_of
from hydra.testkit.disk.power_cut import Image, Style, image_at, images, lay_out
from tests.faults.damage import committed_frames, with_bit_flipped, with_byte_changed
from tests.faults.ledger_life import LEDGER, NEVER, Life, all_it_says, live, recorded_life, reopened
from tests.faults.quota import no_file_longer_than
from tests.store.orders import AT
from tests.thinned import thinned

WAL = f"{LEDGER}-wal"
PAGE_BYTES = 4096

# An inner page of a table holds no content, and may have leftovers.
TABLES = """
    SELECT pageno FROM dbstat JOIN sqlite_schema USING (name)
    WHERE type = 'table' AND pagetype = 'leaf'
"""
INDEXES = "SELECT pageno FROM dbstat JOIN sqlite_schema USING (name) WHERE type = 'index'"

REFUSALS = (DurabilityRefused, LedgerDamaged, LedgerFailed, NewerThanThisHydra, NotALedger)
"""What the engine ends with, or does not start with."""

ERRORS = [
    (call, failure)
    for call, failures in FAILURES.items()
    for failure in failures
    if failure not in LYING
]
CALLED_MOST = ("xRead", "xWrite")


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Where files are laid out; one set after the other in the same folder."""
    return tmp_path / "found"


@pytest.fixture
def disk(found: Path) -> Iterator[Disk]:
    with disk_in_use(DiskLog(found)) as disk:
        yield disk


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        pytest.param(*each, marks=pytest.mark.slow) if each[0] in CALLED_MOST else each
        for each in ERRORS
    ],
)
def test_an_error_at_any_call_is_final_and_loses_nothing_i56(
    tmp_path: Path, disk: Disk, found: Path, call: str, failure: Failure
) -> None:
    require_errors_are_final(tmp_path, disk, found, call, failure, lasting=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("call", "failure"), ERRORS)
def test_an_error_at_any_call_and_ever_after_is_final_and_loses_nothing_i56(
    tmp_path: Path, disk: Disk, found: Path, call: str, failure: Failure
) -> None:
    require_errors_are_final(tmp_path, disk, found, call, failure, lasting=True)


def test_a_sync_that_failed_and_then_succeeds_is_not_believed_i53_i56(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    # What a failed sync was for is lost in every image, however well the next sync went.
    require_errors_are_final(
        tmp_path, disk, found, "xSync", Failure.IO_ERROR, lasting=False, power_cuts=10
    )


def require_errors_are_final(
    tmp_path: Path,
    disk: Disk,
    found: Path,
    call: str,
    failure: Failure,
    *,
    lasting: bool,
    power_cuts: int = 2,
) -> None:
    """Live, with an error at the first such call, then at the second, and so on.

    Whoever was told that something is durable finds it afterwards: on the disk as the process left
    it, and as a power cut right then would have left it.
    """
    life, _ = recorded_life(tmp_path / "life", rounds=1)
    for number in itertools.count(1):
        lay_out({}, found)
        disk.log = log = DiskLog(found)
        disk.fail(Fault(call, failure, number, lasting))
        told, has_failed = live_until_it_fails(disk)
        was_hit = disk.hits > 0
        assert has_failed or told == life.marks

        require_recovered(life, disk, found, told)
        for image in images(log, number, power_cuts, first_cut=len(log)):
            image.lay_out(found)
            require_recovered(life, disk, found, told)
        if not was_hit:
            break
    assert number > 1, f"SQLite never calls {call}"


def live_until_it_fails(disk: Disk) -> tuple[list[LedgerMark], bool]:
    told: list[LedgerMark] = []
    try:
        live(disk.log.root, sessions=2, rounds=1, committed=lambda ledger: told.append(ledger.mark))
    except REFUSALS:
        return told, True
    return told, False


def require_recovered(life: Life, disk: Disk, folder: Path, told: list[LedgerMark]) -> None:
    ledger = reopened(disk, folder)
    life.require_part_of_it(ledger, told[-1].seq if told else 0)
    ledger.close()


def test_an_error_while_sqlite_tidies_its_log_is_a_failure_i56(tmp_path: Path) -> None:
    # A real limit, at which the real disk's error comes: SQLite keeps this one to itself.
    path = tmp_path / "state" / LEDGER
    wal = path.with_name(WAL)
    ledger = Ledger.open(path, venue="paper", at=AT)
    for number in itertools.count():
        ledger.put(f"{number}", "x" * 100_000, AT)
        ledger.commit()
        if path.stat().st_size > wal.stat().st_size:
            break
    wal_bytes = wal.stat().st_size

    with no_file_longer_than(path.stat().st_size):
        told = put_until_it_fails(ledger)

    # It did not go on, leaving the log to grow until there was no room for that either.
    assert wal.stat().st_size < wal_bytes + 500_000
    ledger.close()
    ledger = Ledger.open(path, venue="paper", at=AT)
    assert ledger.chain_at(told.seq) == told.chain
    ledger.close()


def put_until_it_fails(ledger: Ledger) -> LedgerMark:
    told = ledger.mark
    try:
        for number in itertools.count():
            ledger.put(f"{number}", "y" * 100_000, AT)
            told = ledger.commit()
    except LedgerFailed:
        pass
    return told


@dataclass(frozen=True)
class Remembered:
    """Files as they were once left, and what the journal remembers of the ledger in them."""

    files: dict[str, bytes]
    older: dict[str, bytes]
    """The same files, some time before."""
    mark: LedgerMark
    said: tuple[object, ...]


class NotNoticed(AssertionError):
    """The engine would trade on this ledger, and it is not the one that was left."""


def remembered(
    folder: Path, disk: Disk, *, cut_short: bool, sessions: int = 2, first_day: int = 1
) -> Remembered:
    """The files of a ledger that was closed in order, or (`cut_short`) of one that was not."""
    _, log = recorded_life(folder, sessions=sessions, first_day=first_day, checkpoint_pages=NEVER)
    older, _, _ = recovered(image_at(log, len(log) * 2 // 3, Style.KEPT), disk, folder, cut_short)
    files, mark, said = recovered(image_at(log, style=Style.KEPT), disk, folder, cut_short)
    return Remembered(files, older, mark, said)


def recovered(
    image: Image, disk: Disk, folder: Path, cut_short: bool
) -> tuple[dict[str, bytes], LedgerMark, tuple[object, ...]]:
    image.lay_out(folder)
    ledger = reopened(disk, folder)
    mark, said = ledger.mark, all_it_says(ledger)
    ledger.close()
    return image.files if cut_short else contents_of(folder), mark, said


def is_noticed(before: Remembered, disk: Disk, folder: Path, fault: Fault | None = None) -> bool:
    """The ledger refuses, or is not what the journal remembers. If neither, it must be unharmed."""
    try:
        ledger = reopened(disk, folder, fault)
        try:
            if ledger.chain_at(before.mark.seq) != before.mark.chain:
                return True
            if all_it_says(ledger) != before.said:
                raise NotNoticed
        finally:
            ledger.close()
    except REFUSALS:
        return True
    return False


def not_noticed(
    before: Remembered, damaged: Iterable[tuple[str, bytes, object]], disk: Disk, found: Path
) -> list[object]:
    """Lay the files out with one of them damaged; gives which damages nobody would notice."""
    silent = []
    for name, content, what in damaged:
        lay_out({**before.files, name: content}, found)
        if not is_noticed(before, disk, found):
            silent.append(what)
    return silent


def test_a_flipped_bit_in_the_log_is_noticed_in_whichever_frame_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    before = remembered(tmp_path / "life", disk, cut_short=True)
    wal = before.files[WAL]
    frames = committed_frames(wal)
    assert len(frames) > 50
    rng = random.Random(1)
    header_bits = range(0, 32 * 8, 3)
    frame_bits = (
        8 * offset + rng.randrange(8)
        for frame in frames
        for offset in (rng.choice(frame[:24]), rng.choice(frame[24:]))
    )

    flipped = ((WAL, with_bit_flipped(wal, bit), bit) for bit in (*header_bits, *frame_bits))
    assert not_noticed(before, flipped, disk, found) == []


@pytest.mark.parametrize("percent", [0, 30, 70])
def test_a_log_that_became_shorter_is_noticed_i54(
    tmp_path: Path, disk: Disk, found: Path, percent: int
) -> None:
    before = remembered(tmp_path / "life", disk, cut_short=True)
    wal = before.files[WAL]

    lay_out({**before.files, WAL: wal[: len(wal) * percent // 100]}, found)

    assert is_noticed(before, disk, found)


def test_a_log_that_is_gone_is_noticed_i54(tmp_path: Path, disk: Disk, found: Path) -> None:
    before = remembered(tmp_path / "life", disk, cut_short=True)

    lay_out({LEDGER: before.files[LEDGER]}, found)

    assert is_noticed(before, disk, found)


@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_the_log_of_another_database_is_noticed_i54(
    tmp_path: Path, disk: Disk, found: Path, sessions: int
) -> None:
    before = remembered(tmp_path / "life", disk, cut_short=True)
    other = remembered(tmp_path / "other", disk, cut_short=True, sessions=sessions, first_day=11)

    lay_out({**before.files, WAL: other.files[WAL]}, found)

    assert is_noticed(before, disk, found)


def test_the_files_of_yesterday_are_noticed_i54(tmp_path: Path, disk: Disk, found: Path) -> None:
    today = remembered(tmp_path / "today", disk, cut_short=True)
    yesterday = remembered(tmp_path / "yesterday", disk, cut_short=False, sessions=1)

    lay_out(yesterday.files, found)

    assert is_noticed(today, disk, found)


def test_a_byte_that_changed_in_any_table_is_noticed_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    before = compacted(remembered(tmp_path / "life", disk, cut_short=False), disk, found)
    offsets = stored_bytes(before, found, TABLES)
    assert len(offsets) > 200

    assert silent_changes(before, offsets[::2], disk, found) == []


def test_a_byte_that_changed_in_an_index_is_noticed_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    before = compacted(remembered(tmp_path / "life", disk, cut_short=False), disk, found)
    offsets = stored_bytes(before, found, INDEXES)
    assert len(offsets) > 20

    assert silent_changes(before, offsets, disk, found) == []


def test_a_page_that_is_not_itself_is_noticed_i54(tmp_path: Path, disk: Disk, found: Path) -> None:
    before = compacted(remembered(tmp_path / "life", disk, cut_short=False), disk, found)
    database = before.files[LEDGER]
    first, last = database[:PAGE_BYTES], database[-PAGE_BYTES:]
    damaged = [
        (LEDGER, database[:page] + instead + database[page + PAGE_BYTES :], page // PAGE_BYTES + 1)
        for page in range(0, len(database), PAGE_BYTES)
        for instead in (bytes(PAGE_BYTES), random.Random(3).randbytes(PAGE_BYTES), first, last)
        if instead != database[page : page + PAGE_BYTES]
        # An index of nothing holds no answer; SQLite refuses to look one up in a table's page.
        and not (instead is last and is_index_of_nothing(database[page : page + PAGE_BYTES]))
    ]

    assert not_noticed(before, damaged, disk, found) == []


def is_index_of_nothing(page: bytes) -> bool:
    """A leaf of an index (0x0a) with no cell in it: SQLite's file format, 1.6."""
    return page[0] == 0x0A and page[3:5] == bytes(2)


def test_a_byte_that_changed_anywhere_is_noticed_or_makes_no_difference_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    require_changed_bytes_noticed(tmp_path, disk, found, 150)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thousands_of_bytes_that_changed_are_noticed_or_make_no_difference_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    require_changed_bytes_noticed(tmp_path, disk, found, 20_000)


def require_changed_bytes_noticed(tmp_path: Path, disk: Disk, found: Path, count: int) -> None:
    """Most of so small a database is free space; there it makes no difference to any answer."""
    before = remembered(tmp_path / "life", disk, cut_short=False)
    offsets = random.Random(4).choices(range(len(before.files[LEDGER])), k=count)

    assert silent_changes(before, offsets, disk, found)


def silent_changes(
    before: Remembered, offsets: Iterable[int], disk: Disk, found: Path
) -> list[object]:
    """Change these bytes of the database, one at a time; gives those that nobody would notice."""
    rng = random.Random(5)
    database = before.files[LEDGER]
    changes = ((offset, rng.randrange(1, 256)) for offset in offsets)
    changed = ((LEDGER, with_byte_changed(database, *change), change) for change in changes)
    return not_noticed(before, changed, disk, found)


def compacted(before: Remembered, disk: Disk, folder: Path) -> Remembered:
    """The same without leftovers of what was written before, in which a change means nothing."""
    lay_out(before.files, folder)
    connection = apsw.Connection(str(folder / LEDGER))
    connection.execute("VACUUM")
    connection.close()
    compact = replace(before, files=contents_of(folder))
    assert not is_noticed(compact, disk, folder)
    return compact


def stored_bytes(before: Remembered, folder: Path, pages_of: str) -> list[int]:
    """One byte, at random, of each text or blob stored on the pages that the select names."""
    lay_out(before.files, folder)
    connection = apsw.Connection(str(folder / LEDGER))
    pages = [int(str(page)) for (page,) in connection.execute(pages_of)]
    values = {
        value.encode() if isinstance(value, str) else value
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for row in connection.execute(f'SELECT * FROM "{table}"')
        for value in row
        if isinstance(value, str | bytes) and len(value) > 3
    }
    connection.close()
    rng = random.Random(2)
    database = before.files[LEDGER]
    return [
        start + rng.randrange(len(value))
        for page in pages
        for value in sorted(values)
        for start in occurrences(database, value, (page - 1) * PAGE_BYTES)
    ]


def occurrences(database: bytes, value: bytes, page: int) -> Iterator[int]:
    start = database.find(value, page, page + PAGE_BYTES)
    while start >= 0:
        yield start
        start = database.find(value, start + 1, page + PAGE_BYTES)


@pytest.mark.parametrize("lasting", thinned([True, False], 2))
@pytest.mark.parametrize("cut_short", thinned([True, False], 2))
@pytest.mark.parametrize("failure", LYING)
def test_a_read_that_lies_at_the_start_is_noticed_or_makes_no_difference_i54(
    tmp_path: Path, disk: Disk, found: Path, failure: Failure, cut_short: bool, lasting: bool
) -> None:
    before = remembered(tmp_path / "life", disk, cut_short=cut_short)
    noticed = 0
    for number in itertools.count(1):
        lay_out(before.files, found)
        disk.older = before.older
        noticed += is_noticed(before, disk, found, Fault("xRead", failure, number, lasting))
        if not disk.hits:
            break
        # What was read wrong must not have been written down as if it were right.
        is_noticed(before, disk, found)
    assert noticed


def test_a_damaged_ledger_is_left_as_it_was_found_i54(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    # The log that goes with the damaged database may be what it can be mended from.
    before = remembered(tmp_path / "life", disk, cut_short=True)
    database = before.files[LEDGER]
    refused = 0
    for page in range(0, len(database), PAGE_BYTES):
        broken = database[:page] + bytes(PAGE_BYTES) + database[page + PAGE_BYTES :]
        files = {**before.files, LEDGER: broken}
        lay_out(files, found)
        try:
            reopened(disk, found).close()
        except LedgerDamaged:
            refused += 1
            assert contents_of(found) == files

    assert refused > 2
