"""The lines of the venue's log: one whole JSON object each, numbered and sealed.

They are what a restart rebuilds the venue from, and what a judge reads: what is not in here did not
reach the venue.
"""

import re
import zlib
from typing import TypeAlias

import msgspec

from hydra.venues.simulated.requests import Request
from hydra.venues.simulated.terms import VenueTerms

LOG_VERSION = 1
"""One more whenever the same requests and bars would not give the same reports any more."""


class VenueBegan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="began"):
    """The first line: which venue this is. A restart must be of the same in all of it.

    `data_digest` names the bars and sessions; `data_origin` says to people where they are from.
    `misbehaviour` names the faults that it was told to have, "" of an honest venue.
    """

    version: int = LOG_VERSION
    terms: VenueTerms
    data_origin: str
    data_digest: str
    seed: int
    misbehaviour: str = ""


class VenueOpened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """A process took the venue up at market time `at`, which was `wall_ns` (UTC ns) by its clock.

    `events` is how many events of the market had happened by then, here and in every other line.
    `speed` None: in virtual time.
    """

    at: int
    wall_ns: int
    events: int
    speed: float | None


class RequestReceived(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="request"):
    """A request arrived. It is on record before it takes effect; `number` counts from 1."""

    number: int
    at: int
    wall_ns: int
    events: int
    request: Request


class MarketMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="market"):
    """The market did something to an order, and somebody is going to be told.

    So a restart must come at least this far. `executions` counts all there were.
    """

    at: int
    wall_ns: int
    events: int
    executions: int


LogLine: TypeAlias = VenueBegan | VenueOpened | RequestReceived | MarketMoved


class BadLogLine(Exception):
    """These bytes are not the line that was written."""


def encoded(line: LogLine, number: int) -> bytes:
    """The line with its number in the file (from 1), its seal and its end."""
    content = line_start(number) + _ENCODER.encode(line)[1:]
    return b'%b,"crc":"%08x"}\n' % (content[:-1], zlib.crc32(content))


def line_start(number: int) -> bytes:
    """How a line begins, so that a torn one can be told from what was never ours."""
    return b'{"line":%d,' % number


def decoded(data: bytes, number: int) -> LogLine:
    """Read a line back; raises BadLogLine if a single bit of it has changed, or its place."""
    found = _SEALED.fullmatch(data)
    if found is None or int(found["crc"], 16) != zlib.crc32(found["content"] + b"}"):
        raise BadLogLine("its checksum does not fit")
    try:
        place = _PLACE_DECODER.decode(data)
        if place.line != number:
            raise BadLogLine(f"it says that it is line {place.line}")
        return _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise BadLogLine(str(error)) from error


class _Place(msgspec.Struct):
    line: int


_SEALED = re.compile(rb'(?P<content>.*),"crc":"(?P<crc>[0-9a-f]{8})"\}\n', re.DOTALL)
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[LogLine] = msgspec.json.Decoder(LogLine)
_PLACE_DECODER = msgspec.json.Decoder(_Place)


def version_of(data: bytes) -> int | None:
    """Which version the first line of a log is of; None if it is not such a line."""
    try:
        return _VERSION_DECODER.decode(data).version
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Version(msgspec.Struct, tag_field="kind", tag="began"):
    version: int


_VERSION_DECODER = msgspec.json.Decoder(_Version)
