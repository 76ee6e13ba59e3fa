from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.sessions import (
    ROUND_THE_CLOCK,
    BadSessionTable,
    BadWindow,
    ExchangeSession,
    SessionTable,
    Window,
    hours_of,
    utc_date,
)
from tests.trading.market_data import rows_of, utc_ns

NS = 1_000_000_000
MINUTES_PER_DAY = 24 * 60
YEARS = range(2016, 2026)


def sunday(year: int, month: int, number: int) -> date:
    """The first (1), second (2) or last (-1) Sunday of a month."""
    days = [date(year, month, 1) + timedelta(days=offset) for offset in range(28)]
    days += [days[-1] + timedelta(days=extra) for extra in range(1, 4)]
    return [day for day in days if day.month == month and day.weekday() == 6][
        number - 1 if number > 0 else number
    ]


def instant(day: date, hour_utc: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour_utc, tzinfo=UTC).timestamp())


# The tests know the rules of daylight saving time by themselves, not from the zone's data.
def changes_of(zone: str, year: int) -> list[tuple[int, int]]:
    """When clocks change in a year (UTC seconds), and the hours east of UTC from then on."""
    if zone == "Europe/Berlin":
        return [
            (instant(sunday(year, 3, -1), 1), 2),
            (instant(sunday(year, 10, -1), 1), 1),
        ]
    standard = {"America/New_York": -5, "America/Los_Angeles": -8}[zone]
    return [
        (instant(sunday(year, 3, 2), 2 - standard), standard + 1),
        (instant(sunday(year, 11, 1), 1 - standard), standard),
    ]


ZONES = ("America/New_York", "America/Los_Angeles", "Europe/Berlin")
CHANGES = {zone: [change for year in YEARS for change in changes_of(zone, year)] for zone in ZONES}


def local_minute(zone: str, at_s: int) -> int:
    index = bisect_right(CHANGES[zone], at_s, key=lambda change: change[0]) - 1
    hours = CHANGES[zone][index][1] if index >= 0 else CHANGES[zone][1][1]
    return (at_s + hours * 3600) // 60 % MINUTES_PER_DAY


def text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


MINUTES = st.integers(0, MINUTES_PER_DAY - 1)
NEAR_A_CHANGE = st.tuples(
    st.sampled_from([(zone, at) for zone in ZONES for at, _ in CHANGES[zone]]),
    st.integers(-26 * 3600, 26 * 3600),
).map(lambda drawn: (drawn[0][0], drawn[0][1] + drawn[1]))
ANY_TIME = st.tuples(
    st.sampled_from(ZONES),
    st.integers(instant(date(2016, 1, 1), 0), instant(date(2025, 12, 31), 0)),
)


@given(where_and_when=NEAR_A_CHANGE | ANY_TIME, start=MINUTES, end=MINUTES, part=st.integers(0, NS))
def test_a_window_is_open_when_the_wall_clock_shows_a_time_in_it(
    where_and_when: tuple[str, int], start: int, end: int, part: int
) -> None:
    zone, at_s = where_and_when
    if start == end or (text(start), text(end)) == ("00:00", "23:59"):
        end = (start + 1) % MINUTES_PER_DAY
    window = Window.parse(text(start), text(end), zone)

    shown = local_minute(zone, at_s)
    minutes_since_start = (shown - start) % MINUTES_PER_DAY
    length = (end - start) % MINUTES_PER_DAY
    assert window.contains(at_s * NS + min(part, NS - 1)) is (minutes_since_start < length)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", YEARS)
def test_on_the_nights_of_the_change_an_hour_is_missing_or_comes_twice_i50(
    zone: str, year: int
) -> None:
    window = Window.parse("00:00", "04:00", zone)
    spring, autumn = (at for at, _ in changes_of(zone, year))

    minutes_open = [
        sum(window.contains((change + minute * 60) * NS) for minute in range(-8 * 60, 8 * 60))
        for change in (spring, autumn)
    ]

    assert minutes_open == [3 * 60, 5 * 60]


