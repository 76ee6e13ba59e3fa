"""Stands before the REST face and does to requests and answers what the rules say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex
from typing import assert_never

import msgspec
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.venues.simulated.server.faults.armed_rules import Armed, ArmedRules
from hydra.venues.simulated.server.faults.request_faults import (
    Alter,
    Answer,
    Delay,
    Hang,
    RequestRule,
    Reset,
    Trickle,
)
from hydra.venues.simulated.server.rest.gate import VENUE_HEADER
from hydra.venues.simulated.server.streams.open_transports import OpenTransports

Headers = list[tuple[bytes, bytes]]


class FaultyRequests:
    """An ASGI application around another. Without a rule that strikes it does nothing."""

    def __init__(
        self, app: ASGIApp, rules: ArmedRules[RequestRule], transports: OpenTransports
    ) -> None:
        self._app = app
        self._rules = rules
        self._transports = transports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._rules.all():
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        method, path = scope["method"], scope["path"]
        text = (scope["query_string"] + b"\n" + body).decode("utf-8", "replace")
        struck = self._rules.striking(lambda rule: rule.means(method, path, text))
        request = _Request(self._app, scope, body, receive)
        if struck is None:
            await request.pass_on(send)
        else:
            await self._do(struck, request, send)

    async def _do(self, struck: Armed[RequestRule], request: _Request, send: Send) -> None:
        match struck.rule.fault:
            case Answer() as fault:
                if fault.landed:
                    await request.carried_out()
                await _made_up(fault).send(send)
            case Reset(landed=landed):
                if landed:
                    await request.carried_out()
                self._transports.reset(request.scope)
            case Hang(landed=landed):
                answer = await request.carried_out() if landed else None
                if await request.client_waits_for(struck.released):
                    await (answer or await request.carried_out()).send(send)
            case Delay(seconds=seconds, landed=landed):
                answer = await request.carried_out() if landed else None
                await asyncio.sleep(seconds)
                await (answer or await request.carried_out()).send(send)
            case Trickle(seconds=seconds):
                await (await request.carried_out()).trickle(send, seconds)
            case Alter(alteration=alteration):
                answer = await request.carried_out()
                if answer.body:
                    answer = answer.with_body(
                        orjson.dumps(alteration.of(orjson.loads(answer.body)))
                    )
                await answer.send(send)
            case other:
                assert_never(other)


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Headers
    body: bytes

    def with_body(self, body: bytes) -> _Answer:
        """The same with another body."""
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        return _Answer(self.status, [*kept, (b"content-length", b"%d" % len(body))], body)

    async def send(self, send: Send) -> None:
        """All at once."""
        await send(self._start())
        await send({"type": "http.response.body", "body": self.body})

    async def trickle(self, send: Send, seconds: float) -> None:
        """A byte at a time."""
        await send(self._start())
        for place in range(len(self.body)):
            await asyncio.sleep(seconds)
            await send(
                {
                    "type": "http.response.body",
                    "body": self.body[place : place + 1],
                    "more_body": True,
                }
            )
        await send({"type": "http.response.body", "body": b""})

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}


class _Request:
    """A request whose body has been read, to be carried out now, later or never."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive) -> None:
        self.scope = scope
        self._app = app
        self._body: bytes | None = body
        self._receive = receive

    async def pass_on(self, send: Send) -> None:
        """As if nobody stood between."""
        await self._app(self.scope, self._again, send)

    async def carried_out(self) -> _Answer:
        """It takes effect; its answer is kept."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.pass_on(keep)
        start = kept[0]
        body = b"".join(part.get("body", b"") for part in kept[1:])
        return _Answer(start["status"], list(start["headers"]), body)

    async def client_waits_for(self, event: asyncio.Event) -> bool:
        """Wait for the event; False: the client went away first."""
        comes = asyncio.create_task(event.wait())
        goes = asyncio.ensure_future(self._receive())  # the next thing that a client can do
        try:
            await asyncio.wait({comes, goes}, return_when=asyncio.FIRST_COMPLETED)
            return event.is_set()
        finally:
            comes.cancel()
            goes.cancel()

    async def _again(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _whole_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return b"".join(parts)


def _made_up(fault: Answer) -> _Answer:
    body = b""
    if fault.text is not None:
        body = fault.text.encode()
    elif fault.body is not None:
        body = orjson.dumps(fault.body)
    own: Sequence[tuple[bytes, bytes]] = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in fault.headers.items()
    ]
    headers = [
        VENUE_HEADER,
        (b"x-request-id", token_hex(16).encode()),
        (b"content-type", fault.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(body)),
        *own,
    ]
    return _Answer(fault.status, headers, body)
