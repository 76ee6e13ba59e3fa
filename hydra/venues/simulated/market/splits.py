"""Splits of shares, as dated data: prices of before in shares of after."""

from collections.abc import Iterable
from datetime import date, time
from math import prod

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.local_time import new_york_instant
from hydra.venues.simulated.market.series import Series


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """From the start of `ex_date` in New York on, `new` shares are what `old` ones were."""

    symbol: str
    ex_date: date
    new: int
    old: int

    def __post_init__(self) -> None:
        if self.new < 1 or self.old < 1:
            raise ValueError(f"{self.symbol} splits {self.new} for {self.old}, wanted both over 0")

    @property
    def at(self) -> int:
        """When it takes effect (UTC ns)."""
        return new_york_instant(self.ex_date, time())


def adjusted(series: Series, splits: Iterable[Split], at: int) -> Series:
    """The bars that have ended by `at`, in shares of that time: later splits are not known yet."""
    known = [split for split in splits if split.symbol == series.symbol and split.at <= at]
    if not known:
        return series

    def bar(index: int) -> Bar:
        raw = series.bar(index)
        later = [split for split in known if split.at > raw.start_at]
        if not later:
            return raw
        shares = prod(split.new for split in later) / prod(split.old for split in later)
        return Bar(
            raw.symbol, raw.start_at, raw.end_at,
            round(raw.open / shares, _DECIMALS), round(raw.high / shares, _DECIMALS),
            round(raw.low / shares, _DECIMALS), round(raw.close / shares, _DECIMALS),
            float(round(raw.volume * shares)),
        )  # fmt: skip

    return series.in_step(series.symbol, bar, at)


_DECIMALS = 6
