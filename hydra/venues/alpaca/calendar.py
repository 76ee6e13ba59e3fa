"""The broker's calendar, held against the engine's: the days that the two keep otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, time, timedelta

import msgspec

from hydra.trading.echo import words
from hydra.trading.local_time import in_new_york
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.outcomes import Ok, describe
from hydra.venues.alpaca.payloads import SessionPayload, read_sessions
from hydra.venues.alpaca.reads import ReadFailed, get

REACH = timedelta(days=7)
PATH = "/v2/calendar"
HOURS = "%H:%M"
SHUT = "shut"


class PartedDay(msgspec.Struct, frozen=True, kw_only=True):
    """A date (ISO) that the broker keeps otherwise than we do; the hours are New York's."""

    date: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.date}: the venue's is {self.theirs}, ours {self.ours}"


class CalendarSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker's calendar said of the dates from `first` to `last` (ISO, both included)."""

    first: str
    last: str
    parted: tuple[PartedDay, ...]
    """In order."""
    coming: str
    """Its next session, in words."""

    def tells_of(self, day: str) -> bool:
        """Whether it was asked about that date."""
        return self.first <= day <= self.last

    def parted_on(self, day: str) -> PartedDay | None:
        """What is otherwise on that date; None: nothing, as far as it was asked."""
        return next((each for each in self.parted if each.date == day), None)


def seen_calendar(
    calls: Calls, ours: Callable[[str, str], SessionTable], today: date, deadline: float
) -> CalendarSeen:
    """Ask the broker about the week from `today` (New York's date) on, by `deadline` (monotonic,
    s). `ours` are the sessions that the engine goes by, at least from one ISO date to another.

    Raises `ReadFailed` and `BadAnswer`.
    """
    first, last = today.isoformat(), (today + REACH).isoformat()
    request = get(PATH, {"start": first, "end": last})
    outcome = calls.call(request, read_sessions, Use.RECONCILE, deadline=deadline)
    if not isinstance(outcome, Ok):
        raise ReadFailed(f"GET {PATH}: {describe(outcome)}")
    sessions = outcome.value
    theirs = _hours_of(each for each in sessions if first <= each.date <= last)
    if not theirs:
        raise BadAnswer("it has no session within a week")
    mine = _our_hours(each for each in ours(first, last).sessions if first <= each.date <= last)
    coming = sessions[0]
    return CalendarSeen(
        first=first,
        last=last,
        parted=tuple(
            PartedDay(date=day, theirs=theirs.get(day, SHUT), ours=mine.get(day, SHUT))
            for day in sorted({*theirs, *mine})
            if theirs.get(day) != mine.get(day)
        ),
        coming=f"{words(coming.date)}, {words(coming.open)}–{words(coming.close)}",
    )


def _hours_of(sessions: Iterable[SessionPayload]) -> dict[str, str]:
    """By date, in New York's time. Raises `BadAnswer`."""
    found = {}
    for each in sessions:
        try:
            opens, closes = map(time.fromisoformat, (each.open, each.close))
            day = date.fromisoformat(each.date)
        except ValueError as error:
            hours = f"{words(each.open)}–{words(each.close)} of {words(each.date)}"
            raise BadAnswer(f"found the hours {hours}, wanted HH:MM") from error
        found[day.isoformat()] = f"{opens:{HOURS}}–{closes:{HOURS}}"
    return found


def _our_hours(sessions: Iterable[ExchangeSession]) -> dict[str, str]:
    return {
        each.date: f"{in_new_york(each.open_at):{HOURS}}–{in_new_york(each.close_at):{HOURS}}"
        for each in sessions
    }
