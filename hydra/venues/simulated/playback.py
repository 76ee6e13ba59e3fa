"""A market of bars in virtual time: what happens, in order, and who is told of it when.

A bar's open is there when it begins, and only the venue hears of it: what rests may execute. The
rest is known at its end, to the venue first, then to the data feed.

The simulation takes the events and gives each to `Market.happen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter
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


class BarBegun(msgspec.Struct, frozen=True):
    """Trading in a symbol goes on. Of the bar nothing but its open has happened yet."""

    at: int
    bar: Bar


class SessionClosed(msgspec.Struct, frozen=True):
    """The exchange closed."""

    at: int


class MarketEnded(msgspec.Struct, frozen=True):
    """There are no more bars."""

    at: int


class BarsBegun(msgspec.Struct, frozen=True):
    """Bars that begin at one time."""

    bars: tuple[Bar, ...]


MarketEvent: TypeAlias = BarBegun | Bar | SessionClosed | MarketEnded
"""A bar by itself: its end."""

TimedEvent: TypeAlias = tuple[int, MarketEvent]
"""A market event behind the market time at which it happens."""

Happening: TypeAlias = BarsBegun | tuple[Bar, ...] | SessionClosed | MarketEnded
"""What happens in one: all bars that begin or end at one time, or one of the others."""

TimedHappening: TypeAlias = tuple[int, Happening]
"""A happening behind its market time."""


def market_events(
    bars: Iterable[Bar], sessions: SessionTable, skip: int = 0, ends_at: int | None = None
) -> Iterator[TimedEvent]:
    """Beginnings and ends of bars (ascending by end), closes of their sessions, and the end.

    At one time bars end first; then a session closes; then bars begin. The first `skip` events are
    left out: a venue that was rebuilt has seen them. A last session that closes after `ends_at`
    does not close: nobody waits for that where nothing more is to happen.
    """
    return islice(_one_by_one(market_moments(bars, sessions, ends_at)), skip, None)


def by_moment(events: Iterable[TimedEvent]) -> Iterator[TimedHappening]:
    """The same events, with all bars that begin, or end, at one time in one."""
    moment = 0
    begun: list[Bar] = []
    ended: list[Bar] = []
    for at, event in events:
        if begun and not (isinstance(event, BarBegun) and at == moment):
            yield moment, BarsBegun(tuple(begun))
            begun = []
        if ended and not (isinstance(event, Bar) and at == moment):
            yield moment, tuple(ended)
            ended = []
        moment = at
        if isinstance(event, BarBegun):
            begun.append(event.bar)
        elif isinstance(event, Bar):
            ended.append(event)
        else:
            yield at, event
    if begun:
        yield moment, BarsBegun(tuple(begun))
    if ended:
        yield moment, tuple(ended)


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


def market_moments(
    bars: Iterable[Bar], sessions: SessionTable, ends_at: int | None = None
) -> Iterator[TimedHappening]:
    """See `market_events`: all of them, with all bars that begin, or end, at one time in one."""
    open_session = None
    now = 0
    hours = SteadyHours(sessions)
    ending = tuple(bars)
    beginning = groupby(sorted(ending, key=_START), key=_START)
    start_at, ahead = next(beginning, _NONE_AHEAD)
    for end_at, ended in groupby(ending, key=_END):
        while start_at < end_at:
            session = hours.at(start_at)
            if open_session is not None and session is not open_session:
                now = max(open_session.close_at, now)
                yield now, SessionClosed(open_session.close_at)
            open_session = session
            now = max(start_at, now)
            yield now, BarsBegun(tuple(ahead))
            start_at, ahead = next(beginning, _NONE_AHEAD)
        now = end_at
        yield now, tuple(ended)
    if open_session is not None and (ends_at is None or open_session.close_at <= ends_at):
        now = max(open_session.close_at, now)
        yield now, SessionClosed(open_session.close_at)
    yield now, MarketEnded(now)


def _one_by_one(happenings: Iterable[TimedHappening]) -> Iterator[TimedEvent]:
    for at, happening in happenings:
        match happening:
            case tuple():
                for bar in happening:
                    yield at, bar
            case BarsBegun(bars=bars):
                for bar in bars:
                    yield at, BarBegun(at, bar)
            case _:
                yield at, happening


class Market:
    """Where the events of the market go. The venue comes first, so that nothing looks ahead."""

    def __init__(
        self, venue: InProcessVenue, feed: Callable[[BarsReceived | FeedEnded], None]
    ) -> None:
        self._venue = venue
        self._feed = feed

    def happen(self, event: Happening, told: tuple[Bar, ...] | None = None) -> None:
        """It is happening now. `told`: what a feed that is not to be trusted tells of bars that
        end; None: them.
        """
        match event:
            case tuple():
                self._venue.on_bars(event)
                if told is None or told:
                    self._feed(BarsReceived(bars=event if told is None else told))
            case BarsBegun(bars=bars):
                self._venue.begin_bars(bars)
            case SessionClosed():
                self._venue.close_session(event.at)
            case MarketEnded():
                self._feed(FeedEnded(at=event.at))


_START, _END = attrgetter("start_at"), attrgetter("end_at")
_NONE_AHEAD: tuple[int, tuple[Bar, ...]] = (2**63, ())
"""Begins after every bar there can be."""
