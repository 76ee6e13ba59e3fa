"""A strategy on bars that are longer than the market's: 30 minutes made of 30 bars of one."""

from collections.abc import Mapping

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import (
    Signal,
    Strategy,
    StrategyFactory,
    was_closed_between,
)


class LongerBars:
    """Shows a strategy the market's bars joined to longer ones, each once it is over.

    Long bars begin with the session, or with the UTC day where there is none, and none runs over
    the end of a session: its last one may be short. An exit is said once. An entry stands until
    the next long bar is over, and is said at every `entry_minutes` of it: what a bot could not do
    at the first moment it may do at the next. (What it has done it does not do again: see
    `StrategyFeed.entry`.) Where the market was closed meanwhile it stands no more.
    """

    def __init__(self, strategy: Strategy, bar_minutes: int, entry_minutes: int) -> None:
        if not 0 < entry_minutes <= bar_minutes or bar_minutes % entry_minutes:
            raise ValueError(
                f"found bars of {bar_minutes} minutes and entries every {entry_minutes}, wanted"
                " whole minutes, and a bar that entries divide"
            )
        self._strategy = strategy
        self._length = bar_minutes * MINUTE
        self._every = entry_minutes * MINUTE
        self._bar_minutes = bar_minutes
        self._joined: Bar | None = None
        self._session: ExchangeSession | None = None
        self._stands: Signal | None = None
        """The entry that the last long bar wants."""
        self.stands_since = 0
        """The end of the bar with which that was said; 0: nothing ever was."""

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: so many of its own bars, and the one that has just begun."""
        return (self._strategy.warm_up + 1) * self._bar_minutes

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """See `Strategy.on_bar`."""
        begins_at = _begin_of(bar, session, self._length)
        leaves = False
        ended = self._joined
        if ended is not None and (ended.start_at != begins_at or self._session != session):
            # Its last minutes had no bar of the market's, because nothing traded then.
            leaves = self._show(ended, bar.end_at)
        if _has_closed(self._session, session):
            self._stands = None
        joined = self._joined = _with(self._joined, bar, begins_at)
        self._session = session
        if bar.end_at >= _end_of(begins_at, self._length, session):
            leaves = self._show(joined, bar.end_at) or leaves
        if leaves:
            return Signal.EXIT_LONG
        is_time = (bar.end_at - begins_at) % self._every == 0
        return self._stands if is_time else None

    def _show(self, joined: Bar, at: int) -> bool:
        """A long bar is over; whether it says to leave."""
        self._joined = None
        signal = self._strategy.on_bar(joined, self._session)
        leaves = signal is Signal.EXIT_LONG
        self._stands, self.stands_since = None if leaves else signal, at
        return leaves


def _has_closed(earlier: ExchangeSession | None, later: ExchangeSession | None) -> bool:
    if earlier is None or earlier == later:
        return False
    return later is None or was_closed_between(earlier, later)


def _begin_of(bar: Bar, session: ExchangeSession | None, length: int) -> int:
    origin = 0 if session is None else session.open_at
    return bar.start_at - (bar.start_at - origin) % length


def _end_of(begins_at: int, length: int, session: ExchangeSession | None) -> int:
    return begins_at + length if session is None else min(begins_at + length, session.close_at)


def _with(joined: Bar | None, bar: Bar, begins_at: int) -> Bar:
    if joined is None:
        first = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        return Bar(bar.symbol, begins_at, bar.end_at, *first)
    return Bar(
        bar.symbol,
        begins_at,
        bar.end_at,
        joined.open,
        max(joined.high, bar.high),
        min(joined.low, bar.low),
        bar.close,
        joined.volume + bar.volume,
    )


class OnLongerBars(msgspec.Struct, frozen=True):
    """The factory of a strategy on longer bars. Two that make the same are equal."""

    factory: StrategyFactory
    bar_minutes: int
    entry_minutes: int

    def __call__(self, parameters: Mapping[str, object]) -> Strategy:
        """A fresh one; raises `BadParameters`."""
        return LongerBars(self.factory(parameters), self.bar_minutes, self.entry_minutes)
