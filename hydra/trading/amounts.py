"""Which decimals are amounts: finite, and such that any sum of them is exact."""

from decimal import Decimal

from hydra.trading import exact

DIGITS_MAX = 18
"""Before the point. No account has a sum of that size."""
PLACES_MAX = 60
"""Behind it. A quantity times a price has 39 at most; with the hundred digits of `exact`, all of it
can still be added up.
"""


def is_amount(value: Decimal) -> bool:
    """Whether it can be compared and added: no NaN, no infinity, nothing absurdly large or fine."""
    exponent = value.as_tuple().exponent
    return (
        isinstance(exponent, int)  # a letter if it is not finite
        and exponent >= -PLACES_MAX
        and value.adjusted() < DIGITS_MAX
    )


def excess(theirs: Decimal, *ours: Decimal) -> Decimal | None:
    """How much more theirs is than all of ours; None if one of them is no amount."""
    if not all(map(is_amount, (theirs, *ours))):
        return None
    return exact.subtract(theirs, exact.total(ours))
