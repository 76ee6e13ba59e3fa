from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.strategies.moving_average_cross import make
from hydra.trading.strategies.strategy import BadParameters, Signal
from tests.trading.market_data import MINUTE_NS, aapl_bars, aapl_rows, bars_of, utc_ns
from tests.trading.strategies.playing import NO_SESSIONS, after_a_restart, numbered, played

STEPS = st.integers(-3, 3)
Signals = list[tuple[int, Signal]]


def signals_of(bars: Sequence[Bar], **parameters: object) -> Signals:
    """Each signal with the number of the bar that gave it."""
    return numbered(played(make(parameters), bars))


def signals_by_definition(closes: Sequence[Fraction], fast: int, slow: int) -> Signals:
    signals: Signals = []
    was_above, seen_at = None, 0
    for number in range(slow - 1, len(closes)):
        upto = closes[: number + 1]
        difference = sum(upto[-fast:]) * slow - sum(upto[-slow:]) * fast
        if difference == 0:
            continue
        is_above = difference > 0
        if was_above == (not is_above) and number - seen_at <= slow:
            signals.append((number, Signal.ENTER_LONG if is_above else Signal.EXIT_LONG))
        was_above, seen_at = is_above, number
    return signals


def test_it_enters_on_a_cross_upwards_and_leaves_on_a_cross_downwards() -> None:
    closes = [10.0, 9.0, 8.0, 7.0, 8.0, 9.0, 10.0, 9.0, 8.0, 7.0]

    signals = signals_of(bars_of(closes), fast_bars=1, slow_bars=3)

    assert signals == [(4, Signal.ENTER_LONG), (7, Signal.EXIT_LONG)]


def test_where_the_averages_stand_at_first_is_no_cross() -> None:
    assert signals_of(bars_of([1.0, 2.0, 3.0, 4.0, 5.0]), fast_bars=1, slow_bars=3) == []


def test_touching_is_not_crossing() -> None:
    closes = [10.0, 9.0, 8.0, 8.0, 8.0, 7.0]

    assert signals_of(bars_of(closes), fast_bars=1, slow_bars=2) == []


@pytest.mark.parametrize(
    ("closes", "signals"),
    [
        ([10.0, 9.0, 9.0, 10.0], [(3, Signal.ENTER_LONG)]),
        ([10.0, 9.0, 9.0, 9.0, 10.0, 9.0], [(5, Signal.EXIT_LONG)]),
    ],
)
def test_where_the_averages_stood_is_forgotten_after_as_many_equal_bars_as_the_slow_one_takes(
    closes: list[float], signals: Signals
) -> None:
    assert signals_of(bars_of(closes), fast_bars=1, slow_bars=2) == signals


def test_it_asks_for_the_bars_from_which_it_may_remember_where_the_averages_stood_i38() -> None:
    bars = bars_of([12.0, 11.0, 10.0, 9.0, 9.0, 10.0])
    strategy = make({"fast_bars": 1, "slow_bars": 2})

    assert strategy.warm_up == 3
    assert after_a_restart(strategy, bars, NO_SESSIONS, 5) == [Signal.ENTER_LONG]


def test_a_market_that_stops_moving_gives_no_signal_by_rounding() -> None:
    closes = [10.0, 10.1, 10.2, 10.4, 10.7, 10.7, 10.9, *[11.1] * 200]

    assert signals_of(bars_of(closes), fast_bars=3, slow_bars=7) == []


@given(
    steps=st.lists(STEPS, max_size=40) | st.lists(STEPS, min_size=80, max_size=160),
    fast_bars=st.integers(1, 12),
    more_bars=st.integers(1, 30),
)
def test_it_crosses_where_the_definition_in_whole_cents_does(
    steps: list[int], fast_bars: int, more_bars: int
) -> None:
    cents = [10_001 + sum(steps[: count + 1]) for count in range(len(steps))]
    slow_bars = fast_bars + more_bars

    signals = signals_of(
        bars_of([each / 100 for each in cents]), fast_bars=fast_bars, slow_bars=slow_bars
    )

    assert signals == signals_by_definition(
        [Fraction(each) for each in cents], fast_bars, slow_bars
    )


def test_the_fast_average_must_be_the_shorter_one() -> None:
    with pytest.raises(BadParameters) as caught:
        make({"fast_bars": 30, "slow_bars": 30})

    assert str(caught.value) == (
        "moving_average_cross: parameter fast_bars is 30 and slow_bars is 30: "
        "wanted fast_bars smaller than slow_bars"
    )


@pytest.mark.parametrize(
    "given", [{"fast_bars": 0}, {"slow_bars": 1}, {"slow_bars": 1_001}, {"fast_bars": 1.5}]
)
def test_parameters_out_of_range_are_refused(given: dict[str, object]) -> None:
    (name,) = given

    with pytest.raises(BadParameters, match=rf"^moving_average_cross: parameter {name} is "):
        make(given)


def test_the_defaults_on_real_bars_of_aapl() -> None:
    rows, bars = aapl_rows(), aapl_bars()

    signals = signals_of(bars)

    assert signals == signals_by_definition([Fraction(row["close"]) for row in rows], 10, 30)
    assert len(signals) == 200
    number, signal = signals[0]
    start_at = utc_ns("2016-04-15T14:31:00Z")
    assert (signal, bars[number]) == (
        Signal.ENTER_LONG,
        Bar(
            symbol="AAPL",
            start_at=start_at,
            end_at=start_at + MINUTE_NS,
            open=111.71,
            high=111.74,
            low=111.7,
            close=111.74,
            volume=26_831.0,
        ),
    )
