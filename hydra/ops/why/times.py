"""Moments as people read and write them: UTC first, then the local time of the settings."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hydra.trading.durations import MILLISECOND, MINUTE, SECOND

LAST = "last"
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_HAS_SECONDS = re.compile(r"[T ]\d{2}:?\d{2}:?\d{2}", re.ASCII)


class BadMoment(ValueError):
    """What was written is no moment. One line for the operator."""


class When(msgspec.Struct, frozen=True):
    """A moment of market time, in UTC, in the local time of the settings, and in ns since 1970.

    The texts are cut to milliseconds.
    """

    utc: str
    local: str
    ns: int

    @property
    def words(self) -> str:
        """Both times, the local one with its date where that is another one."""
        local = self.local.removeprefix(f"{self.utc[:10]} ")
        return f"{self.utc} ({local})" if local else self.utc


class Asked(msgspec.Struct, frozen=True):
    """The stretch that somebody means by a moment: `14:32` is that whole minute. Both UTC ns."""

    begins_at: int
    ends_at: int


def when(ns: int, zone: ZoneInfo) -> When:
    """How the moment is told. One that no calendar has is told as the number it is."""
    try:
        at = datetime.fromtimestamp(ns // SECOND, UTC)
        local = at.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return When(f"{ns} ns", "", ns)
    ms = ns % SECOND // MILLISECOND
    fraction = f".{ms:03d}" if ms else ""
    return When(
        utc=f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z",
        local=f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local:%Z}",
        ns=ns,
    )


def asked_in(text: str, newest: int) -> Asked:
    """What is meant by `last`, by an ISO date and time, or by a time of the newest day; in UTC
    where it does not say otherwise. `newest` is when the record ends. Raises BadMoment.
    """
    if text == LAST:
        return Asked(newest, newest)
    clock = _CLOCK.fullmatch(text)
    try:
        if clock is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            day = datetime.fromtimestamp(newest // SECOND, UTC)
            at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
            length = SECOND if clock[3] else MINUTE
        else:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
            if len(text) <= len("2016-04-15"):
                raise ValueError("there is no time in it")
            length = _length_of(text, at)
        begins_at = _ns(at)
    except (ValueError, OverflowError) as error:
        raise BadMoment(
            f"found {text}, wanted a UTC time such as 2016-04-15T14:32 or 14:32 (of the newest"
            f" day on record), or {LAST}: {error}"
        ) from error
    return Asked(begins_at, begins_at + length - 1)


def _length_of(text: str, at: datetime) -> int:
    if at.microsecond:
        return 1_000
    return SECOND if _HAS_SECONDS.search(text) else MINUTE


def _ns(at: datetime) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (at - epoch) // timedelta(microseconds=1) * 1_000
