"""Where a bar of the history begins and ends."""

from datetime import UTC, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.market.rows import BadQuery
from hydra.venues.simulated.market.timeframes import Timeframe, Unit, zone_of
from tests.venues.market.markets import HOUR, MINUTE, NEW_YORK, ns

COUNTS = {
    Unit.MINUTE: range(1, 60),
    Unit.HOUR: range(1, 24),
    Unit.DAY: [1],
    Unit.WEEK: [1],
    Unit.MONTH: [1, 2, 3, 4, 6, 12],
}
TIMEFRAMES = [Timeframe(count, unit) for unit, counts in COUNTS.items() for count in counts]
TIMES = st.integers(ns("2015-01-01T00:00:00Z"), ns("2027-12-31T00:00:00Z"))


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("1Min", 1, Unit.MINUTE),
        ("59T", 59, Unit.MINUTE),
        ("1Hour", 1, Unit.HOUR),
        ("23H", 23, Unit.HOUR),
        ("1Day", 1, Unit.DAY),
        ("1D", 1, Unit.DAY),
        ("1Week", 1, Unit.WEEK),
        ("1W", 1, Unit.WEEK),
        ("12Month", 12, Unit.MONTH),
        ("3M", 3, Unit.MONTH),
    ],
)
def test_a_timeframe_is_read_in_its_long_and_its_short_form(
    text: str, count: int, unit: Unit
) -> None:
    assert Timeframe.parse(text) == Timeframe(count, unit)


@pytest.mark.parametrize(
    "text",
    ["", "Min", "0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "1Year", "1min", "-1Min",
     "1 Min", "1Minx", "1.5Min", "٣Min", "999Min"],
)  # fmt: skip
def test_what_is_no_timeframe_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match=r"^invalid timeframe: "):
        Timeframe.parse(text)


@pytest.mark.parametrize(
    ("text", "zone", "at", "start", "end"),
    [
        ("1Day", NEW_YORK, "2026-01-05T20:59:00Z", "2026-01-05T05:00:00Z", "2026-01-06T05:00:00Z"),
        ("1Day", NEW_YORK, "2026-07-06T20:59:00Z", "2026-07-06T04:00:00Z", "2026-07-07T04:00:00Z"),
        ("1Day", NEW_YORK, "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
        ("1Day", UTC, "2026-01-05T20:59:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
        ("5Min", NEW_YORK, "2026-01-05T14:34:59Z", "2026-01-05T14:30:00Z", "2026-01-05T14:35:00Z"),
        ("7Min", UTC, "2026-01-05T23:59:00Z", "2026-01-05T23:55:00Z", "2026-01-06T00:00:00Z"),
        ("1Hour", NEW_YORK, "2026-01-05T14:30:00Z", "2026-01-05T14:00:00Z", "2026-01-05T15:00:00Z"),
        ("4Hour", NEW_YORK, "2026-01-05T14:30:00Z", "2026-01-05T13:00:00Z", "2026-01-05T17:00:00Z"),
        ("4Hour", UTC, "2026-01-05T14:30:00Z", "2026-01-05T12:00:00Z", "2026-01-05T16:00:00Z"),
        ("1Week", NEW_YORK, "2026-01-09T14:30:00Z", "2026-01-05T05:00:00Z", "2026-01-12T05:00:00Z"),
        ("1Week", UTC, "2026-01-11T23:59:00Z", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"),
        ("1M", NEW_YORK, "2026-03-20T14:00:00Z", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"),
        ("3Month", UTC, "2026-12-31T23:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("4Month", UTC, "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-09-01T00:00:00Z"),
        ("12Month", UTC, "2026-05-31T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_bar_begins_where_the_day_the_week_or_the_month_does_i50(
    text: str, zone: tzinfo, at: str, start: str, end: str
) -> None:
    assert Timeframe.parse(text).around(ns(at), zone) == (ns(start), ns(end))


@given(st.sampled_from(TIMEFRAMES), st.sampled_from([UTC, NEW_YORK]), TIMES)
def test_every_instant_lies_in_one_bar_and_the_next_begins_where_it_ends(
    timeframe: Timeframe, zone: tzinfo, at: int
) -> None:
    start, end = timeframe.around(at, zone)

    assert start <= at < end
    assert timeframe.around(start, zone) == timeframe.around(end - 1, zone) == (start, end)
    assert timeframe.around(end, zone)[0] == end


def test_only_from_a_day_on_a_bar_is_shown_while_it_forms() -> None:
    forming = {timeframe.unit for timeframe in TIMEFRAMES if timeframe.shows_what_is_forming}

    assert forming == {Unit.DAY, Unit.WEEK, Unit.MONTH}
    assert Timeframe(59, Unit.MINUTE).length == 59 * MINUTE
    assert Timeframe(23, Unit.HOUR).length == 23 * HOUR


def test_a_coins_day_is_counted_in_utc_a_shares_and_an_options_in_new_york() -> None:
    assert [str(zone_of(each)) for each in ("BTC/USD", "AAPL", "AAPL260116C00100000")] == [
        "UTC",
        "America/New_York",
        "America/New_York",
    ]
