"""Serves the dashboard to this machine, to so many at once, and to none of them for long (I87)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from hydra.venues.loopback import LoopbackServer

CONNECTIONS_MAX = 64
GONE_AFTER_S = 30.0
"""A connection that has not come to its end by then is cut: whoever sends half a request, or does
not read its answer. A halt of an engine that hangs takes sixteen.
"""
HEAD_MAX = 16 * 1024


class _Brief(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, for a limited time: it alone waits for ever for a request."""

    _began = 0.0
    _end: asyncio.TimerHandle | None = None

    # asyncio says BaseTransport, since some protocols have no stream; uvicorn's always has one.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._began = self.loop.time()
        there = [
            each
            for each in self.connections
            if isinstance(each, _Brief) and not each.transport.is_closing()
        ]
        if len(there) > CONNECTIONS_MAX:
            # Whoever has not asked for the longest time goes, this one if all others have: so those
            # that say nothing keep nobody out. Without an answer, which it might not read.
            silent = [each for each in there if not each.has_asked]
            min(silent, key=lambda each: each._began).transport.abort()
        self._end = self.loop.call_later(GONE_AFTER_S, transport.abort)

    @property
    def has_asked(self) -> bool:
        """Whether the head of a request was read."""
        cycle: object = self.cycle  # uvicorn does not say that there may be none
        return cycle is not None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()


async def serve(
    app: ASGIApp, listening: socket.socket, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """Serve on this socket until `stop` is set. `ready` is called once it is served."""
    config = uvicorn.Config(
        app,
        http=_Brief,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="error",  # not each request that is none
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=HEAD_MAX,
    )
    with contextlib.closing(listening):
        await LoopbackServer(config, ready, stop).serve([listening])
