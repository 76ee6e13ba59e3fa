"""What all readers of bar files share: the row, its columns, its time stamp, its one-line fault."""

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hydra.trading.durations import DAY, MINUTE, SECOND

COLUMNS = ("ts_utc", "open", "high", "low", "close", "volume")
SESSION_COLUMN = "session"

Row: TypeAlias = tuple[int, int, float, float, float, float, float, str | None]
"""Number of the line or row, start of the bar (UTC ns), open, high, low, close, volume, session.

The session is None in a file without sessions. A plain tuple: a year has 98,280 of them.
"""


class BadData(ValueError):
    """A bar file that cannot be trusted. The message is one line: file, place, fault, remedy."""


def wanted_columns() -> str:
    """The header of a bar file, as an error message shows it."""
    return f"{','.join(COLUMNS)}[,{SESSION_COLUMN}]"


def start_of(text: str, midnights: dict[str, int]) -> int:
    """UTC nanoseconds of an ISO 8601 time on a whole minute that names its offset from UTC.

    `midnights` is the caller's memory of dates it has seen: parsing a date takes far longer than
    looking it up, and a file has few dates and many minutes. Raises ValueError with the fault.
    """
    if len(text) == 20 and text[10] == "T" and text[13] == ":" and text.endswith(":00Z"):
        midnight = midnights.get(text[:10])
        hour, minute = _HOURS.get(text[11:13]), _MINUTES.get(text[14:16])
        if midnight is not None and hour is not None and minute is not None:
            return midnight + hour + minute
    start_at = _parsed(text)
    if text.endswith("Z"):
        midnights[text[:10]] = start_at - start_at % DAY
    return start_at


def shown(text: str) -> str:
    """A piece of a file as an error message shows it: on one line, and not too much of it."""
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")


def shown_time(at: int) -> str:
    """UTC nanoseconds as ISO 8601, to the microsecond where there is a fraction."""
    moment = _EPOCH + timedelta(microseconds=at // 1000)
    return moment.isoformat().replace("+00:00", "Z")


_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.0+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_MAX = 2261
"""The last whole year whose nanoseconds fit into 64 bits."""
_HOURS = {f"{hour:02}": hour * 60 * MINUTE for hour in range(24)}
_MINUTES = {f"{minute:02}": minute * MINUTE for minute in range(60)}


def _parsed(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(_not_a_time(text))
    if match["zone"] is None:
        raise ValueError(
            f"found ts_utc {shown(text)} without a time zone; "
            "wanted Z or an offset such as -04:00 at its end"
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_not_a_time(text)) from None
    if not _EPOCH.year <= moment.year <= _YEAR_MAX:
        raise ValueError(
            f"found ts_utc {shown(text)}; wanted a year from {_EPOCH.year} to {_YEAR_MAX}"
        )
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND


def _not_a_time(text: str) -> str:
    return f"found ts_utc {shown(text)}; wanted a whole minute such as 2016-04-15T13:30:00Z"
