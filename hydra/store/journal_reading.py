"""Reading a journal back, every line checked: strictly, or to list all that is wrong with it."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import msgspec

from hydra.store.journal_files import (
    CONTINUED,
    FileEnd,
    JournalDamaged,
    files_of,
    first_seq_named,
    kept_from_in,
    link_fault,
    missing_beginning,
)
from hydra.store.journal_line import (
    LINE_START,
    MAX_LINE_BYTES,
    BadLine,
    crc_of,
    record_in,
    seq_of,
)
from hydra.store.journal_tail import was_being_written


class Fault(Enum):
    """What can be wrong with a journal."""

    TORN = "torn"
    """The last line has no end: the process or the power ended while it was written."""
    NO_LIVE_FILE = "no live file"
    """Only full files are there: it ended just when a new one was to be begun, or it was taken."""
    CHANGED = "changed"
    """This is no line as it was written."""
    GLUED = "glued"
    """Whole lines without an end between them, or a whole one behind a torn one."""
    MISSING = "missing"
    """Lines are not there."""
    REPEATED = "repeated"
    """A line is there once more, or in another place than it was written in."""
    LINK = "link"
    """A file does not go on from the one before it."""
    FILE_MISSING = "file missing"
    """Whole files were taken away, and not by pruning."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong with a journal, and where."""

    path: Path
    line_number: int
    offset: int
    fault: Fault
    reason: str

    @property
    def is_left_by_a_crash(self) -> bool:
        """Whether opening the journal makes it good; all else needs a person."""
        return self.fault in (Fault.TORN, Fault.NO_LIVE_FILE)


def read_journal(path: Path) -> Iterator[dict[str, object]]:
    """Every record of the journal `path`, through all its files, each checked before it is given.

    The first may have any sequence number, as older files are pruned. Raises JournalDamaged at the
    first line that is torn, changed, or not the next one, and FileNotFoundError if nothing is
    there.
    """
    for item in _walk(path):
        if not isinstance(item, Finding):
            yield item
        elif item.fault is not Fault.NO_LIVE_FILE:
            raise JournalDamaged(item.path, item.line_number, item.offset, item.reason)


def everything_in(path: Path) -> Iterator[dict[str, object] | Finding]:
    """Every record that can be read, and between them whatever is wrong, in the files' order.

    Raises FileNotFoundError if nothing is there.
    """
    return _walk(path)


def findings_in(path: Path) -> Iterator[Finding]:
    """Everything that is wrong with the journal `path`; it is read to its end whatever is found.

    Raises FileNotFoundError if nothing is there.
    """
    return (item for item in _walk(path) if isinstance(item, Finding))


def _walk(path: Path) -> Iterator[dict[str, object] | Finding]:
    files = files_of(path)
    if not files:
        raise FileNotFoundError(f"{path}: there is no journal, neither this file nor full ones")
    reader = _Reader(path)
    for file in files:
        yield from reader.items_of(file)
    yield from reader.closing_findings(files)


class _Line(msgspec.Struct, frozen=True):
    """As it stands in the file; of one that is too long, the beginning."""

    content: bytes
    number: int
    offset: int
    size: int


