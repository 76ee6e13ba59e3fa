"""Our indicators against TA-Lib's, which nothing at run time knows, on real bars of every kind."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from hydra.trading.indicators import (
    ExponentialMovingAverage,
    RateOfChange,
    SimpleMovingAverage,
    StandardDeviation,
)
from tests.trading.market_data import (
    AAPL,
    BTC_WITH_HOLES,
    ETH,
    MSFT,
    SPY_WITH_EXTENDED_HOURS,
    real_bars,
)

Values = NDArray[np.float64]
Update = Callable[[float], float | None]

pytestmark = [
    pytest.mark.parametrize("file", [AAPL, MSFT, SPY_WITH_EXTENDED_HOURS, BTC_WITH_HOLES, ETH]),
    pytest.mark.parametrize("period", [2, 14, 200]),
]


@cache
def closes_of(file: str) -> Values:
    return np.array([bar.close for bar in real_bars(file)[:10_000]])


def told(update: Update, closes: Values) -> Values:
    """What an indicator gives, one close after the other; not a number while it gives nothing."""
    return np.array([np.nan if (value := update(float(x))) is None else value for x in closes])


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
    period: int,
    ours: Callable[[int], SimpleMovingAverage | ExponentialMovingAverage | RateOfChange],
    theirs: Callable[..., Values],
) -> None:
    closes = closes_of(file)

    values = told(ours(period).update, closes)

    np.testing.assert_allclose(
        values, theirs(closes, timeperiod=period), rtol=1e-10, atol=1e-10, equal_nan=True
    )


def test_deviations_are_those_of_another_library(file: str, period: int) -> None:
    closes = closes_of(file)

    values = told(StandardDeviation(period).update, closes)

    # TA-Lib takes the difference of two large sums, so of what is small next to the price, little
    # is left: the variance is compared, in parts of the price squared.
    theirs = talib.STDDEV(closes, timeperiod=period, nbdev=1.0)
    np.testing.assert_allclose(
        values**2 / closes**2, theirs**2 / closes**2, rtol=1e-6, atol=1e-12, equal_nan=True
    )
