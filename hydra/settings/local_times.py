"""Times of day that some days have twice or not at all: the nights on which the clocks change.

A window that opens or closes at such a time would do so an hour off, or twice. Which nights those
are is computed from the time-zone database, for every year that Hydra trades or replays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

from hydra.trading.local_time import NEW_YORK

FIRST_YEAR = 2016
LAST_YEAR = 2045
"""From the oldest market data replayed to well past today; not from a clock, so that what is
accepted once is accepted always."""

_SATURDAY = 5
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class OpenDays(Enum):
    """On which days a window may be open: around the clock, or while the exchanges have a day."""

    EVERY_DAY = "every day"
    EXCHANGE_DAYS = "exchange days"


@dataclass(frozen=True, slots=True)
class ClockChange:
    """At the instant `at`, local clocks jump; [begins, ends) on them is skipped or repeated."""

    at: datetime
    begins: datetime
    ends: datetime
    is_skipped: bool

    def date_of(self, clock: time) -> date | None:
        """The local date on which that time of day is skipped or repeated, if it is."""
        day = self.begins.date()
        while day <= self.ends.date():
            if self.begins <= datetime.combine(day, clock) < self.ends:
                return day
            day += _DAY
        return None

    def is_on_an_exchange_day(self) -> bool:
        """Whether the exchanges in New York have a weekday at any instant that is in doubt."""
        length = self.ends - self.begins
        around = (self.at - length, self.at + length)
        return any(at.astimezone(NEW_YORK).weekday() < _SATURDAY for at in around)


def fault_of(clock: time, zone: str, open_days: OpenDays) -> str | None:
    """What is wrong with a window's time of day in that zone, with the first date, or None."""
    nights = [
        (day, change.is_skipped)
        for change in clock_changes(zone)
        if open_days is OpenDays.EVERY_DAY or change.is_on_an_exchange_day()
        if (day := change.date_of(clock)) is not None
    ]
    if not nights:
        return None
    day, is_skipped = nights[0]
    what = "is skipped" if is_skipped else "comes twice"
    others = f" (and on {len(nights) - 1} more until {nights[-1][0]})" if nights[1:] else ""
    return (
        f"found {clock:%H:%M}, which {what} in {zone} on {day}{others}, as the clocks change; "
        "wanted a time that each day has once, or another system.timezone (UTC has no such days)"
    )


@lru_cache(maxsize=8)
def clock_changes(zone: str) -> tuple[ClockChange, ...]:
    """Every change of the clocks in that zone in those years, in order."""
    return tuple(_clock_changes(ZoneInfo(zone)))


def _clock_changes(zone: ZoneInfo) -> Iterator[ClockChange]:
    day = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    before = _offset(day, zone)
    while day < end:
        after = _offset(day + _DAY, zone)
        if after != before:
            at = _first_with_another_offset(day, before, zone)
            edges = sorted(((at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)))
            yield ClockChange(at, edges[0], edges[1], is_skipped=after > before)
        before = after
        day += _DAY


def _first_with_another_offset(day: datetime, before: timedelta, zone: ZoneInfo) -> datetime:
    """The instant of the change within a day that begins with one offset and ends with another."""
    low, high = 0, _DAY // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(day + middle * _SECOND, zone) == before:
            low = middle
        else:
            high = middle
    return day + high * _SECOND


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None  # a zone of the database always has one
    return offset
