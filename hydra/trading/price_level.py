"""Whether a price can be where it is said to be, after where it was: jumps are doubted (I46).

One wrong price is wrong by itself; a market that really jumped goes on where it jumped to. So what
lies too far from the last price that was believed is believed only once several prices, over some
time, agree with one another. Until then none of them is.
"""

import msgspec

from hydra.trading.durations import SECOND

AGREEING = 3
"""So many prices in a row, none far from the first of them, are a new level,"""
OVER_NS = SECOND
"""if they come over at least so much machine time: one burst is one mistake."""


class PriceLevel(msgspec.Struct, frozen=True):
    """Where the price is believed to be; and where, since when and by how many it is doubted."""

    price: float
    doubted: float = 0.0
    doubts: int = 0
    since: int = 0


def judged(
    level: PriceLevel | None, low: float, high: float, now: int, jump_max: float
) -> tuple[PriceLevel, bool]:
    """The level after a price from `low` to `high` (all over 0), and whether that is believed.

    `jump_max`: 0.25 lets it rise by a quarter, or fall to four fifths. `now`: machine time (ns).
    The first price of all is believed: there is nothing to hold it against.
    """
    price = (low + high) / 2
    if level is None or is_near(level.price, low, high, jump_max):
        return PriceLevel(price), True
    if level.doubts and is_near(level.doubted, low, high, jump_max):
        doubts = level.doubts + 1
        if doubts >= AGREEING and now - level.since >= OVER_NS:
            return PriceLevel(price), True
        return PriceLevel(level.price, level.doubted, doubts, level.since), False
    return PriceLevel(level.price, price, 1, now), False


def reaches(level: PriceLevel, low: float, high: float, jump_max: float) -> bool:
    """Whether some price from `low` to `high` is near the level: so wide, it shows no jump."""
    return low <= level.price * (1 + jump_max) and high >= level.price / (1 + jump_max)


def is_near(price: float, low: float, high: float, jump_max: float) -> bool:
    """Whether all that lies from `low` to `high` can follow on this price."""
    return price / (1 + jump_max) <= low <= high <= price * (1 + jump_max)
