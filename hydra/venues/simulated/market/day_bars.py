"""The daily bar so far, for those who ask for it every minute."""

from hydra.venues.simulated.market.aggregation import Fold, bars_of, is_shown
from hydra.venues.simulated.market.derived import trade_count
from hydra.venues.simulated.market.rows import HistoryBar
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.timeframes import DAY, zone_of


class DayBars:
    """Remembers each symbol's day and how far it had come; what it gives does not depend on it."""

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

    def newest(self, series: Series, at: int) -> HistoryBar | None:
        """The daily bar of the day of the newest bar that has ended by `at`.

        None: there is no such day, or no share was traded in it.
        """
        stop = series.ended(at)
        if stop == 0:
            return None
        day = self._days.get(series.symbol)
        if day is None or not day.reaches(series, stop):
            day = self._days[series.symbol] = _Day(series, stop)
        return day.come_to(series, stop)

    def one_before(self, series: Series, at: int) -> HistoryBar | None:
        """The daily bar of the day before that."""
        stop = series.ended(at)
        if stop == 0:
            return None
        midnight = DAY.around(series.start_at(stop - 1), zone_of(series.symbol))[0]
        before = series.first_from(midnight) - 1
        if before < 0:
            return None
        start = DAY.around(series.start_at(before), zone_of(series.symbol))[0]
        return next(bars_of(series, DAY, start, start, midnight), None)


class _Day:
    """One day of one symbol, up to a certain bar."""

    def __init__(self, series: Series, stop: int) -> None:
        zone = zone_of(series.symbol)
        self._begins, self._ends = DAY.around(series.start_at(stop - 1), zone)
        self._fold = Fold(series.symbol, self._begins)
        self._next = series.first_from(self._begins)

    def reaches(self, series: Series, stop: int) -> bool:
        """Whether the day of the bar before `stop` is this one, and it has not gone further."""
        return self._next <= stop and self._begins <= series.start_at(stop - 1) < self._ends

    def come_to(self, series: Series, stop: int) -> HistoryBar | None:
        """Take what is before `stop` into it, and say what the day is by now."""
        for index in range(self._next, stop):
            bar = series.bar(index)
            if is_shown(bar):
                self._fold.add(bar, trade_count(bar))
        self._next = stop
        return self._fold.bar() if self._fold.has_begun else None
