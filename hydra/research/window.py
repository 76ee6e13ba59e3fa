"""The window of a replay: which part of the data is played, always `[start, end)` in UTC.

What is asked for comes as text from the command line (`window_of`); what it means for the data at
hand is settled when that is read (`AskedWindow.over`). No clock is asked: the same words and the
same data are the same window on any day. Every refusal is one line.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from hydra.trading.durations import DAY, HOUR, MINUTE, SECOND
from hydra.trading.local_time import instant
from hydra.venues.bar_rows import shown

START_KEY = "HYDRA_REPLAY_START"
END_KEY = "HYDRA_REPLAY_END"
"""The keys of the environment that stand for `--start` and `--end`, where that is allowed."""

REQUIRED = "requires either --window or --start and --end"


class BadReplayWindow(ValueError):
    """No window to replay. The message is one line: what was found, wanted, and what to do."""


class ReplayWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed: `[start, end)` in UTC ns.

    `timezone_label` is the zone in which it was asked for, for whoever reads it later.
    """

    start: int
    end: int
    timezone_label: str

    @property
    def start_utc(self) -> str:
        """The first instant of it, ISO 8601."""
        return _iso(self.start)

    @property
    def end_utc(self) -> str:
        """The first instant after it, ISO 8601."""
        return _iso(self.end)

    @property
    def facts(self) -> dict[str, str]:
        """As it stands in provenance and metrics."""
        return {
            "start_utc": self.start_utc,
            "end_utc": self.end_utc,
            "timezone_label": self.timezone_label,
        }


