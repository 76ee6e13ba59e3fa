from datetime import date

import pytest

from hydra.trading.durations import MINUTE
from hydra.trading.option_expiry import (
    days_to_expiry,
    expiry_allows_entry,
    flat_by,
    is_over,
    last_exit,
    last_session,
)
from hydra.trading.sessions import ExchangeSession, SessionTable
from tests.trading.coverage_parts import SESSIONS, instant
from tests.trading.market_data import rows_of, utc_ns


@pytest.mark.parametrize(
    ("expires", "flat", "last"),
    [
        ("2024-07-12", "2024-07-12 15:00", "2024-07-12 15:15"),
        # A half day closes three hours earlier, and so do both.
        ("2024-07-03", "2024-07-03 12:00", "2024-07-03 12:15"),
        # A holiday and a weekend: the session before it is the last.
        ("2024-07-04", "2024-07-03 12:00", "2024-07-03 12:15"),
        ("2024-07-13", "2024-07-12 15:00", "2024-07-12 15:15"),
    ],
)
def test_deadlines_are_counted_back_from_the_close_of_the_last_session(
    expires: str, flat: str, last: str
) -> None:
    day = date.fromisoformat(expires)

    assert flat_by(day, SESSIONS) == instant(flat)
    assert last_exit(day, SESSIONS) == instant(last)


@pytest.mark.parametrize("expires", ["2024-07-27", "2024-08-16", "2024-06-30"])
def test_where_the_calendar_does_not_reach_no_deadline_is_known(expires: str) -> None:
    day = date.fromisoformat(expires)

    assert last_session(day, SESSIONS) is None
    assert flat_by(day, SESSIONS) is None
    assert expiry_allows_entry(day, SESSIONS, instant("2024-07-02 11:00")) is not None
    assert last_session(day, SessionTable(())) is None


@pytest.mark.parametrize(
    ("at", "is_allowed"),
    [
        ("2024-07-11 15:59", True),
        ("2024-07-11 23:59", True),
        ("2024-07-12 00:00", False),
        ("2024-07-12 10:00", False),
        ("2024-07-15 10:00", False),
    ],
)
def test_there_is_no_entry_on_the_last_day_or_after_it(at: str, is_allowed: bool) -> None:
    found = expiry_allows_entry(date(2024, 7, 12), SESSIONS, instant(at))

    assert (found is None) is is_allowed
    # What expires on a Saturday trades on Friday for the last time.
    assert (expiry_allows_entry(date(2024, 7, 13), SESSIONS, instant(at)) is None) is is_allowed


def test_days_are_those_of_the_calendar_in_new_york() -> None:
    late = instant("2024-07-02 23:59")

    assert days_to_expiry(date(2024, 7, 12), late) == 10
    assert days_to_expiry(date(2024, 7, 12), late + MINUTE) == 9
    assert days_to_expiry(date(2024, 7, 1), late) == -1


def test_in_all_real_sessions_an_option_is_gone_before_half_past_three_i50() -> None:
    sessions = SessionTable(
        tuple(
            ExchangeSession(
                row["session"],
                utc_ns(row["open_utc"]),
                utc_ns(row["close_utc"]),
                row["early_close"] == "1",
            )
            for row in rows_of("calendar/XNYS_sessions_1993_2026.csv.gz")
            if row["session"] >= "2015"
        )
    )

    for session in sessions.sessions:
        day = date.fromisoformat(session.date)
        half_past_three = instant(f"{session.date} {'12' if session.early_close else '15'}:30")
        flat, last = flat_by(day, sessions), last_exit(day, sessions)
        assert flat is not None and last is not None
        assert session.open_at < flat < last < half_past_three < session.close_at


@pytest.mark.parametrize(
    ("expires", "at", "over"),
    [
        ("2024-07-12", "2024-07-12 15:59", False),
        ("2024-07-12", "2024-07-12 16:00", True),
        ("2024-07-03", "2024-07-03 13:00", True),  # a half day
        ("2024-07-04", "2024-07-03 12:59", False),
        ("2024-07-04", "2024-07-03 13:00", True),  # on a holiday: the session before it is the last
        ("2024-08-16", "2024-08-16 23:59", False),  # the calendar does not reach so far
        ("2024-08-16", "2024-08-17 00:00", True),
    ],
)
def test_a_contract_is_over_when_its_last_session_has_closed(
    expires: str, at: str, over: bool
) -> None:
    assert is_over(date.fromisoformat(expires), SESSIONS, instant(at)) is over
