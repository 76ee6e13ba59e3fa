"""The watch over the record: what it finds, what it says, and that it does not die in silence."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.engine_files import EngineFiles
from hydra.store.engine_lock import EngineLock
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import JournalFile
from hydra.store.journal_files import JournalFailed
from hydra.store.ledger_guard import guarded
from hydra.store.watch import (
    MIB,
    STALLED_ROUNDS,
    Finding,
    RecordWatch,
    WatchLimits,
    room_findings,
)

NO_LIMITS = WatchLimits(disk_soft=0, disk_hard=0)
WITHIN_S = 10.0


@dataclass
class Told:
    """All that the watch said."""

    faults: list[tuple[str, str]] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)
    something: threading.Event = field(default_factory=threading.Event)

    def fault(self, code: str, detail: str) -> None:
        self.faults.append((code, detail))
        self.something.set()

    def alarm(self, code: str, detail: str) -> None:
        self.alarms.append((code, detail))

    def sync(self, seq: int) -> None:
        self.synced.append(seq)
        self.something.set()


@dataclass
class Journal:
    """A journal that does as it is told."""

    last_seq: int = 0
    synced_seq: int = 0
    syncs: int = 0
    wrong: str | None = None
    before_sync: Callable[[], object] = lambda: None

    def sync(self) -> None:
        self.before_sync()
        self.syncs += 1
        self.synced_seq = self.last_seq

    def is_the_file_on_disk(self) -> str | None:
        return self.wrong


class Broken(Exception):
    pass


def raise_broken() -> None:
    raise Broken("a bug")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[EngineFiles]:
    """Those of an engine that runs: locked, its ledger held by SQLite and guarded."""
    files = EngineFiles.under(
        tmp_path / "state", tmp_path / "logs", "trading_state.db", "app.jsonl"
    )
    locks = [EngineLock(files.lock), EngineLock(files.journal_lock)]
    marker = HaltMarker.open(files.halt_marker, at=1, first_start=True)
    with guarded(files.ledger):
        connection = apsw.Connection(str(files.ledger))
        connection.pragma("journal_mode", "wal")
        connection.execute("CREATE TABLE t (x)")
        yield files
        connection.close()
    marker.close()
    for lock in locks:
        lock.release()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def watch(files: EngineFiles, journal: Journal, told: Told) -> RecordWatch:
    return watch_over(files, journal, told)


def watch_over(
    files: EngineFiles,
    journal: Journal | JournalFile,
    told: Told,
    *,
    limits: WatchLimits = NO_LIMITS,
    period_s: float = 0.001,
) -> RecordWatch:
    return RecordWatch(
        files,
        journal,
        on_fault=told.fault,
        on_alarm=told.alarm,
        on_synced=told.sync,
        limits=limits,
        period_s=period_s,
    )


def wal_of(files: EngineFiles) -> Path:
    return files.ledger.with_name("trading_state.db-wal")


def test_a_record_that_stays_as_it_is_gives_nothing_to_say_i58(
    files: EngineFiles, watch: RecordWatch, told: Told
) -> None:
    for _ in range(3):
        watch.look_once()
        watch.sync_once()

    assert told == Told(something=told.something)


def remove(path: Path) -> None:
    path.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("moved"))


def restore_over(path: Path) -> None:
    backup = path.with_name("backup")
    backup.write_bytes(b"as it was yesterday")
    backup.rename(path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (remove, "gone; somebody removed or moved it while it was in use"),
        (move_away, "gone; somebody removed or moved it while it was in use"),
        (restore_over, "another file; somebody put it in the place of ours while it was in use"),
    ],
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("trading_state.db", "ledger_replaced"),
        ("trading_state.db-wal", "ledger_replaced"),
        ("engine.lock", "engine_lock_replaced"),
        ("halt.marker", "halt_marker_replaced"),
    ],
)
def test_a_file_that_is_not_ours_any_more_is_found_at_the_next_look_i57_i58(
    files: EngineFiles,
    watch: RecordWatch,
    told: Told,
    harm: Callable[[Path], None],
    words: str,
    name: str,
    code: str,
) -> None:
    path = files.ledger.with_name(name)

    harm(path)
    for _ in range(3):
        watch.look_once()

    assert told.faults == [(code, f"{path}: {words}")]


def test_a_file_that_came_back_is_still_the_one_we_hold_i58(
    files: EngineFiles, watch: RecordWatch, told: Told
) -> None:
    moved = files.ledger.with_name("moved")
    files.ledger.rename(moved)
    moved.rename(files.ledger)

    watch.look_once()

    assert told.faults == []


def test_a_copy_in_its_place_is_another_file_though_its_bytes_are_the_same_i58(
    files: EngineFiles, watch: RecordWatch, told: Told
) -> None:
    moved = files.ledger.with_name("moved")
    files.ledger.rename(moved)
    shutil.copy2(moved, files.ledger.with_name("copy"))
    files.ledger.with_name("copy").rename(files.ledger)

    watch.look_once()

    assert [code for code, _ in told.faults] == ["ledger_replaced"]


def test_a_log_that_comes_later_is_ours_from_then_on_i58(
    files: EngineFiles, journal: Journal, told: Told
) -> None:
    wal = wal_of(files)
    wal.rename(wal.with_name("for later"))
    watch = watch_over(files, journal, told)

    watch.look_once()
    wal.with_name("for later").rename(wal)
    watch.look_once()
    assert told.faults == []
    wal.unlink()
    watch.look_once()

    assert [code for code, _ in told.faults] == ["ledger_replaced"]


def test_a_watch_over_a_ledger_that_is_not_there_does_not_begin_i58(
    tmp_path: Path, journal: Journal, told: Told
) -> None:
    files = EngineFiles.under(tmp_path, tmp_path, "trading_state.db", "app.jsonl")

    with pytest.raises(FileNotFoundError, match=r"trading_state\.db"):
        watch_over(files, journal, told)


def test_a_folder_that_is_moved_away_is_a_fault_not_a_crash_i58(
    files: EngineFiles, watch: RecordWatch, told: Told
) -> None:
    files.ledger.parent.rename(files.ledger.parent.with_name("elsewhere"))

    watch.look_once()

    assert sorted(code for code, _ in told.faults) == [
        "disk_unreadable",
        "engine_lock_replaced",
        "halt_marker_replaced",
        "ledger_replaced",
    ]
    files.ledger.parent.with_name("elsewhere").rename(files.ledger.parent)


def test_what_cannot_be_looked_at_is_a_fault_i58(
    files: EngineFiles, watch: RecordWatch, told: Told
) -> None:
    moved = files.ledger.with_name("moved")
    files.ledger.rename(moved)
    files.ledger.symlink_to(files.ledger)  # a circle

    watch.look_once()

    ((code, detail),) = told.faults
    assert code == "ledger_replaced"
    assert detail.startswith(f"{files.ledger}: not to be seen: [Errno ")


def test_a_journal_that_is_not_where_it_was_is_a_fault_i54_i58(
    watch: RecordWatch, files: EngineFiles, journal: Journal, told: Told
) -> None:
    journal.wrong = "gone"

    watch.look_once()
    watch.look_once()

    assert told.faults == [("journal_replaced", f"{files.journal}: gone")]


def test_a_real_journal_is_synced_and_missed_when_it_is_moved_i54_i58(
    files: EngineFiles, told: Told
) -> None:
    journal = JournalFile.open(files.journal, at=1)
    try:
        watch = watch_over(files, journal, told)
        seq = journal.append({"ts": 2, "event": "started"})
        watch.sync_once()
        watch.look_once()
        assert (told.synced, told.faults) == ([seq], [])

        files.journal.rename(files.journal.with_name("app.jsonl.1"))
        watch.look_once()
    finally:
        journal.close()

    assert [code for code, _ in told.faults] == ["journal_replaced"]


def test_the_journal_is_synced_only_when_there_is_something_new_i54(
    watch: RecordWatch, journal: Journal, told: Told
) -> None:
    for last_seq in (0, 3, 3, 7):
        journal.last_seq = last_seq
        watch.sync_once()

    assert (journal.syncs, told.synced) == (2, [3, 7])


def test_a_journal_that_cannot_be_synced_is_a_fault_i54(
    watch: RecordWatch, journal: Journal, told: Told
) -> None:
    def fail() -> None:
        raise JournalFailed("cannot write the journal app.jsonl: the disk is broken")

    journal.last_seq, journal.before_sync = 1, fail
    watch.sync_once()
    watch.sync_once()

    assert told.faults == [
        ("journal_failed", "cannot write the journal app.jsonl: the disk is broken")
    ]
    assert told.synced == []


def test_little_room_alarms_and_too_little_halts_i65(
    files: EngineFiles, journal: Journal, told: Told
) -> None:
    """By limits around what this disk has: filling it up would be no way to treat a disk."""
    disk = os.statvfs(files.ledger.parent)
    free = disk.f_bavail * disk.f_frsize
    folder = files.ledger.parent

    for limits in (
        WatchLimits(disk_soft=free // 2, disk_hard=0),
        WatchLimits(disk_soft=free * 2, disk_hard=free // 2),
        WatchLimits(disk_soft=free * 3, disk_hard=free * 2),
    ):
        watch = watch_over(files, journal, told, limits=limits)
        watch.look_once()
        watch.look_once()

    assert [code for code, _ in told.alarms] == ["disk_soft", "disk_soft"]
    ((code, detail),) = told.faults
    assert code == "disk_hard"
    assert detail.startswith(f"{folder}: found ")


def test_a_disk_that_has_room_again_is_no_fault_any_more_and_one_that_has_none_again_is_i65(
    files: EngineFiles, journal: Journal, told: Told
) -> None:
    disk = os.statvfs(files.ledger.parent)
    too_little = WatchLimits(disk_soft=2**60, disk_hard=2**60)
    just_enough = disk.f_bavail * disk.f_frsize * 97 // 100
    watch = watch_over(files, journal, told, limits=too_little)

    found = []
    for limits in (
        too_little,
        WatchLimits(disk_soft=just_enough, disk_hard=just_enough),  # under a tenth above it
        NO_LIMITS,
        too_little,
    ):
        watch._limits = limits
        watch.look_once()
        found.append((len(told.faults), sorted(watch.present)))

    assert found == [(1, ["disk_hard"]), (1, ["disk_hard"]), (1, []), (2, ["disk_hard"])]


PLACE = Path("/srv/state")
LIMITS = WatchLimits(disk_soft=1000 * MIB, disk_hard=100 * MIB)


@pytest.mark.parametrize(
    ("free_mib", "standing", "codes"),
    [
        (1000, False, []),
        (999, False, ["disk_soft"]),
        (1000, True, ["disk_soft"]),
        (1099, True, ["disk_soft"]),
        (1100, True, []),
        (100, True, ["disk_soft"]),
        (99, True, ["disk_hard", "disk_soft"]),
        (0, False, ["disk_hard", "disk_soft"]),
    ],
)
def test_an_alarm_ends_a_tenth_above_where_it_began_i65(
    free_mib: int, standing: bool, codes: list[str]
) -> None:
    before = {("disk_soft", PLACE)} if standing else set()

    found = room_findings({PLACE: free_mib * MIB}, LIMITS, before)

    assert [finding.code for finding in found] == codes
    assert [finding.halts for finding in found] == [code == "disk_hard" for code in codes]


def test_the_words_say_what_was_found_and_wanted_i65() -> None:
    assert room_findings({PLACE: 50 * MIB}, LIMITS, set()) == [
        Finding("disk_hard", PLACE, "found 50 MiB free, wanted 100 MiB; make room", halts=True),
        Finding("disk_soft", PLACE, "found 50 MiB free, wanted 1000 MiB; make room", halts=False),
    ]


@given(free=st.integers(0, 2**60), limits=st.tuples(st.integers(0, 2**60), st.integers(0, 2**60)))
def test_a_disk_that_halts_was_announced_by_an_alarm_i65(
    free: int, limits: tuple[int, int]
) -> None:
    hard, soft = sorted(limits)

    codes = {
        finding.code
        for finding in room_findings(
            {PLACE: free}, WatchLimits(disk_soft=soft, disk_hard=hard), set()
        )
    }

    assert ("disk_hard" in codes, "disk_soft" in codes) == (free < hard, free < soft)
    assert "disk_soft" in codes or "disk_hard" not in codes


@pytest.mark.parametrize(("soft", "hard"), [(1, 2), (1, -1)])
def test_limits_that_make_no_sense_are_refused(soft: int, hard: int) -> None:
    with pytest.raises(ValueError, match="wanted 0 <= disk_hard <= disk_soft"):
        WatchLimits(disk_soft=soft, disk_hard=hard)


def test_an_alarm_is_told_when_it_begins_and_again_when_it_comes_back_i65(
    files: EngineFiles, journal: Journal, told: Told
) -> None:
    limits = WatchLimits(disk_soft=0, disk_hard=0, wal_soft=64 * 1024)
    watch = watch_over(files, journal, told, limits=limits)
    writer = apsw.Connection(str(files.ledger))
    watch.look_once()

    for _ in range(2):
        writer.execute("INSERT INTO t VALUES (zeroblob(65536))")
        watch.look_once()
        watch.look_once()
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        watch.look_once()
    writer.close()

    ((code, detail), again) = told.alarms
    assert code == "wal_grows"
    assert detail.startswith(f"{wal_of(files)}: found 0 MiB, wanted under 0 MiB;")
    assert again == (code, detail)
    assert told.faults == []


def test_the_threads_find_by_themselves_what_is_wrong_and_stop_in_time_i58(
    files: EngineFiles, watch: RecordWatch, journal: Journal, told: Told
) -> None:
    watch.start()
    try:
        journal.last_seq = 5
        assert told.something.wait(WITHIN_S)
        told.something.clear()
        files.ledger.unlink()
        assert told.something.wait(WITHIN_S)
    finally:
        assert watch.stop(WITHIN_S)

    assert told.synced == [5]
    assert [code for code, _ in told.faults] == ["ledger_replaced"]


def test_a_watch_that_never_began_is_stopped_at_once(watch: RecordWatch) -> None:
    assert watch.stop(0.0)


def test_a_watch_that_dies_is_a_fault_and_does_not_hide_why_i58(
    watch: RecordWatch, journal: Journal, told: Told
) -> None:
    journal.last_seq, journal.before_sync = 1, raise_broken

    with pytest.raises(Broken):
        watch.keep_syncing()

    assert told.faults == [("record_watch_died", "Broken: a bug")]


def test_a_disk_that_does_not_answer_is_a_fault_and_the_files_are_looked_at_meanwhile_i58(
    files: EngineFiles, watch: RecordWatch, journal: Journal, told: Told
) -> None:
    answer = threading.Event()
    journal.last_seq, journal.before_sync = 1, lambda: answer.wait(WITHIN_S)

    watch.start()
    try:
        assert told.something.wait(WITHIN_S)
        assert not watch.stop(0.0)
    finally:
        answer.set()
        assert watch.stop(WITHIN_S)

    assert told.faults == [("record_watch_stuck", "the journal's sync does not come to an end")]
    assert STALLED_ROUNDS > 20  # ten seconds at two looks a second
