"""The market of a live session that the embedded venue serves, in a process of its own.

The engine speaks to it as to the broker. What it knows of it besides comes over the pipe between
the two: how the venue's clock runs, that the market is over, that the process has died.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hydra.assembly import Tree
from hydra.ops.broker_market import BrokerMarket
from hydra.ops.session import Session
from hydra.ops.step_watch import StepWatch
from hydra.ops.venue.pipe import ClockTold, MarketOver, Step, Through, VenueTold
from hydra.ops.venue_process import VenueDidNotStart, VenueProcess, new_keys
from hydra.ports import Service
from hydra.runtime.clock import FollowedClock, MarketClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings.secret import Secret
from hydra.store.engine_files import EngineFiles
from hydra.terms import MarketFacts
from hydra.trading.account_reading import AccountStatement
from hydra.trading.causes import API_FAILURES
from hydra.venues.alpaca.access import Access, local_addresses
from hydra.venues.alpaca.network import Network

SERVES_WITHIN_S = 20.0
LAST_WORDS_WITHIN_S = 0.2
"""Machine time that what the market said last may take from the streams to whom it is for."""
REVIVALS_MAX = 3
"""In one run. A venue that dies again and again is not one to trade on."""


class ServedVenue:
    """The venue's process and its clock. Market time stands still from `start` until `go`."""

    def __init__(
        self, files: EngineFiles, *, data: Path | None, symbols: tuple[str, ...], seed: int
    ) -> None:
        """`data`: real bars; None: one session of these symbols is generated."""
        self.clock = FollowedClock(0)
        self.over: Callable[[int], None] = _ignore
        """Called with the market time from which on nothing more happens."""
        self.over_at: int | None = None
        """That time, once it was said: it may be before anybody wants to be called."""
        self.ended: Callable[[str], None] = _ignore
        """Called with why, if the process ends unasked. It may be started again from there."""
        self.stepped: Callable[[Step], None] = self.through
        """Called at each moment of the market; time goes on once `through` has been told of it."""
        self._keys = new_keys()
        self._source = ("--data", str(data)) if data else ("--symbols", ",".join(symbols))
        self._files = files
        self._seed = seed
        self._clock_told = threading.Event()
        self._process: VenueProcess | None = None
        self._port = 0
        self._speed = 0.0

    def start(self, speed: float, within_s: float = SERVES_WITHIN_S) -> Access:
        """Have it serve; gives the way to its account. Raises `VenueDidNotStart`."""
        self._speed = speed
        url = self._start("--start-on-go", within_s=within_s)
        self._port = urlsplit(url).port or 0
        key_id, secret = Secret(self._keys.key), Secret(self._keys.secret)
        return Access(local_addresses(url), key_id, secret, Network(loopback_only=True))

    def start_again(self, within_s: float = SERVES_WITHIN_S) -> None:
        """At the same address, with the account that it had. Its market went on meanwhile, and goes
        on at once. Raises `VenueDidNotStart`.
        """
        self.stop(within_s=1.0)  # what is left of it: its pipes
        self._start("--port", str(self._port), within_s=within_s)

    @property
    def pid(self) -> int | None:
        """The process's number, once it was started."""
        return None if self._process is None else self._process.pid

    def through(self, step: Step) -> None:
        """There is nothing left to do at that moment."""
        if self._process is not None:
            self._process.say(str(Through(step.number)))

    def go(self) -> None:
        """Let market time run."""
        assert self._process is not None, "it was started"
        self._process.go()

    def stop(self, within_s: float) -> None:
        """End it. One that was never started is left alone."""
        if self._process is not None:
            self._process.stop(within_s)

    def _start(self, *options: str, within_s: float) -> str:
        command = (
            *(sys.executable, "-m", "hydra.cli", "venue", "serve", *self._source),
            *("--seed", str(self._seed), "--speed", repr(self._speed), "--skip-nights"),
            *("--state-dir", str(self._files.venue_account.parent)),
            *("--cache-dir", str(self._files.cache)),
            *("--exit-with-parent", "--in-step", *options),
        )
        environment = {
            **os.environ,
            "ALPACA_KEY": self._keys.key,
            "ALPACA_SECRET": self._keys.secret,
        }
        self._clock_told.clear()
        process = VenueProcess(command, environment, self._tell_ended, self._hear)
        url = process.start(within_s)
        self._process = process
        if not self._clock_told.wait(within_s):
            process.stop(within_s=1.0)
            raise VenueDidNotStart("the embedded venue did not say how its clock runs")
        return url

    def _tell_ended(self, reason: str) -> None:
        self.ended(reason)  # whoever wants to know by then

    def _hear(self, told: VenueTold) -> None:
        match told:
            case ClockTold(market, machine, speed, until):
                # One that was started again went by the wall clock, and may be a little behind.
                self.clock.follow(market, machine, speed, until)
                self._clock_told.set()
            case Step():
                self.stepped(told)
            case MarketOver(at):
                self.over_at = at
                self.over(at)
            case _:
                pass


