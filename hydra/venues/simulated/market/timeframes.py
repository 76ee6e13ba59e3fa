"""How long a bar of the history is, and where it begins.

A day is a day in New York for shares and options, a day in UTC for coins. Minutes and hours are
counted from its midnight (so the last bar of a day may be shorter), weeks begin on Monday, months
on their first day; several months together begin with January.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache

import msgspec

from hydra.trading.durations import HOUR, MINUTE, SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import NEW_YORK, instant
from hydra.venues.simulated.market.rows import BadQuery


class Unit(Enum):
    """What a timeframe is counted in."""

    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


_COUNTS = {
    Unit.MINUTE: range(1, 60),
    Unit.HOUR: range(1, 24),
    Unit.DAY: (1,),
    Unit.WEEK: (1,),
    Unit.MONTH: (1, 2, 3, 4, 6, 12),
}


class Timeframe(msgspec.Struct, frozen=True):
    """So many minutes (1 to 59), hours (1 to 23), days or weeks (1), months (1, 2, 3, 4, 6, 12)."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.count not in _COUNTS[self.unit]:
            raise BadQuery(f"invalid timeframe: {self.count}{self.unit.value}")

    @classmethod
    def parse(cls, text: str) -> "Timeframe":
        """Read "15Min", or "15T". Raises `BadQuery`."""
        found = _TIMEFRAME.fullmatch(text)
        if found is None:
            raise BadQuery(f"invalid timeframe: {text[:20]}")
        return cls(int(found[1]), _UNITS[found[2]])

    @property
    def shows_what_is_forming(self) -> bool:
        """Whether a bar that is not over is told so far: that of today is, as are longer ones."""
        return self.unit in (Unit.DAY, Unit.WEEK, Unit.MONTH)

    @property
    def length(self) -> int | None:
        """In ns; None from a day on, which is not always as long."""
        match self.unit:
            case Unit.MINUTE:
                return self.count * MINUTE
            case Unit.HOUR:
                return self.count * HOUR
            case Unit.DAY | Unit.WEEK | Unit.MONTH:
                return None

    def around(self, at: int, zone: tzinfo) -> tuple[int, int]:
        """Start and end (UTC ns) of the bar in which `at` lies."""
        if self.length is not None:
            midnight, next_midnight = _day_of_hour(at // HOUR, zone)
            start = at - (at - midnight) % self.length
            return start, min(start + self.length, next_midnight)
        day = datetime.fromtimestamp(at // SECOND, zone)
        day = day.replace(hour=0, minute=0, second=0, fold=0)
        if self.unit is Unit.MONTH:
            first = day.replace(month=day.month - (day.month - 1) % self.count, day=1)
            years, months = divmod(first.month - 1 + self.count, 12)
            return instant(first), instant(first.replace(year=first.year + years, month=months + 1))
        if self.unit is Unit.WEEK:
            monday = day - day.weekday() * _DAY
            return instant(monday), instant(monday + 7 * _DAY)
        return instant(day), instant(day + _DAY)


DAY = Timeframe(1, Unit.DAY)


def zone_of(symbol: str) -> tzinfo:
    """Where the symbol's days are counted."""
    return UTC if is_crypto(symbol) else NEW_YORK


@lru_cache(maxsize=1024)
def _day_of_hour(hour: int, zone: tzinfo) -> tuple[int, int]:
    """The day (UTC ns) in which the hour with this number since 1970 lies; no day begins in one."""
    return DAY.around(hour * HOUR, zone)


_DAY = timedelta(days=1)
_TIMEFRAME = re.compile(r"([0-9]{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)", re.ASCII)
_UNITS = {
    **{unit.value: unit for unit in Unit},
    "T": Unit.MINUTE,
    "H": Unit.HOUR,
    "D": Unit.DAY,
    "W": Unit.WEEK,
    "M": Unit.MONTH,
}
