"""The record on the disk, looked at twice a second: is it still ours, is there room, is it synced.

A ledger that somebody moved away, or restored over a running engine, takes every commit without a
word, and keeps none (I58). A disk that fills up takes the last one that could have said so (I65).
What is decided from what was seen is `findings`, a pure function; the rest are two threads.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from hydra.store.engine_files import EngineFiles
from hydra.store.journal_files import JournalFailed

MIB = 1024 * 1024
PERIOD_S = 0.5
STALLED_ROUNDS = 40
"""A thread of the watch that does not come round while the other does so often is stuck."""

Report: TypeAlias = Callable[[str, str], None]
"""Is told a code and, in words, what was found."""


NO_ROOM = "disk_hard"
"""The code of the one fault that can be over while the process lives."""


class WatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes: free ones on a disk of the record, and those of the ledger's write-ahead log."""

    disk_soft: int = 1024 * MIB
    """Under this an alarm."""
    disk_hard: int = 256 * MIB
    """Under this a halt, while there is still room to record it."""
    wal_soft: int = 256 * MIB
    """From this on an alarm: some reader keeps the log from being taken over into the ledger."""

    def __post_init__(self) -> None:
        if not 0 <= self.disk_hard <= self.disk_soft:
            raise ValueError(
                f"found disk_hard {self.disk_hard} and disk_soft {self.disk_soft};"
                " wanted 0 <= disk_hard <= disk_soft"
            )


