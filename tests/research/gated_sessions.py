"""Bundles as a session leaves them, made in virtual time, for the gate to look at."""

from collections.abc import Callable
from pathlib import Path

from hydra.research.gate import SessionBundle, bundle_in
from hydra.research.recorded import SessionReplay
from hydra.research.replay_data import DataFile, ReplayData
from hydra.research.replay_run import ReplayPlan, run_replay
from hydra.research.window import DataSpan, ReplayWindow
from hydra.settings import Settings
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms
from tests.engine.scenery import shipped_settings

NAME = "2016-04-15-001"


def as_data(market: MarketData) -> ReplayData:
    """All of a market."""
    span = DataSpan(start=market.bars[0].start_at, end=market.bars[-1].end_at)
    return ReplayData(
        window=ReplayWindow(start=span.start, end=span.end, timezone_label="UTC"),
        market=market,
        history=(),
        span=span,
        files=(DataFile(name="bars", digest=market.digest),),
        bars_read=len(market.bars),
        without_bars=(),
    )


def session(folder: Path, market: MarketData, settings: Settings | None = None) -> SessionBundle:
    """Play the market; its bundle lies in `folder`."""
    plan = ReplayPlan(
        settings=settings or shipped_settings(),
        data=as_data(market),
        terms=VenueTerms(),
        seed=0,
        label="session",
        folder=folder,
        with_sheet=False,
    )
    run_replay(plan)
    return bundle_in(folder)


def same(folder: Path) -> SessionReplay:
    """A recording that replays to the same state."""
    return SessionReplay(
        folder=folder,
        messages=100,
        seconds=0.1,
        recorded_hash="aa",
        replayed_hash="aa",
        difference=None,
        incomplete="",
    )


def which_raises(error: Exception) -> Callable[[Path], SessionReplay]:
    """A recording that cannot be replayed."""

    def replays(_: Path) -> SessionReplay:
        raise error

    return replays
