"""A market of bars in virtual time: each to the venue first, then to the data feed, at its end.

The simulation takes the events and gives each to `Market.happen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

import msgspec

from hydra.actor import MINUTE
from hydra.trading.bars import Bar
from hydra.trading.sessions import SessionTable
from hydra.trading.steady import SteadyHours
from hydra.venues.simulated.in_process import InProcessVenue
from messages.market import BarsReceived, FeedEnded

SKIP_GAPS_OVER = 10 * MINUTE
"""A pause of the market longer than this (a night) is not waited for."""


class SessionClosed(msgspec.Struct, frozen=True):
    """The exchange closed."""

    at: int


class MarketEnded(msgspec.Struct, frozen=True):
    """There are no more bars."""

    at: int


MarketEvent: TypeAlias = Bar | SessionClosed | MarketEnded

TimedEvent: TypeAlias = tuple[int, MarketEvent]
"""A market event behind the market time at which it happens."""

Happening: TypeAlias = tuple[Bar, ...] | SessionClosed | MarketEnded
"""What the engine is told in one: all bars that end at one time, or one of the others."""

TimedHappening: TypeAlias = tuple[int, Happening]
"""A happening behind its market time."""


def market_events(
    bars: Iterable[Bar], sessions: SessionTable, skip: int = 0
) -> Iterator[TimedEvent]:
    """Bars (ascending by end) with the closes of their sessions between them, and the end.

    The first `skip` events are left out: a venue that was rebuilt has seen them.
    """
    return islice(_all_events(bars, sessions), skip, None)


def by_moment(events: Iterable[TimedEvent]) -> Iterator[TimedHappening]:
    """The same events, with all bars that end at one time in one."""
    bars: list[Bar] = []
    bars_at = 0
    for at, event in events:
        if bars and not (isinstance(event, Bar) and at == bars_at):
            yield bars_at, tuple(bars)
            bars = []
        if isinstance(event, Bar):
            bars.append(event)
            bars_at = at
        else:
            yield at, event
    if bars:
        yield bars_at, tuple(bars)


def market_time_after(events: Iterable[tuple[int, object]], since: int, elapsed: int) -> int:
    """Where a playback is that was at market time `since` and ran on for `elapsed` market ns.

    It waits for no night, so it may be days ahead; it stops at the end of the market, and never
    goes back.
    """
    now = previous = since
    for at, _ in events:
        if elapsed <= 0:
            return now
        if at > now:
            if at - previous > SKIP_GAPS_OVER:
                now = max(now, at - MINUTE)
            if at - now > elapsed:
                return now + elapsed
            elapsed -= at - now
            now = at
        previous = at
    return now


def _all_events(bars: Iterable[Bar], sessions: SessionTable) -> Iterator[TimedEvent]:
    open_session = None
    last_end = 0
    hours = SteadyHours(sessions)
    for bar in bars:
        session = hours.at(bar.start_at)
        if open_session is not None and session is not open_session:
            yield (max(open_session.close_at, last_end), SessionClosed(open_session.close_at))
        open_session = session
        last_end = bar.end_at
        yield (bar.end_at, bar)
    if open_session is not None:
        last_end = max(open_session.close_at, last_end)
        yield (last_end, SessionClosed(open_session.close_at))
    yield (last_end, MarketEnded(last_end))


class Market:
    """Where the events of the market go. The venue comes first, so that nothing looks ahead."""

    def __init__(
        self, venue: InProcessVenue, feed: Callable[[BarsReceived | FeedEnded], None]
    ) -> None:
        self._venue = venue
        self._feed = feed

    def happen(self, event: Happening) -> None:
        """It is happening now."""
        match event:
            case tuple():
                for bar in event:
                    self._venue.on_bar(bar)
                self._feed(BarsReceived(bars=event))
            case SessionClosed():
                self._venue.close_session(event.at)
            case MarketEnded():
                self._feed(FeedEnded(at=event.at))
