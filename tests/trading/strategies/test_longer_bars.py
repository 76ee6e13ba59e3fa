"""A strategy on longer bars sees what the market's bars come to, each long one once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.longer_bars import LongerBars, OnLongerBars
from hydra.trading.strategies.strategy import Signal

OPEN_AT = 1_460_727_000_000_000_000
SESSION = ExchangeSession("2016-04-15", OPEN_AT, OPEN_AT + 100 * MINUTE, early_close=False)


class Noted:
    """Keeps the bars that it is shown, and says what it is told to, one after the other."""

    warm_up = 2

    def __init__(self, *signals: Signal | None) -> None:
        self.seen: list[Bar] = []
        self._signals = iter(signals)

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        self.seen.append(bar)
        return next(self._signals, None)


def minute(number: int, price: float = 100.0) -> Bar:
    at = OPEN_AT + number * MINUTE
    return Bar("AAPL", at, at + MINUTE, price, price + 1, price - 1, price + 0.5, 10.0)


def test_thirty_minutes_are_one_bar_from_the_open_on() -> None:
    noted = Noted()
    longer = LongerBars(noted, 30, 5)
    for number in range(70):
        longer.on_bar(minute(number, 100.0 + number), SESSION)

    first, second = noted.seen
    assert first == Bar("AAPL", OPEN_AT, OPEN_AT + 30 * MINUTE, 100.0, 130.0, 99.0, 129.5, 300.0)
    assert (second.start_at, second.end_at) == (OPEN_AT + 30 * MINUTE, OPEN_AT + 60 * MINUTE)


def test_an_entry_stands_until_the_next_long_bar_and_is_said_every_few_minutes() -> None:
    longer = LongerBars(Noted(Signal.ENTER_LONG, None), 30, 10)

    said = [longer.on_bar(minute(number), SESSION) for number in range(70)]

    assert [number + 1 for number, signal in enumerate(said) if signal] == [30, 40, 50]
    assert set(said) == {None, Signal.ENTER_LONG}


@pytest.mark.parametrize("last", [100, 95], ids=["", "its last minutes did not trade"])
def test_an_entry_of_the_last_bar_of_a_day_does_not_stand_in_the_next(last: int) -> None:
    longer = LongerBars(Noted(None, None, None, Signal.ENTER_LONG, None), 30, 10)
    for number in range(last):
        longer.on_bar(minute(number), SESSION)
    opens_at = OPEN_AT + 1440 * MINUTE
    monday = ExchangeSession("2016-04-18", opens_at, opens_at + 100 * MINUTE, early_close=False)

    said = {longer.on_bar(minute(1440 + number), monday) for number in range(60)}

    assert said == {None}


def test_where_no_market_closes_it_stands_over_midnight() -> None:
    longer = LongerBars(Noted(None, None, None, Signal.ENTER_LONG, None), 30, 10)
    for number in range(100):
        longer.on_bar(minute(number), SESSION)
    midnight = SESSION.close_at
    next_day = ExchangeSession("2016-04-16", midnight, midnight + 100 * MINUTE, early_close=False)

    said = [longer.on_bar(minute(100 + number), next_day) for number in range(60)]

    assert [number + 1 for number, signal in enumerate(said) if signal] == [10, 20]


def test_an_exit_is_said_once_and_at_once() -> None:
    longer = LongerBars(Noted(Signal.EXIT_LONG), 30, 10)

    said = [longer.on_bar(minute(number), SESSION) for number in range(70)]

    assert [number + 1 for number, signal in enumerate(said) if signal] == [30]


def test_a_long_bar_whose_last_minutes_did_not_trade_is_shown_with_the_next_bar() -> None:
    noted = Noted(Signal.EXIT_LONG)
    longer = LongerBars(noted, 30, 10)
    said = [longer.on_bar(minute(number), SESSION) for number in (*range(25), 33)]

    assert said[-1] is Signal.EXIT_LONG
    assert noted.seen[0].end_at == OPEN_AT + 25 * MINUTE


def test_the_last_bar_of_a_session_is_short_and_none_runs_over_its_end() -> None:
    noted = Noted()
    longer = LongerBars(noted, 30, 10)
    for number in range(100):
        longer.on_bar(minute(number), SESSION)

    assert [(bar.end_at - bar.start_at) // MINUTE for bar in noted.seen] == [30, 30, 30, 10]


@given(st.sets(st.integers(0, 99), min_size=1), st.sampled_from([(30, 5), (60, 15), (7, 7)]))
def test_no_bar_is_lost_and_none_is_counted_twice(
    numbers: set[int], intervals: tuple[int, int]
) -> None:
    noted = Noted()
    longer = LongerBars(noted, *intervals)
    bars = [minute(number) for number in sorted(numbers)]
    for bar in bars:
        longer.on_bar(bar, SESSION)
    longer.on_bar(minute(200), None)  # the next day's

    assert sum(bar.volume for bar in noted.seen) == sum(bar.volume for bar in bars)
    assert [bar.start_at for bar in noted.seen] == sorted({bar.start_at for bar in noted.seen})


@given(st.lists(st.floats(90, 110), min_size=40, max_size=99), st.integers(0, 98))
def test_a_fresh_one_that_was_shown_its_warm_up_goes_on_as_one_that_has_seen_all(
    prices: list[float], cut: int
) -> None:
    factory = OnLongerBars(STRATEGIES["placeholder_momentum_v1"], 5, 5)
    parameters = {"lookback_bars": 2, "threshold_pct": 0.1}
    bars = [minute(number, price) for number, price in enumerate(prices)]
    old, fresh = factory(parameters), factory(parameters)
    cut = min(cut, len(bars) - 1)
    for bar in bars[:cut]:
        old.on_bar(bar, SESSION)
    for bar in bars[:cut][-fresh.warm_up :]:
        fresh.on_bar(bar, SESSION)

    rest = [(old.on_bar(bar, SESSION), fresh.on_bar(bar, SESSION)) for bar in bars[cut:]]

    assert all(one == other for one, other in rest)


@pytest.mark.parametrize(("bar", "entry"), [(30, 7), (30, 0), (5, 30)])
def test_an_interval_that_does_not_divide_the_bar_is_refused(bar: int, entry: int) -> None:
    with pytest.raises(ValueError, match="wanted whole minutes"):
        LongerBars(Noted(), bar, entry)


def test_two_factories_of_the_same_are_equal_so_that_a_reload_sees_no_difference() -> None:
    factory = STRATEGIES["moving_average_cross"]

    assert OnLongerBars(factory, 30, 5) == OnLongerBars(factory, 30, 5)
    assert OnLongerBars(factory, 30, 5) != OnLongerBars(factory, 60, 5)
