"""The journal: everything that happened, one whole JSON line each, in the order it happened.

A line is on its way to the disk when `append` returns (and survives the end of this process); only
`sync` and `close` wait for the disk itself. What must survive a power cut belongs in the ledger.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from hydra.store.journal_line import LINE_START, MAX_LINE_BYTES, BadLine, line_of, record_in, seq_of
from hydra.store.private_files import FILE_RIGHTS, make_private_folder, require_private_file

TAIL_CUT = "journal_tail_cut"
_TAIL_BYTES = 2 * MAX_LINE_BYTES
"""Holds the longest torn line and the longest whole one before it."""


class JournalFailed(Exception):
    """A record could not be written whole. Trading stops; only a restart may try it again."""


class JournalDamaged(Exception):
    """The file is not what was written: a line was changed, cut, moved or taken away.

    Keep the file for whoever finds out why, move it away, and start again.
    """

    def __init__(self, path: Path, line_number: int, offset: int, reason: str) -> None:
        super().__init__(f"{path}, line {line_number} (byte {offset}): {reason}")
        self.path = path
        self.line_number = line_number
        self.offset = offset
        self.reason = reason


class JournalFile:
    """The one writer of a journal file.

    After the first failure it answers nothing but `JournalFailed`: a line that was written in part
    must stay the last one, so that it can be cut back at the next start.
    """

    def __init__(self, path: Path, descriptor: int, last_seq: int) -> None:
        """Take over a descriptor that is checked and stands at a line's end; see `open`."""
        self._path = path
        self._descriptor = descriptor
        self._last_seq = last_seq
        self._failure: str | None = None

    @classmethod
    def open(cls, path: Path, *, at: int, first_seq: int = 1) -> "JournalFile":
        """Open or create the journal and go on after its last whole line.

        A torn last line is cut off, and a record says so, with `at` (UTC ns) as its time. Only the
        tail is read; checking all of it is `read_journal`'s business. A new file begins with
        `first_seq`. Raises JournalDamaged, RightsTooOpen, JournalFailed.
        """
        try:
            make_private_folder(path.parent)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(path, flags, FILE_RIGHTS)
        except OSError as error:
            raise JournalFailed(f"cannot open the journal {path}: {error}") from error
        try:
            require_private_file(path, os.fstat(descriptor))
            last_seq, whole_bytes, torn_bytes = _tail_of(path, descriptor, first_seq)
            journal = cls(path, descriptor, last_seq)
            if torn_bytes:
                os.ftruncate(descriptor, whole_bytes)
                journal.append({"ts": at, "event": TAIL_CUT, "bytes": torn_bytes})
        except OSError as error:
            os.close(descriptor)
            raise JournalFailed(f"cannot open the journal {path}: {error}") from error
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    @property
    def last_seq(self) -> int:
        """The sequence number of the last record; before the first one, one less than it gets."""
        return self._last_seq

    def append(self, record: Mapping[str, object]) -> int:
        """Write one record as one line and give its sequence number back.

        The record has `ts` (int, UTC ns) and `event` (a word); the rest are its fields, of any
        types (see `journal_line.line_of` for what becomes of them).
        """
        self._refuse_after_failure()
        ts, event = record.get("ts"), record.get("event")
        if type(ts) is not int or type(event) is not str or not event:
            raise self._failed(
                f"a record needs ts (an integer, UTC ns) and event (a word); found"
                f" {type(ts).__name__} and {type(event).__name__}"
            )
        seq = self._last_seq + 1
        fields = [item for item in record.items() if item[0] not in ("ts", "event")]
        try:
            line = line_of(ts, seq, event, fields)
        except (ValueError, TypeError) as error:
            raise self._failed(f"cannot put {event} into a line: {error}") from error
        self._write(line)
        self._last_seq = seq
        return seq

    def sync(self) -> None:
        """Wait until everything appended is on the disk."""
        self._refuse_after_failure()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._failed(str(error)) from error

    def close(self) -> None:
        """Sync and close. Closing twice does nothing."""
        if self._descriptor == _CLOSED:
            return
        descriptor, self._descriptor = self._descriptor, _CLOSED
        try:
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failed(str(error)) from error

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise self._failed(str(error)) from error
        if written != len(line):
            raise self._failed(f"only {written} of {len(line)} bytes went in")

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise JournalFailed(f"{self._path}: not tried, it failed before: {self._failure}")

    def _failed(self, reason: str) -> JournalFailed:
        self._failure = reason
        return JournalFailed(f"cannot write the journal {self._path}: {reason}")


def read_journal(path: Path, *, first_seq: int = 1) -> Iterator[dict[str, object]]:
    """Every record of the file from its beginning, each checked before it is given out.

    Raises JournalDamaged at the first line that is torn, changed, or not the next in sequence.
    """
    with path.open("rb") as file:
        offset = 0
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            try:
                record = _next_record(line, first_seq + number - 1)
            except BadLine as error:
                raise JournalDamaged(path, number, offset, str(error)) from error
            yield record
            offset += len(line)


def _next_record(line: bytes, seq: int) -> dict[str, object]:
    record = record_in(line)
    if seq_of(record) != seq:
        raise BadLine(f"it has seq {seq_of(record)}, wanted {seq}")
    return record


def _tail_of(path: Path, descriptor: int, first_seq: int) -> tuple[int, int, int]:
    """The last seq, how many bytes are whole lines, and how many come after them, torn."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _TAIL_BYTES)
    window = _read(path, descriptor, start, size)
    seq = first_seq - 1 if start == 0 else None
    # A window that begins somewhere in a line goes on from where that line ends.
    offset = 0 if start == 0 else window.find(b"\n") + 1
    end = window.rfind(b"\n") + 1
    while offset < end:
        after_line = window.index(b"\n", offset) + 1
        line = window[offset:after_line]
        try:
            record = record_in(line) if seq is None else _next_record(line, seq + 1)
        except BadLine as error:
            raise _damaged(path, descriptor, start + offset, str(error)) from error
        seq = seq_of(record)
        offset = after_line
    torn = window[end:]
    if seq is None:
        raise _damaged(path, descriptor, start, f"longer than {MAX_LINE_BYTES} bytes")
    if not _was_being_written(torn):
        raise _damaged(path, descriptor, start + end, "it has no end, and is not a torn line")
    return seq, start + end, len(torn)


def _was_being_written(torn: bytes) -> bool:
    """The beginning of a line, or the zeros that a power cut leaves in its place; or nothing."""
    begins_like_a_line = LINE_START.startswith(torn[: len(LINE_START)])
    return len(torn) < MAX_LINE_BYTES and (begins_like_a_line or not torn.strip(b"\0"))


def _damaged(path: Path, descriptor: int, offset: int, reason: str) -> JournalDamaged:
    line_number = 1
    for start in range(0, offset, _TAIL_BYTES):
        line_number += _read(path, descriptor, start, min(start + _TAIL_BYTES, offset)).count(b"\n")
    return JournalDamaged(path, line_number, offset, reason)


def _read(path: Path, descriptor: int, start: int, end: int) -> bytes:
    content = b""
    while len(content) < end - start:
        piece = os.pread(descriptor, end - start - len(content), start + len(content))
        if not piece:
            raise JournalFailed(f"{path} became shorter while it was read")
        content += piece
    return content


_CLOSED = -1
