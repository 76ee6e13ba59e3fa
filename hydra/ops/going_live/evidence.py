"""What a track record of paper shows of a configuration: pure, and missing is never shown."""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec

from hydra.ops.track_record.snapshots import Snapshot
from hydra.settings.section import VenueName

OPEN_SHARE_MIN = 0.5
"""So much of its session a day has to have been open for trading, with what is to be shown."""


class Wanted(msgspec.Struct, frozen=True):
    """So many sessions in a row, the newest no older than so many that have ended since."""

    in_a_row: int
    newest_within: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions in a row count, up to the newest, of which so many have ended since.

    `ends_at`: why the row is no longer, "": there is nothing before it. `newest` and `ended_since`
    None: there is no day at all.
    """

    in_a_row: int = 0
    newest: str | None = None
    ended_since: int | None = None
    ends_at: str = ""

    def shows(self, wanted: Wanted) -> bool:
        """Whether that is enough."""
        is_recent = self.ended_since is not None and self.ended_since <= wanted.newest_within
        return is_recent and self.in_a_row >= wanted.in_a_row


class Calendar(msgspec.Struct, frozen=True):
    """The dates of all sessions that have `ended`, in order, from before the first day on, and of
    the one that is `under_way`, if one is.
    """

    ended: tuple[str, ...]
    under_way: str | None = None

    def ended_since(self, day: str) -> int:
        """How many have ended after that day's own."""
        return sum(date > day for date in self.ended)


def evidence_of(
    days: Sequence[Snapshot], calendar: Calendar, tested: Container[str], *, up_to: str | None
) -> Evidence:
    """What these days show, the oldest first; one that is not over shows nothing yet.

    `tested` holds the configurations that are to be shown, or are looser than that
    (`Settings.traded_as`). `up_to`: what came after this day, and how long ago it is, does not
    count: it was enough then, and what followed was traded live. None: all counts.
    """
    over = [each for each in days if each.date != calendar.under_way]
    counted = [each for each in over if up_to is None or each.date <= up_to]
    if not counted:
        return Evidence()
    newest = counted[-1].date
    in_a_row, ends_at = 0, ""
    # Each session that has ended has to have its day: one that was left out may be a bad one.
    expected = [date for date in calendar.ended if date <= newest]
    for each in reversed(counted):
        session = expected.pop() if expected else None
        why = _why_no_day(each.date, session) or why_not(each, tested)
        if why is not None:
            ends_at = why if session is None else f"{session}: {why}"
            break
        in_a_row += 1
    return Evidence(
        in_a_row=in_a_row,
        newest=newest,
        ended_since=0 if newest == up_to else calendar.ended_since(newest),
        ends_at=ends_at,
    )


def _why_no_day(date: str, session: str | None) -> str | None:
    """Why the day is not that of this session; None: it is."""
    if date == session:
        return None
    if session is None or date > session:
        return f"the day {date} is none of a session that has ended"
    return "no snapshot"


def why_not(day: Snapshot, tested: Container[str]) -> str | None:
    """Why a day shows nothing; None: it counts."""
    if day.venue != VenueName.PAPER.value:
        return f"it is of venue {day.venue}"
    if day.unclean:
        return "; ".join(day.unclean)
    if not day.session_s or day.traded is None:
        return "not known for how long, and with which configuration, it could be traded"
    open_s = sum(each.open_s for each in day.traded if each.configuration in tested)
    if open_s >= OPEN_SHARE_MIN * day.session_s:
        return None
    of_any = sum(each.open_s for each in day.traded)
    with_it = "" if of_any == open_s else " with this configuration"
    return f"open for trading for {_minutes(open_s)} of {_minutes(day.session_s)}{with_it}"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min"
