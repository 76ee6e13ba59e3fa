"""The journal: everything that happened, one whole JSON line each, in the order it happened.

A line is on its way to the disk when `append` returns (and survives the end of this process, unless
the journal was opened to be written behind); only `sync` and `close` wait for the disk itself. What
must survive a power cut belongs in the ledger, and the journal is its witness: each mark of the
ledger that is written into it is repeated until the next one comes, so that the end of the journal
always tells how far the ledger was.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from hydra.crash_points import reached
from hydra.ports import LedgerMark
from hydra.store.journal_files import (
    CONTINUED,
    KEPT_FOR_NS,
    FileEnd,
    JournalDamaged,
    JournalFailed,
    begin_after,
    delete_segments,
    expired_segments,
    link_to,
    segment_path,
    what_is_foreign,
)
from hydra.store.journal_line import line_of, mark_in
from hydra.store.journal_opening import Opened, opened
from hydra.store.journal_reading import read_journal
from hydra.store.journal_tail import MARK_EVERY_BYTES, last_crc
from hydra.store.redaction import Redactor
from hydra.store.syncing import sync_file, sync_folder

__all__ = ["JournalDamaged", "JournalFailed", "JournalFile", "read_journal"]

TAIL_CUT = "journal_tail_cut"
FILE_BYTES_MAX = 64 * 1024 * 1024
HELD_BACK_BYTES_MAX = 64 * 1024


class JournalFile:
    """The one writer of a journal.

    After the first failure it answers nothing but `JournalFailed`: a line that was written in part
    must stay the last one, so that it can be cut back at the next start; and a sync that failed is
    not tried again, as the second one would say that all is well. One thread appends and prunes;
    everything else may be used by any.
    """

    def __init__(
        self,
        path: Path,
        found: Opened,
        *,
        file_bytes_max: int,
        redactor: Redactor | None,
        write_behind: bool,
    ) -> None:
        """Take over a descriptor that is checked and stands at a line's end; see `open`."""
        self._path = path
        self._file_bytes_max = file_bytes_max
        self._redactor = redactor
        self._descriptor = found.descriptor
        self._facts = os.fstat(found.descriptor)
        self._size = found.size
        self._held_back = bytearray()
        """The last lines of `_size`, which the file has not got yet."""
        self._held_back_max = HELD_BACK_BYTES_MAX if write_behind else 0
        self._first_seq = found.first_seq
        self._last_seq = found.last_seq
        self._synced_seq = 0
        self._kept_from = found.kept_from
        self._mark = found.mark
        self._mark_due = found.mark_due
        self._failure: str | None = None
        self._sync_failed = False
        # Whoever syncs must not keep the appending thread waiting for the disk: `_lock` guards all
        # of the above and is held for microseconds; `_syncing` is held while the disk is waited
        # for, so that of two syncs the second cannot succeed before the first one's failure is
        # known. Who needs both takes `_syncing` first.
        self._lock = threading.Lock()
        self._syncing = threading.Lock()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        at: int,
        first_seq: int = 1,
        file_bytes_max: int = FILE_BYTES_MAX,
        redactor: Redactor | None = None,
        write_behind: bool = False,
    ) -> "JournalFile":
        """Open or create the journal and go on after its last whole line.

        A torn last line is cut off, and a record says so, with `at` (UTC ns) as its time. Only the
        tail is read, and the first line of each file; checking all of it is `read_journal`'s
        business. A journal of which nothing is there begins with `first_seq`. What was found is on
        the disk when this returns. Raises JournalDamaged, RightsTooOpen, JournalFailed.

        One that is written behind gets many lines at a time, and the last of them end with the
        process: for a replay, which can be played again.
        """
        found = opened(path, first_seq)
        journal = cls(
            path,
            found,
            file_bytes_max=file_bytes_max,
            redactor=redactor,
            write_behind=write_behind,
        )
        try:
            journal._begin(found, at)
        except BaseException:
            os.close(journal._descriptor)
            raise
        return journal

    @property
    def last_seq(self) -> int:
        """The sequence number of the last record; before the first one, one less than it gets."""
        return self._last_seq

    @property
    def synced_seq(self) -> int:
        """The last line that is known to be on the disk."""
        return self._synced_seq

    @property
    def ledger_mark(self) -> LedgerMark | None:
        """The newest mark of the ledger that was written here, before or since `open`."""
        return self._mark

    def append(self, record: Mapping[str, object]) -> int:
        """Write one record as one line and give its sequence number back.

        The record has `ts` (int, UTC ns) and `event` (a word); the rest are its fields, of any
        types (see `journal_line.line_of` for what becomes of them). `ledger_seq` and `ledger_chain`
        are a mark of the ledger.
        """
        reached("journal.append.before")
        with self._lock:
            line, mark = self._line_of(record)
            has_room = self._size + len(line) <= self._file_bytes_max
            # The link alone does not fill a file, however small files are to be.
            if has_room or self._last_seq <= self._first_seq:
                return self._put(line, mark)
        with self._syncing, self._lock:
            self._refuse_after_failure()
            self._begin_new_file(record["ts"])
            return self._put(*self._line_of(record))

    def sync(self) -> None:
        """Wait until everything appended before is on the disk. A failure is final."""
        with self._syncing:
            try:
                with self._lock:
                    self._refuse_after_failure()
                    self._catch_up()
                    seq, descriptor = self._last_seq, os.dup(self._descriptor)
                try:
                    sync_file(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                with self._lock:
                    raise self._sync_failed_with(error) from error
            with self._lock:
                self._synced_seq = max(self._synced_seq, seq)

    def prune(self, *, at: int, wall_ns: int, kept_for_ns: int = KEPT_FOR_NS) -> int:
        """Delete the full files last written to longer than `kept_for_ns` before `wall_ns`.

        The newest full one always stays. A line with `at` (UTC ns) as its time says what went, and
        is on the disk before anything is deleted. Gives how many files went.
        """
        try:
            expired = expired_segments(self._path, wall_ns, kept_for_ns)
            if expired is None:
                return 0
            self.append(expired.record(at))
            self.sync()
            self._kept_from = expired.kept_from
            delete_segments(expired.segments)
        except OSError as error:
            raise self._failed(f"cannot delete old files: {error}") from error
        return len(expired.segments)

    def is_the_file_on_disk(self) -> str | None:
        """None if the path still leads to the file we write, and only we did; else what is wrong.

        Looks at names and sizes, and opens nothing.
        """
        with self._lock:
            return self._failure or self._what_is_foreign()

    def close(self) -> None:
        """Sync and close. Closing twice does nothing."""
        with self._syncing, self._lock:
            if self._descriptor == _CLOSED:
                return
            try:
                try:
                    self._catch_up()
                    if not self._sync_failed:
                        sync_file(self._descriptor)
                finally:
                    descriptor, self._descriptor = self._descriptor, _CLOSED
                    os.close(descriptor)
            except OSError as error:
                raise self._sync_failed_with(error) from error
            if self._failure is None:
                self._synced_seq = self._last_seq

    def _begin(self, found: Opened, at: int) -> None:
        """Make good what a crash left, and say so, before anything else is written."""
        try:
            if found.torn_bytes:
                os.ftruncate(self._descriptor, found.size)
                reached("journal.open.tail_cut")
            if found.lacks_link:
                self._link_to(found.before, at, {"live_file": found.live_file})
            if found.torn_bytes:
                self.append({"ts": at, "event": TAIL_CUT, "bytes": found.torn_bytes})
            self.sync()
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._failed(f"cannot go on with it: {error}") from error

    def _line_of(self, record: Mapping[str, object]) -> tuple[bytes, LedgerMark | None]:
        self._refuse_after_failure()
        fields = dict(record)
        ts, event = fields.pop("ts", None), fields.pop("event", None)
        if type(ts) is not int or type(event) is not str or not event:
            raise self._failed(
                f"a record needs ts (an integer, UTC ns) and event (a word); found"
                f" {type(ts).__name__} and {type(event).__name__}"
            )
        mark = mark_in(fields) if "ledger_seq" in fields else None
        if mark is not None:
            del fields["ledger_seq"], fields["ledger_chain"]
        seq, redactor = self._last_seq + 1, self._redactor
        try:
            line = line_of(ts, seq, event, fields.items(), mark=mark, redactor=redactor)
            if mark is None and self._mark is not None and self._size + len(line) > self._mark_due:
                mark = self._mark
                line = line_of(ts, seq, event, fields.items(), mark=mark, redactor=redactor)
        except (ValueError, TypeError) as error:
            raise self._failed(f"cannot put {event} into a line: {error}") from error
        return line, mark

    def _put(self, line: bytes, mark: LedgerMark | None) -> int:
        self._held_back += line
        if len(self._held_back) > self._held_back_max:
            self._catch_up()
        self._size += len(line)
        self._last_seq += 1
        if mark is not None and (self._mark is None or mark.seq >= self._mark.seq):
            self._mark = mark
            self._mark_due = self._size + MARK_EVERY_BYTES
        reached("journal.append.after")
        return self._last_seq

    def _catch_up(self) -> None:
        """Write what is held back. What goes wrong with it is not tried again."""
        if not self._held_back:
            return
        line, self._held_back = self._held_back, bytearray()  # or many lines in one piece
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise self._failed(str(error)) from error
        if written != len(line):
            raise self._failed(f"only {written} of {len(line)} bytes went in")

    def _what_is_foreign(self) -> str | None:
        return what_is_foreign(self._path, self._facts, self._size - len(self._held_back))

    def _begin_new_file(self, at: object) -> None:
        """Set the full file aside and go on in a new one; a crash anywhere loses no line."""
        assert isinstance(at, int), "a line was made of it"
        foreign = self._what_is_foreign()
        if foreign is not None:
            raise self._failed(f"cannot begin a new file: {foreign}")
        self._sync_here()
        try:
            full = segment_path(self._path, self._first_seq)
            before = FileEnd(full.name, self._last_seq, last_crc(self._descriptor, self._size))
            descriptor = begin_after(full, self._path)
            old, self._descriptor = self._descriptor, descriptor
            os.close(old)
            self._facts = os.fstat(descriptor)
            self._size, self._first_seq = 0, self._last_seq + 1
            reached("journal.rotate.created")
            self._link_to(before, at, {})
            self._sync_here()
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._failed(f"cannot begin a new file: {error}") from error
        reached("journal.rotate.done")

    def _link_to(self, before: FileEnd | None, at: int, found: Mapping[str, object]) -> None:
        fields = {**link_to(before, self._first_seq, self._kept_from), **found}
        line = line_of(at, self._last_seq + 1, CONTINUED, fields.items(), mark=self._mark)
        self._put(line, self._mark)

    def _sync_here(self) -> None:
        """Wait for the disk with both locks held; nobody can append meanwhile."""
        self._catch_up()
        try:
            sync_file(self._descriptor)
        except OSError as error:
            raise self._sync_failed_with(error) from error
        self._synced_seq = self._last_seq

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise JournalFailed(f"{self._path}: not tried, it failed before: {self._failure}")

    def _sync_failed_with(self, error: OSError) -> JournalFailed:
        self._sync_failed = True
        return self._failed(str(error))

    def _failed(self, reason: str) -> JournalFailed:
        self._failure = self._failure or reason
        return JournalFailed(f"cannot write the journal {self._path}: {reason}")


_CLOSED = -1
