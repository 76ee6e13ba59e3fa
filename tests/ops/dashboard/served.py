"""A dashboard on a real port, of looks that are given."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import msgspec

from hydra.ops.dashboard.access import Access
from hydra.ops.dashboard.app import HaltTold, HaltWanted, dashboard_app
from hydra.ops.dashboard.looking import Shown
from hydra.ops.dashboard.serving import serve
from hydra.venues.loopback import listening_on

KEY = "the-right-key"
CONTENT = b'{"version":1}'
NOW = 100.0


class Answer(msgspec.Struct, frozen=True):
    """What came over the wire; names of headers in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Board:
    """What it looks like, what it was asked to do, and how to ask it."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.port: int = listening.getsockname()[1]
        self.is_alive = True
        self.shown: Shown | None = Shown(CONTENT, NOW - 1.5)
        self.halts: list[HaltWanted] = []
        self.looked_soon = 0

    def newest(self, within_s: float) -> Shown | None:
        return self.shown

    def look_soon(self) -> None:
        self.looked_soon += 1

    def halt(self, wanted: HaltWanted) -> HaltTold:
        self.halts.append(wanted)
        return HaltTold(True, ("HALTED: no order passes",))

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, key: str = KEY, **headers: str
    ) -> Answer:
        """With the key; other headers by their names, `_` for `-`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {key}", **given})
            answer: HTTPResponse = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def connected(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


@contextmanager
def served(named_port: int | None = None) -> Iterator[Board]:
    """One that is served while the block lasts. `named_port`: the one that requests have to name,
    whichever it has.
    """
    board = Board(listening_on(0))
    app = dashboard_app(
        board, board.halt, Access(named_port or board.port, KEY), monotonic=lambda: NOW
    )
    is_ready, ended = threading.Event(), threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await serve(app, board.listening, is_ready.set, stop)

    def work() -> None:
        asyncio.run(run())
        ended.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert is_ready.wait(10)
    try:
        yield board
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert ended.is_set()
