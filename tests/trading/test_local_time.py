"""The clocks of New York, and the instants that they stand for."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import SECOND
from hydra.trading.local_time import in_new_york, instant, new_york_date, new_york_instant

INSTANTS = st.integers(0, 4_000_000_000 * SECOND)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("day", "clock_time", "at"),
    [
        (date(2026, 1, 5), time(9, 30), "2026-01-05T14:30:00Z"),
        (date(2026, 7, 6), time(9, 30), "2026-07-06T13:30:00Z"),
        (date(2026, 3, 8), time(), "2026-03-08T05:00:00Z"),
        (date(2026, 3, 9), time(), "2026-03-09T04:00:00Z"),
        (date(2026, 11, 1), time(1, 30), "2026-11-01T05:30:00Z"),  # and once more an hour later
    ],
)
def test_a_time_of_day_in_new_york_is_an_instant(day: date, clock_time: time, at: str) -> None:
    assert new_york_instant(day, clock_time) == ns(at)


@given(INSTANTS)
def test_what_the_clocks_there_show_is_that_instant_to_the_second(at: int) -> None:
    assert instant(in_new_york(at)) == at // SECOND * SECOND


@given(INSTANTS)
def test_a_date_there_is_from_midnight_to_midnight(at: int) -> None:
    day = new_york_date(at)

    begins, ends = (new_york_instant(each, time()) for each in (day, day + timedelta(days=1)))
    assert begins <= at < ends


@given(INSTANTS, st.integers(-23, 23))
def test_an_instant_is_the_same_by_whatever_clock(at: int, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))

    assert instant(datetime.fromtimestamp(at // SECOND, zone)) == instant(
        datetime.fromtimestamp(at // SECOND, UTC)
    )
