"""All streams that are open, whoever listens to what on them."""

from __future__ import annotations

import asyncio

from hydra.venues.simulated.server.streams.connection import Connection

EVENTS_A_TURN = 100
"""So many events of the market may happen in a row before streams and requests get their turn."""
PATIENCE_S = 5.0
"""Machine seconds that a market which is moved by hand waits for a client that reads slowly."""


class OpenConnections:
    """In the order in which they were opened."""

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}
        self._events_in_a_row = 0
        self._frames_of_the_gone = 0

    def add(self, connection: Connection) -> None:
        """It is open."""
        self._open[connection] = None

    def remove(self, connection: Connection) -> None:
        """It is not any more."""
        if connection in self._open:
            del self._open[connection]
            self._frames_of_the_gone += connection.frames_sent

    def on(self, path: str | None) -> tuple[Connection, ...]:
        """Those of one stream's path; None: all."""
        return tuple(open_ for open_ in self._open if path in (None, open_.path))

    async def frames_out(self) -> int:
        """Let all that waits go out; gives how many frames ever went out, also on those that are
        not open any more. A client that does not read is waited for.
        """
        # It takes a turn or two of the loop; to have each of them tell would cost more.
        while not all(each.outbox.is_empty for each in self._open):  # noqa: ASYNC110  # see above
            await asyncio.sleep(0)
        return self._frames_of_the_gone + sum(each.frames_sent for each in self._open)

    async def keep_up(self) -> None:
        """Let what waits go out, as far as needed so that nobody counts as slow for being told
        more in a moment than could be read in it. Who does not read at all is cut.

        Called after each event; it waits only now and then, so that what is told goes out in few
        frames.
        """
        self._events_in_a_row += 1
        is_time = self._events_in_a_row >= EVENTS_A_TURN
        if not is_time and all(connection.outbox.is_roomy for connection in self._open):
            return
        self._events_in_a_row = 0
        await asyncio.sleep(0)
        for connection in tuple(self._open):
            if connection.outbox.is_roomy:
                continue
            try:
                await asyncio.wait_for(connection.outbox.has_room(), PATIENCE_S)
            except TimeoutError:
                connection.outbox.overflow()
