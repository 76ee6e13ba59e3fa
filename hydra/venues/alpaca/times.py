"""The broker's way of writing instants, and ours: RFC 3339 text and nanoseconds UTC.

The local venue has its own: `hydra/venues/simulated/server/rest/timestamps.py` says why.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from hydra.trading.durations import SECOND
from hydra.venues.alpaca.bad_answer import BadAnswer

_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?"
    r"(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S = -62_135_596_800
"""The beginning of the year 1, which some write where they mean that there is no time."""
_END_S = 9_214_646_400
"""The beginning of 2262, the year in which nanoseconds no longer fit into 64 bits."""


def nanoseconds(text: str) -> int:
    """The instant (UTC ns) that `2026-11-23T09:31:07.402118733-05:00` names, to the last digit.

    Trailing zeros of the fraction may be missing, and the fraction whole. Raises `BadAnswer`, also
    for what is before the year 1 or after 2261: `rfc3339` writes whatever this has read.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise BadAnswer(f"found the time {text[:40]!r}, wanted RFC 3339 with its offset")
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    fraction, sign, hours, minutes = found.group(7, 8, 9, 10)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        whole = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise BadAnswer(f"found the time {text[:40]!r}, and there is none such") from error
    if not _FIRST_S <= whole < _END_S:
        raise BadAnswer(f"found the time {text[:40]!r}, wanted one of the years 1 to 2261")
    return whole * SECOND + int((fraction or "0").ljust(9, "0"))


def rfc3339(at: int) -> str:
    """The instant `at` (UTC ns) as the broker reads it, with all nine digits of its fraction."""
    seconds, fraction = divmod(at, SECOND)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment.replace(tzinfo=None).isoformat()}.{fraction:09d}Z"
