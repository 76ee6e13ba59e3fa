"""What all readers of bar files share: rows and columns, the time stamp, the one-line fault."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from typing import TypeAlias, TypeVar

import msgspec

from hydra.trading.durations import DAY, MINUTE, SECOND

T = TypeVar("T")

AGAIN = "fetch or export the file again"
CORRECT = "correct the file or fetch it again"
"""What to do about a file that is damaged as a whole, and about one with a wrong row."""

COLUMNS = ("ts_utc", "open", "high", "low", "close", "volume")
SESSION_COLUMN = "session"

Row: TypeAlias = tuple[int, int, float, float, float, float, float, str | None]
"""Number of the line or row, start of the bar (UTC ns), open, high, low, close, volume, session.

The session is None in a file without sessions. A plain tuple: a year has 98,280 of them.
"""


class Columns(msgspec.Struct, frozen=True):
    """The same rows, column by column, which is how a million of them are checked in no time.

    Each has one value a row; `sessions` is None in a file without sessions.
    """

    numbers: Sequence[int]
    starts: list[int]
    opens: list[float]
    highs: list[float]
    lows: list[float]
    closes: list[float]
    volumes: list[float]
    sessions: list[str] | None = None

    def rows(self) -> Iterator[Row]:
        """One by one, to say which of them is at fault."""
        return zip(
            self.numbers,
            self.starts,
            self.opens,
            self.highs,
            self.lows,
            self.closes,
            self.volumes,
            repeat(None, len(self.starts)) if self.sessions is None else self.sessions,
            strict=True,
        )


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
    midnight, since_midnight = midnights.get(text[:10]), _CLOCK.get(text[10:])
    if midnight is not None and since_midnight is not None:
        return midnight + since_midnight
    start_at = _parsed(text)
    if text.endswith("Z"):
        midnights[text[:10]] = start_at - start_at % DAY
    return start_at


def starts_of(texts: Sequence[str], midnights: dict[str, int]) -> list[int]:
    """`start_of` each of them, in half the time where all dates are known already."""
    try:
        return [midnights[text[:10]] + _CLOCK[text[10:]] for text in texts]
    except KeyError:
        return [start_of(text, midnights) for text in texts]


def in_blocks(rows: Iterable[T]) -> Iterator[list[T]]:
    """A few hundred rows at a time, so that Python never stops to look for garbage among them.

    It does at 700 new lists or tuples, over and over in a file of a million rows, and finds none.
    """
    rest = iter(rows)
    while block := list(islice(rest, 512)):
        yield block


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
_CLOCK = {f"T{m // 60:02}:{m % 60:02}:00Z": m * MINUTE for m in range(24 * 60)}
"""What follows the date in the usual form of a time stamp, and how long after midnight that is."""


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
