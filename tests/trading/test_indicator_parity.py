"""Our indicators against TA-Lib's, which nothing at run time knows, on all real one-minute bars.

A quick look is at the first bars of each file; all of them are in the slow suite. Tolerances are
relative and stated where they are used: both sides add up the same numbers in other orders.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from hydra.trading.bars import Bar
from hydra.trading.indicators import (
    ExponentialMovingAverage,
    RateOfChange,
    SimpleMovingAverage,
    StandardDeviation,
)
from hydra.trading.regimes import RegimeTerms, RegimeWatch, rank_at
from tests.trading.market_data import (
    AAPL,
    BTC,
    BTC_WITH_HOLES,
    ETH,
    MARKET_DATA,
    MSFT,
    SPY_IN_MARCH,
    SPY_WITH_EXTENDED_HOURS,
    bars_in,
)

Values = NDArray[np.float64]
Update = Callable[[float], float | None]

FILES = (AAPL, MSFT, SPY_WITH_EXTENDED_HOURS, SPY_IN_MARCH, BTC_WITH_HOLES, BTC, ETH)
FIRST, ALL = 2_000, None
TIGHT = 1e-10
"""For what is a mean or a ratio of prices."""
PRICES_SQUARED = 1e-6, 1e-12
"""Relative, and in parts of the price squared: TA-Lib takes a variance as the difference of two
large sums, so of what is small next to the price, little is left."""

of_each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.split("/")[1][:16])
of_so_many_bars = pytest.mark.parametrize(
    "count",
    [pytest.param(FIRST, id="first"), pytest.param(ALL, id="all", marks=pytest.mark.slow)],
)
of_each_period = pytest.mark.parametrize("period", [2, 14, 200])


def test_there_is_no_other_file_of_real_one_minute_bars() -> None:
    if not MARKET_DATA.is_dir():
        pytest.skip(f"real market data is not at hand: {MARKET_DATA.name}")

    found = {
        f"{path.parent.name}/{path.name}"
        for kind in ("equity_1m", "crypto_1m")
        for path in (MARKET_DATA / kind).iterdir()
    }

    assert found == set(FILES)


@of_each_file
@of_so_many_bars
@of_each_period
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SimpleMovingAverage, talib.SMA),
        (ExponentialMovingAverage, talib.EMA),
        (RateOfChange, talib.ROC),
    ],
    ids=["mean", "exponential mean", "rate of change"],
)
def test_averages_and_changes_are_those_of_another_library(
    file: str,
    count: int | None,
    period: int,
    ours: Callable[[int], SimpleMovingAverage | ExponentialMovingAverage | RateOfChange],
    theirs: Callable[..., Values],
) -> None:
    closes = closes_of(file, count)

    values = told(ours(period).update, closes)

    np.testing.assert_allclose(
        values, theirs(closes, timeperiod=period), rtol=TIGHT, atol=TIGHT, equal_nan=True
    )


@of_each_file
@of_so_many_bars
@of_each_period
def test_deviations_are_those_of_another_library(file: str, count: int | None, period: int) -> None:
    closes = closes_of(file, count)

    values = told(StandardDeviation(period).update, closes)

    theirs = talib.STDDEV(closes, timeperiod=period, nbdev=1.0)
    rtol, atol = PRICES_SQUARED
    np.testing.assert_allclose(
        values**2 / closes**2, theirs**2 / closes**2, rtol=rtol, atol=atol, equal_nan=True
    )


@of_each_file
@of_so_many_bars
def test_bollinger_bands_are_those_of_another_library(file: str, count: int | None) -> None:
    closes = closes_of(file, count)

    middle = told(SimpleMovingAverage(20).update, closes)
    half = 2.0 * told(StandardDeviation(20).update, closes)

    upper, mean, lower = talib.BBANDS(closes, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
    # The root of what is left of a variance: a millionth of the price.
    for ours, theirs in ((middle + half, upper), (middle, mean), (middle - half, lower)):
        np.testing.assert_allclose(ours / closes, theirs / closes, atol=2e-6, rtol=0)


@of_each_file
@of_so_many_bars
def test_realised_volatility_is_made_of_the_means_of_another_library(
    file: str, count: int | None
) -> None:
    window, bars = 20, bars_in(file, count)
    watch = RegimeWatch(RegimeTerms(window=window, history=len(bars), history_min=40))

    for bar in bars:
        watch.take(bar)

    returns = returns_of_neighbours(bars)
    theirs = np.sqrt(talib.SMA(returns**2, timeperiod=window)[window - 1 :])
    # TA-Lib carries its sum along: after a wild minute, something of it stays in calm ones.
    scale = float(np.max(returns**2))
    np.testing.assert_allclose(
        np.array(watch.volatilities) ** 2, theirs**2, rtol=1e-8, atol=scale * TIGHT
    )


@of_each_file
def test_ranks_are_those_of_a_count_of_every_pair(file: str) -> None:
    values = np.sort(np.abs(returns_of_neighbours(bars_in(file, 400))))

    firsts = np.searchsorted(values, values)
    ours = [rank_at(values.tolist(), int(below)) for below in firsts]

    others = len(values) - 1
    below = (values[None, :] < values[:, None]).sum(axis=1)
    alike = (values[None, :] == values[:, None]).sum(axis=1) - 1
    np.testing.assert_allclose(ours, (below + alike / 2) / others, rtol=TIGHT, atol=TIGHT)


def returns_of_neighbours(bars: tuple[Bar, ...]) -> Values:
    """The logarithmic return of each bar that follows the one before it."""
    taken, before = [], bars[0]
    for bar in bars[1:]:
        if bar.end_at <= before.end_at:
            continue  # a row that steps back in time
        if bar.start_at == before.end_at:
            taken.append(np.log(bar.close / before.close))
        before = bar
    return np.array(taken)


@cache
def closes_of(file: str, count: int | None) -> Values:
    return np.array([bar.close for bar in bars_in(file, count)])


def told(update: Update, closes: Values) -> Values:
    """What an indicator gives, one close after the other; not a number while it gives nothing."""
    return np.array([np.nan if (value := update(float(x))) is None else value for x in closes])
