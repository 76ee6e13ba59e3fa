from contextlib import suppress
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.local_time import NEW_YORK
from hydra.venues.simulated.server.rest.timestamps import (
    NotATime,
    date_at,
    day_of,
    instant_of,
    midnight,
    new_york_time,
    rfc3339,
)

AT = 1_795_444_267_402_118_733


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000_000))
def test_what_is_written_is_read_back_to_the_nanosecond(at: int) -> None:
    assert instant_of(rfc3339(at), UTC) == at
    assert instant_of(new_york_time(at), UTC) == at


def test_times_have_a_z_and_no_idle_zeros() -> None:
    assert rfc3339(AT) == "2026-11-23T14:31:07.402118733Z"
    assert rfc3339(AT - AT % 1_000_000_000) == "2026-11-23T14:31:07Z"
    assert new_york_time(AT) == "2026-11-23T09:31:07.402118733-05:00"


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2026-11-23T09:31:07-05:00", "2026-11-23T14:31:07Z"),
        ("2026-11-23T14:31:07", "2026-11-23T14:31:07Z"),
        ("2026-11-23 14:31:07.5z", "2026-11-23T14:31:07.5Z"),
        ("2026-11-23", "2026-11-23T05:00:00Z"),
        ("2026-07-01", "2026-07-01T04:00:00Z"),
    ],
)
def test_times_are_read_in_the_forms_that_clients_send(text: str, same_as: str) -> None:
    assert rfc3339(instant_of(text, NEW_YORK)) == same_as


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-23T14:31", "2026-02-30", "0000-01-01", "2026-11-23T25:00:00Z", "1795"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotATime):
        instant_of(text, UTC)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    for read in (lambda: instant_of(text, NEW_YORK), lambda: day_of(text)):
        with suppress(NotATime):
            read()


def test_days_begin_at_midnight_of_their_zone() -> None:
    day = date(2026, 11, 23)

    assert rfc3339(midnight(day, NEW_YORK)) == "2026-11-23T05:00:00Z"
    assert date_at(midnight(day, NEW_YORK), NEW_YORK) == day
    assert date_at(midnight(day, NEW_YORK) - 1, ZoneInfo("UTC")) == day
    assert date_at(midnight(day, NEW_YORK) - 1, NEW_YORK) == date(2026, 11, 22)
    assert day_of("2026-11-23T14:31:07Z") == day
