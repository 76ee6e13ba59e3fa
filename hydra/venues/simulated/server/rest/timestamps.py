"""Times as the broker writes and reads them; inside, they are nanoseconds UTC.

The adapter (`hydra/venues/alpaca/times.py`) reads and writes them by code of its own, on purpose:
the local venue is what the adapter is tested on, and a mistake about the protocol that both sides
shared would be one that no test sees. Nor are they the same: a server reads what any client may
send, and writes as the broker does.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from hydra.trading.durations import SECOND
from hydra.trading.local_time import NEW_YORK

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?(Z|z|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class NotATime(ValueError):
    """The text is neither an RFC 3339 time nor a date."""


def rfc3339(at: int) -> str:
    """UTC with Z and up to nine decimals, without zeros at their end."""
    return f"{_clock_time(at, UTC)[:19]}{_fraction(at)}Z"


def rfc3339_or_none(at: int | None) -> str | None:
    """The same of what may not have happened."""
    return None if at is None else rfc3339(at)


def new_york_time(at: int) -> str:
    """The wall clock of New York with its offset from UTC, as the market's clock is told."""
    text = _clock_time(at, NEW_YORK)
    return f"{text[:19]}{_fraction(at)}{text[19:]}"


def date_at(at: int, zone: tzinfo) -> date:
    """The date in a zone at an instant."""
    return datetime.fromtimestamp(at // SECOND, zone).date()


def midnight(day: date, zone: tzinfo) -> int:
    """The instant at which a date begins in a zone."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (local - _EPOCH) // timedelta(seconds=1) * SECOND


def instant_of(text: str, zone: tzinfo) -> int:
    """Read an RFC 3339 time (without offset: UTC), or a date, which is its midnight in `zone`."""
    try:
        if _DATE.fullmatch(text):
            return midnight(date.fromisoformat(text), zone)
        found = _RFC_3339.fullmatch(text)
        if found is None:
            raise NotATime(text)
        day, clock_time, fraction, offset, sign, hours, minutes = found.groups()
        shift = UTC
        if offset is not None and sign is not None:
            away = timedelta(hours=int(hours), minutes=int(minutes))
            shift = timezone(away if sign == "+" else -away)
        moment = datetime.fromisoformat(f"{day}T{clock_time}").replace(tzinfo=shift)
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise NotATime(text) from error
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def day_of(text: str) -> date:
    """Read a date, or the date of a time as it is written."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise NotATime(text) from error


def _clock_time(at: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at // SECOND, zone).isoformat()


def _fraction(at: int) -> str:
    digits = f"{at % SECOND:09d}".rstrip("0")
    return f".{digits}" if digits else ""
