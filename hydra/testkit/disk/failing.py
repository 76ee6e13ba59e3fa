"""SQLite's disk, as a disk is on a bad day: it records every call, and fails those it is told to.

The files are real ones of SQLite's own "unix" disk, so locks, shared memory (WAL) and rights are
the product's. Only a sync goes no further than the log: a test needs no platter, just the order.

One thing is not as in life: an error that SQLite keeps to itself (in a checkpoint of its own, in
closing) reaches the caller all the same, since apsw raises whatever was raised in here. For such
errors a test needs a real disk's; see `no_file_longer_than`.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import apsw

from hydra.testkit.disk.log import DiskLog, folder_of
from hydra.testkit.disk.power_cut import SECTOR_BYTES

Name: TypeAlias = str | apsw.URIFilename | None


class Failure(Enum):
    """What a call does instead of its work."""

    IO_ERROR = "fails, and nothing is done"
    DISK_FULL = "fails for want of room, after it wrote what went in"
    BUSY = "fails because somebody else has it"
    SHORT_READ = "gives the first half"
    ZEROS = "gives zeros"
    OLDER = "gives what was there before it was written over"


FAILURES: dict[str, tuple[Failure, ...]] = {
    "xOpen": (Failure.IO_ERROR,),
    "xRead": (Failure.IO_ERROR, Failure.SHORT_READ, Failure.ZEROS, Failure.OLDER),
    "xWrite": (Failure.IO_ERROR, Failure.DISK_FULL),
    "xTruncate": (Failure.IO_ERROR, Failure.DISK_FULL),
    "xSync": (Failure.IO_ERROR, Failure.DISK_FULL),
    "xDelete": (Failure.IO_ERROR,),
    "xFileSize": (Failure.IO_ERROR,),
    "xLock": (Failure.IO_ERROR, Failure.BUSY),
    "xUnlock": (Failure.IO_ERROR,),
    "xAccess": (Failure.IO_ERROR,),
    "xFullPathname": (Failure.IO_ERROR,),
    "xClose": (Failure.IO_ERROR,),
}
"""In which ways each of SQLite's calls can fail."""

LYING = (Failure.SHORT_READ, Failure.ZEROS, Failure.OLDER)
"""The call says that all is well."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The `number`-th call (from 1) of this name fails, or that one and all after it."""

    call: str
    failure: Failure
    number: int = 1
    lasting: bool = False


class Disk(apsw.VFS):
    """SQLite's default disk while it is in use: see `disk_in_use`."""

    def __init__(self, log: DiskLog) -> None:
        self.log = log
        self.calls: Counter[str] = Counter()
        """How often each call came, since the last `fail`."""
        self.hits = 0
        """How many of them failed."""
        self.older: dict[str, bytes] = {}
        """The files as they once were, for a disk that gives what was there before."""
        self._fault: Fault | None = None
        # One made later is the default until it is gone; then this one is again.
        super().__init__(f"disk-of-the-tests-{next(_NUMBERS)}", "", makedefault=True)

    def fail(self, fault: Fault | None) -> None:
        """From here on this goes wrong, or nothing does. Calls are counted from here."""
        self.calls.clear()
        self.hits = 0
        self._fault = fault

    def heal(self) -> None:
        """From here on nothing goes wrong; the counts stay."""
        self._fault = None

    def xOpen(self, name: Name, flags: list[int]) -> "File":  # noqa: N802 (apsw calls it so)
        self.may_fail("xOpen")
        return File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.may_fail("xDelete")
        super().xDelete(filename, syncdir)
        name = self.log.name_of(filename)
        if name is not None:
            self.log.deleted(name)
            if syncdir:
                self.log.folder_synced(folder_of(name))

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        self.may_fail("xAccess")
        return super().xAccess(pathname, flags)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        self.may_fail("xFullPathname")
        return super().xFullPathname(name)

    def xSleep(self, microseconds: int) -> int:  # noqa: N802
        return microseconds  # Waiting for what a test has broken would only take time.

    def excepthook(self, *_: object) -> bool:
        """An error for which SQLite has no use is no news: it was made by the test."""
        return True

    def what_fails(self, call: str) -> Failure | None:
        """Count one call; gives how it fails, or None if it does not."""
        self.calls[call] += 1
        fault = self._fault
        if fault is None or fault.call != call:
            return None
        number = self.calls[call]
        if number != fault.number and not (fault.lasting and number > fault.number):
            return None
        self.hits += 1
        return fault.failure

    def may_fail(self, call: str) -> None:
        """Count one call, which fails if it is told to."""
        failure = self.what_fails(call)
        if failure is not None:
            raise error_of(call, failure)


