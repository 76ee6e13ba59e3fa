"""What every bar must be, wherever it comes from: a file, a generator, a feed."""

from collections.abc import Iterable
from math import isfinite

PRICE_MIN, PRICE_MAX = 1e-12, 1e9
VOLUME_MAX = 1e15
"""Beyond these a number is no price and no volume of any market, but a mistake."""


def fault_in(open_price: float, high: float, low: float, close: float, volume: float) -> str | None:
    """What is wrong with the numbers of one bar: "found …; wanted …". None: nothing."""
    # One chain for the good case; NaN fails every comparison, so it cannot slip through.
    if (
        PRICE_MIN <= low <= open_price <= high <= PRICE_MAX
        and low <= close <= high
        and 0 <= volume <= VOLUME_MAX
    ):
        return None
    named_prices = (("open", open_price), ("high", high), ("low", low), ("close", close))
    for name, value in (*named_prices, ("volume", volume)):
        if not isfinite(value):
            return f"found {name} {value}; wanted a finite number"
    for name, value in named_prices:
        if value <= 0:
            return f"found {name} {value}; wanted a price over 0"
    for name, value in named_prices:
        if not PRICE_MIN <= value <= PRICE_MAX:
            return f"found {name} {value}; wanted a price from {PRICE_MIN:g} to {PRICE_MAX:g}"
    if high < low:
        return f"found high {high} under low {low}; wanted high at or over low"
    for name, value in (("open", open_price), ("close", close)):
        if not low <= value <= high:
            return f"found {name} {value} outside low {low} to high {high}; wanted it within"
    return f"found volume {volume}; wanted one from 0 to {VOLUME_MAX:g}"


def are_sound(
    opens: Iterable[float],
    highs: Iterable[float],
    lows: Iterable[float],
    closes: Iterable[float],
    volumes: Iterable[float],
) -> bool:
    """Whether `fault_in` finds nothing wrong with any of these bars, at a fraction of its time."""
    bars = zip(opens, highs, lows, closes, volumes, strict=True)
    return all(
        PRICE_MIN <= low <= open_price <= high <= PRICE_MAX
        and low <= close <= high
        and 0 <= volume <= VOLUME_MAX
        for open_price, high, low, close, volume in bars
    )
