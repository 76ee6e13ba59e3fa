"""When trading may happen: a bot's own window of the day, and the sessions of what it trades."""

import re
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from operator import attrgetter
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hydra.trading.durations import DAY, SECOND
from hydra.trading.instruments import is_crypto

_MINUTES_PER_DAY = 24 * 60
_SECONDS_PER_DAY = 60 * _MINUTES_PER_DAY
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class BadWindow(ValueError):
    """A trade window that cannot be understood. The message has one line for the operator."""


class BadSessionTable(ValueError):
    """Exchange sessions that overlap, run backwards, or are out of order."""


class Window(msgspec.Struct, frozen=True):
    """Times of day [start, end) on the wall clock of `zone`, in minutes after local midnight.

    `end_minute` <= `start_minute` crosses midnight. An instant is in the window if the wall clock
    then shows a time in it, so an hour that the clock repeats counts twice, and one that it skips
    not at all. Use `parse` to make one.
    """

    start_minute: int
    end_minute: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, start: str, end: str, zone: str) -> "Window":
        """Read "HH:MM" times and an IANA zone name; "00:00" to "23:59" means the whole day."""
        start_minute, end_minute = _minute_of_day("start", start), _minute_of_day("end", end)
        if start_minute == end_minute:
            raise BadWindow(
                f"trade window from {start} to {end} could mean nothing or a whole day; "
                "write 00:00 to 23:59 for the whole day"
            )
        if (start, end) == ("00:00", "23:59"):
            end_minute = _MINUTES_PER_DAY
        return cls(start_minute, end_minute, _zone(zone))

    def contains(self, at_ns: int) -> bool:
        """Whether the window is open at `at_ns` (UTC nanoseconds)."""
        local = datetime.fromtimestamp(at_ns // SECOND, self.zone)
        minute = local.hour * 60 + local.minute
        if self.start_minute < self.end_minute:
            return self.start_minute <= minute < self.end_minute
        return minute >= self.start_minute or minute < self.end_minute

    def contains_until(self, at_ns: int) -> tuple[bool, int]:
        """Whether it is open at `at_ns`, and an instant before which that does not change."""
        now = at_ns // SECOND
        local = datetime.fromtimestamp(now, self.zone)
        since_midnight = (local.hour * 60 + local.minute) * 60 + local.second
        bounds = (self.start_minute * 60, self.end_minute * 60)
        left = min((bound - since_midnight - 1) % _SECONDS_PER_DAY + 1 for bound in bounds)
        last = datetime.fromtimestamp(now + left - 1, self.zone)
        # Where the clocks are put forward or back meanwhile, only this second is sure.
        until = now + (left if last.utcoffset() == local.utcoffset() else 1)
        return self.contains(at_ns), until * SECOND


class ExchangeSession(msgspec.Struct, frozen=True):
    """One trading session of the exchange: open over [open_at, close_at), UTC nanoseconds.

    `date` is its ISO date at the exchange; `early_close` marks a half day.
    """

    date: str
    open_at: int
    close_at: int
    early_close: bool


class SessionTable(msgspec.Struct, frozen=True):
    """The exchange's sessions in order. What is not in the table is closed."""

    sessions: tuple[ExchangeSession, ...]

    def __post_init__(self) -> None:
        for session in self.sessions:
            if not session.open_at < session.close_at:
                raise BadSessionTable(f"session {session.date} closes before it opens")
        for earlier, later in zip(self.sessions, self.sessions[1:], strict=False):
            if not (earlier.date < later.date and earlier.close_at <= later.open_at):
                raise BadSessionTable(
                    f"session {later.date} does not follow {earlier.date}; sort them, each once"
                )

    def at(self, at_ns: int) -> ExchangeSession | None:
        """The session that is open at `at_ns`, if any."""
        index = bisect_right(self.sessions, at_ns, key=_open_at)
        if index == 0 or at_ns >= self.sessions[index - 1].close_at:
            return None
        return self.sessions[index - 1]

    def next_after(self, at_ns: int) -> ExchangeSession | None:
        """The first session that opens after `at_ns`; one that is open then is not it."""
        index = bisect_right(self.sessions, at_ns, key=_open_at)
        return self.sessions[index] if index < len(self.sessions) else None

    def of_date(self, date: str) -> ExchangeSession | None:
        """The session of an ISO date; None on a holiday, a weekend, or outside the table."""
        index = bisect_left(self.sessions, date, key=_date)
        if index == len(self.sessions) or self.sessions[index].date != date:
            return None
        return self.sessions[index]


NO_SESSIONS = SessionTable(())
"""Of a market that no exchange opens and closes."""


class Hours(Protocol):
    """When a market is open. `SessionTable` is the exchange's, `ROUND_THE_CLOCK` that of coins."""

    def at(self, at_ns: int) -> ExchangeSession | None:
        """The session that is open at `at_ns` (UTC ns), if any."""
        ...

    def next_after(self, at_ns: int) -> ExchangeSession | None:
        """The first session that opens after `at_ns`, if one is known."""
        ...

    def of_date(self, date: str) -> ExchangeSession | None:
        """The session of an ISO date, if there is one."""
        ...


class RoundTheClock(msgspec.Struct, frozen=True):
    """A market that never closes: each day of UTC is a session, and ends as the next one begins."""

    def at(self, at_ns: int) -> ExchangeSession:
        """The day in which `at_ns` lies."""
        opens = at_ns - at_ns % DAY
        return ExchangeSession(utc_date(opens), opens, opens + DAY, early_close=False)

    def next_after(self, at_ns: int) -> ExchangeSession:
        """The day after that."""
        return self.at(at_ns + DAY)

    def of_date(self, date: str) -> ExchangeSession | None:
        """That day; None: it is no date."""
        try:
            midnight = datetime.fromisoformat(date).replace(tzinfo=UTC)
        except ValueError:
            return None
        return self.at(int(midnight.timestamp()) * SECOND)


ROUND_THE_CLOCK = RoundTheClock()


def hours_of(symbol: str, exchange: SessionTable) -> Hours:
    """When this symbol trades: a coin round the clock, all else in the exchange's sessions."""
    return ROUND_THE_CLOCK if is_crypto(symbol) else exchange


def utc_date(at_ns: int) -> str:
    """The ISO date of an instant (UTC nanoseconds)."""
    return datetime.fromtimestamp(at_ns // SECOND, UTC).date().isoformat()


_open_at = attrgetter("open_at")
_date = attrgetter("date")


def _minute_of_day(which: str, text: object) -> int:
    # An object, because YAML 1.1 reads an unquoted 12:30 as the number 750, in base 60.
    found = _CLOCK_TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadWindow(
            f'trade window {which} is {text!r}, wanted a quoted time "HH:MM" from 00:00 to 23:59'
        )
    return int(found[1]) * 60 + int(found[2])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # Besides its own error, zoneinfo lets through those of opening a file under a strange name.
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise BadWindow(
            f"trade window zone is {name!r}, wanted an IANA name such as America/New_York"
        ) from error