class _Reader:
    """Goes through the files in order and remembers what the next line must be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end: FileEnd | None = None
        self._unread = 0
        """How many lines may be in what could not be read since `_end`."""
        self._pruned_before = 1
        """With which line the oldest file goes on from one that should have been pruned."""
        self._kept_from = 1
        """From where on everything must be there: the most that any line says."""

    def items_of(self, file: Path) -> Iterator[dict[str, object] | Finding]:
        """Its records and what is wrong with it."""
        with file.open("rb") as opened:
            for line in _lines(opened):
                try:
                    record = record_in(line.content)
                except BadLine as error:
                    yield self._bad(file, line, str(error))
                    continue
                yield from self._misplaced(file, line, record)
                self._take(file, line, record)
                yield record

    def closing_findings(self, files: list[Path]) -> Iterator[Finding]:
        """What shows only when everything was read."""
        if self._pruned_before > self._kept_from:
            reason = missing_beginning(self._pruned_before, self._kept_from)
            yield Finding(files[0], 1, 0, Fault.FILE_MISSING, reason)
        if files[-1] != self._path:
            reason = "there are only full files"
            yield Finding(self._path, 1, 0, Fault.NO_LIVE_FILE, reason)

    def _take(self, file: Path, line: _Line, record: dict[str, object]) -> None:
        seq = seq_of(record)
        if self._end is None and not self._unread and record.get("event") == CONTINUED:
            self._pruned_before = seq
        self._kept_from = max(self._kept_from, kept_from_in(record))
        if self._end is None or seq > self._end.seq:
            self._end = FileEnd(file.name, seq, crc_of(line.content))
            self._unread = 0

    def _bad(self, file: Path, line: _Line, reason: str) -> Finding:
        has_end = line.content.endswith(b"\n") or line.size > len(line.content)
        if not has_end and file == self._path and was_being_written(line.content):
            return Finding(file, line.number, line.offset, Fault.TORN, reason)
        lines = _lines_glued_in(line.content)
        self._unread += max(lines, 1)
        if lines:
            reason = f"lines that were written one after the other are glued ({lines} of them)"
            return Finding(file, line.number, line.offset, Fault.GLUED, reason)
        if line.content == b"\n":
            reason = "an empty line"
        elif not line.content.strip(b"\0\n"):
            reason = f"{line.size} bytes, all of them zero"
        return Finding(file, line.number, line.offset, Fault.CHANGED, reason)

    def _misplaced(self, file: Path, line: _Line, record: dict[str, object]) -> Iterator[Finding]:
        place = (file, line.number, line.offset)
        seq, end = seq_of(record), self._end
        if line.number == 1 and file != self._path:
            named = first_seq_named(self._path, file)
            if seq != named:
                yield Finding(*place, Fault.LINK, f"it has seq {seq}, by its name {named}")
        if end is None:
            fault = None if self._unread else link_fault(record, None)
            if fault is not None:
                yield Finding(*place, Fault.MISSING, fault)
            return
        missing = seq - end.seq - 1
        if missing < 0:
            yield Finding(*place, Fault.REPEATED, f"it has seq {seq}, wanted {end.seq + 1}")
        elif missing > self._unread:
            yield self._gap(place, record, end, begins_file=line.number == 1)
        elif line.number == 1 and not self._unread:
            fault = link_fault(record, end)
            if fault is not None:
                yield Finding(*place, Fault.LINK, fault)

    def _gap(
        self,
        place: tuple[Path, int, int],
        record: dict[str, object],
        end: FileEnd,
        *,
        begins_file: bool,
    ) -> Finding:
        seq, previous = seq_of(record), record.get("previous")
        reason = f"it has seq {seq}, wanted {end.seq + 1}"
        if begins_file and previous is not None and previous != end.name:
            reason += f": {previous}, which lay before it, is not there"
            return Finding(*place, Fault.FILE_MISSING, reason)
        return Finding(*place, Fault.MISSING, reason)


def _lines(file: BinaryIO) -> Iterator[_Line]:
    number, offset = 1, 0
    while content := file.readline(MAX_LINE_BYTES + 1):
        size, piece = len(content), content
        while not piece.endswith(b"\n") and len(piece) > MAX_LINE_BYTES:
            piece = file.readline(MAX_LINE_BYTES + 1)
            size += len(piece)
        yield _Line(content, number, offset, size)
        if not piece.endswith(b"\n"):
            return  # the end, as it was then: what is written to it meanwhile is not looked at
        number += 1
        offset += size


def _lines_glued_in(content: bytes) -> int:
    """How many lines stand in this one, whole or torn; 0 if it is a single one."""
    joints = len(_JOINT.findall(content))
    if joints:
        return joints + 1
    behind = content.rfind(LINE_START)
    return 2 if behind > 0 and _is_whole(content[behind:]) else 0


def _is_whole(line: bytes) -> bool:
    try:
        record_in(line)
    except BadLine:
        return False
    return True


_JOINT = re.compile(rb',"crc":"[0-9a-f]{8}"\}' + re.escape(LINE_START))
"""The end of one line and the beginning of the next, with nothing between."""
