"""A flight recording as bytes: what a session's actors handled, in which order, what they heard.

A recording is a folder of numbered files (`0001.flight`, ...) of chunks. Each chunk stands for
itself (its own table of names, its own first time), bears a checksum and its number, and is written
whole; so a file that was cut off at any byte is readable up to its last whole chunk, and what is
read is always a beginning of what happened, without a gap.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Annotated, BinaryIO, TypeAlias

import msgspec

from hydra.runtime.envelope import MessageId, name_of

MAGIC = b"HYDRA-FLIGHT-1\n"
SUFFIX = ".flight"
_FRAME = struct.Struct(">II")
"""Before each chunk: how long it is, and its checksum."""
CHUNK_BYTES_MAX = 64 << 20
"""A chunk over this, packed or unpacked, is damage: the recorder writes far smaller ones."""
TIME_MAX = 1 << 63
"""Nanoseconds. The actors know no moment after that."""


class RecordingDamaged(Exception):
    """The recording cannot be read further: its text says which file, and how far it is whole."""


class Lane(IntEnum):
    """How a cell came to handle a message."""

    USER = 0
    CONTROL = 1
    DRAINED = 2
    """While it stops: what still waited in its user lane."""
    STOPS = 3
    """Nothing waits any more: the actor of a cell that drains is told to stop."""


class Recipe(msgspec.Struct, frozen=True, array_like=True):
    """An actor's recipe in a message: whose it is, and `digest` of all of it.

    `values` are those of its arguments that can be written down. The others follow from the
    configuration.
    """

    name: str
    digest: int
    values: dict[str, bytes]


class Payload(msgspec.Struct, frozen=True, array_like=True):
    """A message that came from outside of the actors, whole.

    `module` is where its type is defined. `body` None: its content cannot be written down; where it
    is a `recipe` besides, and `fields` that can be, a replay makes it of those.
    `asked`: whoever told it waits for an answer, until `deadline` (machine ns; 0: without end).
    `timer` is that of the question that this is the answer to: its key and generation, and the
    incarnation that asked.
    """

    module: str
    body: bytes | None
    asked: bool = False
    deadline: int = 0
    timer: tuple[str, int, int] | None = None
    recipe: Recipe | None = None
    fields: dict[str, bool] | None = None


class Entry(msgspec.Struct, frozen=True):
    """A cell began to handle a message. `now` is machine time, `market` market time, in ns.

    `kind` is the message's type, and `digest` is of its content; 0: none was taken. `payload` is
    there of what came from outside alone: everything else a replay makes itself. `content` is there
    of what belongs to an order, for people who look at a difference.
    """

    cell: str
    id: MessageId
    now: int
    market: int
    lane: Lane
    kind: str
    digest: int
    payload: Payload | None = None
    content: bytes | None = None

    def __str__(self) -> str:
        shown = "" if self.content is None else f" {_shown(self.content)}"
        digest = f" of content {self.digest:08x}" if self.digest else ""
        return f"{self.kind} {name_of(self.id)} in its {self.lane.name.lower()} lane{digest}{shown}"


class Began(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Within what a cell handled its actor was given the word, at these times."""

    cell: str
    now: int
    market: int


