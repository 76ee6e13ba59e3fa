"""What a process that is to be killed says of its record, one line each, while it lives.

`Began`, `Tried`, `Marking` and `Ending` come before the deed; all others come after it was
acknowledged, so that what they tell of must be there from then on, whatever happens to the process.
"""

from typing import TypeAlias

import msgspec

Item: TypeAlias = tuple[str, ...]
"""One thing in a group: a kind, and what names and tells it (see `worker`)."""


class Began(msgspec.Struct, frozen=True, tag=True):
    """The process is there and has touched nothing."""


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The record was recovered; this is what it was found to be."""

    seq: int
    chain: str
    state: str
    halts: tuple[str, ...]
    marked: str | None
    """The halt that stands in the marker."""
    ended_unclean: bool


class Tried(msgspec.Struct, frozen=True, tag=True):
    """These are about to be committed together."""

    group: str
    items: tuple[Item, ...]


class Committed(msgspec.Struct, frozen=True, tag=True):
    """All of what was tried last is durable."""

    seq: int
    chain: str
    state: str


class Appended(msgspec.Struct, frozen=True, tag=True):
    """This line of the journal was written."""

    seq: int
    number: str


class BackedUp(msgspec.Struct, frozen=True, tag=True):
    """A backup was made and proven; its last event is this one."""

    name: str
    seq: int
    link: str


class Marking(msgspec.Struct, frozen=True, tag=True):
    """The halt marker is about to be written, or to be cleared (None)."""

    code: str | None


class Marked(msgspec.Struct, frozen=True, tag=True):
    """It was."""

    code: str | None


class Ending(msgspec.Struct, frozen=True, tag=True):
    """The process is about to say in its record that it stopped in order."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The process stopped in order and has given everything back."""


Said: TypeAlias = (
    Began | Opened | Tried | Committed | Appended | BackedUp | Marking | Marked | Ending | Ended
)

_DECODER: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


def line_of(said: Said) -> bytes:
    """As it goes through the pipe."""
    return msgspec.json.encode(said) + b"\n"


def said_in(output: bytes) -> list[Said]:
    """Every whole line; what comes after the last one was not said."""
    return [_DECODER.decode(line) for line in output.split(b"\n")[:-1]]