class File(apsw.VFSFile):
    """One open file of the disk."""

    def __init__(self, disk: Disk, name: Name, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._log = disk.log
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = None if path is None else disk.log.name_of(path)
        self._number = None if self._name is None else disk.log.opened(self._name)
        # The "unix" disk syncs the folder with the first sync of a journal or WAL that it was
        # free to create, whether it did or not.
        self._folder_to_sync = (
            folder_of(self._name)
            if self._name is not None
            and flags[0] & apsw.SQLITE_OPEN_CREATE
            and flags[0] & _JOURNALS
            else None
        )

    def excepthook(self, *_: object) -> bool:
        """As with the disk's own."""
        return True

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        failure = self._disk.what_fails("xRead")
        match failure:
            case None:
                return super().xRead(amount, offset)
            case Failure.SHORT_READ:
                return super().xRead(amount, offset)[: amount // 2]
            case Failure.ZEROS:
                return bytes(amount)
            case Failure.OLDER:
                return self._older(amount, offset)
            case _:
                raise error_of("xRead", failure)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        failure = self._disk.what_fails("xWrite")
        if failure is None:
            self._write(data, offset)
            return
        if failure is Failure.DISK_FULL:
            went_in = len(data) // 2 // SECTOR_BYTES * SECTOR_BYTES
            if went_in:
                self._write(data[:went_in], offset)
        raise error_of("xWrite", failure)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.may_fail("xTruncate")
        super().xTruncate(newsize)
        if self._number is not None:
            self._log.truncated(self._number, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        failure = self._disk.what_fails("xSync")
        if self._number is None:
            return
        if failure is not None:
            self._log.sync_failed(self._number)
            raise error_of("xSync", failure)
        self._log.synced(self._number)
        if self._folder_to_sync is not None:
            self._log.folder_synced(self._folder_to_sync)
            self._folder_to_sync = None

    def xFileSize(self) -> int:  # noqa: N802
        self._disk.may_fail("xFileSize")
        return super().xFileSize()

    def xLock(self, level: int) -> None:  # noqa: N802
        self._disk.may_fail("xLock")
        super().xLock(level)

    def xUnlock(self, level: int) -> None:  # noqa: N802
        failure = self._disk.what_fails("xUnlock")
        super().xUnlock(level)
        if failure is not None:
            raise error_of("xUnlock", failure)

    def xClose(self) -> None:  # noqa: N802
        failure = self._disk.what_fails("xClose")
        super().xClose()
        if failure is not None:
            raise error_of("xClose", failure)

    def _write(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self._number is not None:
            self._log.wrote(self._number, offset, bytes(data))

    def _older(self, amount: int, offset: int) -> bytes:
        content = self._disk.older.get(self._name or "", b"")
        return content[offset : offset + amount].ljust(amount, b"\0")


def error_of(call: str, failure: Failure) -> Exception:
    """What SQLite is told when a call fails in this way."""
    match failure:
        case Failure.DISK_FULL:
            return apsw.FullError("the test's disk is full")
        case Failure.BUSY:
            return apsw.BusyError("the test's disk is busy")
        case _:
            error = apsw.exception_for(_CODES[call])
            error.args = (f"the test's disk fails at {call}",)
            return error


@contextmanager
def disk_in_use(log: DiskLog) -> Iterator[Disk]:
    """What SQLite opens from here on is on a disk that writes this log."""
    disk = Disk(log)
    try:
        yield disk
    finally:
        disk.heal()
        disk.unregister()


_NUMBERS = itertools.count(1)

_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL

_CODES = {
    "xOpen": apsw.SQLITE_CANTOPEN,
    "xRead": apsw.SQLITE_IOERR_READ,
    "xWrite": apsw.SQLITE_IOERR_WRITE,
    "xTruncate": apsw.SQLITE_IOERR_TRUNCATE,
    "xSync": apsw.SQLITE_IOERR_FSYNC,
    "xDelete": apsw.SQLITE_IOERR_DELETE,
    "xFileSize": apsw.SQLITE_IOERR_FSTAT,
    "xLock": apsw.SQLITE_IOERR_LOCK,
    "xUnlock": apsw.SQLITE_IOERR_UNLOCK,
    "xAccess": apsw.SQLITE_IOERR_ACCESS,
    "xFullPathname": apsw.SQLITE_CANTOPEN_FULLPATH,
    "xClose": apsw.SQLITE_IOERR_CLOSE,
}
