import math
import statistics
import tracemalloc
from collections.abc import Callable
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.indicators import (
    VALUE_MAX,
    ExponentialMovingAverage,
    RateOfChange,
    SimpleMovingAverage,
    StandardDeviation,
)


class Indicator(Protocol):
    def update(self, value: float) -> float | None: ...


INDICATORS: list[Callable[[int], Indicator]] = [
    SimpleMovingAverage,
    ExponentialMovingAverage,
    RateOfChange,
    StandardDeviation,
]

PRICES = st.floats(min_value=0.01, max_value=1e6)
# Short lists for the time before an indicator is warm, long ones so that it has to forget.
CLOSES = st.lists(PRICES, max_size=40) | st.lists(PRICES, min_size=80, max_size=160)
PERIODS = st.integers(1, 30)


def simple_mean(values: list[float], period: int) -> float | None:
    return math.fsum(values[-period:]) / period if len(values) >= period else None


def exponential_mean(values: list[float], period: int) -> float | None:
    if len(values) < period:
        return None
    weight = 2 / (period + 1)
    later = values[period:]
    terms = [math.fsum(values[:period]) / period * (1 - weight) ** len(later)]
    terms += [weight * (1 - weight) ** age * value for age, value in enumerate(reversed(later))]
    return math.fsum(terms)


def change_pct(values: list[float], period: int) -> float | None:
    return (values[-1] / values[-1 - period] - 1) * 100 if len(values) > period else None


def deviation(values: list[float], period: int) -> float | None:
    return statistics.pstdev(values[-period:]) if len(values) >= period else None


@pytest.mark.parametrize(
    ("make", "computed"),
    [
        (SimpleMovingAverage, simple_mean),
        (ExponentialMovingAverage, exponential_mean),
        (RateOfChange, change_pct),
        (StandardDeviation, deviation),
    ],
)
@given(values=CLOSES, period=PERIODS)
def test_an_indicator_is_what_its_definition_says(
    make: Callable[[int], Indicator],
    computed: Callable[[list[float], int], float | None],
    values: list[float],
    period: int,
) -> None:
    indicator = make(period)
    told = [indicator.update(value) for value in values]

    wanted = [computed(values[: count + 1], period) for count in range(len(values))]

    # What rounding may amount to depends on the largest number that was added, not on the result.
    rounding = 1e-12 * max(values, default=0.0)
    assert told == [one if one is None else pytest.approx(one, 1e-12, rounding) for one in wanted]


@pytest.mark.parametrize("make", INDICATORS)
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, math.nextafter(VALUE_MAX, math.inf), -1e300]
)
def test_what_is_no_number_is_refused_and_not_remembered(
    make: Callable[[int], Indicator], value: float
) -> None:
    indicator, undisturbed = make(1), make(1)
    for good in (1.0, 2.0):
        indicator.update(good)
        undisturbed.update(good)

    with pytest.raises(ValueError, match=r"^value is .*, wanted a number from .* to 1e\+12$"):
        indicator.update(value)

    assert indicator.update(3.0) == undisturbed.update(3.0)


@pytest.mark.parametrize("price", [0.0, -1.0, 1e-13])
def test_a_rate_of_change_takes_only_prices(price: float) -> None:
    with pytest.raises(ValueError, match=r"wanted a number from 1e-12 to 1e\+12$"):
        RateOfChange(1).update(price)


@given(values=st.lists(st.floats(min_value=1e-12, max_value=VALUE_MAX), max_size=20))
def test_an_indicator_is_never_infinite(values: list[float]) -> None:
    for make in INDICATORS:
        indicator = make(2)
        for value in values:
            result = indicator.update(value)
            assert result is None or math.isfinite(result)


@pytest.mark.parametrize("make", INDICATORS)
def test_a_period_below_one_is_refused(make: Callable[[int], Indicator]) -> None:
    with pytest.raises(ValueError, match=r"^period is 0, wanted 1 or more$"):
        make(0)


@pytest.mark.parametrize("make", INDICATORS)
def test_ten_thousand_updates_take_no_more_memory_than_a_few(
    make: Callable[[int], Indicator],
) -> None:
    indicator = make(30)
    tracemalloc.start()
    try:
        for number in range(10_000):
            indicator.update(100.0 + number % 7 / 8)
        bytes_kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert bytes_kept < 16 * 1024


def test_rounding_errors_of_a_mean_do_not_add_up() -> None:
    average = SimpleMovingAverage(10)

    # Each pair of updates carries a rounding error of the large value into the mean.
    for _ in range(100_000):
        average.update(1e11 + 0.1)
        average.update(0.3)
    means = [average.update(0.3) for _ in range(100)]

    assert means[-1] == pytest.approx(0.3, rel=1e-15)
