"""The local venue served on loopback, by an event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.serve import serve
from tests.venues.server.clients import admin
from tests.venues.server.kit import PATIENCE_S, nothing_left

T = TypeVar("T")


class Served:
    """The venue belongs to the loop: it is looked at and led through `do` and `run` alone."""

    def __init__(self, venue: LocalVenue, terms: AppTerms) -> None:
        self.venue = venue
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served", daemon=True)
        self._thread.start()
        self._stop = asyncio.Event()
        address: Future[str] = Future()
        serving = serve(venue, terms, port=0, ready=address.set_result, stop=self._stop)
        self._serving = asyncio.run_coroutine_threadsafe(serving, self._loop)
        self.url = address.result(PATIENCE_S)
        self.port = int(self.url.rpartition(":")[2])

    def do(self, call: Callable[[], T]) -> T:
        """What it gives, called on the loop."""

        async def called() -> T:
            return call()

        return self.run(called())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What it comes to, on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """What the admin path answers."""
        return self.run(admin(self.port, method, path, body))

    def close(self) -> None:
        """Stop serving, and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._serving.result(PATIENCE_S)
        self.run(nothing_left())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
