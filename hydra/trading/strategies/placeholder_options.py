"""placeholder_options_v1: a stand-in for the options bot. Not meant to earn money.

A move of the underlying in either direction, and the bot buys the call or the put for it.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.indicators import RateOfChange
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from

NAME = "placeholder_options_v1"

# A rise from 10 to 10.02 is 0.2 percent, but 0.19999999999999574 in binary floats.
_ROUNDING_PCT = 1e-9


class PlaceholderOptionsParameters(Struct, frozen=True, kw_only=True):
    """`threshold_pct` is in percent of the price: 0.20 is a fifth of one percent."""

    lookback_bars: Annotated[int, Meta(ge=1, le=1_000)] = 10
    threshold_pct: Annotated[float, Meta(gt=0, le=100)] = 0.20


class PlaceholderOptions:
    """Up when the close is at least `threshold_pct` above the one `lookback_bars` ago, down when it
    is so much below.

    It signals once for each move: not again until momentum has been between the two. Bars count as
    they come, so early in a session the close it looks back at is the day before's.
    """

    def __init__(self, parameters: PlaceholderOptionsParameters) -> None:
        self._lookback_bars = parameters.lookback_bars
        self._momentum = RateOfChange(parameters.lookback_bars)
        self._threshold_pct = parameters.threshold_pct - _ROUNDING_PCT
        self._direction: Signal | None = None
        """Of the move that is under way; None: there is none."""

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: enough to know which move is under way."""
        return self._lookback_bars + 1

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """ENTER_LONG or ENTER_SHORT on the first bar of a move, None on any other."""
        momentum_pct = self._momentum.update(bar.close)
        if momentum_pct is None:
            return None
        before, self._direction = self._direction, self._direction_of(momentum_pct)
        return self._direction if self._direction is not before else None

    def _direction_of(self, momentum_pct: float) -> Signal | None:
        if momentum_pct >= self._threshold_pct:
            return Signal.ENTER_LONG
        return Signal.ENTER_SHORT if momentum_pct <= -self._threshold_pct else None


def make(given: Mapping[str, object]) -> PlaceholderOptions:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return PlaceholderOptions(parameters_from(given, PlaceholderOptionsParameters, strategy=NAME))
