"""Which market the simulated venue plays: a file of real bars, or a generated session."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.bar_files import read_bars
from hydra.venues.bar_rows import BadData
from hydra.venues.exchange_calendar import sessions
from hydra.venues.simulated.generated import generated_session

GENERATED_DATE = "2026-01-05"
"""An ordinary Monday: the generated session is always this one, so that a seed is all it needs."""


class MarketData(msgspec.Struct, frozen=True, kw_only=True):
    """Bars ascending in time, the exchange's sessions around them, and where they come from."""

    bars: tuple[Bar, ...]
    sessions: SessionTable
    symbols: tuple[str, ...]
    origin: str
    """For people: a file's name, or that it is generated."""

    @property
    def begins_at(self) -> int:
        """Market time (UTC ns) of the first bar's start."""
        return self.bars[0].start_at

    @property
    def bar_interval(self) -> int:
        """How long a bar lasts, in market ns."""
        return self.bars[0].end_at - self.bars[0].start_at


def from_file(path: Path, cache_dir: Path | None) -> MarketData:
    """The market of a bars file. Raises `BadData`."""
    bars = read_bars(path)
    table = exchange_sessions(_date_of(bars[0].start_at), _date_of(bars[-1].end_at), cache_dir)
    return MarketData(
        bars=bars,
        sessions=table,
        symbols=(bars[0].symbol,),
        origin=f"real bars from {path.name}",
    )


def generated(symbols: tuple[str, ...], seed: int, cache_dir: Path | None) -> MarketData:
    """One generated session of these symbols."""
    table = exchange_sessions(GENERATED_DATE, GENERATED_DATE, cache_dir)
    session = table.of_date(GENERATED_DATE)
    if session is None:
        raise BadData(f"the exchange calendar has no session on {GENERATED_DATE}")
    return MarketData(
        bars=generated_session(symbols, session.open_at, session.close_at, seed),
        sessions=table,
        symbols=symbols,
        origin=f"GENERATED prices (seed {seed}), not a real market",
    )


def exchange_sessions(first: str, last: str, cache_dir: Path | None) -> SessionTable:
    """The exchange's sessions from one ISO date to another, both included."""
    return SessionTable(tuple(ExchangeSession(*row) for row in sessions(first, last, cache_dir)))


def _date_of(at: int) -> str:
    return datetime.fromtimestamp(at / 1e9, UTC).date().isoformat()
