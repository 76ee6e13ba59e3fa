"""The end of a journal's file: where its last whole line ends, and what it says."""

import os
from pathlib import Path

import msgspec

from hydra.ports import LedgerMark
from hydra.store.journal_files import FileEnd, JournalDamaged, JournalFailed
from hydra.store.journal_line import (
    LINE_START,
    MAX_LINE_BYTES,
    SEAL_BYTES,
    BadLine,
    crc_of,
    mark_in,
    record_in,
    seq_of,
)

MARK_EVERY_BYTES = 32 * 1024
"""At most so many bytes of lines lie between two lines with a mark of the ledger."""

TAIL_BYTES = MARK_EVERY_BYTES + 3 * MAX_LINE_BYTES
"""Holds the longest torn line, the longest whole one before it, and the newest mark."""


class Tail(msgspec.Struct, frozen=True):
    """What stands at a file's end. `end` is None if there is no whole line."""

    end: FileEnd | None
    mark: LedgerMark | None
    marked_bytes: int
    """Where the line with the newest mark ends."""
    whole_bytes: int
    torn_bytes: int
    """What comes after the last whole line: the beginning of one that was not finished."""


def tail_of(path: Path, descriptor: int) -> Tail:
    """Read it. Raises JournalDamaged if it is not lines in sequence, perhaps with a torn last one;
    OSError, JournalFailed if it cannot be read.
    """
    size = os.fstat(descriptor).st_size
    start = max(0, size - TAIL_BYTES)
    window = _read(path, descriptor, start, size)
    # A window that begins somewhere in a line goes on from where that line ends.
    offset = 0 if start == 0 else window.find(b"\n") + 1
    end = window.rfind(b"\n") + 1
    last, mark, marked_bytes = None, None, 0
    while offset < end:
        after_line = window.index(b"\n", offset) + 1
        line = window[offset:after_line]
        try:
            record = record_after(last, line)
        except BadLine as error:
            raise _damaged(path, descriptor, start + offset, str(error)) from error
        offset = after_line
        last = FileEnd(path.name, seq_of(record), crc_of(line))
        mark_here = mark_in(record)
        if mark_here is not None and (mark is None or mark_here.seq >= mark.seq):
            mark, marked_bytes = mark_here, start + after_line
    torn = window[end:]
    if start and last is None:
        raise _damaged(path, descriptor, start, f"longer than {MAX_LINE_BYTES} bytes")
    if not was_being_written(torn):
        raise _damaged(path, descriptor, start + end, "it has no end, and is not a torn line")
    return Tail(last, mark, marked_bytes, start + end, len(torn))


def tail_of_segment(segment: Path) -> Tail:
    """The same of a full file, which was on the disk before it was renamed: no line is torn."""
    descriptor = os.open(segment, os.O_RDONLY | os.O_CLOEXEC)
    try:
        tail = tail_of(segment, descriptor)
        if tail.end is None or tail.torn_bytes:
            reason = "torn, in a file that was full and whole"
            raise _damaged(segment, descriptor, tail.whole_bytes, reason)
    finally:
        os.close(descriptor)
    return tail


def last_crc(descriptor: int, size: int) -> str:
    """The checksum of the last line of a file with `size` bytes, all whole lines."""
    return crc_of(os.pread(descriptor, SEAL_BYTES, size - SEAL_BYTES))


def record_after(last: FileEnd | None, line: bytes) -> dict[str, object]:
    """The record of a line that is the next one after `last`, if there is one to go by."""
    record = record_in(line)
    if last is not None and seq_of(record) != last.seq + 1:
        raise BadLine(f"it has seq {seq_of(record)}, wanted {last.seq + 1}")
    return record


def was_being_written(torn: bytes) -> bool:
    """The beginning of a line, or the zeros that a power cut leaves in its place; or nothing."""
    begins_like_a_line = LINE_START.startswith(torn[: len(LINE_START)])
    return len(torn) < MAX_LINE_BYTES and (begins_like_a_line or not torn.strip(b"\0"))


def _damaged(path: Path, descriptor: int, offset: int, reason: str) -> JournalDamaged:
    line_number = 1
    for start in range(0, offset, TAIL_BYTES):
        line_number += _read(path, descriptor, start, min(start + TAIL_BYTES, offset)).count(b"\n")
    return JournalDamaged(path, line_number, offset, reason)


def _read(path: Path, descriptor: int, start: int, end: int) -> bytes:
    content = b""
    while len(content) < end - start:
        piece = os.pread(descriptor, end - start - len(content), start + len(content))
        if not piece:
            raise JournalFailed(f"{path} became shorter while it was read")
        content += piece
    return content
