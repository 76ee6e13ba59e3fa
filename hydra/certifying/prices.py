"""What a market does on purpose: bars of a generated session, made into something else.

Each is a function from the bars of all symbols, in time, and dice to the bars that the venue trades
on and the feed tells. Whatever it does, each bar stays a good one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from hydra.trading.bars import Bar

Shape: TypeAlias = Callable[[Sequence[Bar], random.Random], tuple[Bar, ...]]

TREND = 0.0015
"""Of one minute's logarithmic return, besides what the walk does: a third more in three hours."""
GAP = 0.07
"""By so much prices are apart from one minute to the next."""
SWING = 0.004
"""The steepest minute of a swing."""
GAPS_SHARE = 1 / 25
"""Of the minutes."""
WILD = 0.02
CHEAP_USD, DEAR_USD = 0.4, 60_000.0
MISSING_SHARE = 0.15


def _scaled(bar: Bar, by: float) -> Bar:
    """The same moves at other prices; below a dollar in steps of a hundredth of a cent."""
    digits = 2 if bar.low * by >= 1.0 else 4
    prices = (max(10.0**-digits, round(each * by, digits)) for each in _prices(bar))
    opened, high, low, close = prices
    return replace(bar, open=opened, high=high, low=low, close=close)


def _prices(bar: Bar) -> tuple[float, float, float, float]:
    return bar.open, bar.high, bar.low, bar.close


def _drifting(bars: Sequence[Bar], step: Callable[[int], float]) -> tuple[Bar, ...]:
    """All symbols by the same factors, one a minute; `step` gives each one's logarithm."""
    level, at, minute, made = 0.0, 0, 0, list[Bar]()
    for bar in bars:
        if bar.end_at != at:
            level, at, minute = level + step(minute), bar.end_at, minute + 1
        made.append(_scaled(bar, math.exp(level)))
    return tuple(made)


def _rising(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    return _drifting(bars, lambda _: TREND)


def _falling(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    return _drifting(bars, lambda _: -TREND)


def _gapping(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    def step(_minute: int) -> float:
        return dice.choice((-GAP, GAP)) if dice.random() < GAPS_SHARE else 0.0

    return _wild(_drifting(bars, step), dice)


def _wild(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    """Wide bars: each closes somewhere else than it opened, by two percent at most."""
    made = list[Bar]()
    for bar in bars:
        close = round(bar.open * math.exp(dice.uniform(-WILD, WILD)), 2)
        high, low = max(bar.high, close), min(bar.low, close)
        made.append(replace(bar, high=high, low=low, close=close))
    return tuple(made)


def _swinging(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    """Up and down by some percent, again and again, with wide bars in between."""
    minutes = dice.randint(20, 60)
    swung = _drifting(bars, lambda minute: SWING * math.sin(2.0 * math.pi * minute / minutes))
    return _wild(swung, dice)


def _first_prices(bars: Sequence[Bar]) -> dict[str, float]:
    first: dict[str, float] = {}
    for bar in bars:
        first.setdefault(bar.symbol, bar.open)
    return first


def _flat(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    first = _first_prices(bars)
    return tuple(
        replace(bar, open=price, high=price, low=price, close=price)
        for bar in bars
        for price in (first[bar.symbol],)
    )


def _at(price: float) -> Shape:
    def shaped(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
        first = _first_prices(bars)
        return tuple(_scaled(bar, price / first[bar.symbol]) for bar in _wild(bars, dice))

    return shaped


def _halted(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    """Of the first symbol nothing is heard for a quarter of an hour or more, and it goes on
    elsewhere.
    """
    symbol = bars[0].symbol
    of_it = [bar for bar in bars if bar.symbol == symbol]
    begin = dice.randrange(len(of_it) // 4, len(of_it) // 2)
    end = begin + dice.randint(15, 40)
    lost = {bar.end_at for bar in of_it[begin:end]}
    by = math.exp(dice.choice((-GAP, GAP)))
    last = max(lost)
    return tuple(
        _scaled(bar, by) if bar.symbol == symbol and bar.end_at > last else bar
        for bar in _wild(bars, dice)
        if not (bar.symbol == symbol and bar.end_at in lost)
    )


def _missing(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    return tuple(bar for bar in _wild(bars, dice) if dice.random() >= MISSING_SHARE)


def _plain(bars: Sequence[Bar], dice: random.Random) -> tuple[Bar, ...]:
    return tuple(bars)


SHAPES: Mapping[str, Shape] = {
    "plain": _plain,
    "rising": _rising,
    "falling": _falling,
    "gapping": _gapping,
    "wild": _wild,
    "swinging": _swinging,
    "flat": _flat,
    "cheap": _at(CHEAP_USD),
    "dear": _at(DEAR_USD),
    "halted": _halted,
    "missing": _missing,
}
"""By name."""
