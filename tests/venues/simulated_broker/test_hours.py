"""What the clock allows, over the exchange's real sessions of many years."""

import csv
import gzip
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.hours import (
    MarketHours,
    Phase,
    extended_close,
    hours_at,
    may_close,
    may_open,
)
from tests.venues.simulated_broker.checks.situations import SESSIONS, instant

CALENDAR = (
    Path(__file__).resolve().parents[4]
    / "shared" / "market-data" / "calendar" / "XNYS_sessions_1993_2026.csv.gz"
)  # fmt: skip
NEEDS_CALENDAR = pytest.mark.skipif(
    not CALENDAR.exists(), reason=f"needs {CALENDAR.name} in ../shared/market-data"
)
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NEW_YORK = ZoneInfo("America/New_York")


@cache
def real_sessions() -> SessionTable:
    with gzip.open(CALENDAR, "rt") as lines:
        return SessionTable(
            tuple(
                ExchangeSession(
                    row["session"],
                    _ns(row["open_utc"]),
                    _ns(row["close_utc"]),
                    bool(int(row["early_close"])),
                )
                for row in csv.DictReader(lines)
            )
        )


def _ns(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) * SECOND


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC).astimezone(NEW_YORK)


INSTANTS = st.integers(_ns("1993-02-01T00:00:00Z") // SECOND, _ns("2026-12-01T00:00:00Z") // SECOND)


@NEEDS_CALENDAR
def test_each_real_session_has_its_phases() -> None:
    table = real_sessions()
    for session in table.sessions:
        opens, closes, ends = session.open_at, session.close_at, extended_close(session)
        phases = [
            hours_at(table, at).phase
            for at in (opens - 1, opens, closes - 1, closes, ends - 1, ends)
        ]
        after = Phase.CLOSED if session.early_close else phases[-1]
        assert phases == [
            Phase.PRE_MARKET, Phase.REGULAR, Phase.REGULAR,
            Phase.AFTER_HOURS, Phase.AFTER_HOURS, after,
        ], session.date  # fmt: skip
        assert local(ends).time() == (time(17) if session.early_close else time(20))


@NEEDS_CALENDAR
@settings(max_examples=150, deadline=None)
@given(INSTANTS)
def test_the_phase_is_what_the_wall_clock_and_the_day_say(second: int) -> None:
    at = second * SECOND

    hours = hours_at(real_sessions(), at)

    assert hours.phase is _phase_by_the_wall_clock(at)
    assert hours.is_open == (real_sessions().at(at) is not None)
    assert hours.date == local(at).date()


@NEEDS_CALENDAR
@settings(max_examples=100, deadline=None)
@given(INSTANTS)
def test_the_next_open_and_close_are_the_first_after_the_instant(second: int) -> None:
    at = second * SECOND
    near = [s for s in real_sessions().sessions if abs(s.open_at - at) < 20 * 24 * 60 * MINUTE]

    hours = hours_at(real_sessions(), at)

    assert hours.next_open == min(s.open_at for s in near if s.open_at > at)
    assert hours.next_close == min(s.close_at for s in near if s.close_at > at)


@NEEDS_CALENDAR
@settings(max_examples=100, deadline=None)
@given(INSTANTS, st.integers(0, 60), st.booleans())
def test_a_contract_that_cannot_be_closed_any_more_cannot_be_opened_either(
    second: int, days: int, closes_late: bool
) -> None:
    hours = hours_at(real_sessions(), second * SECOND)
    expiration = hours.date + timedelta(days=days)

    assert may_open(hours, expiration, closes_late) <= may_close(hours, expiration, closes_late)
    assert may_close(hours, expiration, closes_late=False) <= may_close(
        hours, expiration, closes_late=True
    )
    assert not may_close(hours, hours.date - timedelta(days=days + 1), closes_late=True)


@pytest.mark.parametrize(
    ("stamp", "takes_opg", "takes_cls"),
    [
        ("2026-11-23T09:27:59", True, True),
        ("2026-11-23T09:28", False, True),
        ("2026-11-23T15:49:59", False, True),
        ("2026-11-23T15:50", False, False),
        ("2026-11-23T18:59:59", False, False),
        ("2026-11-23T19:00", True, True),
        ("2026-11-27T12:49:59", False, True),  # a half day
        ("2026-11-27T12:50", False, False),
        ("2026-11-28T09:28", False, True),  # a Saturday
        ("2026-11-28T15:50", False, False),
        ("2026-11-28T19:00", True, True),
    ],
)
def test_orders_for_the_auctions_are_taken_in_their_windows(
    stamp: str, takes_opg: bool, takes_cls: bool
) -> None:
    hours = hours_at(SESSIONS, instant(stamp))

    assert (hours.takes_opg, hours.takes_cls) == (takes_opg, takes_cls)


@pytest.mark.parametrize(
    ("stamp", "expiration", "closes_late", "opens", "closes"),
    [
        ("2026-12-18T14:59:59", "2026-12-18", False, True, True),
        ("2026-12-18T15:00", "2026-12-18", False, False, True),
        ("2026-12-18T15:15", "2026-12-18", False, False, False),
        ("2026-12-18T15:14:59", "2026-12-18", True, True, True),
        ("2026-12-18T15:15", "2026-12-18", True, False, True),
        ("2026-12-18T15:30", "2026-12-18", True, False, False),
        ("2026-12-18T15:30", "2026-12-21", False, True, True),
        ("2026-12-18T08:00", "2026-12-18", False, True, True),
        ("2026-12-18T20:00", "2026-12-18", False, False, False),
        ("2026-12-19T12:00", "2026-12-18", False, False, False),
        ("2026-12-18T08:00", "2026-12-17", False, False, False),
        # Contracts that expire on a Saturday trade for the last time on Friday.
        ("2026-12-18T15:15", "2026-12-19", False, False, False),
        # Half days: everything as long before the close.
        ("2026-11-27T11:59:59", "2026-11-27", False, True, True),
        ("2026-11-27T12:00", "2026-11-27", False, False, True),
        ("2026-11-27T12:15", "2026-11-27", False, False, False),
        # The table ends with this day.
        ("2026-12-21T15:30", "2027-01-15", False, True, True),
        ("2026-12-21T15:30", "2026-12-21", False, False, False),
    ],
)
def test_an_expiring_contract_has_its_cut_offs(
    stamp: str, expiration: str, closes_late: bool, opens: bool, closes: bool
) -> None:
    hours = hours_at(SESSIONS, instant(stamp))
    day = date.fromisoformat(expiration)

    found = (may_open(hours, day, closes_late), may_close(hours, day, closes_late))

    assert found == (opens, closes)


def test_the_documented_clocks_come_out() -> None:
    weekend = hours_at(SESSIONS, instant("2026-11-21T11:00"))
    open_day = hours_at(SESSIONS, instant("2026-11-23T09:31:07"))
    monday, tuesday = SESSIONS.sessions[:2]

    assert weekend == MarketHours(
        at=instant("2026-11-21T11:00"),
        date=date(2026, 11, 21),
        phase=Phase.CLOSED,
        session=None,
        next_open=monday.open_at,
        next_close=monday.close_at,
        takes_opg=False,
        takes_cls=True,
    )
    assert (open_day.next_open, open_day.next_close) == (tuesday.open_at, monday.close_at)
    assert open_day.is_open and not weekend.is_open


def test_the_night_before_a_session_is_traded_and_the_night_before_a_holiday_is_not() -> None:
    phases = [
        hours_at(SESSIONS, instant(stamp)).phase
        for stamp in (
            "2026-11-22T20:00",  # Sunday
            "2026-11-23T03:59:59",
            "2026-11-25T20:00",  # the night before Thanksgiving
            "2026-11-26T03:00",
            "2026-11-26T20:00",
            "2026-11-27T17:00",  # after a half day
        )
    ]

    night, closed = Phase.OVERNIGHT, Phase.CLOSED
    assert phases == [night, night, closed, closed, night, closed]


def test_nothing_is_open_on_a_day_that_is_not_in_the_table() -> None:
    hours = hours_at(SessionTable(()), instant("2026-11-23T11:00"))

    assert (hours.phase, hours.session, hours.next_open, hours.next_close) == (
        Phase.CLOSED, None, None, None,
    )  # fmt: skip


def _phase_by_the_wall_clock(at: int) -> Phase:
    now = local(at)
    today = real_sessions().of_date(now.date().isoformat())
    tomorrow = real_sessions().of_date((now.date() + timedelta(days=1)).isoformat())
    if now.time() >= time(20):
        return Phase.OVERNIGHT if tomorrow else Phase.CLOSED
    if today is None:
        return Phase.CLOSED
    if now.time() < time(4):
        return Phase.OVERNIGHT
    if now < local(today.open_at):
        return Phase.PRE_MARKET
    if now < local(today.close_at):
        return Phase.REGULAR
    return Phase.AFTER_HOURS if now.time() < time(17) or not today.early_close else Phase.CLOSED
