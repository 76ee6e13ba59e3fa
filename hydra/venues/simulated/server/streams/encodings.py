"""How a market-data message goes over the wire: as msgpack or as JSON, alone or in an array.

A message is a dictionary whose first key is T; its times (`TIMES`) are UTC nanoseconds in it. On
the wire they are msgpack timestamps, or RFC 3339 text. It is encoded once for all who get it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from hydra.trading.durations import SECOND
from hydra.venues.simulated.server.rest.timestamps import rfc3339

Message: TypeAlias = dict[str, Any]

TIMES = ("t", "created_at", "updated_at")


class Encoding(msgspec.Struct, frozen=True):
    """One way of writing. `is_binary` says which kind of frame carries it."""

    name: str
    is_binary: bool
    one: Callable[[Message], bytes]
    """A message by itself."""
    many: Callable[[Sequence[bytes]], bytes]
    """Encoded messages as the array that a frame holds."""
    decode: Callable[[Any], Any]
    """What a client sent. Raises `msgspec.MsgspecError` and UnicodeDecodeError."""


def timestamp(at: int) -> msgspec.msgpack.Ext:
    """UTC nanoseconds as msgpack's timestamp extension, in the shortest of its three forms."""
    seconds, nanoseconds = divmod(at, SECOND)
    if 0 <= seconds < 1 << 34:
        packed = nanoseconds << 34 | seconds
        if packed < 1 << 32:
            return msgspec.msgpack.Ext(-1, struct.pack(">I", packed))
        return msgspec.msgpack.Ext(-1, struct.pack(">Q", packed))
    return msgspec.msgpack.Ext(-1, struct.pack(">Iq", nanoseconds, seconds))


def _with_times(message: Message, form: Callable[[int], object]) -> Message:
    for name in TIMES:
        if name in message:
            message = {**message, name: form(message[name])}
    return message


def _msgpack_one(message: Message) -> bytes:
    return _MSGPACK.encode(_with_times(message, timestamp))


def _msgpack_many(messages: Sequence[bytes]) -> bytes:
    count = len(messages)
    if count < 16:
        head = bytes((0x90 | count,))
    elif count < 1 << 16:
        head = struct.pack(">BH", 0xDC, count)
    else:
        head = struct.pack(">BI", 0xDD, count)
    return head + b"".join(messages)


def _json_one(message: Message) -> bytes:
    return _JSON.encode(_with_times(message, rfc3339))


def _json_many(messages: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(messages) + b"]"


_MSGPACK = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()

MSGPACK = Encoding(
    "msgpack", is_binary=True, one=_msgpack_one, many=_msgpack_many, decode=msgspec.msgpack.decode
)
JSON = Encoding("json", is_binary=False, one=_json_one, many=_json_many, decode=msgspec.json.decode)


def encoding_asked_for(content_type: str) -> Encoding:
    """By the Content-Type of the handshake: msgpack if it says so, JSON otherwise."""
    return MSGPACK if content_type.strip().lower() == "application/msgpack" else JSON
