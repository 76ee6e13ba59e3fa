"""The debug protocol: one line of JSON a request, one a reply, all of them bounded.

A request is `{"v": 1, "id": 7, "cmd": "peek", "args": {"path": "/hydra/core/broker_gateway"}}`, its
reply `{"id": 7, "ok": true, "data": …}` or `{"id": 7, "ok": false, "error": "…"}`. A command that
goes on (`trace`) sends replies with `"more": true` until one without; a further line of the
client's ends it sooner. Data that is a list comes as `{"rows": […], "total": 9000, "cut": "…"}`;
`cut` says what was left out, and is null if nothing was.

A request may say `"until"`, a time of the machine's monotonic clock (ns): whoever asks has given up
by then. An engine that comes to it later does not do it: an operator who was told that nobody
answered has gone on by other means, and may not want it any more.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

VERSION = 1
LINE_MAX = 64 * 1024
"""Bytes in a request, its newline included."""
REPLY_MAX = 512 * 1024
"""Bytes in a reply."""
ID_MAX = 100
TEXT_MAX = 2_000

RequestId = int | str | None


class Malformed(Exception):
    """What the client sent is no request of this protocol. It is told so and dropped."""


class Request(msgspec.Struct, frozen=True):
    """One command, not yet known to exist."""

    id: RequestId
    command: str
    arguments: dict[str, Any]
    until: int | None = None


class Lines:
    """Cuts what comes in into lines. Never keeps more than `longest` bytes."""

    def __init__(self, longest: int = LINE_MAX) -> None:
        self._longest = longest
        self._rest = b""

    @property
    def has_begun(self) -> bool:
        """Whether there is the beginning of a line that has not ended yet."""
        return bool(self._rest)

    def feed(self, received: bytes) -> list[bytes]:
        """The lines complete now, without their newlines. Raises `Malformed` if one is too long."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        if any(len(line) >= self._longest for line in (*lines, self._rest)):
            raise Malformed(f"a line is longer than {self._longest} bytes")
        return lines


def parse(line: bytes) -> Request:
    """Read one line. Raises `Malformed` with what is wrong and what was wanted."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not a line of JSON: {error}") from error
    if not isinstance(found, dict):
        raise Malformed(f"wanted a JSON object, found {type(found).__name__}")
    unknown = found.keys() - {"v", "id", "cmd", "args", "until"}
    if unknown:
        raise Malformed(f"wanted v, id, cmd, args and until, found also {shortened(min(unknown))}")
    if found.get("v") != VERSION or isinstance(found["v"], bool):
        raise Malformed(f"wanted version {VERSION}, found {shortened(repr(found.get('v')))}")
    request_id, command, arguments = found.get("id"), found.get("cmd"), found.get("args", {})
    if isinstance(request_id, bool) or not isinstance(request_id, RequestId):
        raise Malformed("id must be a number, a text, or left out")
    if isinstance(request_id, str) and len(request_id) > ID_MAX:
        raise Malformed(f"an id has at most {ID_MAX} characters, found {len(request_id)}")
    if not isinstance(command, str):
        raise Malformed("cmd must be the name of a command")
    if not isinstance(arguments, dict):
        raise Malformed("args must be a JSON object")
    until = found.get("until")
    if isinstance(until, bool) or not isinstance(until, int | None):
        raise Malformed("until must be a whole number of ns of the monotonic clock, or left out")
    return Request(request_id, command, arguments, until)


def request(
    request_id: RequestId, command: str, arguments: Mapping[str, Any], until: int | None = None
) -> bytes:
    """A request as a line."""
    wanted = {"v": VERSION, "id": request_id, "cmd": command, "args": dict(arguments)}
    if until is not None:
        wanted["until"] = until
    return orjson.dumps(wanted) + b"\n"


def reply(request_id: RequestId, data: Any, *, more: bool = False) -> bytes:
    """A reply as a line of at most `REPLY_MAX` bytes: a list too long for that is cut, and says so.

    What is no list cannot be cut and becomes a failure that says how to ask for less.
    """
    told: dict[str, Any] = {"id": request_id, "ok": True, "data": data}
    if more:
        told["more"] = True
    try:
        line = orjson.dumps(told) + b"\n"
        rows = data.get("rows") if isinstance(data, dict) else None
        while len(line) > REPLY_MAX and rows:
            # A little less than what would just fit, because rows differ in length.
            rows = rows[: min(len(rows) - 1, len(rows) * REPLY_MAX * 9 // (len(line) * 10))]
            cut = f"the first {len(rows)}: more would be over {REPLY_MAX // 1024} KiB"
            line = orjson.dumps({**told, "data": {**data, "rows": rows, "cut": cut}}) + b"\n"
    except orjson.JSONEncodeError as error:
        return failure(request_id, f"the answer cannot be written as JSON: {error}")
    if len(line) > REPLY_MAX:
        limit = f"at most {REPLY_MAX} can be told: ask for less"
        return failure(request_id, f"the answer has {len(line)} bytes, {limit}")
    return line


def failure(request_id: RequestId, error: str) -> bytes:
    """A reply that says why there is no other."""
    told = {"id": request_id, "ok": False, "error": shortened(error, TEXT_MAX)}
    return orjson.dumps(told) + b"\n"


def shortened(text: str, longest: int = ID_MAX) -> str:
    """The text, or its beginning; always such that JSON can carry it."""
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
