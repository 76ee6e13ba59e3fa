"""Reading amounts that clients send, as strings or as JSON numbers, to the last digit."""

import re
from decimal import Decimal

from hydra.trading.amounts import is_amount

# Python's own Decimal also reads "1_000", "Infinity" and the digits of every script.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class NotAnAmount(ValueError):
    """It is no number, or one of a size that no order has."""


def amount_of(found: object) -> Decimal:
    """The amount in a string, an int or a `Decimal`. Raises `NotAnAmount`."""
    if isinstance(found, str):
        if _NUMBER.fullmatch(found) is None:
            raise NotAnAmount(found[:80])
        found = Decimal(found)
    elif isinstance(found, int) and not isinstance(found, bool):
        found = Decimal(found)
    if not (isinstance(found, Decimal) and is_amount(found)):
        raise NotAnAmount(str(type(found).__name__))
    return found
