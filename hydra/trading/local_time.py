"""What the clocks on the wall show, and the instants (UTC ns) that they stand for."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from hydra.trading.durations import SECOND

NEW_YORK = ZoneInfo("America/New_York")
"""By whose clocks the exchanges' days go."""


def in_new_york(at: int) -> datetime:
    """Date and time in New York at an instant, to the second."""
    return datetime.fromtimestamp(at // SECOND, NEW_YORK)


def new_york_date(at: int) -> date:
    """The date in New York at an instant."""
    return in_new_york(at).date()


def new_york_instant(day: date, clock_time: time) -> int:
    """When the clocks of New York show this on that day; the first time where they do so twice."""
    return instant(datetime.combine(day, clock_time, NEW_YORK))


def instant(moment: datetime) -> int:
    """The instant of an aware date and time; what there is below a second is left out."""
    return int(moment.timestamp()) * SECOND
