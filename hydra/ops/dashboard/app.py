"""What the dashboard answers: three files, one look, and a halt. Nothing else is there (I86).

What stands in the files tells nothing, so they need no key; the look and the halt do. No answer can
be kept, framed, or run anything that is not in the three files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Protocol

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.ops.dashboard.access import Access, Refusal
from hydra.ops.dashboard.looking import Shown

BODY_MAX = 8 * 1024
LOOK_WITHIN_S = 4.0
AGE_HEADER = "X-Hydra-Age"
"""Of a look: so many seconds ago."""

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"  # no text becomes markup
    ),
    "Cache-Control": "no-store",
    "Connection": "close",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SAFE_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _SAFE.items()]


class HaltWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page sends."""

    reason: str = ""
    close_only: bool = False


class HaltTold(msgspec.Struct, frozen=True):
    """What came of a halt. `is_done`: nothing is on its way any more, and a restart finds it."""

    is_done: bool
    words: tuple[str, ...]


class Looks(Protocol):
    """Who looks at the engine."""

    @property
    def is_alive(self) -> bool:
        """Whether there will be another look."""

    def newest(self, within_s: float) -> Shown | None:
        """See `Looker.newest`."""

    def look_soon(self) -> None:
        """See `Looker.look_soon`."""


def dashboard_app(
    looks: Looks,
    halt: Callable[[HaltWanted], HaltTold],
    access: Access,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> ASGIApp:
    """The application. `halt` is called on a thread of its own; it may take seconds."""

    async def look(request: Request) -> Response:
        shown = await run_in_threadpool(looks.newest, LOOK_WITHIN_S)
        if not looks.is_alive:
            return _plain(500, "nobody looks at the engine any more: start the dashboard again")
        if shown is None:
            return _plain(503, "no look yet: ask again")
        age = {AGE_HEADER: f"{shown.age_s(monotonic()):.1f}"}
        return Response(shown.content, media_type="application/json", headers=age)

    async def halt_now(request: Request) -> Response:
        if request.headers.get("content-type") != "application/json":
            return _plain(415, "found another content than application/json")
        body = await _body_of(request)
        if body is None:
            return _plain(413, f"found no whole body of at most {BODY_MAX} bytes")
        try:
            wanted = msgspec.json.decode(body, type=HaltWanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _plain(400, f"{error}; wanted reason and close_only")
        told = await run_in_threadpool(halt, wanted)
        looks.look_soon()
        return Response(msgspec.json.encode(told), media_type="application/json")

    routes = [
        Route("/api/look", look),
        Route("/api/halt", halt_now, methods=["POST"]),
        *(Route(path, _file(*of)) for path, of in _FILES.items()),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return _Guarded(app, access)


class _Guarded:
    """Lets nothing pass to the application that `Access` refuses, and puts the safe headers on
    every answer.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_SAFE_HEADERS]}
            await send(message)

        # Of a request whose body is none uvicorn has said so by itself, and hangs up in this turn:
        # an answer besides that would be an error of the protocol.
        await asyncio.sleep(0)
        refusal = self._refusal(scope)
        answer = self._app if refusal is None else _plain(refusal.status, refusal.text)
        await answer(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = scope["headers"]
        if scope["path"].startswith("/api/"):
            return self._access.to_the_engine(headers)
        return self._access.to_the_page(headers)


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """A file of the page, read once: no path of a request ever leads to a file."""
    content = resources.files("hydra.ops.dashboard").joinpath("page", name).read_bytes()

    async def answered(_request: Request) -> Response:
        return Response(content, headers={"Content-Type": kind})

    return answered


async def _body_of(request: Request) -> bytes | None:
    """None if it is too long, no more of it is read then; or if it broke off."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX:
                return None
    except ClientDisconnect:
        return None
    return body


def _plain(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, media_type="text/plain")
