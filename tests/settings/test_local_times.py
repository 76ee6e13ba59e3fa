"""Hours that some days have twice or not at all: no window may begin or end in them."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings.local_times import (
    FIRST_YEAR,
    LAST_YEAR,
    OpenDays,
    clock_changes,
    fault_of,
)
from tests.settings.fine import BOTS, ENGINE, refusals, spoilt

ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Dublin",
    "UTC",
)
NIGHTS_OF_TEN_YEARS = [
    # Both nights of each year in New York and Los Angeles, from the law of 2005.
    (year, month, first + (6 - date(year, month, first).weekday()))
    for year in range(2016, 2026)
    for month, first in ((3, 8), (11, 1))
]


def crypto(start: str, end: str = "23:58", until: str = "23:59") -> str:
    bots = spoilt(BOTS, 'trade_start: "00:00"', f'trade_start: "{start}"')
    bots = spoilt(bots, 'trade_end: "23:58"', f'trade_end: "{end}"')
    return spoilt(bots, 'manage_until: "23:59"', f'manage_until: "{until}"')


def printed(folder: Path, zone: str, bots: str) -> list[str]:
    engine = spoilt(ENGINE, "timezone: America/New_York", f"timezone: {zone}")
    return refusals(folder, engine=engine, bots=bots)


@pytest.mark.parametrize("year", range(2016, 2026))
@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles"])
def test_both_nights_of_ten_years_are_known_i50(zone: str, year: int) -> None:
    nights = [(y, m, d) for y, m, d in NIGHTS_OF_TEN_YEARS if y == year]

    found = [change for change in clock_changes(zone) if change.begins.year == year]

    (spring, autumn) = (date(*night) for night in nights)
    assert [(each.date_of(time(2, 30)), each.date_of(time(1, 30))) for each in found] == [
        (spring, None),
        (None, autumn),
    ]
    assert [each.is_skipped for each in found] == [True, False]


@pytest.mark.parametrize(
    ("zone", "clock", "what"),
    [
        ("America/Los_Angeles", "02:00", "is skipped in America/Los_Angeles on 2016-03-13"),
        ("America/Los_Angeles", "02:59", "is skipped in America/Los_Angeles on 2016-03-13"),
        ("America/Los_Angeles", "01:00", "comes twice in America/Los_Angeles on 2016-11-06"),
        ("America/Los_Angeles", "01:59", "comes twice in America/Los_Angeles on 2016-11-06"),
        ("Europe/Berlin", "02:30", "is skipped in Europe/Berlin on 2016-03-27"),
        ("America/Santiago", "00:00", "is skipped in America/Santiago on 2016-08-14"),
        ("Africa/Cairo", "00:00", "is skipped in Africa/Cairo on 2023-04-28"),
    ],
)
def test_a_window_that_begins_in_such_an_hour_is_refused_with_the_date_i50(
    tmp_path: Path, zone: str, clock: str, what: str
) -> None:
    (line,) = printed(tmp_path, zone, crypto(clock, "20:00", "21:00"))

    assert line.startswith(
        f"bots.yaml:84: cryptobot.session.trade_start: found {clock}, which {what} (and on "
    )
    assert line.endswith(
        ", as the clocks change; wanted a time that each day has once, or another system.timezone "
        "(UTC has no such days)"
    )


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/Los_Angeles", "00:00"),
        ("America/Los_Angeles", "00:59"),
        ("America/Los_Angeles", "03:00"),
        ("America/New_York", "00:00"),
        ("Asia/Tokyo", "02:30"),
        ("UTC", "02:30"),
    ],
)
def test_a_window_that_begins_at_a_time_of_every_day_is_fine_i50(
    tmp_path: Path, zone: str, start: str
) -> None:
    assert printed(tmp_path, zone, crypto(start)) == []


def test_the_whole_day_is_fine_where_midnight_is_on_every_day_i50(tmp_path: Path) -> None:
    assert printed(tmp_path, "America/Los_Angeles", crypto("00:00", "23:59", "23:59")) == []


def test_where_it_is_not_each_end_of_the_window_is_refused_i50(tmp_path: Path) -> None:
    # In Santiago the first hour of a day in spring is skipped, the last one in autumn repeated.
    lines = printed(tmp_path, "America/Santiago", crypto("00:00", "23:58", "23:59"))

    assert [line.split(", which")[0] for line in lines] == [
        "bots.yaml:84: cryptobot.session.trade_start: found 00:00",
        "bots.yaml:85: cryptobot.session.trade_end: found 23:58",
        "bots.yaml:86: cryptobot.session.manage_until: found 23:59",
    ]


def test_a_stock_window_is_not_open_on_the_nights_of_a_weekend_i50(tmp_path: Path) -> None:
    def stocks(start: str) -> str:
        day_bots = crypto("03:00", "20:00", "21:00")
        return spoilt(day_bots, 'trade_start: "09:40"', f'trade_start: "{start}"')

    assert printed(tmp_path, "America/New_York", stocks("02:30")) == []
    assert printed(tmp_path, "Europe/Berlin", stocks("02:30")) == []
    # In Cairo the clocks change in the night to Friday: in New York it is Thursday afternoon.
    (line,) = printed(tmp_path, "Africa/Cairo", stocks("00:30"))
    assert "optionsbot.session.trade_start: found 00:30, which is skipped in Africa/Cairo" in line


def test_a_zone_that_is_wrong_itself_is_told_once_i50(tmp_path: Path) -> None:
    assert printed(tmp_path, "America/Los_Angles", crypto("02:30")) == [
        (
            "settings.yaml:2: system.timezone: found 'America/Los_Angles', wanted a time zone such "
            "as America/New_York; did you mean America/Los_Angeles?"
        )
    ]


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(FIRST_YEAR, 1, 2), date(LAST_YEAR, 12, 30)),
    minute=st.integers(0, 24 * 60 - 1),
)
def test_what_is_accepted_is_once_on_every_day_i50(zone: str, day: date, minute: int) -> None:
    clock = time(minute // 60, minute % 60)
    if fault_of(clock, zone, OpenDays.EVERY_DAY) is not None:
        return

    instants = instants_of(datetime.combine(day, clock), zone)

    assert len(instants) == 1


@pytest.mark.parametrize("zone", ZONES)
def test_every_clock_change_skips_or_repeats_what_it_says_i50(zone: str) -> None:
    for change in clock_changes(zone):
        for at in (change.begins, change.ends - timedelta(minutes=1)):
            assert len(instants_of(at, zone)) == (0 if change.is_skipped else 2)
        for at in (change.begins - timedelta(minutes=1), change.ends):
            assert len(instants_of(at, zone)) == 1


def instants_of(local: datetime, zone: str) -> set[datetime]:
    """Every instant at which the clocks there show that time, found by trying."""
    instants = set()
    for fold in (0, 1):
        instant = local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
        if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
            instants.add(instant)
    return instants
