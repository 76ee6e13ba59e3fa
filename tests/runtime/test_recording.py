"""A recording is read as it was written, up to where it is whole, and never otherwise."""

import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.runtime.recording import (
    MAGIC,
    Began,
    Called,
    ChunkWriter,
    Closed,
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

NAMES = st.sampled_from(("/root", "/root/a", "~market", "~/root/a:tick.1", "ä"))
TIMES = st.integers(min_value=0, max_value=1 << 62)
BITS = st.integers(min_value=0, max_value=(1 << 32) - 1)
TEXTS = st.text(max_size=20)
PAYLOADS = st.builds(
    Payload,
    TEXTS,
    st.none() | st.binary(max_size=20),
    st.booleans(),
    TIMES,
    st.none() | st.tuples(TEXTS, BITS, BITS),
)
BARE = st.builds(
    Entry,
    NAMES,
    st.tuples(NAMES, BITS, BITS),
    TIMES,
    TIMES,
    st.sampled_from(Lane),
    NAMES,
    BITS,
)
EVENTS: st.SearchStrategy[list[Event]] = st.lists(
    st.one_of(
        BARE,
        st.builds(Entry, NAMES, st.tuples(NAMES, BITS, BITS), TIMES, TIMES,
                  st.sampled_from(Lane), NAMES, BITS, PAYLOADS),
        st.builds(Entry, NAMES, st.tuples(NAMES, BITS, BITS), TIMES, TIMES,
                  st.sampled_from(Lane), NAMES, BITS, st.none(), st.binary(max_size=9)),
        st.builds(Began, NAMES, TIMES, TIMES),
        st.builds(Called, NAMES, TEXTS, BITS, st.none() | st.binary(max_size=20),
                  st.none() | st.tuples(TEXTS, TEXTS)),
        st.builds(Failed, NAMES, TEXTS),
        st.builds(IncarnationEnded, NAMES, BITS, TEXTS),
        st.builds(GateChanged, st.binary(max_size=20)),
        st.builds(Stopped, TEXTS),
        st.builds(Closed, TEXTS, TEXTS, BITS),
    ),
    max_size=12,
)  # fmt: skip


def chunks_of(parts: list[list[Event]]) -> list[bytes]:
    writer = ChunkWriter()
    chunks = []
    for events in parts:
        for event in events:
            writer.add(event)
        assert len(writer) == len(events)
        chunks.append(writer.taken())
    return chunks


def read(*files: bytes) -> list[Event]:
    with TemporaryDirectory() as folder:
        for number, content in enumerate(files, 1):
            (Path(folder) / f"{number:04}.flight").write_bytes(content)
        return list(events_in(Path(folder)))


@settings(max_examples=20, deadline=None)
@given(st.lists(EVENTS, max_size=4), st.integers(0, 4))
def test_what_was_written_is_read_however_it_lies_in_chunks_and_files(
    parts: list[list[Event]], first_file: int
) -> None:
    chunks = chunks_of(parts)
    files = [MAGIC + b"".join(chunks[:first_file]), MAGIC + b"".join(chunks[first_file:])]

    assert read(*files) == [event for events in parts for event in events]


@settings(max_examples=20, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=3), st.data())
def test_a_file_that_was_cut_off_is_read_up_to_its_last_whole_chunk(
    parts: list[list[Event]], data: st.DataObject
) -> None:
    chunks = chunks_of(parts)
    whole = MAGIC + b"".join(chunks)
    left = data.draw(st.integers(0, len(whole)))

    found = read(whole[:left])

    ends = [len(MAGIC) + sum(map(len, chunks[: number + 1])) for number in range(len(chunks))]
    are_whole = sum(end <= left for end in ends)
    assert found == [event for events in parts[:are_whole] for event in events]


