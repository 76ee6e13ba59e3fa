"""The local venue and a client of it, killed and started again in one folder; and the judge."""

from __future__ import annotations

import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from hydra.testkit.judge.evidence import Life, lives_in
from hydra.testkit.judge.verdict import violations_in
from hydra.venues.simulated.market_data import MarketData
from tests.crash import venue_client
from tests.crash.forking import CONTEXT
from tests.crash.lives import WITHIN_S

PORTS = (20_000, 32_000)
"""Below those that systems give to connections: while a venue is down, its port must stay free."""
VENUE_DIES_AT = (
    "venue.request.arrived",
    "venue.request.logged",
    "venue.market.before",
    "venue.market.logged",
    "venue.rebuild.played_again",
    "venue.rebuild.before_opened",
)


class VenueLives:
    """A venue and its client. Either may die at any time; the other goes on, or dies as well."""

    def __init__(self, folder: Path, market: MarketData, cache: Path, seed: int) -> None:
        self.files = venue_client.files_in(folder)
        self.kills = 0
        self._folder = folder
        self._market = market
        self._cache = cache
        self._seed = seed
        self._dice = random.Random(seed)
        self._life = 0
        self._port = free_port()
        self._venue: ForkServerProcess | None = None
        self._client: ForkServerProcess | None = None
        self._venue_says: Connection | None = None
        """Kept open for as long as it may say anything."""
        self.files.lock.parent.mkdir(mode=0o700, parents=True)

    def die(self) -> None:
        """One of them, or both; whoever is not there is started before."""
        venue, client = self._venue_running(), self._client_trading()
        time.sleep(0.12 * self._dice.random())
        dying = self._dice.choice(((client,), (venue,), (client, venue)))
        for process in dying:
            self._kill(process)

    def die_at(self, place: str) -> None:
        """The venue, at a place of its own; the client is killed after it."""
        self._end(self._venue)
        venue, client = self._venue_running(place), self._client_trading()
        venue.join(WITHIN_S)
        assert venue.exitcode == -signal.SIGKILL, f"{place}: it ended with {venue.exitcode}"
        self.kills += 1
        self._kill(client)

    def settle(self) -> None:
        """The client finds everything out; then nothing that was done may be wrong."""
        self._venue_running()
        self._end(self._client)
        client = self._client_of(venue_client.settle, venue_client.SETTLED)
        client.join(WITHIN_S)
        assert client.exitcode == 0
        self.close()
        found = violations_in(self.files, (self._market,))
        assert found == (), "; ".join(map(str, found))

    def close(self) -> None:
        """Nothing of it runs any more."""
        for process in (self._client, self._venue):
            self._end(process)
        self._client = self._venue = None

    @property
    def life(self) -> Life:
        """What they left."""
        return lives_in(self.files)[-1]

    def _venue_running(self, place: str | None = None) -> ForkServerProcess:
        """The one that runs, or else one that is started, to die at `place`."""
        if self._venue is not None and self._venue.is_alive():
            return self._venue
        arguments = (self._folder, self._cache, self._port, place)
        self._venue, self._venue_says = started(venue_client.serve, *arguments)
        with open(self._venue_says.fileno(), "rb", closefd=False) as lines:
            line = lines.readline()
        is_served = line.startswith(b"ready ")
        # What it is to die at may come by before it serves: the market is played on at its start.
        assert is_served or (place or "").startswith(("venue.rebuild", "venue.market")), line
        return self._venue

    def _client_trading(self) -> ForkServerProcess:
        if self._client is not None and self._client.is_alive():
            return self._client
        return self._client_of(venue_client.trade, venue_client.TRADING)

    def _client_of(self, target: Callable[..., None], says: str) -> ForkServerProcess:
        self._life += 1
        url = f"http://127.0.0.1:{self._port}"
        self._client, said = started(target, self._folder, url, self._seed, self._life)
        assert said.poll(WITHIN_S), "it said nothing"
        try:
            assert said.recv() == says
        except EOFError:
            raise AssertionError("it ended before, and said why on standard error") from None
        said.close()
        return self._client

    def _kill(self, process: ForkServerProcess) -> None:
        assert process.exitcode is None, f"it ended by itself, with {process.exitcode}"
        self._end(process)
        self.kills += 1

    def _end(self, process: ForkServerProcess | None) -> None:
        if process is not None:
            process.kill()
            process.join(WITHIN_S)


def started(target: Callable[..., None], *arguments: Any) -> tuple[ForkServerProcess, Connection]:
    """A process that does this, and what it says, which it is given to say it as the last."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    return process, ours


def free_port() -> int:
    """One that nobody serves on now, and that no connection is given as its own end."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as listening, suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port