class Seen(msgspec.Struct, frozen=True):
    """What a path leads to: which file on which device, by how many names, and of which size."""

    device: int
    inode: int
    names: int
    size: int

    def is_same_file(self, other: "Seen") -> bool:
        """Whether both are one file, whatever has become of it."""
        return (self.device, self.inode) == (other.device, other.inode)


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, and where. One that halts is a fault, the others are alarms."""

    code: str
    place: Path
    detail: str
    halts: bool


Sight: TypeAlias = Seen | str
"""What is there; or, in words, why nothing can be seen."""

Room: TypeAlias = int | str
"""Free bytes; or, in words, why that cannot be told."""


class WatchedJournal(Protocol):
    """What the watch needs of a journal; any thread may ask for it."""

    @property
    def last_seq(self) -> int:
        """The last line that was appended."""

    @property
    def synced_seq(self) -> int:
        """The last line that is known to be on the disk."""

    def sync(self) -> None:
        """Wait until all that was appended is on the disk. Raises JournalFailed."""

    def is_the_file_on_disk(self) -> str | None:
        """None, or what is wrong with the file that the path leads to."""


class RecordWatch:
    """Looks at the record for as long as it is open: from after its opening to before its closing.

    A fault means that nothing can be promised any more; each code is told once. An alarm is told
    when it begins. All three callbacks come from the watch's own threads.
    """

    def __init__(
        self,
        files: EngineFiles,
        journal: WatchedJournal,
        *,
        on_fault: Report,
        on_alarm: Report,
        on_synced: Callable[[int], None],
        limits: WatchLimits = WatchLimits(),  # noqa: B008 (it is frozen)
        period_s: float = PERIOD_S,
    ) -> None:
        """Take the files that are there now for ours; the ledger has to be one of them.

        Another one (its write-ahead log, say) is ours from when it is first seen. Raises OSError.
        """
        wal = files.ledger.with_name(files.ledger.name + "-wal")
        self._codes = {
            files.ledger: "ledger_replaced",
            wal: "ledger_replaced",
            files.lock: "engine_lock_replaced",
            files.journal_lock: "engine_lock_replaced",
            files.halt_marker: "halt_marker_replaced",
        }
        self._wal = wal
        self._journal_path = files.journal
        self._journal = journal
        self._folders = (files.ledger.parent, files.journal.parent)
        self._on_fault = on_fault
        self._on_alarm = on_alarm
        self._on_synced = on_synced
        self._limits = limits
        self._period_s = period_s
        self._ours = {files.ledger: _seen(files.ledger)}
        self._standing: Set[tuple[str, Path]] = frozenset()
        self._told: set[str] = set()
        self._telling = threading.Lock()
        self._last_synced = journal.synced_seq
        self._stopping = threading.Event()
        self._looking = _Rounds()
        self._syncing = _Rounds()
        self._threads = (
            threading.Thread(target=self.keep_looking, name="record-watch", daemon=True),
            threading.Thread(target=self.keep_syncing, name="journal-sync", daemon=True),
        )
        self._adopt(self._sights())

    def start(self) -> None:
        """Begin to look, and to sync the journal."""
        for thread in self._threads:
            thread.start()

    def stop(self, within_s: float) -> bool:
        """Look no more. False if that took longer: then a disk does not answer."""
        self._stopping.set()
        deadline = time.monotonic() + within_s
        others = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in others:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in others)

    @property
    def present(self) -> frozenset[str]:
        """The codes of all faults found. What was wrong with the record once is not right again in
        the life of this process; but a disk can have room again.
        """
        with self._telling:
            return frozenset(self._told)

    def look_once(self) -> None:
        """Look at files and disks, and tell what is found."""
        sights = self._sights()
        self._adopt(sights)
        rooms = _free_bytes(self._folders)
        self._tell(
            [
                *findings(self._ours, sights, self._codes, self._limits, wal=self._wal),
                *room_findings(rooms, self._limits, self._standing),
            ]
        )
        # Last, as it may have to wait for whoever writes.
        wrong = self._journal.is_the_file_on_disk()
        if wrong is not None:
            self._fault("journal_replaced", f"{self._journal_path}: {wrong}")

    def sync_once(self) -> None:
        """Bring the journal to the disk, if there is anything new, and tell how far it is."""
        try:
            if self._journal.last_seq > self._journal.synced_seq:
                self._journal.sync()
        except JournalFailed as error:
            self._fault("journal_failed", str(error))
            return
        synced = self._journal.synced_seq
        if synced > self._last_synced:
            self._last_synced = synced
            self._on_synced(synced)

    def keep_looking(self) -> None:
        """What the first thread does."""
        self._keep_on(self.look_once, self._looking, self._syncing, "the journal's sync")

    def keep_syncing(self) -> None:
        """What the second one does: the first must go on while the disk is waited for."""
        self._keep_on(self.sync_once, self._syncing, self._looking, "the look at the record")

    def _keep_on(
        self, work: Callable[[], None], ours: "_Rounds", others: "_Rounds", other: str
    ) -> None:
        try:
            while True:
                work()
                ours.count()
                if others.have_stalled():
                    self._fault("record_watch_stuck", f"{other} does not come to an end")
                if self._stopping.wait(self._period_s):
                    return
        # Whatever it is: the record would go on without anybody who looks at it.
        except BaseException as error:
            self._fault("record_watch_died", f"{type(error).__name__}: {error}")
            raise

    def _sights(self) -> dict[Path, Sight | None]:
        """None for what is not there. Nothing is opened: closing it would drop SQLite's locks."""
        sights: dict[Path, Sight | None] = {}
        for path in self._codes:
            try:
                sights[path] = _seen(path)
            except FileNotFoundError:
                sights[path] = None
            except OSError as error:
                sights[path] = str(error)
        return sights

    def _adopt(self, sights: Mapping[Path, Sight | None]) -> None:
        for path, sight in sights.items():
            if isinstance(sight, Seen):
                self._ours.setdefault(path, sight)

    def _tell(self, found: Sequence[Finding]) -> None:
        faults = [finding for finding in found if finding.halts]
        for fault in faults:
            self._fault(fault.code, f"{fault.place}: {fault.detail}")
        no_room = {(fault.code, fault.place) for fault in faults if fault.code == NO_ROOM}
        if not no_room:
            with self._telling:
                self._told.discard(NO_ROOM)
        alarms = {(alarm.code, alarm.place): alarm for alarm in found if not alarm.halts}
        begun = [alarm for key, alarm in alarms.items() if key not in self._standing]
        self._standing = alarms.keys() | no_room
        for alarm in begun:
            self._on_alarm(alarm.code, f"{alarm.place}: {alarm.detail}")

    def _fault(self, code: str, detail: str) -> None:
        with self._telling:
            if code in self._told:
                return
            self._told.add(code)
        self._on_fault(code, detail)


