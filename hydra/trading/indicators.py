"""Indicators, fed one close at a time: talipp's, with types, checked input and bounded memory.

talipp keeps every value it has ever seen; here it forgets those that it needs no more.
"""

from talipp.indicators import EMA, ROC, SMA, StdDev
from talipp.indicators.Indicator import Indicator

VALUE_MAX = 1e12
"""No price, and no difference of prices, is larger; what is, is a defect of the feed."""

_PRICE_MIN = 1e-12
# How many values beyond its period an indicator keeps at most (or as many again as its period).
# Forgetting takes time, so it is not done at every update, and each of thousands of bots keeps
# what is kept here, so it is not done seldom.
_SPARE = 32


class _Bounded:
    """One talipp indicator that needs only its last `period` values."""

    _value_min = -VALUE_MAX

    def __init__(self, indicator: Indicator, period: int) -> None:
        if period < 1:
            raise ValueError(f"period is {period!r}, wanted 1 or more")
        self._indicator = indicator
        self._period = period
        self._kept_max = period + max(period, _SPARE)

    def update(self, value: float) -> float | None:
        """Take the next value and give the indicator's; None until there are enough values.

        Raises ValueError on what is no number, or too large (or, for a price, too small) for one.
        """
        # Said positively, so that NaN, for which no comparison is true, is refused too.
        if not self._value_min <= value <= VALUE_MAX:
            raise ValueError(
                f"value is {value!r}, wanted a number from {self._value_min:g} to {VALUE_MAX:g}"
            )
        indicator = self._indicator
        indicator.add(value)
        if len(indicator.input_values) > self._kept_max:
            self._forget()
        latest: float | None = indicator.output_values[-1]
        return latest

    def _forget(self) -> None:
        # With fewer than `period` values left, talipp would believe that it is not yet warm.
        self._indicator.purge_oldest(len(self._indicator.input_values) - self._period)


class SimpleMovingAverage(_Bounded):
    """The mean of the last `period` values."""

    def __init__(self, period: int) -> None:
        super().__init__(SMA(period), period)

    def _forget(self) -> None:
        # talipp moves the mean by each difference, so its rounding errors add up for ever. Here,
        # where just the values of the mean are left, it is taken anew.
        super()._forget()
        self._indicator.output_values[-1] = sum(self._indicator.input_values) / self._period


class ExponentialMovingAverage(_Bounded):
    """The mean of all values, each new one weighing 2 / (`period` + 1).

    It begins with the simple mean of the first `period` values.
    """

    def __init__(self, period: int) -> None:
        super().__init__(EMA(period), period)


class StandardDeviation(_Bounded):
    """How far the last `period` values are from their mean: of a population, divided by `period`.

    Taken anew from the values at every update, so it costs `period` steps.
    """

    def __init__(self, period: int) -> None:
        super().__init__(StdDev(period), period)


class RateOfChange(_Bounded):
    """By how many percent the last close is above the one `period` closes before it."""

    # It divides by prices.
    _value_min = _PRICE_MIN

    def __init__(self, period: int) -> None:
        super().__init__(ROC(period), period)
