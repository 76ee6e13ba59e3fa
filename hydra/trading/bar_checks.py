"""What every bar must be, wherever it comes from: a file, a generator, a feed."""

from collections.abc import Iterable
from math import inf, isfinite


def fault_in(open_price: float, high: float, low: float, close: float, volume: float) -> str | None:
    """What is wrong with the numbers of one bar: "found …; wanted …". None: nothing."""
    # One chain for the good case; NaN fails every comparison, so it cannot slip through.
    if 0 < low <= open_price <= high < inf and low <= close <= high and 0 <= volume < inf:
        return None
    named_prices = (("open", open_price), ("high", high), ("low", low), ("close", close))
    for name, value in (*named_prices, ("volume", volume)):
        if not isfinite(value):
            return f"found {name} {value}; wanted a finite number"
    for name, value in named_prices:
        if value <= 0:
            return f"found {name} {value}; wanted a price over 0"
    if high < low:
        return f"found high {high} under low {low}; wanted high at or over low"
    for name, value in (("open", open_price), ("close", close)):
        if not low <= value <= high:
            return f"found {name} {value} outside low {low} to high {high}; wanted it within"
    return f"found volume {volume}; wanted 0 or more"


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
        0 < low <= open_price <= high < inf and low <= close <= high and 0 <= volume < inf
        for open_price, high, low, close, volume in bars
    )
