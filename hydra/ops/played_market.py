"""The market of a live session that is played in the engine's own process, by a scaled clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hydra.assembly import Engine, Tree, assemble
from hydra.ops.embedded import EmbeddedVenue
from hydra.ops.session import Session
from hydra.ports import Service
from hydra.runtime.clock import ScaledClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import Playback, market_events


class PlayedMarket:
    """See `LiveMarket`."""

    def __init__(self, data: MarketData, venue: EmbeddedVenue, speed: float) -> None:
        self.clock = ScaledClock(venue.at, speed)
        self._data = data
        self._venue = venue
        self._engine: Engine | None = None
        self._playback: Playback | None = None

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        """See `LiveMarket.assemble`."""
        self._engine = assemble(
            session.settings,
            self._data,
            runtime=runtime,
            market_time=lambda: self.clock.at(machine_time()),
            ledger=session.record.ledger,
            journal=session.record.journal,
            exchange=self._venue.exchange,
            conditions=session.conditions,
            services=services,
            dry_run=session.options.dry_run,
        )
        return self._engine

    def open(self, finished: Callable[[str | None], None]) -> None:
        """See `LiveMarket.open`."""
        assert self._engine is not None and self._playback is None

        def over(failure: str | None) -> None:
            finished(None if failure is None else f"the market's playback failed: {failure}")

        seen = self._venue.exchange.events_seen
        events = market_events(self._data.bars, self._data.sessions, seen)
        self._playback = Playback(events, self._engine.market, self.clock, over)
        self._playback.open()

    def close(self, within_s: float) -> None:
        """See `LiveMarket.close`."""
        if self._playback is not None:
            self._playback.close()