class DataSpan(msgspec.Struct, frozen=True, kw_only=True):
    """From the start of the data's first bar to the end of its last one, UTC ns."""

    start: int
    end: int

    @property
    def anchor(self) -> int:
        """The first midnight of UTC at or after the end of the last bar: there a duration ends."""
        return -(-self.end // DAY) * DAY

    @property
    def days(self) -> int:
        """How many whole days back from the anchor have all of the data."""
        return -((self.start - self.anchor) // DAY)

    @property
    def told(self) -> str:
        """For people."""
        return f"the data go from {_iso(self.start)} to {_iso(self.end)}"


class AskedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, well formed: two bounds, a duration, or neither of them.

    `environment_keys` are those that were used, to be logged.
    """

    timezone_label: str
    bounds: tuple[int, int] | None = None
    duration: int | None = None
    duration_text: str = ""
    environment_keys: tuple[str, ...] = ()

    def over(self, span: DataSpan) -> ReplayWindow:
        """The window over these data. A duration ends at their anchor, never today.

        Raises `BadReplayWindow`, of a window that lies beside the data, and where none was asked.
        """
        if self.duration is not None:
            start, end = span.anchor - self.duration, span.anchor
            if start < 0:
                raise BadReplayWindow(
                    f"found --window {self.duration_text}, which reaches back before 1970; wanted "
                    f"less; {_all_of(span)}"
                )
        elif self.bounds is not None:
            start, end = self.bounds
        else:
            raise BadReplayWindow(f"found no window; {REQUIRED}; {span.told}; {_all_of(span)}")
        window = ReplayWindow(start=start, end=end, timezone_label=self.timezone_label)
        if end <= span.start or span.end <= start:
            raise without_bars(window, span)
        return window


def window_of(
    *,
    start: str | None = None,
    end: str | None = None,
    window: str | None = None,
    tz: str = "UTC",
    environment: Mapping[str, str] | None = None,
) -> AskedWindow:
    """What the command line asks for, checked as far as that is possible without data.

    `start` and `end` are dates (`2024-03-25`: that day's midnight, so the end is exclusive) or
    times (`2024-06-01T09:30:00-04:00`); an offset counts, and what has none is of the zone `tz`.
    `window` is an ISO 8601 duration of weeks, or of days, hours, minutes and seconds; a day of it
    has 24 hours. `environment` is given where its keys may stand in for a window that is not
    given. Raises `BadReplayWindow`.
    """
    zone = _zone_named(tz)
    keys: tuple[str, ...] = ()
    names = ("--start", "--end")
    if start is None and end is None and window is None and environment is not None:
        names = (START_KEY, END_KEY)
        start, end = (environment.get(key) or None for key in names)
        keys = names if start is not None or end is not None else ()
    if window is not None and (start is not None or end is not None):
        given = " and ".join(
            name for name, text in zip(names, (start, end), strict=True) if text is not None
        )
        raise BadReplayWindow(f"found --window with {given}; {REQUIRED}, not both; take one away")
    if window is not None:
        duration = _duration_of(window)
        return AskedWindow(timezone_label=tz, duration=duration, duration_text=window)
    if start is None and end is None:
        return AskedWindow(timezone_label=tz)
    if start is None or end is None:
        given, missing = names if end is None else reversed(names)
        raise BadReplayWindow(f"found {given} without {missing}; {REQUIRED}; add {missing}")
    bounds = _instant_of(names[0], start, zone), _instant_of(names[1], end, zone)
    _require_order(names, (start, end), bounds)
    return AskedWindow(timezone_label=tz, bounds=bounds, environment_keys=keys)


def without_bars(window: ReplayWindow, span: DataSpan) -> BadReplayWindow:
    """The refusal of a window in which the data have no whole bar."""
    return BadReplayWindow(
        f"found no bar in the window from {window.start_utc} to {window.end_utc}; wanted some; "
        f"{span.told}; {_all_of(span)}, or choose a part of that"
    )


def _all_of(span: DataSpan) -> str:
    return f"--window P{span.days}D takes all of them"


def _require_order(names: tuple[str, ...], texts: tuple[str, str], bounds: tuple[int, int]) -> None:
    start, end = bounds
    if start < end:
        return
    found = f"found {names[0]} {texts[0]} ({_iso(start)}) and {names[1]} {texts[1]} ({_iso(end)})"
    if start == end:
        raise BadReplayWindow(
            f"{found}, which is an empty window; wanted an end after the start, and not in it; "
            f"give a later {names[1]}: for the whole of a day, the day after it"
        )
    raise BadReplayWindow(
        f"{found}, which runs backwards; wanted an end after the start; exchange the two"
    )


def _duration_of(text: str) -> int:
    """The length in ns of an ISO 8601 duration without years and months. Raises."""
    if _LONG_DURATION.fullmatch(text):
        raise BadReplayWindow(
            f"found --window {text} with years or months, which have no one length; wanted weeks, "
            "days or less; write P30D or P365D, or give --start and --end"
        )
    if text.startswith("-") and _DURATION.fullmatch(text[1:]):
        raise BadReplayWindow(
            f"found --window {text}, which is negative; wanted how far to go back from the end of "
            f"the data; write {text[1:]}"
        )
    found = _DURATION.fullmatch(text)
    parts = [] if found is None else [int(part or 0) for part in found.groups()]
    if not parts:
        raise BadReplayWindow(
            f"found --window {shown(text)}; wanted an ISO 8601 duration in whole numbers of at "
            "most five digits, such as P45D, P2W or PT12H; correct it"
        )
    duration = sum(part * unit for part, unit in zip(parts, _UNITS, strict=True))
    if not duration:
        raise BadReplayWindow(
            f"found --window {text}, which is no time at all; wanted more; write P1D for a day"
        )
    return duration


def _instant_of(name: str, text: str, zone: ZoneInfo) -> int:
    """The instant (UTC ns) of a date or a time. Raises."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise _malformed(name, text)
    year = int(found["year"])
    if not _YEAR_MIN <= year <= _YEAR_MAX:
        raise BadReplayWindow(
            f"found {name} {text}; wanted a year from {_YEAR_MIN} to {_YEAR_MAX}; correct it"
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _malformed(name, text) from None
    if moment.tzinfo is None:
        moment = _in_zone(name, text, moment, zone)
    return instant(moment)


def _in_zone(name: str, text: str, local: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of the zone show at that time once, and only once. Raises otherwise."""
    earlier, later = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    if earlier.utcoffset() == later.utcoffset():
        return earlier
    what = f"{text}, {'whose midnight' if len(text) == len('2024-03-25') else 'which'}"
    # Python reads a time that the clocks leave out by the offset before the change, and one that
    # they show twice by the first: either would move the window by an hour without a word.
    if earlier.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise BadReplayWindow(
            f"found {name} {what} does not exist in {zone.key}, where the clocks leave it out; "
            f"wanted a time that does; write {earlier.isoformat()}, or another"
        )
    raise BadReplayWindow(
        f"found {name} {what} happens twice in {zone.key}; wanted to know which is meant; "
        f"write {earlier.isoformat()} or {later.isoformat()}"
    )


def _malformed(name: str, text: str) -> BadReplayWindow:
    return BadReplayWindow(
        f"found {name} {shown(text)}; wanted a date such as 2024-03-25, or a time such as "
        "2024-06-01T09:30:00-04:00; correct it"
    )


def _zone_named(name: str) -> ZoneInfo:
    # Whatever lies among the machine's zones can be opened by its name: ones with leap seconds,
    # and "localtime", which is another on the next machine.
    if name != "UTC" and name not in _zones():
        raise BadReplayWindow(
            f"found --tz {shown(name)}; wanted an IANA name such as America/New_York; correct it"
        )
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _iso(at: int) -> str:
    """UTC nanoseconds as ISO 8601, to the second, as all bounds are."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()


_YEAR_MIN, _YEAR_MAX = 1970, 2261
"""As far as bars go."""
_TIME = re.compile(
    r"(?P<year>[0-9]{4})-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.0{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2}(?::[0-9]{2})?)?)?"
)
_DURATION = re.compile(
    r"P(?=.)(?:([0-9]{1,5})W|(?:([0-9]{1,5})D)?(?:T(?=.)(?:([0-9]{1,5})H)?(?:([0-9]{1,5})M)?"
    r"(?:([0-9]{1,5})S)?)?)"
)
_UNITS = (7 * DAY, DAY, HOUR, MINUTE, SECOND)
_LONG_DURATION = re.compile(r"-?P(?=[^T]*[YM])[0-9YMWDTHS]{2,40}")