class EmbeddedMarket:
    """See `LiveMarket`. The venue is not its own: whoever started it stops it."""

    def __init__(
        self, venue: ServedVenue, access: Access, facts: MarketFacts, *, price_age_max: int
    ) -> None:
        """`price_age_max` as of `BrokerMarket`."""
        self._venue = venue
        self._market = BrokerMarket(
            access,
            facts,
            venue.clock,
            price_age_max,
            minutes_by=lambda: venue.clock.at(machine_time()),
        )
        self._runtime: ThreadRuntime | None = None
        self._finished: Callable[[str | None], None] = _ignore
        self._closing = threading.Event()
        self._ending = threading.Lock()
        self._steps: StepWatch | None = None
        self._revivals = 0

    @property
    def clock(self) -> MarketClock:
        """See `LiveMarket.clock`."""
        return self._venue.clock

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        """See `LiveMarket.assemble`."""
        self._runtime = runtime
        self._venue.ended = self._venue_ended
        self._steps = StepWatch(
            lambda: self._market.frames_heard,
            lambda: runtime.looks_idle and self._market.is_idle,
            self._venue.through,
        )
        self._venue.stepped = self._steps.begun
        return self._market.assemble(session, runtime, services)

    def connect(self) -> None:
        """See `LiveMarket.connect`."""
        assert self._steps is not None, "it was assembled"
        self._steps.start()
        self._market.connect()

    def open(self, finished: Callable[[str | None], None]) -> None:
        """See `LiveMarket.open`."""
        self._finished = finished
        self._venue.over = self._market_over
        if self._venue.over_at is not None:
            self._market_over(self._venue.over_at)
        self._venue.go()

    def close(self, within_s: float) -> None:
        """See `LiveMarket.close`."""
        self._closing.set()
        self._market.close(within_s)

    def settle(self, within_s: float) -> bool:
        """See `LiveMarket.settle`."""
        return self._market.settle(within_s)

    def disconnect(self, within_s: float) -> None:
        """See `LiveMarket.disconnect`."""
        self._closing.set()
        self._market.disconnect(within_s)
        if self._steps is not None:
            self._steps.stop(within_s)

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        """See `LiveMarket.read_account`."""
        return self._market.read_account(since, deadline)

    def last_words(self) -> tuple[str, ...]:
        """See `LiveMarket.last_words`."""
        left_behind = 0 if self._steps is None else self._steps.left_behind
        if not left_behind:
            return ("the engine was through with every moment before market time went on",)
        words = (
            f"TOO SLOW: market time went on without the engine {left_behind} times; the machine"
            " was busy, so this run may have traded otherwise than another one of its seed"
        )
        return (words,)

    def _market_over(self, at: int) -> None:
        if not self._ending.acquire(blocking=False):  # never given back: it is over once
            return

        def tell() -> None:
            if not self._closing.wait(LAST_WORDS_WITHIN_S):
                self._market.feed_ended(at)
                self._finished(None)

        threading.Thread(target=tell, name="market-over", daemon=True).start()

    def _venue_ended(self, reason: str) -> None:
        """Halt, first of all; then have it serve again, so that there is something to clear it."""
        runtime = self._runtime
        assert runtime is not None, "it was assembled"
        if self._closing.is_set():
            return
        at = runtime.market_time_at(runtime.now())
        runtime.gate.trip(API_FAILURES.cause(since=at, detail=reason))
        self._revivals += 1
        if self._revivals > REVIVALS_MAX:
            self._finished(f"{reason}; it was started again {REVIVALS_MAX} times before")
            return
        if self._steps is not None:
            self._steps.counts_anew()
        try:
            self._venue.start_again()
        except VenueDidNotStart as error:
            self._finished(f"{reason}; it cannot be started again: {error}")


def _ignore(_: object) -> None:
    """Nobody has asked yet."""
