"""Looking for some lines of a journal, the newest first, in a hurry: raw bytes before records.

A journal has a hundred megabytes and the lines of one order are a dozen, so lines are looked for
as bytes, and only what was found is checked and decoded. The files are opened once; an engine may
go on to write them, begin new ones and delete old ones meanwhile.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import orjson

from hydra.store.journal_files import files_of
from hydra.store.journal_line import (
    LINE_START,
    MAX_LINE_BYTES,
    BadLine,
    moment_of,
    record_in,
    seq_of,
    timestamp,
)

ATTEMPTS = 5
CHUNK_BYTES = 4 * 1024 * 1024
TIMESTAMP_BYTES = len(timestamp(0))
OF_AN_ACTOR = b'"source":"/hydra'
"""What every line has in it that an actor wrote."""


class Line(msgspec.Struct, frozen=True):
    """One line of the journal. `at` is market time (UTC ns), `file` and `offset` its place."""

    seq: int
    at: int
    event: str
    source: str
    record: dict[str, Any]
    file: int
    offset: int


class JournalMissing(Exception):
    """There is no journal, neither the live file nor full ones."""


class JournalSearch:
    """All files of the journal `path` as they are now. To be used in a `with` block.

    Raises JournalMissing, OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = ExitStack()
        self._files: list[tuple[int, int]] = []
        """Each file's descriptor and size, in the order of writing."""
        self.unreadable = 0
        """How many lines had what was looked for and are not as they were written."""

    def __enter__(self) -> "JournalSearch":
        for _ in range(ATTEMPTS):
            try:
                names = self._names()
                self._open(names)
            except FileNotFoundError:  # pruned, or renamed to be a full one
                self._held.close()
                continue
            if self._names() == names:
                break
            self._held.close()
        if not self._files:
            self._held.close()
            raise JournalMissing(f"{self._path}: there is no journal")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def newest_first(self, *texts: bytes, last_seq: int | None = None) -> Iterator[Line]:
        """Every line, up to number `last_seq`, that has one of the texts in it. Of a text that
        people wrote, use `needle`.
        """
        for number in reversed(range(len(self._files))):
            for offset, block in self._blocks(number):
                for start, end in _lines_with(block, texts):
                    if last_seq is not None and _seq_in(block, start) > last_seq:
                        continue
                    line = self._line(block[start:end], number, offset + start)
                    if line is not None:
                        yield line

    def newest(self) -> Line | None:
        """The last whole line."""
        return next(self.newest_first(LINE_START), None)

    def last_seq_at(self, moment: int) -> int:
        """The number of the last line that an actor wrote at that moment (UTC ns) or before it; 0
        if there is none.

        Market time goes back now and then: what others write, as at a start, may have any time. So
        a moment is looked up once, and from then on what was written before what is what counts.
        """
        bound = timestamp(moment).encode()
        for number in reversed(range(len(self._files))):
            for _, block in self._blocks(number):
                for start, _ in _lines_with(block, (OF_AN_ACTOR,)):
                    if _time_in(block, start) <= bound:
                        return _seq_in(block, start)
        return 0

    def before(self, line: Line) -> Line | None:
        """The whole line that was written just before this one."""
        for number in reversed(range(line.file + 1)):
            end = line.offset if number == line.file else self._files[number][1]
            for offset, block in self._blocks(number, end):
                for start, stop in _lines_with(block, (LINE_START,)):
                    found = self._line(block[start:stop], number, offset + start)
                    if found is not None:
                        return found
        return None

    def oldest_first(self, *texts: bytes) -> Iterator[Line]:
        """The same lines as `newest_first`, in the order of writing; for going through many."""
        for number, (descriptor, size) in enumerate(self._files):
            rest, offset = b"", 0
            while offset < size:
                piece = os.pread(descriptor, min(CHUNK_BYTES, size - offset), offset)
                if not piece:
                    break
                block, begins_at = rest + piece, offset - len(rest)
                offset += len(piece)
                whole = len(block) if offset >= size else block.rfind(b"\n") + 1
                for start, end in reversed(_lines_with(block[:whole], texts)):
                    line = self._line(block[start:end], number, begins_at + start)
                    if line is not None:
                        yield line
                rest = block[whole:][-MAX_LINE_BYTES:]

    def _names(self) -> list[Path]:
        return files_of(self._path) if self._path.parent.is_dir() else []

    def _open(self, names: Sequence[Path]) -> None:
        self._files = []
        for name in names:
            file = self._held.enter_context(name.open("rb"))
            self._files.append((file.fileno(), os.fstat(file.fileno()).st_size))

    def _blocks(self, number: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Whole lines of a file, from its end to its beginning, each block with its offset."""
        descriptor, size = self._files[number]
        offset, rest = size if end is None else end, b""
        while offset > 0:
            start = max(0, offset - CHUNK_BYTES)
            block = os.pread(descriptor, offset - start, start) + rest
            offset = start
            # What comes before the first line's end belongs to the block before this one.
            cut = 0 if start == 0 else block.find(b"\n") + 1
            rest, block = block[:cut], block[cut:]
            if start and not cut:
                rest, block = block[-MAX_LINE_BYTES:], b""  # no line of ours is so long
            yield start + cut, block

    def _line(self, content: bytes, file: int, offset: int) -> Line | None:
        try:
            record = record_in(content)
            at = moment_of(str(record.get("ts")))
        except (BadLine, ValueError):
            # The last one of all may be half written.
            is_last = file == len(self._files) - 1 and offset + len(content) >= self._files[-1][1]
            self.unreadable += not (is_last and not content.endswith(b"\n"))
            return None
        return Line(
            seq=seq_of(record),
            at=at,
            event=str(record.get("event")),
            source=str(record.get("source", "")),
            record=record,
            file=file,
            offset=offset,
        )


def needle(text: str) -> bytes:
    """The text as it stands within a line."""
    return orjson.dumps(text)[1:-1]


def field(name: str, value: object) -> bytes:
    """A field and its value as they stand within a line."""
    return orjson.dumps({name: value})[1:-1]


def event(name: str) -> bytes:
    """What every line of this event has in it."""
    return field("event", name)


def _lines_with(block: bytes, texts: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where the lines with one of the texts begin and end, the last one first."""
    found: set[tuple[int, int]] = set()
    for text in texts:
        at = block.find(text)
        while at >= 0:
            end = block.find(b"\n", at) + 1 or len(block)
            found.add((block.rfind(b"\n", 0, at) + 1, end))
            at = block.find(text, end)
    return sorted(found, reverse=True)


def _time_in(block: bytes, start: int) -> bytes:
    """The time of the line that begins there, as it is written."""
    begins_at = start + len(LINE_START)
    return block[begins_at : begins_at + TIMESTAMP_BYTES]


def _seq_in(block: bytes, start: int) -> int:
    """The number of the line that begins there; 0 if that is no line."""
    found = _SEQ.match(block, start + len(LINE_START) + TIMESTAMP_BYTES)
    return int(found[1]) if found else 0


_SEQ = re.compile(rb'","seq":(\d{1,19}),')
