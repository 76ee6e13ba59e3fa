"""Clients of the venue's streams and REST face, as plain as can be, on the test's own loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from tests.venues.server.kit import HEADERS, KEYS, PATIENCE_S, TOKEN

MSGPACK = {"Content-Type": "application/msgpack"}


class StreamClient:
    """One connection; messages as Python values, msgpack timestamps as they come."""

    def __init__(self, connection: ClientConnection, *, is_msgpack: bool) -> None:
        self.connection = connection
        self._is_msgpack = is_msgpack

    async def send(self, message: object) -> None:
        if self._is_msgpack:
            await self.connection.send(msgpack.packb(message))
        else:
            await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        """The next frame."""
        frame = await asyncio.wait_for(self.connection.recv(), PATIENCE_S)
        if self._is_msgpack:
            assert isinstance(frame, bytes)
            return msgpack.unpackb(frame)
        return json.loads(frame)

    async def messages(self, count: int) -> list[Any]:
        """So many messages, from as many frames as it takes."""
        found: list[Any] = []
        while len(found) < count:
            found.extend(await self.receive())
        assert len(found) == count, found
        return found

    async def ask(self, message: object) -> Any:
        """What comes next after sending this."""
        await self.send(message)
        return await self.receive()

    async def is_silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for so long."""
        try:
            await asyncio.wait_for(self.connection.recv(), seconds)
        except TimeoutError:
            return True
        return False

    async def close_code(self) -> int | None:
        """How the other side ended it."""
        await asyncio.wait_for(self.connection.wait_closed(), PATIENCE_S)
        return self.connection.close_code


@asynccontextmanager
async def stream(
    port: int, path: str, *, is_msgpack: bool = True, headers: Mapping[str, str] | None = None
) -> AsyncIterator[StreamClient]:
    """Connected, and nothing said yet."""
    given = {**(MSGPACK if is_msgpack else {}), **(headers or {})}
    async with connect(
        f"ws://127.0.0.1:{port}{path}",
        additional_headers=given,
        ping_interval=None,
        close_timeout=1.0,
        proxy=None,
    ) as connection:
        yield StreamClient(connection, is_msgpack=is_msgpack)


AUTH = {"action": "auth", "key": KEYS.key_id, "secret": KEYS.secret}


@asynccontextmanager
async def data_stream(
    port: int, path: str, *, is_msgpack: bool = True, **channels: list[str]
) -> AsyncIterator[StreamClient]:
    """Authenticated and subscribed."""
    async with stream(port, path, is_msgpack=is_msgpack) as client:
        assert await client.receive() == [{"T": "success", "msg": "connected"}]
        assert await client.ask(AUTH) == [{"T": "success", "msg": "authenticated"}]
        if channels:
            (answer,) = await client.ask({"action": "subscribe", **channels})
            assert answer["T"] == "subscription", answer
        yield client


@asynccontextmanager
async def trading_stream(port: int) -> AsyncIterator[StreamClient]:
    """Authorized and listening."""
    async with stream(port, "/stream", is_msgpack=False) as client:
        data: dict[str, Any] = {"key_id": KEYS.key_id, "secret_key": KEYS.secret}
        answer = await client.ask({"action": "authenticate", "data": data})
        assert answer["data"]["status"] == "authorized"
        streams = {"streams": ["trade_updates"]}
        answer = await client.ask({"action": "listen", "data": streams})
        assert answer == {"stream": "listening", "data": streams}
        yield client


class HttpAnswer(msgspec.Struct):
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None


async def http(
    port: int,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] = HEADERS,
    *,
    only_head: bool = False,
) -> HttpAnswer:
    """One request on a connection of its own. ConnectionError: it was reset without an answer.

    With `only_head` the body is not waited for.
    """
    content = b"" if body is None else json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        given = {
            "Host": f"127.0.0.1:{port}",
            "Content-Length": str(len(content)),
            "Connection": "close",
            **headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in given.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        reading = reader.readuntil(b"\r\n\r\n") if only_head else reader.read()
        received = await asyncio.wait_for(reading, PATIENCE_S)
    finally:
        writer.close()
    if not received:
        raise ConnectionResetError
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *others = head.decode("latin-1").split("\r\n")
    named = dict(line.split(": ", 1) for line in others)
    found = {name.lower(): text for name, text in named.items()}
    if found.get("transfer-encoding") == "chunked":
        rest = _unchunked(rest)
    return HttpAnswer(int(first.split()[1]), found, rest)


async def admin(port: int, method: str, path: str, body: object = None) -> Any:
    """What the admin path answers; it must be willing."""
    answer = await http(port, method, f"/hydra-admin{path}", body, {"X-Hydra-Admin-Token": TOKEN})
    assert answer.status == 200, answer
    return answer.json


def _unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)
