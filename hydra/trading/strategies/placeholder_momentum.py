"""placeholder_momentum_v1: a stand-in until somebody brings an edge. Not meant to earn money.

The crypto bot's placeholder is the same under its own name.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.indicators import RateOfChange
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from

NAME = "placeholder_momentum_v1"
CRYPTO_NAME = "placeholder_crypto_momo_v1"

# A rise from 10 to 10.02 is 0.2 percent, but 0.19999999999999574 in binary floats.
_ROUNDING_PCT = 1e-9


class PlaceholderMomentumParameters(Struct, frozen=True, kw_only=True):
    """`threshold_pct` is in percent: 0.20 is a fifth of one percent."""

    lookback_bars: Annotated[int, Meta(ge=1, le=1_000)] = 10
    threshold_pct: Annotated[float, Meta(gt=0, le=100)] = 0.20


class PlaceholderMomentum:
    """Enters when the close is at least `threshold_pct` above the close `lookback_bars` ago.

    It signals once for each rise: not again until momentum has been below the threshold. Bars
    count as they come, so early in a session the close it looks back at is the day before's.
    The rule is Hydra's own: no more than the least that trades now and then.
    """

    def __init__(self, parameters: PlaceholderMomentumParameters) -> None:
        self._lookback_bars = parameters.lookback_bars
        self._momentum = RateOfChange(parameters.lookback_bars)
        self._threshold_pct = parameters.threshold_pct - _ROUNDING_PCT
        self._is_armed = True

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: enough to know whether momentum is below the threshold."""
        return self._lookback_bars + 1

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """ENTER_LONG on the first bar of a rise, None on any other."""
        momentum_pct = self._momentum.update(bar.close)
        if momentum_pct is None:
            return None
        was_armed = self._is_armed
        self._is_armed = momentum_pct < self._threshold_pct
        return Signal.ENTER_LONG if was_armed and not self._is_armed else None


def make(given: Mapping[str, object]) -> PlaceholderMomentum:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return _make(given, NAME)


def make_crypto(given: Mapping[str, object]) -> PlaceholderMomentum:
    """The same, named for the crypto bot."""
    return _make(given, CRYPTO_NAME)


def _make(given: Mapping[str, object], name: str) -> PlaceholderMomentum:
    return PlaceholderMomentum(parameters_from(given, PlaceholderMomentumParameters, strategy=name))
