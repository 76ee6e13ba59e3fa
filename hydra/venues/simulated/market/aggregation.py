"""Bars of any length, made of the tape's own."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import inf
from operator import itemgetter

from hydra.trading.bars import Bar
from hydra.trading.instruments import is_crypto
from hydra.venues.simulated.market.derived import quarters_of, trade_count, value_of
from hydra.venues.simulated.market.rows import HistoryBar
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.timeframes import Timeframe, zone_of


class Fold:
    """A bar that grows; it is one as soon as something has been added."""

    __slots__ = (
        "_at", "_close", "_high", "_low", "_open", "_symbol", "_trades", "_value", "_volume",
    )  # fmt: skip

    def __init__(self, symbol: str, at: int) -> None:
        self._symbol = symbol
        self._at = at
        self._open = self._close = 0.0
        self._high, self._low = -inf, inf
        self._volume = self._value = 0.0
        self._trades = 0

    @property
    def has_begun(self) -> bool:
        """Whether there is anything in it."""
        return self._high != -inf

    def add(self, bar: Bar, trades: int) -> None:
        """What comes next, and how many trades that was."""
        if not self.has_begun:
            self._open = bar.open
        self._high = max(self._high, bar.high)
        self._low = min(self._low, bar.low)
        self._close = bar.close
        self._volume += bar.volume
        self._value += value_of(bar)
        self._trades += trades

    def bar(self) -> HistoryBar:
        """What it is by now. Sums are rid of the noise of binary fractions."""
        vwap = 0.0
        if self._volume:
            mean = round(self._value / self._volume, _VWAP_DECIMALS)
            vwap = min(max(mean, self._low), self._high)
        return HistoryBar(
            self._symbol, self._at, self._open, self._high, self._low, self._close,
            round(self._volume, _VOLUME_DECIMALS), self._trades, vwap,
        )  # fmt: skip


def is_shown(bar: Bar) -> bool:
    """Whether the bar is told at all: a share's without a trade is not, a coin's has its quotes."""
    return bar.volume > 0.0 or is_crypto(bar.symbol)


def as_it_is(bar: Bar) -> HistoryBar:
    """One bar of the tape."""
    fold = Fold(bar.symbol, bar.start_at)
    fold.add(bar, trade_count(bar))
    return fold.bar()


def bars_of(
    series: Series, timeframe: Timeframe, start: int, end: int, at: int
) -> Iterator[HistoryBar]:
    """Bars that begin from `start` to `end` (both included), of what has ended by `at`.

    A bar that is not over is among them if the timeframe shows what is forming.
    """
    if len(series) == 0 or start >= series.end_at(len(series) - 1):
        return  # also because the calendar ends with the year 9999
    start = max(start, 0)
    first = series.ended(timeframe.around(start, zone_of(series.symbol))[0])
    parts = _parts(series, timeframe, range(first, series.ended(at)))
    for (begins, ends), parts_of_bar in groupby(parts, key=itemgetter(0)):
        if begins > end or (ends > at and not timeframe.shows_what_is_forming):
            return
        if begins < start:
            continue
        fold = Fold(series.symbol, begins)
        for _, bar, trades in parts_of_bar:
            fold.add(bar, trades)
        yield fold.bar()


def _parts(
    series: Series, timeframe: Timeframe, indices: Iterable[int]
) -> Iterator[tuple[tuple[int, int], Bar, int]]:
    """Start and end of the longer bar, what belongs to it, and the number of trades in that.

    A bar of the tape that does not lie within one of the timeframe goes into them by quarters.
    """
    zone = zone_of(series.symbol)
    around = (0, 0)
    for index in indices:
        bar = series.bar(index)
        if not is_shown(bar):
            continue
        if not around[0] <= bar.start_at < around[1]:
            around = timeframe.around(bar.start_at, zone)
        if bar.end_at <= around[1]:
            yield around, bar, trade_count(bar)
            continue
        for quarter in quarters_of(bar):
            yield timeframe.around(quarter.start_at, zone), quarter, int(quarter.volume > 0.0)


_VWAP_DECIMALS = 9
_VOLUME_DECIMALS = 9
