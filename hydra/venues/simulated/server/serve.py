"""Serves a venue on a port of this machine, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

from hydra.venues.simulated.server.app import AppTerms, venue_app
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.streams.open_transports import OpenTransports

HOST = "127.0.0.1"
"""Nobody else's machine may reach it: this is the only address that it is served on."""
TICK_S = 1.0
PING_S = 10.0
KEEP_ALIVE_S = 75
"""As long as a pooled connection of a client may be idle, as at a broker's load balancer."""
PATIENCE_AT_THE_END_S = 1.0
"""For requests that are still open when it stops; those that hang are cut."""


class CannotServe(Exception):
    """The port cannot be had. One line: which, why, and what to do."""


class _Server(uvicorn.Server):
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


async def serve(
    venue: LocalVenue,
    terms: AppTerms,
    *,
    port: int,
    ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Serve until `stop` is set or the market fails; then end in good order.

    Port 0 is any that is free; `ready` is called with the address once it is served. Raises
    `CannotServe`, and whatever the market failed with.
    """
    listening = _listening_on(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    transports = OpenTransports()
    config = uvicorn.Config(
        venue_app(venue, terms, transports),
        http=transports.protocol(),
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=None,  # a client that is gone is noticed by its socket, one that hangs
        timeout_keep_alive=KEEP_ALIVE_S,  # by its outbox; a mute stream must not end by itself
    )
    server = _Server(config, lambda: ready(address), stop)
    market = asyncio.create_task(venue.run())
    market.add_done_callback(lambda _: stop.set())
    try:
        with contextlib.closing(listening):
            await server.serve([listening])
    finally:
        market.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await market


def _listening_on(port: int) -> socket.socket:
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