class Called(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """An actor called a port and got this: `result` as MessagePack, or `error` (class, text).

    `digest` is of what it was called with; of the ledger, how often it had been called before.
    """

    cell: str
    port: str
    digest: int
    result: bytes | None
    error: tuple[str, str] | None = None

    def __str__(self) -> str:
        came = "raised " + ": ".join(self.error) if self.error else f"gave {_shown(self.result)}"
        return f"{self.cell} calls {self.port} (content {self.digest:08x}), which {came}"


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """An actor failed: in which phase, and of what."""

    cell: str
    detail: str

    def __str__(self) -> str:
        return f"{self.cell} fails in {self.detail}"


class IncarnationEnded(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """An actor stopped in order; `state` is its view of its state then, as canonical JSON."""

    cell: str
    incarnation: int
    state: str

    def __str__(self) -> str:
        return f"{self.cell}#{self.incarnation} ends as {self.state}"


class GateChanged(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """What stands in the order gate from now on: causes as MessagePack."""

    causes: bytes


class Configured(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """Actors may be given recipes of this configuration from now on: its content, as JSON."""

    content: bytes


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """Nothing was recorded after this, though the session went on; `reason` says why."""

    reason: str


class Closed(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """The session ended in order. `hash` is of its final state, `mark` how far its ledger was."""

    hash: str
    mark: str
    entries: int


Noted: TypeAlias = Began | Called | Failed | IncarnationEnded
"""What a cell did or heard within what it handled, in its order."""
Event: TypeAlias = Entry | Noted | GateChanged | Configured | Stopped | Closed


_Place: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
"""In the chunk's table of names."""


class _Inner(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """An `Entry` without payload: names by their place in the table, times since the one before."""

    cell: _Place
    sender: _Place
    incarnation: int
    number: int
    now: int
    market: int
    lane: Lane
    kind: _Place
    digest: int


class _Outer(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """An `Entry` with payload."""

    head: _Inner
    payload: Payload


class _Shown(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """An `Entry` with content."""

    head: _Inner
    content: bytes


_Written: TypeAlias = (
    _Inner
    | _Outer
    | _Shown
    | Began
    | Called
    | Failed
    | IncarnationEnded
    | GateChanged
    | Configured
    | Stopped
    | Closed
)


class _Chunk(msgspec.Struct, frozen=True, array_like=True):
    number: int
    names: list[str]
    events: list[_Written]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Chunk).decode
_NOT_MESSAGEPACK = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading raises: also for text that is no UTF-8, and for values within values without end."""


class ChunkWriter:
    """Gathers events and makes whole chunks of them."""

    def __init__(self) -> None:
        self._number = 0
        self._clear()

    def _clear(self) -> None:
        self._names: dict[str, int] = {}
        self._events: list[_Written] = []
        self._now = 0
        self._offset = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event) -> None:
        """One more, after all others."""
        if not isinstance(event, Entry):
            self._events.append(event)
            return
        sender, incarnation, number = event.id
        offset = event.market - event.now
        head = _Inner(
            self._number_of(event.cell),
            self._number_of(sender),
            incarnation,
            number,
            event.now - self._now,
            offset - self._offset,
            event.lane,
            self._number_of(event.kind),
            event.digest,
        )
        self._now, self._offset = event.now, offset
        if event.payload is not None:
            self._events.append(_Outer(head, event.payload))
        elif event.content is not None:
            self._events.append(_Shown(head, event.content))
        else:
            self._events.append(head)

    def _number_of(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))

    def taken(self) -> bytes:
        """Everything since the last time, framed as it stands in a file."""
        self._number += 1
        chunk = _Chunk(self._number, list(self._names), self._events)
        body = zlib.compress(_encode(chunk), 1)
        self._clear()
        return _FRAME.pack(len(body), zlib.crc32(body)) + body


def events_in(folder: Path) -> Iterator[Event]:
    """Every event of a recording, in order, up to its last whole chunk.

    A last file that was cut off ends the recording there. Raises `RecordingDamaged` for anything
    else that is not whole, after what comes before it, and OSError.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"))
    expected = 1
    for file in files:
        is_last = file is files[-1]
        for number, chunk in enumerate(_chunks_in(file, may_be_cut_off=is_last), expected):
            if chunk.number != number:
                raise RecordingDamaged(f"{file}: chunk {number} is missing, found {chunk.number}")
            expected = number + 1
            yield from _events_of(chunk, file)


def _chunks_in(file: Path, *, may_be_cut_off: bool) -> Iterator[_Chunk]:
    with file.open("rb") as stream:
        start = stream.read(len(MAGIC))
        if start != MAGIC:
            if may_be_cut_off and (MAGIC.startswith(start) or _is_unwritten(start, stream)):
                return
            raise RecordingDamaged(f"{file}: found {start[:20]!r}, wanted {MAGIC!r} first")
        while frame := stream.read(_FRAME.size):
            length, checksum = _FRAME.unpack(frame) if len(frame) == _FRAME.size else (0, 0)
            if length > CHUNK_BYTES_MAX:
                raise RecordingDamaged(f"{file}: a chunk of {length} bytes, at most 64 MiB allowed")
            body = stream.read(length)
            is_short = len(frame) < _FRAME.size or len(body) < length
            if is_short or _is_unwritten(frame, stream):
                if may_be_cut_off:
                    return
                raise RecordingDamaged(f"{file}: it ends within a chunk, and is not the last file")
            if zlib.crc32(body) != checksum:
                raise RecordingDamaged(f"{file}: a chunk does not fit its checksum")
            try:
                yield _decode(_unpacked(body))
            except (zlib.error, *_NOT_MESSAGEPACK) as error:
                raise RecordingDamaged(f"{file}: a chunk cannot be read: {error}") from error


def _is_unwritten(start: bytes, stream: BinaryIO) -> bool:
    """Whether there is nothing but zeros from here on: the machine went down before what was
    written came to the disk, and after the file had been made longer for it.
    """
    return not start.strip(b"\0") and not stream.read(CHUNK_BYTES_MAX).strip(b"\0")


def _unpacked(body: bytes) -> bytes:
    """Raises `zlib.error`, also for what is longer than any chunk."""
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(body, CHUNK_BYTES_MAX)
    if not unpacking.eof:
        raise zlib.error("it does not end, or has more than 64 MiB")
    return content


def _events_of(chunk: _Chunk, file: Path) -> Iterator[Event]:
    names, now, offset = chunk.names, 0, 0
    for written in chunk.events:
        payload, content = None, None
        if isinstance(written, _Inner):
            head = written
        elif isinstance(written, _Outer):
            head, payload = written.head, written.payload
        elif isinstance(written, _Shown):
            head, content = written.head, written.content
        else:
            yield written
            continue
        now += head.now
        offset += head.market
        if not (0 <= now < TIME_MAX and 0 <= now + offset < TIME_MAX):
            raise RecordingDamaged(f"{file}: chunk {chunk.number} tells of a time that is none")
        try:
            cell, sender, kind = names[head.cell], names[head.sender], names[head.kind]
        except IndexError:
            raise RecordingDamaged(f"{file}: chunk {chunk.number} has no name for all") from None
        yield Entry(
            cell,
            (sender, head.incarnation, head.number),
            now,
            now + offset,
            head.lane,
            kind,
            head.digest,
            payload,
            content,
        )


def _shown(result: bytes | None) -> str:
    if result is None:
        return "nothing"
    try:
        return repr(msgspec.msgpack.decode(result))
    except _NOT_MESSAGEPACK:
        return repr(result)
