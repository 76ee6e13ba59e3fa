from hypothesis import example, given
from hypothesis import strategies as st

from hydra.trading.account_day import trading_day
from hydra.trading.durations import DAY, HOUR, MINUTE, SECOND
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.steady import SteadyHours, SteadyTradingDay, SteadyWindow
from tests.trading.market_data import MINUTE_NS

ZONES = st.sampled_from(
    ["UTC", "America/New_York", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
AROUND = st.integers(0, 400 * DAY).map(lambda ns: 1_700_000_000 * SECOND + ns)
SPRING_FORWARD = 1_710_054_000 * SECOND
"""2024-03-10 07:00 UTC: the clocks of New York go from 02:00 to 03:00."""


@given(ZONES, TIMES, TIMES, AROUND, st.floats(0, 1, exclude_max=True))
@example("America/New_York", "02:30", "04:00", SPRING_FORWARD - HOUR, 0.5)
@example("UTC", "00:00", "23:59", 1_700_000_000 * SECOND, 0.999)
def test_the_answer_of_a_window_holds_until_the_instant_that_it_names(
    zone: str, start: str, end: str, at: int, share: float
) -> None:
    if start == end:
        return
    window = Window.parse(start, end, zone)
    is_open, until = window.contains_until(at)

    assert until > at
    within = at + int((until - at) * share)
    assert window.contains(within) is is_open is window.contains(until - 1)


@given(ZONES, TIMES, TIMES, AROUND, st.lists(st.integers(-3 * HOUR, 5 * HOUR), max_size=40))
def test_a_steady_window_answers_as_the_window_does_also_when_asked_back(
    zone: str, start: str, end: str, at: int, steps: list[int]
) -> None:
    if start == end:
        return
    window = Window.parse(start, end, zone)
    steady = SteadyWindow(window)

    for step in steps:
        at += step
        assert steady.contains(at) is window.contains(at)


def test_a_window_is_asked_again_once_in_an_answer_and_not_at_every_minute() -> None:
    asked = []

    class Counting(Window, frozen=True):
        def contains_until(self, at_ns: int) -> tuple[bool, int]:
            asked.append(at_ns)
            return super().contains_until(at_ns)

    given_by = Window.parse("06:35", "09:30", "America/Los_Angeles")
    steady = SteadyWindow(Counting(given_by.start_minute, given_by.end_minute, given_by.zone))
    for minute in range(24 * 60):
        steady.contains(1_700_000_000 * SECOND + minute * MINUTE)

    assert len(asked) == 3  # where it begins, and at each of the two bounds


TABLE = SessionTable(
    (
        ExchangeSession("2026-01-05", 10 * MINUTE_NS, 20 * MINUTE_NS, early_close=False),
        ExchangeSession("2026-01-06", 20 * MINUTE_NS, 25 * MINUTE_NS, early_close=True),
        ExchangeSession("2026-01-07", 40 * MINUTE_NS, 50 * MINUTE_NS, early_close=False),
    )
)


@given(st.lists(st.integers(0, 60 * MINUTE_NS), max_size=60))
def test_steady_hours_answer_as_the_table_does_in_whatever_order(times: list[int]) -> None:
    steady = SteadyHours(TABLE)

    assert [steady.at(at) for at in times] == [TABLE.at(at) for at in times]


@given(st.lists(st.integers(0, 60 * MINUTE_NS), max_size=60))
def test_a_steady_trading_day_is_that_of_the_table_in_whatever_order(times: list[int]) -> None:
    steady = SteadyTradingDay(TABLE)

    assert [steady.of(at) for at in times] == [trading_day(TABLE, at) for at in times]