def test_a_window_that_lies_in_the_missing_hour_does_not_open_that_night() -> None:
    window = Window.parse("02:10", "02:40", "America/New_York")
    spring, _ = (at for at, _ in changes_of("America/New_York", 2024))

    minutes_open = [
        sum(window.contains((spring + hours * 3600 + minute * 60) * NS) for minute in range(720))
        for hours in (-30, -6, 18)
    ]

    assert minutes_open == [30, 0, 30]


@pytest.mark.parametrize(
    ("start", "end", "open_at", "closed_at"),
    [
        ("06:35", "09:30", ["06:35:00", "09:29:59"], ["06:34:59", "09:30:00", "00:00:00"]),
        ("22:00", "02:00", ["22:00:00", "23:59:59", "00:00:00", "01:59:59"], ["02:00:00"]),
        ("18:00", "00:00", ["18:00:00", "23:59:59"], ["00:00:00", "17:59:59"]),
        ("00:00", "23:59", ["00:00:00", "12:00:00", "23:59:00", "23:59:59"], []),
        ("00:01", "23:59", ["00:01:00", "23:58:59"], ["00:00:59", "23:59:00"]),
        ("23:59", "00:00", ["23:59:00", "23:59:59"], ["00:00:00", "23:58:59"]),
    ],
)
def test_a_window_holds_its_start_and_not_its_end(
    start: str, end: str, open_at: list[str], closed_at: list[str]
) -> None:
    window = Window.parse(start, end, "America/Los_Angeles")

    # 2024-07-01 is summer: Los Angeles is seven hours behind.
    is_open = {
        clock: window.contains(utc_ns(f"2024-07-01T{clock}-07:00"))
        for clock in [*open_at, *closed_at]
    }

    assert is_open == dict.fromkeys(open_at, True) | dict.fromkeys(closed_at, False)


@pytest.mark.parametrize(
    "start",
    ["6:35", "06:5", "24:00", "06:60", "0635", " 06:35", "06:35\n", "٠٦:٣٥", "", "06:35:00"],
)
def test_only_a_time_of_two_digits_and_two_is_read(start: str) -> None:
    with pytest.raises(BadWindow) as caught:
        Window.parse(start, "09:30", "America/New_York")

    assert str(caught.value) == (
        f'trade window start is {start!r}, wanted a quoted time "HH:MM" from 00:00 to 23:59'
    )


def test_an_unquoted_time_of_yaml_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(BadWindow) as caught:
        Window.parse("06:35", 750, "America/New_York")  # type: ignore[arg-type]

    assert str(caught.value) == (
        'trade window end is 750, wanted a quoted time "HH:MM" from 00:00 to 23:59'
    )


def test_a_window_that_ends_where_it_starts_is_refused() -> None:
    with pytest.raises(BadWindow) as caught:
        Window.parse("09:30", "09:30", "America/New_York")

    assert str(caught.value) == (
        "trade window from 09:30 to 09:30 could mean nothing or a whole day; "
        "write 00:00 to 23:59 for the whole day"
    )


@pytest.mark.parametrize("zone", ["America/NewYork", "", "America", "../etc/passwd", None, "\0"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadWindow) as caught:
        Window.parse("06:35", "09:30", zone)

    assert str(caught.value) == (
        f"trade window zone is {zone!r}, wanted an IANA name such as America/New_York"
    )


def tables(count_max: int = 8) -> st.SearchStrategy[SessionTable]:
    """Tables of small numbers: sessions of some length with some pause before each."""
    gaps = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=count_max)

    def build(gaps_and_lengths: list[tuple[int, int]]) -> SessionTable:
        sessions, at = [], 0
        for number, (gap, length) in enumerate(gaps_and_lengths):
            at += gap
            sessions.append(ExchangeSession(f"2024-01-{number + 1:02}", at, at + length, False))
            at += length
        return SessionTable(tuple(sessions))

    return gaps.map(build)


@given(table=tables(), at=st.integers(-2, 70))
def test_a_table_answers_as_looking_at_every_session_would(table: SessionTable, at: int) -> None:
    open_now = [one for one in table.sessions if one.open_at <= at < one.close_at]
    later = [one for one in table.sessions if one.open_at > at]

    assert table.at(at) == (open_now[0] if open_now else None)
    assert table.next_after(at) == (later[0] if later else None)


