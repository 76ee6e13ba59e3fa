from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.strategies.placeholder_momentum import make
from hydra.trading.strategies.strategy import BadParameters, Signal
from tests.trading.market_data import MINUTE_NS, aapl_bars, aapl_rows, bars_of, utc_ns
from tests.trading.strategies.playing import played

CENTS = st.integers(9_900, 10_100)
ENTER = Signal.ENTER_LONG


def entries(bars: Sequence[Bar], **parameters: object) -> list[int]:
    """The numbers of the bars that gave a signal."""
    signals = played(make(parameters), bars)
    assert set(signals) <= {None, ENTER}
    return [number for number, signal in enumerate(signals) if signal is ENTER]


def entries_by_definition(
    closes: Sequence[Fraction], lookback_bars: int, threshold_pct: Fraction
) -> list[int]:
    reached = [
        number >= lookback_bars
        and (close - closes[number - lookback_bars]) * 100
        >= threshold_pct * closes[number - lookback_bars]
        for number, close in enumerate(closes)
    ]
    return [number for number, now in enumerate(reached) if now and not reached[number - 1]]


def test_it_enters_once_when_the_close_has_risen_enough() -> None:
    closes = [100.0, 100.0, 100.0, 100.19, 100.2, 100.5, 101.0]

    assert entries(bars_of(closes), lookback_bars=2) == [4]


def test_it_enters_again_after_momentum_was_below_the_threshold() -> None:
    closes = [100.0, 101.0, 101.0, 102.0, 103.0]

    assert entries(bars_of(closes), lookback_bars=1) == [1, 3]


def test_it_needs_a_close_to_look_back_at() -> None:
    closes = [100.0, 110.0, 120.0]

    assert entries(bars_of(closes), lookback_bars=3) == []


def test_a_rise_of_just_the_threshold_counts_although_floats_make_it_less() -> None:
    # (10.02 - 10) / 10 is 0.19999999999999574 percent in floats.
    assert entries(bars_of([10.0, 10.02]), lookback_bars=1, threshold_pct=0.2) == [1]
    assert entries(bars_of([10.0, 10.019999]), lookback_bars=1, threshold_pct=0.2) == []


@given(
    cents=st.lists(CENTS, max_size=30) | st.lists(CENTS, min_size=60, max_size=120),
    lookback_bars=st.integers(1, 20),
    threshold_hundredths=st.integers(1, 60),
)
def test_it_enters_where_the_definition_in_whole_cents_does(
    cents: list[int], lookback_bars: int, threshold_hundredths: int
) -> None:
    signaled = entries(
        bars_of([each / 100 for each in cents]),
        lookback_bars=lookback_bars,
        threshold_pct=threshold_hundredths / 100,
    )

    assert signaled == entries_by_definition(
        [Fraction(each) for each in cents], lookback_bars, Fraction(threshold_hundredths, 100)
    )


@pytest.mark.parametrize(
    "given",
    [
        {"lookback_bars": 0},
        {"lookback_bars": 1_001},
        {"threshold_pct": 0},
        {"threshold_pct": -0.2},
        {"threshold_pct": 101},
        {"threshold_pct": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused(given: dict[str, object]) -> None:
    (name,) = given

    with pytest.raises(BadParameters, match=rf"^placeholder_momentum_v1: parameter {name} is "):
        make(given)


def test_the_defaults_on_real_bars_of_aapl() -> None:
    rows, bars = aapl_rows(), aapl_bars()

    numbers = entries(bars)

    closes = [Fraction(row["close"]) for row in rows]
    assert numbers == entries_by_definition(closes, 10, Fraction("0.20"))
    assert len(numbers) == 135
    start_at = utc_ns("2016-04-15T17:41:00Z")
    assert bars[numbers[0]] == Bar(
        symbol="AAPL",
        start_at=start_at,
        end_at=start_at + MINUTE_NS,
        open=110.13,
        high=110.3,
        low=110.07,
        close=110.285,
        volume=190_915.0,
    )
