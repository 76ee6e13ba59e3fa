"""Requests to an application without a server between: the application is called as a server would.

The whole of it runs on one event loop that is the caller's own, so nothing waits for a socket.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
import pytest
from starlette.types import ASGIApp, Message

KEYS = {"apca-api-key-id": "HYDRA0001", "apca-api-secret-key": "a secret"}
HOST = {"host": "127.0.0.1:8080"}


class Answer(msgspec.Struct, frozen=True):
    """What came back. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body; None if there is none."""
        return json.loads(self.content) if self.content else None


def call(
    app: ASGIApp,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    crashes_with: type[Exception] | None = None,
) -> Answer:
    """One request. `path` is percent-encoded as on the wire; `content` goes instead of `body`."""
    sent = json.dumps(body).encode() if body is not None else b""
    sent = sent if content is None else content
    given = {**HOST, **KEYS, **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(query or {}).encode(),
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in given.items() if value
        ]
        + [(b"content-length", str(len(sent)).encode())],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
    }
    messages: list[Message] = []
    left = [sent]

    async def receive() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    crash: AbstractContextManager[object] = (
        nullcontext() if crashes_with is None else pytest.raises(crashes_with)
    )
    with crash:
        asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    start = messages[0]
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in messages[1:]),
    )