@given(table=tables(), number=st.integers(0, 31))
def test_a_date_finds_its_session_or_none(table: SessionTable, number: int) -> None:
    date_wanted = f"2024-01-{number:02}"

    of_that_date = [one for one in table.sessions if one.date == date_wanted]
    assert table.of_date(date_wanted) == (of_that_date[0] if of_that_date else None)


@pytest.mark.parametrize(
    ("sessions", "complaint"),
    [
        (
            (ExchangeSession("2024-01-02", 5, 5, False),),
            "session 2024-01-02 closes before it opens",
        ),
        (
            (
                ExchangeSession("2024-01-03", 10, 15, False),
                ExchangeSession("2024-01-02", 0, 5, False),
            ),
            "session 2024-01-02 does not follow 2024-01-03; sort them, each once",
        ),
        (
            (
                ExchangeSession("2024-01-02", 0, 11, False),
                ExchangeSession("2024-01-03", 10, 15, False),
            ),
            "session 2024-01-03 does not follow 2024-01-02; sort them, each once",
        ),
        (
            (
                ExchangeSession("2024-01-02", 0, 5, False),
                ExchangeSession("2024-01-02", 10, 15, False),
            ),
            "session 2024-01-02 does not follow 2024-01-02; sort them, each once",
        ),
    ],
)
def test_a_table_out_of_order_is_refused(
    sessions: tuple[ExchangeSession, ...], complaint: str
) -> None:
    with pytest.raises(BadSessionTable) as caught:
        SessionTable(sessions)

    assert str(caught.value) == complaint


def test_the_real_sessions_of_new_york() -> None:
    table = SessionTable(
        tuple(
            ExchangeSession(
                row["session"],
                utc_ns(row["open_utc"]),
                utc_ns(row["close_utc"]),
                row["early_close"] == "1",
            )
            for row in rows_of("calendar/XNYS_sessions_1993_2026.csv.gz")
        )
    )

    # The day after Thanksgiving 2024 is a half day, Thanksgiving itself a holiday.
    half_day = ExchangeSession(
        "2024-11-29", utc_ns("2024-11-29T09:30:00-05:00"), utc_ns("2024-11-29T13:00:00-05:00"), True
    )
    assert table.of_date("2024-11-28") is None
    assert table.next_after(utc_ns("2024-11-28T09:30:00-05:00")) == half_day
    assert table.at(half_day.close_at - 1) == half_day
    assert table.at(half_day.close_at) is None
    assert [one for one in table.sessions if table.at(one.open_at) != one] == []
    assert len(table.sessions) == 8_558


A_DAY = 24 * 3600 * NS
SESSION = ExchangeSession("2024-01-02", 14 * 3600 * NS, 21 * 3600 * NS, False)


@given(st.integers(0, 4 * 10**18))
def test_a_coin_always_trades_in_the_utc_day_and_the_next_follows_without_a_gap_i43(
    at: int,
) -> None:
    today, tomorrow = ROUND_THE_CLOCK.at(at), ROUND_THE_CLOCK.next_after(at)

    assert today.open_at <= at < today.close_at == tomorrow.open_at
    assert today.close_at - today.open_at == A_DAY
    assert (today.date, today.early_close) == (utc_date(at), False)
    assert ROUND_THE_CLOCK.of_date(today.date) == today


@pytest.mark.parametrize("text", ["", "monday", "2024-02-30"])
def test_of_what_is_no_date_there_is_no_day(text: str) -> None:
    assert ROUND_THE_CLOCK.of_date(text) is None


@pytest.mark.parametrize(
    ("symbol", "hour", "trades"),
    [
        ("AAPL", 15, True),
        ("AAPL", 22, False),
        ("SPY260116C00500000", 15, True),
        ("SPY260116C00500000", 22, False),
        ("BTC/USD", 15, True),
        ("BTC/USD", 22, True),
    ],
)
def test_a_symbol_has_the_hours_of_its_kind_whatever_else_is_traded_i43(
    symbol: str, hour: int, trades: bool
) -> None:
    hours = hours_of(symbol, SessionTable((SESSION,)))

    assert (hours.at(hour * 3600 * NS) is not None) is trades
