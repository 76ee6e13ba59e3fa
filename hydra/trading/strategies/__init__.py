"""Strategies by name: the one place where each is listed.

A strategy is a module here that has a factory, `make`, from parameters to a fresh strategy; a new
one is one more line in `STRATEGIES`. Bots name it in their configuration (`signal.mode`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from hydra.trading.strategies import (
    bollinger_reversion,
    moving_average_cross,
    opening_range_breakout,
    placeholder_momentum,
    placeholder_options,
)
from hydra.trading.strategies.strategy import StrategyFactory

STRATEGIES: Mapping[str, StrategyFactory] = MappingProxyType(
    {
        placeholder_momentum.NAME: placeholder_momentum.make,
        placeholder_momentum.CRYPTO_NAME: placeholder_momentum.make_crypto,
        placeholder_options.NAME: placeholder_options.make,
        moving_average_cross.NAME: moving_average_cross.make,
        opening_range_breakout.NAME: opening_range_breakout.make,
        bollinger_reversion.NAME: bollinger_reversion.make,
    }
)
