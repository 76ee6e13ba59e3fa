"""Fetching bars over REST: those that were missed, and those that indicators begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Protocol

from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.echo import words
from hydra.venues.alpaca.market_rest import ONE_MINUTE, Timeframe
from hydra.venues.alpaca.reads import ReadFailed

RANGE_MAX = 14 * DAY
"""What began longer ago is not fetched to fill a gap."""


class ReadBars(Protocol):
    """One of `MarketReads.stock_bars` and `MarketReads.coin_bars`."""

    def __call__(
        self, symbols: Iterable[str], timeframe: Timeframe, start: int, end: int, deadline: float
    ) -> Mapping[str, tuple[Bar, ...]]:
        """See there."""


class TooMuchMissing(Exception):
    """More bars are missing than are fetched. Its text says how many, and what to do."""


def missed_bars(
    read: ReadBars, told_until: Mapping[str, int], now: int, bars_max: int, within_s: float
) -> Mapping[str, tuple[Bar, ...] | TooMuchMissing]:
    """What each symbol has had since the end of its last bar (UTC ns). Raises `ReadFailed`."""
    found: dict[str, tuple[Bar, ...] | TooMuchMissing] = {}
    near = {symbol: until for symbol, until in told_until.items() if now - until <= RANGE_MAX}
    for symbol in told_until.keys() - near.keys():
        days = (now - told_until[symbol]) // DAY
        found[symbol] = _too_much(symbol, f"bars of {days} days")
    if near:
        start = min(near.values())
        read_bars = read(sorted(near), ONE_MINUTE, start, now, monotonic() + within_s)
        for symbol, until in near.items():
            bars = tuple(bar for bar in read_bars.get(symbol, ()) if bar.start_at >= until)
            if len(bars) > bars_max:
                found[symbol] = _too_much(symbol, f"{len(bars)} bars")
            else:
                found[symbol] = bars
    return found


def newest_bars(
    read: ReadBars, symbols: Iterable[str], now: int, number: int, within_s: float
) -> Mapping[str, tuple[Bar, ...]]:
    """So many bars of each symbol, up to now; fewer where two weeks have not had so many.

    Looks back further and further: nights and holidays have no bars. Raises `ReadFailed`.
    """
    deadline = monotonic() + within_s
    found: dict[str, tuple[Bar, ...]] = dict.fromkeys(symbols, ())
    reach, end = number * ONE_MINUTE.span, now
    while True:
        short = sorted(symbol for symbol, bars in found.items() if len(bars) < number)
        if not short or end <= now - RANGE_MAX:
            return {symbol: bars[-number:] for symbol, bars in found.items()}
        start = max(now - reach, now - RANGE_MAX)
        for symbol, bars in read(short, ONE_MINUTE, start, end, deadline).items():
            if symbol not in found:
                raise ReadFailed(f"bars of {words(symbol)}, which was not asked for")
            seen = {bar.start_at for bar in found[symbol]}
            older = tuple(bar for bar in bars if bar.start_at not in seen)
            found[symbol] = older + found[symbol]
        reach, end = reach * 4, start


def _too_much(symbol: str, what: str) -> TooMuchMissing:
    return TooMuchMissing(
        f"{symbol}: {what} are missing, which is more than is fetched; start the engine again"
    )
