"""How the ledger's records hold together, so that none can change or go missing unseen (I54).

Each event is named by its link: BLAKE2b-256 over the link before it and its own content. The last
link therefore names the whole history. The state that follows from it has a name too: the sum,
modulo 2^256, of the hashes of all its rows. A sum can be kept up to date row by row, in whatever
order they change (Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing", 1997). Both
are made against accidents of disks and people, not against somebody who can write the file.
"""

import struct
from hashlib import blake2b
from typing import TypeAlias

import msgspec

LINK_BYTES = 32
NO_LINK = bytes(LINK_BYTES)
"""What the first event is linked to."""

SqlValue: TypeAlias = str | int | bytes | None
SqlRow: TypeAlias = tuple[SqlValue, ...]

_HEAD = struct.Struct(">qqqH")
_MODULUS = 2 ** (8 * LINK_BYTES)
_ENCODER = msgspec.json.Encoder()


def link_of(
    before: bytes, seq: int, at: int, version: int, kind: str, body: bytes, state: bytes | None
) -> bytes:
    """The link of this event, which follows the one of link `before`.

    `state` names the state after it if it is the last one of a commit. Plain parts, no objects: at
    every start the whole chain is checked.
    """
    name = kind.encode()
    head = _HEAD.pack(seq, at, version, len(name))
    return blake2b(
        b"".join((before, head, name, state or NO_LINK, body)), digest_size=LINK_BYTES
    ).digest()


def row_hash(table: str, row: SqlRow) -> int:
    """One row's share of the state's name.

    What is NULL at the row's end is left out. So a column that a later schema adds at the end of a
    table counts once it says something, and a row that was written before keeps its share: the
    names of states in old events stay true over a migration.
    """
    said = len(row)
    while said and row[said - 1] is None:
        said -= 1
    content = _ENCODER.encode((table, row[:said]))
    return int.from_bytes(blake2b(content, digest_size=LINK_BYTES).digest(), "big")


class StateSum:
    """The name of a state, kept as its rows come and go."""

    def __init__(self, total: int = 0) -> None:
        self._total = total

    def add(self, row: int) -> None:
        """A row of this hash is there now."""
        self._total += row

    def remove(self, row: int) -> None:
        """It is there no more."""
        self._total -= row

    @property
    def digest(self) -> bytes:
        """32 bytes; the same for the same rows, whatever their order was."""
        return int(self._total % _MODULUS).to_bytes(LINK_BYTES, "big")
