"""A flight recording: what is read was written; what is replayed ends in words, never a crash."""

import random
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack

from hydra.actor import Ref
from hydra.runtime.contents import NotReadable
from hydra.runtime.recording import (
    MAGIC,
    Began,
    Called,
    ChunkWriter,
    Closed,
    Configured,
    Entry,
    Event,
    Failed,
    GateChanged,
    IncarnationEnded,
    Lane,
    Payload,
    RecordingDamaged,
    Stopped,
    events_in,
)
from tests.fuzz.spoiling import any_value, spoilt_bytes
from tests.fuzz.target import Target, Verdict, require, require_one_line
from tests.runtime.walkers import Recorded, Walk, WordsOfOutside, replayed, tree

FRAME = struct.Struct(">II")
EVENTS_A_CHUNK = 40
ONE_OF_EACH: tuple[Event, ...] = (
    Entry("/root", ("~market", 1, 1), 5, 7, Lane.USER, "Walk", 9, Payload("messages.x", b"\x80")),
    Entry("/root", ("/root/a", 1, 2), 6, 8, Lane.CONTROL, "Walk", 9, None, b"\x80"),
    Entry("/root", ("~/root:k.1", 1, 2), 6, 8, Lane.DRAINED, "Walk", 9),
    Began("/root", 6, 8),
    Called("/root", "venue.submit", 4, b"\x01", None),
    Called("/root", "venue.submit", 4, None, ("GateRefused", "no")),
    Failed("/root", "receive"),
    IncarnationEnded("/root", 1, "{}"),
    GateChanged(b"\x90"),
    Configured(b"{}"),
    Stopped("enough"),
    Closed("00", "no ledger", 3),
)


def _written(events: tuple[Event, ...]) -> bytes:
    """A file of many small chunks."""
    writer, file = ChunkWriter(), bytearray(MAGIC)
    for number, event in enumerate(events, 1):
        writer.add(event)
        if number % EVENTS_A_CHUNK == 0 or number == len(events):
            file += writer.taken()
    return bytes(file)


def _session() -> bytes:
    """Of actors that do all that an actor can. No two are alike: it is played by threads."""
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(Path(folder))
        runtime = recorded.runtime
        dice = runtime.port("dice", WordsOfOutside())
        assert runtime.start_and_wait(tree(dice), within=10.0)
        for number in range(12):
            where = "one" if number % 3 else "all"
            runtime.tell(Ref[Any](f"/root/{where}/{'abcd'[number % 4]}"), Walk(steps=4))
        runtime.settle(within=0.05)
        recorded.end()
        return _written(tuple(events_in(Path(folder))))


def _framed(body: bytes) -> bytes:
    return FRAME.pack(len(body), zlib.crc32(body)) + body


HUGE = (
    lambda: MAGIC + _framed(zlib.compress(bytes(300_000_000), 1)),
    lambda: MAGIC + FRAME.pack(60 << 20, 0),
    lambda: MAGIC + _framed(zlib.compress(b"\x93\x01\x90" + b"\x91" * 2_000_000)),
    lambda: MAGIC + _framed(zlib.compress(b"\x93\x01\x90\xdd\xff\xff\xff\xff" + b"\xc0" * 99)),
    lambda: MAGIC + bytes(4_000_000),
)


@contextmanager
def flight(folder: Path) -> Iterator[Target]:
    """The one file of a recording, read, shown, and replayed by the actors that were recorded."""
    flown = folder / "flight"
    flown.mkdir()

    def feed(data: bytes) -> Verdict:
        (flown / "0001.flight").write_bytes(data)
        events: list[Event] = []
        try:
            events.extend(events_in(flown))
        except RecordingDamaged as damaged:
            require_one_line(damaged)
            return Verdict.REFUSED
        for event in events:
            require(bool(str(event)), "an event that cannot be shown")
        try:
            done = replayed(events)
        except NotReadable:
            return Verdict.REFUSED
        ends = sum(isinstance(event, Closed) for event in events)
        require(not done.is_same or ends > 0, "the same end as that of a session without an end")
        require(done.difference is None or bool(str(done.difference)), "it cannot be shown")
        return Verdict.ACCEPTED if done.difference is None else Verdict.REFUSED

    yield Target(
        name="flight",
        feed=feed,
        seeds=(_session(), _written(ONE_OF_EACH), MAGIC),
        spoil=_spoil,
        huge=HUGE,
        peak_mib_max=192.0,
        input_bytes_max=200_000,
    )


def _spoil(data: bytes, dice: random.Random) -> bytes:
    chunks = _chunks(data)
    match dice.randrange(8):
        case 0:
            return spoilt_bytes(data, dice)
        case 1:
            return data + dice.choice((bytes(500), data, data[len(MAGIC) :], data[:99], b"\0" * 7))
        case 2 if chunks:
            at, other = dice.randrange(len(chunks)), dice.randrange(len(chunks))
            if dice.random() < 0.5:
                del chunks[at]
            else:
                chunks[at], chunks[other] = chunks[other], chunks[at]
        case _ if chunks:
            at = dice.randrange(len(chunks))
            chunks[at] = _respoilt(chunks[at], dice)
        case _:
            return spoilt_bytes(data, dice)
    return MAGIC + b"".join(map(_framed, chunks))


def _chunks(data: bytes) -> list[bytes]:
    """The content of each whole chunk, whatever its checksum is."""
    found, at = [], len(MAGIC)
    while at + FRAME.size <= len(data):
        length, _ = FRAME.unpack_from(data, at)
        at += FRAME.size
        if at + length > len(data):
            break
        found.append(data[at : at + length])
        at += length
    return found


def _respoilt(body: bytes, dice: random.Random) -> bytes:
    """With a checksum that fits: another version, or a forger, would make one."""
    with suppress(Exception):
        chunk = msgpack.unpackb(zlib.decompress(body), strict_map_key=False)
        _change(chunk, dice)
        return zlib.compress(msgpack.packb(chunk, unicode_errors="surrogatepass"), 1)
    return spoilt_bytes(body, dice)


def _change(chunk: list[Any], dice: random.Random) -> None:
    """One thing in it, mostly in one of its events."""
    _, names, events = chunk
    at = dice.randrange(len(events))
    match dice.randrange(8):
        case 0:
            chunk[dice.randrange(3)] = any_value(dice, names)
        case 1:
            names[dice.randrange(len(names))] = dice.choice((*names, "", "~/root/one/a:pulse.x"))
        case 2:
            del names[dice.randrange(len(names))]
        case 3:
            del events[at]
        case 4:
            events.insert(dice.randrange(len(events)), events[at])
        case 5:
            other = dice.randrange(len(events))
            events[at], events[other] = events[other], events[at]
        case _:
            _change_within(events[at], dice, names)


def _change_within(event: list[Any], dice: random.Random, names: list[str]) -> None:
    """A number that is another one, or any value, in its head or in what it holds."""
    at = dice.randrange(len(event))
    if isinstance(event[at], list) and event[at] and dice.random() < 0.8:
        _change_within(event[at], dice, names)
    elif isinstance(event[at], int) and dice.random() < 0.7:
        event[at] += dice.choice((-1, 1, 2, 1_000_000, -(2**40)))
    elif isinstance(event[at], bytes) and dice.random() < 0.7:
        event[at] = spoilt_bytes(event[at], dice)
    else:
        event[at] = any_value(dice, names)
