"""Puts every request to do something on record as it arrives, and that it is answered.

What the brokerage is asked is on record by itself. But a request may be refused before it gets
there, be cut short, or never be answered, and whoever judges a client has to know of it all the
same: that it was sent. Reads change nothing and are left out.
"""

from __future__ import annotations

from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.venues.simulated.server.driver import LocalVenue

READS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES_KEPT = 8192
"""Of a longer body the rest is left out of the record, and is read by nobody before its turn."""


class Arrivals:
    """An ASGI application around another, outside of everything that may refuse or fail."""

    def __init__(self, app: ASGIApp, venue: LocalVenue) -> None:
        self._app = app
        self._venue = venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS:
            await self._app(scope, receive, send)
            return
        heard, body, is_whole = await _beginning_of(receive)
        number = self._venue.note_arrival(
            scope["method"],
            _target_of(scope),
            body[:BODY_BYTES_KEPT].decode("utf-8", "replace"),
            is_whole=is_whole,
        )

        async def again() -> Message:
            return heard.popleft() if heard else await receive()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._venue.note_answer(number, message["status"])
            await send(message)

        await self._app(scope, again, answer)


async def _beginning_of(receive: Receive) -> tuple[deque[Message], bytes, bool]:
    """What was received, the body so far, and whether it is all of it and no more than is kept."""
    heard: deque[Message] = deque()
    body = b""
    while True:
        message = await receive()
        heard.append(message)
        if message["type"] != "http.request":
            return heard, body, False  # the client is gone
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_KEPT:
            return heard, body, False
        if not message.get("more_body", False):
            return heard, body, True


def _target_of(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])
