"""An HTTP server on a port of this machine, that no other machine can reach."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

HOST = "127.0.0.1"
"""Nobody else's machine may reach it: this is the only address that anything is served on."""
TICK_S = 1.0
PATIENCE_AT_THE_END_S = 1.0
"""For requests that are still open when it stops; those that hang are cut."""


class CannotServe(Exception):
    """The port cannot be had. One line: which, why, and what to do."""


class LoopbackServer(uvicorn.Server):
    """uvicorn's server, which says when it is ready, leaves signals to us, and stops at once."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stop: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def main_loop(self) -> None:
        while not self._stop.is_set():
            await self.on_tick(0)  # the date in the answers
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own waits in steps of a tenth of a second, and logs what it cuts as an error.
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            # One that its client is closing just now is still listed, and is closed: to say so
            # again is an error of the protocol.
            if not connection.transport.is_closing():
                connection.shutdown()
        if self.server_state.tasks:
            _, hanging = await asyncio.wait(self.server_state.tasks, timeout=PATIENCE_AT_THE_END_S)
            for task in hanging:
                task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_on(port: int) -> socket.socket:
    """A socket that listens there; 0: on any port that is free. Raises `CannotServe`."""
    # asyncio switches Nagle's rule off only where a socket names its protocol; with it, the body of
    # an answer would wait until the client has acknowledged the head, 40 ms and more.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port whose last owner was killed may be taken over at once.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise CannotServe(
            f"port {port}: {error}; choose another with --port, 0 for any that is free"
        ) from error
    return listening
