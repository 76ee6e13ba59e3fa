"""What a feed may tell in the place of a bar. None of it may be traded on (I46)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan

from msgspec.structs import replace

from hydra.trading.bars import Bar
from hydra.trading.durations import HOUR

LIES: Mapping[str, Callable[[Bar], tuple[Bar, ...]]] = {
    "no number": lambda bar: (replace(bar, close=nan),),
    "no price": lambda bar: (replace(bar, low=-bar.low),),
    "told twice": lambda bar: (bar, bar),
    "of the future": lambda bar: (replace(bar, end_at=bar.end_at + HOUR),),
    "of another symbol": lambda bar: (replace(bar, symbol="NOBODYS"),),
    "turned round": lambda bar: (replace(bar, high=bar.low, low=bar.high + 1.0),),
}
"""By name: what is told in the place of a good bar."""
