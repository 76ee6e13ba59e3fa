"""The clock of the stock market and the calendar of its sessions."""

from datetime import date, timedelta
from enum import Enum

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.hours import extended_close
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.routing import venue_of
from hydra.venues.simulated.server.rest.timestamps import new_york_time
from hydra.venues.simulated.server.rest.trading.queries import parameters_of

EXTENDED_OPEN = "0400"
_SATURDAY = 5


class DateType(Enum):
    """Which date of a session the calendar is asked by."""

    TRADING = "trading"
    SETTLEMENT = "settlement"


async def clock(request: Request) -> Response:
    """Regular hours only, told in New York's time."""
    venue = venue_of(request)
    return json_answer(clock_body(venue.at_present().sessions, venue.shown_time()))


async def calendar(request: Request) -> Response:
    """The sessions from `start` to `end`; other days are simply absent."""
    given = parameters_of(request)
    start, end = given.day("start"), given.day("end")
    by = given.choice("date_type", DateType) or DateType.TRADING
    rows = calendar_rows(venue_of(request).at_present().sessions)
    key = "date" if by is DateType.TRADING else "settlement_date"
    first = "" if start is None else start.isoformat()
    last = "9999-12-31" if end is None else end.isoformat()
    return json_answer([row for row in rows if first <= row[key] <= last])


def clock_body(sessions: SessionTable, at: int) -> dict[str, object]:
    """Beyond the last session that is known, what comes next is null."""
    current, following = sessions.at(at), sessions.next_after(at)
    closing = following if current is None else current
    return {
        "timestamp": new_york_time(at),
        "is_open": current is not None,
        "next_open": None if following is None else new_york_time(following.open_at),
        "next_close": None if closing is None else new_york_time(closing.close_at),
    }


def calendar_rows(sessions: SessionTable) -> list[dict[str, str]]:
    """All sessions, each settled in the one after it."""
    following = [session.date for session in sessions.sessions[1:]]
    if sessions.sessions:
        following.append(_next_weekday(sessions.sessions[-1].date))
    return [
        _row(session, settled)
        for session, settled in zip(sessions.sessions, following, strict=True)
    ]


def _row(session: ExchangeSession, settled: str) -> dict[str, str]:
    evening = new_york_time(extended_close(session))
    return {
        "date": session.date,
        "open": new_york_time(session.open_at)[11:16],
        "close": new_york_time(session.close_at)[11:16],
        "session_open": EXTENDED_OPEN,
        "session_close": evening[11:16].replace(":", ""),
        "settlement_date": settled,
    }


def _next_weekday(day: str) -> str:
    following = date.fromisoformat(day) + timedelta(days=1)
    while following.weekday() >= _SATURDAY:
        following += timedelta(days=1)
    return following.isoformat()