def findings(
    ours: Mapping[Path, Seen],
    sights: Mapping[Path, Sight | None],
    codes: Mapping[Path, str],
    limits: WatchLimits,
    *,
    wal: Path,
) -> list[Finding]:
    """What is wrong with the files: any that is not the one we hold, and a log that grows."""
    found = [
        Finding(codes[path], path, wrong, halts=True)
        for path, held in ours.items()
        if (wrong := _what_is_wrong(held, sights[path])) is not None
    ]
    log = sights[wal]
    if isinstance(log, Seen) and log.size >= limits.wal_soft:
        detail = f"found {_mib(log.size)}, wanted under {_mib(limits.wal_soft)}; a reader holds it"
        found.append(Finding("wal_grows", wal, detail, halts=False))
    return found


def room_findings(
    rooms: Mapping[Path, Room], limits: WatchLimits, standing: Set[tuple[str, Path]]
) -> list[Finding]:
    """Which disks are short of room. What stands ends a tenth above where it began."""
    found = []
    for folder, free in rooms.items():
        if isinstance(free, str):
            found.append(Finding("disk_unreadable", folder, free, halts=True))
            continue
        soft = limits.disk_soft
        if ("disk_soft", folder) in standing:
            soft += soft // 10
        hard = limits.disk_hard
        if (NO_ROOM, folder) in standing:
            hard += hard // 10
        if free < hard:
            detail = f"found {_mib(free)} free, wanted {_mib(hard)}; make room"
            found.append(Finding("disk_hard", folder, detail, halts=True))
        if free < soft:
            detail = f"found {_mib(free)} free, wanted {_mib(limits.disk_soft)}; make room"
            found.append(Finding("disk_soft", folder, detail, halts=False))
    return found


def _what_is_wrong(held: Seen, sight: Sight | None) -> str | None:
    match sight:
        case None:
            return "gone; somebody removed or moved it while it was in use"
        case str():
            return f"not to be seen: {sight}"
        case Seen() if not sight.is_same_file(held):
            return "another file; somebody put it in the place of ours while it was in use"
        case Seen(names=0):
            return "a file without a name; what is written to it will not be found"
        case _:
            return None


class _Rounds:
    """How often one thread came round, and whether it still does, as the other one sees it."""

    def __init__(self) -> None:
        self._rounds = 0
        self._seen = 0
        self._missed = 0

    def count(self) -> None:
        """By the thread itself."""
        self._rounds += 1

    def have_stalled(self) -> bool:
        """By the other one, in each of its own rounds: whether none was made for many of those.

        Not by time: after a sleep of the whole process neither has missed any.
        """
        self._missed = self._missed + 1 if self._rounds == self._seen else 0
        self._seen = self._rounds
        return self._missed > STALLED_ROUNDS


def _free_bytes(folders: Sequence[Path]) -> dict[Path, Room]:
    """What is free for us on the disk of each folder; each disk once."""
    free: dict[Path, Room] = {}
    devices = set()
    for folder in folders:
        try:
            device, disk = folder.stat().st_dev, os.statvfs(folder)
        except OSError as error:
            free[folder] = str(error)
            continue
        if device not in devices:
            devices.add(device)
            free[folder] = disk.f_bavail * disk.f_frsize
    return free


def _seen(path: Path) -> Seen:
    facts = path.stat()
    return Seen(facts.st_dev, facts.st_ino, facts.st_nlink, facts.st_size)


def _mib(count: int) -> str:
    return f"{count / MIB:.0f} MiB"
