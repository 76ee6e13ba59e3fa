"""Lines that can be trusted: one whole JSON object each, numbered and sealed with a checksum.

A format knows which kinds of lines a log has. The first one of a log says which log it is and in
which version it is written.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Generic, TypeVar

import msgspec

L = TypeVar("L", bound=msgspec.Struct)


class BadLogLine(Exception):
    """These bytes are not the line that was written."""


class LineFormat(Generic[L]):
    """How the lines of one kind of log are written and read.

    `lines` is the union of all kinds, tagged in the field `kind`; `first` is the kind that begins a
    log, with a `version` field and the tag "began".
    """

    def __init__(self, lines: Any, first: type[L], version: int) -> None:
        self.first = first
        self.version = version
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._decoder: msgspec.json.Decoder[L] = msgspec.json.Decoder(lines)

    def encoded(self, line: L, number: int) -> bytes:
        """The line with its number in the file (from 1), its seal and its end."""
        content = line_start(number) + self._encoder.encode(line)[1:]
        return b'%b,"crc":"%08x"}\n' % (content[:-1], zlib.crc32(content))

    def decoded(self, data: bytes, number: int) -> L:
        """Read a line back; raises BadLogLine if a single bit of it has changed, or its place."""
        found = _SEALED.fullmatch(data)
        if found is None or int(found["crc"], 16) != zlib.crc32(found["content"] + b"}"):
            raise BadLogLine("its checksum does not fit")
        try:
            place = _PLACE_DECODER.decode(data)
            if place.line != number:
                raise BadLogLine(f"it says that it is line {place.line}")
            return self._decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise BadLogLine(str(error)) from error


def line_start(number: int) -> bytes:
    """How a line begins, so that a torn one can be told from what was never ours."""
    return b'{"line":%d,' % number


def version_of(data: bytes) -> int | None:
    """Which version the first line of a log is of; None if it is not such a line."""
    try:
        return _VERSION_DECODER.decode(data).version
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Place(msgspec.Struct):
    line: int


class _Version(msgspec.Struct, tag_field="kind", tag="began"):
    version: int


_SEALED = re.compile(rb'(?P<content>.*),"crc":"(?P<crc>[0-9a-f]{8})"\}\n', re.DOTALL)
_PLACE_DECODER = msgspec.json.Decoder(_Place)
_VERSION_DECODER = msgspec.json.Decoder(_Version)
