"""Which options are listed on a day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.market.listing import (
    expirations_of,
    strike_step,
    strikes_between,
)
from tests.venues.market.markets import CALENDAR, weekdays

GOOD_FRIDAY = weekdays("2026-03-01", "2027-06-30", closed=["2026-04-03", "2026-06-19"])


def test_the_next_five_fridays_and_the_third_fridays_of_a_year_are_listed() -> None:
    assert [day.isoformat() for day in expirations_of(date(2026, 1, 5), CALENDAR)] == [
        "2026-01-09", "2026-01-16", "2026-01-23", "2026-01-30", "2026-02-06",
        "2026-02-20", "2026-03-20", "2026-04-17", "2026-05-15", "2026-06-19", "2026-07-17",
        "2026-08-21", "2026-09-18", "2026-10-16", "2026-11-20", "2026-12-18",
    ]  # fmt: skip


def test_a_friday_without_a_session_is_replaced_by_its_thursday() -> None:
    expirations = expirations_of(date(2026, 3, 30), GOOD_FRIDAY)

    assert expirations[0] == date(2026, 4, 2)
    assert date(2026, 6, 18) in expirations
    assert date(2026, 6, 19) not in expirations


def test_on_its_day_an_expiration_is_listed_and_on_the_holiday_after_it_is_not() -> None:
    assert expirations_of(date(2026, 4, 2), GOOD_FRIDAY)[0] == date(2026, 4, 2)
    assert expirations_of(date(2026, 4, 3), GOOD_FRIDAY)[0] == date(2026, 4, 10)


@given(st.dates(date(2026, 1, 1), date(2026, 2, 28)), st.integers(1, 30))
def test_what_is_listed_once_stays_listed_until_it_expires(day: date, later: int) -> None:
    after = day + timedelta(days=later)

    before, now = expirations_of(day, CALENDAR), expirations_of(after, CALENDAR)

    assert {each for each in before if each >= after} <= set(now)
    assert list(now) == sorted(set(now))


@pytest.mark.parametrize(
    ("price", "step"),
    [(9.0, "0.5"), (25.0, "1"), (112.0, "1"), (200.0, "2.5"), (450.0, "2.5"), (2_919.0, "25")],
)
def test_strikes_are_further_apart_the_dearer_the_share_is(price: float, step: str) -> None:
    assert strike_step(price) == Decimal(step)


def test_strikes_lie_within_a_fifth_of_what_the_share_closed_at() -> None:
    strikes = list(strikes_between(10.0, 11.0, Decimal("0.5")))

    assert strikes[0] == Decimal("8.0")
    assert strikes[-1] == Decimal("13.0")
    assert len(strikes) == 11


def test_no_strike_is_zero() -> None:
    assert next(strikes_between(0.3, 0.4, Decimal("0.5")), None) is None
    assert list(strikes_between(0.5, 0.5, Decimal("0.5"))) == [Decimal("0.5")]
