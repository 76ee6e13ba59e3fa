"""The days of an account: the exchange's sessions, or for coins alone every day of UTC."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

from hydra.trading.instruments import is_crypto
from hydra.trading.sessions import ROUND_THE_CLOCK, ExchangeSession, SessionTable
from hydra.venues.exchange_calendar import sessions

LONGEST_PAUSE = timedelta(days=10)
"""The exchange is never closed for as long as this. (In September 2001 it was for six days.)"""


def sessions_of(
    symbols: Collection[str], first: str, last: str, cache_dir: Path | None
) -> SessionTable:
    """From one ISO date to another, both included; with a share among them, or with nothing, the
    exchange's.

    With coins beside the shares the table has the session before the first date too: what is done
    before the first bell belongs to its day.
    """
    coins = [is_crypto(symbol) for symbol in symbols]
    if coins and all(coins):
        return round_the_clock_sessions(first, last)
    if not any(coins):
        return exchange_sessions(first, last, cache_dir)
    early = (date.fromisoformat(first) - LONGEST_PAUSE).isoformat()
    found = exchange_sessions(early, last, cache_dir).sessions
    before = sum(session.date < first for session in found)
    return SessionTable(found[max(0, before - 1) :])


def exchange_sessions(first: str, last: str, cache_dir: Path | None) -> SessionTable:
    """The exchange's sessions from one ISO date to another, both included."""
    return SessionTable(tuple(ExchangeSession(*row) for row in sessions(first, last, cache_dir)))


def round_the_clock_sessions(first: str, last: str) -> SessionTable:
    """A session for each UTC day from one ISO date to another, both included; never a pause."""
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    dates = [date.fromisoformat(first) + timedelta(days=day) for day in range(days)]
    found = [ROUND_THE_CLOCK.of_date(day.isoformat()) for day in dates]
    return SessionTable(tuple(each for each in found if each is not None))
