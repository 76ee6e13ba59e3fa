"""When symbols are traded: the exchange's sessions, or for coins alone every day of UTC."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import instant
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.exchange_calendar import sessions


def sessions_of(
    symbols: Collection[str], first: str, last: str, cache_dir: Path | None
) -> SessionTable:
    """From one ISO date to another, both included; with a share among them the exchange's."""
    if all(map(is_crypto, symbols)):
        return round_the_clock_sessions(first, last)
    return exchange_sessions(first, last, cache_dir)


def exchange_sessions(first: str, last: str, cache_dir: Path | None) -> SessionTable:
    """The exchange's sessions from one ISO date to another, both included."""
    return SessionTable(tuple(ExchangeSession(*row) for row in sessions(first, last, cache_dir)))


def round_the_clock_sessions(first: str, last: str) -> SessionTable:
    """A session for each UTC day from one ISO date to another, both included; never a pause."""
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    midnights = [
        datetime.fromisoformat(first).replace(tzinfo=UTC) + timedelta(days=day)
        for day in range(days + 1)
    ]
    return SessionTable(
        tuple(
            ExchangeSession(f"{opens:%Y-%m-%d}", instant(opens), instant(closes), early_close=False)
            for opens, closes in pairwise(midnights)
        )
    )
