"""bollinger_reversion: buys what fell out of its Bollinger bands and came back, up to the middle.

The other strategies follow a move; this one trades against it, and remembers a few bars only.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.indicators import SimpleMovingAverage, StandardDeviation
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from, was_closed_between

NAME = "bollinger_reversion"

# Prices nearer to each other than this part of the middle are equal: where bands are as narrow as
# rounding, rounding must not trade.
_ROUNDING = 1e-12


class BollingerReversionParameters(Struct, frozen=True, kw_only=True):
    """Bands of `width` standard deviations around the mean of the last `bars` closes."""

    bars: Annotated[int, Meta(ge=5, le=200)] = 20
    width: Annotated[float, Meta(ge=0.5, le=5)] = 2.0


class BollingerReversion:
    """ENTER_LONG when a close below the lower band is followed by one that is back inside it.

    EXIT_LONG at every close at or above the middle, where nothing is left to come back from. The
    bands begin anew when the market was closed in between, so that the night is no outlier, and
    bars outside of sessions do not count.

    The bands are those of J. Bollinger, "Bollinger on Bollinger bands" (2001): 20 closes, twice
    their standard deviation as a population. The rule is their common use for mean reversion.
    """

    def __init__(self, parameters: BollingerReversionParameters) -> None:
        self._bars = parameters.bars
        self._width = parameters.width
        self._session: ExchangeSession | None = None
        self._begin()

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: enough to know whether the last close was below its band."""
        return self._bars

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """What this bar's close means, if anything."""
        if session is None:
            return None
        if self._session is not None and was_closed_between(self._session, session):
            self._begin()
        self._session = session
        middle = self._mean.update(bar.close)
        deviation = self._deviation.update(bar.close)
        if middle is None or deviation is None:
            return None
        return self._judge(bar.close - middle, self._width * deviation, _ROUNDING * middle)

    def _begin(self) -> None:
        self._mean = SimpleMovingAverage(self._bars)
        self._deviation = StandardDeviation(self._bars)
        self._was_below = False

    def _judge(self, above_middle: float, half_width: float, rounding: float) -> Signal | None:
        was_below = self._was_below
        self._was_below = above_middle < -half_width - rounding
        if above_middle >= -rounding:
            return Signal.EXIT_LONG
        return Signal.ENTER_LONG if was_below and not self._was_below else None


def make(given: Mapping[str, object]) -> BollingerReversion:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return BollingerReversion(parameters_from(given, BollingerReversionParameters, strategy=NAME))