@settings(max_examples=20, deadline=None)
@given(EVENTS.filter(bool), st.data())
def test_a_byte_that_was_changed_is_found(events: list[Event], data: st.DataObject) -> None:
    whole = bytearray(MAGIC + chunks_of([events])[0])
    place = data.draw(st.integers(len(MAGIC) + 4, len(whole) - 1))  # behind the chunk's length
    whole[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(RecordingDamaged, match="does not fit its checksum"):
        read(bytes(whole))


@pytest.mark.parametrize("events", [[], [Stopped("one")]])
def test_what_the_machine_went_down_before_writing_is_cut_off(events: list[Event]) -> None:
    """A file is made longer before what is written into it is on the disk."""
    whole = MAGIC + chunks_of([events])[0] if events else b""

    assert read(whole + bytes(5_000)) == events
    with pytest.raises(RecordingDamaged):
        read(whole + bytes(5_000), MAGIC)
    with pytest.raises(RecordingDamaged):
        read(whole + bytes(5_000) + b"x")


def packed(content: object) -> bytes:
    """A chunk as somebody else's recorder might write it: its checksum fits."""
    return framed(msgspec.msgpack.encode(content))


def framed(content: bytes) -> bytes:
    body = zlib.compress(content)
    return struct.pack(">II", len(body), zlib.crc32(body)) + body


NAMED = ["/root", "Walk"]
HEAD = [1, 0, 0, 1, 7, 5, 5, 0, 1, 9]
"""Tag, cell, sender, incarnation, number, time, market time, lane, kind, digest."""


def with_head(place: int, value: object) -> bytes:
    head: list[object] = [*HEAD]
    head[place] = value
    return MAGIC + packed([1, NAMED, [head]])


def test_an_entry_is_read_of_its_parts() -> None:
    entry = Entry("/root", ("/root", 1, 7), 5, 10, Lane.USER, "Walk", 9)

    assert read(with_head(0, 1)) == [entry]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (with_head(1, 2), "chunk 1 has no name for all"),
        (with_head(2, -1), "a chunk cannot be read: "),
        (with_head(7, 4), "a chunk cannot be read: "),
        (with_head(8, 99), "chunk 1 has no name for all"),
        (with_head(5, -1), "chunk 1 tells of a time that is none"),
        (with_head(5, 2**63), "chunk 1 tells of a time that is none"),
        (with_head(6, -6), "chunk 1 tells of a time that is none"),
        (with_head(6, 2**63 - 5), "chunk 1 tells of a time that is none"),
        (MAGIC + packed([1, NAMED]), "a chunk cannot be read: "),
        (MAGIC + framed(b"\x93\x01\x91\xa1\xff\x90"), "a chunk cannot be read: 'utf-8' codec"),
        (MAGIC + framed(b"\x93\x01\x90" + b"\x91" * 5_000), "a chunk cannot be read: "),
        (MAGIC + packed("x" * (64 << 20)), "it does not end, or has more than 64 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_chunk_that_is_whole_and_not_ours_is_refused(file: bytes, why: str) -> None:
    with pytest.raises(RecordingDamaged, match=rf"0001\.flight: .*{why}"):
        read(file)


@pytest.mark.parametrize(
    ("content", "shown"),
    [(None, "nothing"), (b"\x01", "1"), (b"\xc1", r"b'\xc1'"), (b"\xa1\xff", r"b'\xa1\xff'")],
)
def test_any_content_can_be_shown(content: bytes | None, shown: str) -> None:
    called = Called("/root", "venue.submit", 9, content)
    entry = Entry("/root", ("/root", 1, 7), 5, 10, Lane.USER, "Walk", 9, None, content)

    assert str(called) == f"/root calls venue.submit (content 00000009), which gave {shown}"
    tail = "" if content is None else f" {shown}"
    assert str(entry) == f"Walk /root#1.7 in its user lane of content 00000009{tail}"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((MAGIC[:-3], MAGIC), r"0001.flight: found b'HYDRA-FLIGHT', wanted b'HYDRA-FLIGHT-1\\n'"),
        ((b"something else entirely",), "found b'something else ', wanted"),
        ((MAGIC + b"\xff\xff\xff\xff\0\0\0\0",), "a chunk of 4294967295 bytes"),
        ((MAGIC + b"\0\0", MAGIC), "it ends within a chunk, and is not the last file"),
    ],
)
def test_what_is_no_recording_is_said(files: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(RecordingDamaged, match=why):
        read(*files)


def test_a_chunk_that_is_missing_is_found_before_anything_behind_it_is_read() -> None:
    one, two, three = chunks_of([[Stopped("one")], [Stopped("two")], [Stopped("three")]])

    with pytest.raises(RecordingDamaged, match="chunk 2 is missing, found 3"):
        read(MAGIC + one, MAGIC + three)
    assert read(MAGIC + one, MAGIC + two) == [Stopped("one"), Stopped("two")]
