"""Serves a venue on a port of this machine, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import uvicorn

from hydra.venues.loopback import HOST, LoopbackServer, listening_on
from hydra.venues.simulated.server.app import AppTerms, venue_app
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.streams.open_transports import OpenTransports

PING_S = 10.0
KEEP_ALIVE_S = 75
"""As long as a pooled connection of a client may be idle, as at a broker's load balancer."""


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
    listening = listening_on(port)
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
    server = LoopbackServer(config, lambda: ready(address), stop)
    market = asyncio.create_task(venue.run())
    market.add_done_callback(lambda _: stop.set())
    try:
        with contextlib.closing(listening):
            await server.serve([listening])
    finally:
        market.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await market
