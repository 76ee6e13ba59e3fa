"""What is kept of signals: what was done with each, the lines that are none, where reading is.

Four files in one private folder. `orders.jsonl` and `bad_lines.jsonl` are only ever added to, and
are on the disk when the call returns; `place.json` and `ended.bin` are replaced whole, and only
spare work.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hydra.store.ended_signals import EndedSignals, LogPlace, kept_in
from hydra.store.followed_file import FilePlace
from hydra.store.private_files import (
    FILE_RIGHTS,
    make_private_file,
    make_private_folder,
    require_private_file,
)
from messages.signals import SignalNote

_SHOWN_BYTES = 2_000
"""Of a bad line, so that one that is nothing but long does not fill the disk."""
_BLOCK_BYTES = 256 * 1024
_READ_AGAIN_BYTES_MAX = 1024 * 1024
"""Of what earlier starts have read of `orders.jsonl`; beyond that, what came of it is kept."""


class SignalRecordDamaged(Exception):
    """What was done with earlier signals cannot be read, so none may be acted on."""


class BadLineKept(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `bad_lines.jsonl`; `line` is its number in the file that it was read from."""

    at: int
    file: str
    line: int
    reason: str
    content: str
    is_base64: bool = False


class SignalRecord:
    """Opened once in a run, and written to by one thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises OSError, `RightsTooOpen` and `SignalRecordDamaged`."""
        make_private_folder(folder)
        self._place_path = folder / "place.json"
        self.orders = folder / "orders.jsonl"
        self.bad_lines = folder / "bad_lines.jsonl"
        self._orders = _opened(self.orders)
        self._bad_lines = _opened(self.bad_lines)
        self.ended = self._ended_on_record(folder / "ended.bin")
        """The names of all signals whose end is on record."""
        _cut_torn_end(self._bad_lines)

    @property
    def place(self) -> FilePlace | None:
        """Where reading had come to; None: nobody has read anything, or it is not known."""
        try:
            return msgspec.json.decode(self._place_path.read_bytes(), type=FilePlace)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None  # then it is read from the beginning, and what is on record is known again

    def keep_place(self, place: FilePlace) -> None:
        """What is before it need not be read again."""
        beside = self._place_path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        make_private_file(beside)
        beside.write_bytes(msgspec.json.encode(place))
        beside.replace(self._place_path)

    def note(self, note: SignalNote) -> None:
        """Add what was done with a signal."""
        _append(self._orders, msgspec.json.encode(note))
        if note.done.is_final:
            self.ended.add(note.id)

    def quarantine(self, path: Path, line: int, content: bytes, reason: str, at: int) -> None:
        """Set aside a line that is no signal."""
        shown = content[:_SHOWN_BYTES]
        try:
            text, is_base64 = shown.decode("utf-8"), False
        except UnicodeDecodeError:
            text, is_base64 = base64.b64encode(shown).decode(), True
        kept = BadLineKept(
            at=at, file=str(path), line=line, reason=reason, content=text, is_base64=is_base64
        )
        _append(self._bad_lines, msgspec.json.encode(kept))

    def close(self) -> None:
        """Nothing more will be written."""
        os.close(self._orders)
        os.close(self._bad_lines)

    def _ended_on_record(self, kept: Path) -> EndedSignals:
        """What earlier starts have settled of the orders, and every line since."""
        size = _cut_torn_end(self._orders)
        ended, settled = kept_in(kept, self._orders, size)
        number = settled.lines
        for line in _lines_from(self._orders, settled.offset):
            number += 1
            try:
                note = msgspec.json.decode(line, type=SignalNote)
            except msgspec.MsgspecError as error:
                raise SignalRecordDamaged(f"{self.orders}:{number}: {error}") from error
            if note.done.is_final:
                ended.add(note.id)
        if size - settled.offset > _READ_AGAIN_BYTES_MAX:
            ended.settle()
            ended.keep(kept, LogPlace.of(self._orders, size, number))
        return ended


def _opened(path: Path) -> int:
    if not path.exists():
        make_private_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_RIGHTS)
    require_private_file(path, os.fstat(descriptor))
    return descriptor


def _cut_torn_end(descriptor: int) -> int:
    """Take away the piece of a line that a crash cut off; gives the size without it (bytes)."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _lines_from(descriptor: int, offset: int) -> Iterator[bytes]:
    """The whole lines from there to the end, without their ends."""
    rest = b""
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        offset += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


def _append(descriptor: int, line: bytes) -> None:
    """Whole or not at all: a full disk takes a piece of a line, and another line may follow it."""
    content, size = line + b"\n", os.fstat(descriptor).st_size
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    os.fdatasync(descriptor)
