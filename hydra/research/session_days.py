"""To which trading day each point of a curve belongs.

Where shares or options are among the symbols, a day is a session of their exchange: a date of New
York on which one of their bars ended. What coins do at night and on a weekend belongs to the next
session, and after the last one to that. Where there are coins alone, each day of UTC is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hydra.research.equity import Moments
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, HOUR, SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import in_new_york

SHARE_DAYS_PER_YEAR = 252
COIN_DAYS_PER_YEAR = 365


class SessionDays:
    """The days of a market, ascending: `dates`, and where in the curve each has its `last` point.

    `per_year` is how many such days make a year, for what is annualised.
    """

    def __init__(self, bars: Sequence[Bar], at: Moments) -> None:
        """`at` are the ends of the bars, each once."""
        symbols = {bar.symbol for bar in bars}
        coins = {symbol for symbol in symbols if is_crypto(symbol)}
        is_coins_only = bool(symbols) and coins == symbols
        self.per_year = COIN_DAYS_PER_YEAR if is_coins_only else SHARE_DAYS_PER_YEAR
        days = _days(at, new_york=not is_coins_only)
        sessions = days
        if coins and not is_coins_only:
            ends = [bar.end_at for bar in bars if bar.symbol not in coins]
            sessions = _days(np.array(ends, np.int64), new_york=True)
        numbers = np.unique(sessions)
        of_points = np.minimum(np.searchsorted(numbers, days), max(len(numbers) - 1, 0))
        places = np.arange(len(numbers))
        self.dates: tuple[str, ...] = tuple(map(str, numbers.astype("datetime64[D]")))
        self.last: NDArray[np.intp] = np.searchsorted(of_points, places, side="right") - 1


def _days(ends: Moments, *, new_york: bool) -> NDArray[np.int64]:
    """The day's number since 1970 of each end, which belongs to the day that it ends."""
    inside = ends - 1
    if new_york and len(ends):
        # No zone changes its clocks but on the hour, and an hour is asked for once.
        hours, of_end = np.unique(inside // HOUR, return_inverse=True)
        offsets = [_offset(int(hour) * HOUR) for hour in hours]
        inside = inside + np.array(offsets, np.int64)[of_end]
    return inside // DAY


def _offset(at: int) -> int:
    offset = in_new_york(at).utcoffset()
    assert offset is not None, "New York's times are aware"
    return int(offset.total_seconds()) * SECOND
