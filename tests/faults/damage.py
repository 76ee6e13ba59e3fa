"""What rot, a careless copy or a lost sector does to a database that nobody is using."""

import struct

WAL_HEADER = struct.Struct(">8I")
FRAME_HEADER = struct.Struct(">6I")


def with_bit_flipped(content: bytes, bit: int) -> bytes:
    """The same but for one bit; the first byte's lowest is bit 0."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def with_byte_changed(content: bytes, offset: int, bits: int) -> bytes:
    """The same but for these bits of one byte, which are inverted."""
    changed = bytearray(content)
    changed[offset] ^= bits
    return bytes(changed)


def committed_frames(wal: bytes) -> list[range]:
    """Where the frames lie that recovery must find, in the write-ahead log's file.

    Frames behind those were written before the log was begun anew, or not committed. What SQLite
    itself checks, the running checksums, is taken to be right.
    """
    _, _, page_bytes, _, *salts, _, _ = WAL_HEADER.unpack_from(wal)
    frame_bytes = FRAME_HEADER.size + page_bytes
    frames: list[range] = []
    committed = 0
    for start in range(WAL_HEADER.size, len(wal) - frame_bytes + 1, frame_bytes):
        _, pages_after_commit, *frame_salts, _, _ = FRAME_HEADER.unpack_from(wal, start)
        if frame_salts != salts:
            break
        frames.append(range(start, start + frame_bytes))
        if pages_after_commit:
            committed = len(frames)
    return frames[:committed]
