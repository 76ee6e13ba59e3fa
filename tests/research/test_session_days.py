import numpy as np

from hydra.research.session_days import SessionDays
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, HOUR
from tests.research.replays import OPEN, bar


def days_of(*bars: Bar) -> SessionDays:
    ends = np.unique(np.array([each.end_at for each in bars], np.int64))
    return SessionDays(sorted(bars, key=lambda each: each.end_at), ends)


def hourly(symbol: str, start: int, hours: int) -> list[Bar]:
    return [
        Bar(symbol, start + hour * HOUR, start + (hour + 1) * HOUR, 1.0, 1.0, 1.0, 1.0, 1.0)
        for hour in range(hours)
    ]


def test_shares_have_a_day_for_each_date_of_new_york_with_a_bar() -> None:
    days = days_of(bar(1.0), bar(1.0, 1), bar(1.0, day=1), bar(1.0, 2, day=4))

    assert days.dates == ("2026-01-05", "2026-01-06", "2026-01-09")
    assert days.last.tolist() == [1, 2, 3]
    assert days.per_year == 252


def test_coins_alone_have_the_days_of_utc_and_midnight_ends_one() -> None:
    midnight = OPEN - OPEN % DAY

    days = days_of(*hourly("BTC/USD", midnight - HOUR, 26))

    assert days.dates == ("2026-01-04", "2026-01-05", "2026-01-06")
    assert days.last.tolist() == [0, 24, 25]
    assert days.per_year == 365


def test_beside_shares_a_coins_night_and_weekend_belong_to_the_next_session() -> None:
    friday = OPEN - 3 * DAY
    coins = hourly("BTC/USD", friday, 5 * 24)
    shares = [*hourly("AAPL", friday, 1), *hourly("AAPL", OPEN, 1)]

    days = days_of(*coins, *shares)

    assert days.dates == ("2026-01-02", "2026-01-05")
    # Friday's session has the hours until midnight in New York, 05:00 in UTC; Monday's all others.
    assert days.last.tolist() == [13, 5 * 24 - 1]
    assert days.per_year == 252


def test_the_date_is_new_yorks_on_both_sides_of_a_change_of_the_clocks() -> None:
    sunday = 1_772_928_000_000_000_000  # 2026-03-08T00:00:00Z; at 07:00 the clocks go forward

    days = days_of(*hourly("AAPL", sunday, 48))

    assert days.dates == ("2026-03-07", "2026-03-08", "2026-03-09")
    # Midnight in New York is 05:00 in UTC before the change, 04:00 after it.
    assert days.last.tolist() == [4, 27, 47]


def test_without_bars_there_is_no_day() -> None:
    days = days_of()

    assert (days.dates, days.last.tolist(), days.per_year) == ((), [], 252)
