"""moving_average_cross: long while the fast average of closes is above the slow one."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.indicators import SimpleMovingAverage
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from

NAME = "moving_average_cross"

# Averages nearer to each other than this part of the price are equal: in a flat market they differ
# by rounding alone, and rounding must not trade.
_ROUNDING = 1e-12


class MovingAverageCrossParameters(Struct, frozen=True, kw_only=True):
    """How many closes each of the two simple averages is taken over."""

    fast_bars: Annotated[int, Meta(ge=1, le=1_000)] = 10
    slow_bars: Annotated[int, Meta(ge=2, le=1_000)] = 30

    def __post_init__(self) -> None:
        if not self.fast_bars < self.slow_bars:
            raise ValueError(
                f"parameter fast_bars is {self.fast_bars} and slow_bars is {self.slow_bars}: "
                "wanted fast_bars smaller than slow_bars"
            )


class MovingAverageCross:
    """ENTER_LONG when the fast average crosses the slow one upwards, EXIT_LONG downwards.

    A cross is a change from clearly below to clearly above, or back; fewer than `slow_bars` bars
    on which the averages are equal may lie between: after more, it begins anew. Where the averages
    stand when both are first known is no cross. Bars count as they come, over nights too.

    The variable-length moving average rule of Brock, Lakonishok and LeBaron, "Simple technical
    trading rules and the stochastic properties of stock returns" (1992), long side only.
    """

    def __init__(self, parameters: MovingAverageCrossParameters) -> None:
        self._fast = SimpleMovingAverage(parameters.fast_bars)
        self._slow = SimpleMovingAverage(parameters.slow_bars)
        self._slow_bars = parameters.slow_bars
        self._was_above: bool | None = None
        self._equal_bars = 0

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: the averages are known of each of the last `slow_bars` bars."""
        return 2 * self._slow_bars - 1

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """The cross that this bar's close made, if any."""
        fast = self._fast.update(bar.close)
        slow = self._slow.update(bar.close)
        if fast is None or slow is None:
            return None
        if abs(fast - slow) <= _ROUNDING * slow:
            self._stand_still()
            return None
        self._equal_bars = 0
        is_above = fast > slow
        was_above, self._was_above = self._was_above, is_above
        if was_above is None or was_above is is_above:
            return None
        return Signal.ENTER_LONG if is_above else Signal.EXIT_LONG

    def _stand_still(self) -> None:
        # What is remembered for ever could not be rebuilt from the last bars.
        self._equal_bars += 1
        if self._equal_bars >= self._slow_bars:
            self._was_above = None


def make(given: Mapping[str, object]) -> MovingAverageCross:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return MovingAverageCross(parameters_from(given, MovingAverageCrossParameters, strategy=NAME))
