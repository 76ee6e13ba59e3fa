"""The venue's echo of an order, held against what was sent (I27)."""

from decimal import Decimal
from enum import Enum

from hydra.trading.amounts import is_amount
from hydra.trading.orders import Order


def echo_mismatch(sent: Order, echoed: Order) -> str | None:
    """Every field that came back otherwise than it was sent, in one line; None if none did.

    Decimals are equal if their values are: 10 and 10.0 are one quantity. What is no number, or is
    infinite, equals nothing, not even itself: nobody can have meant it.
    """
    altered = []
    for field in Order.__struct_fields__:
        meant, back = getattr(sent, field), getattr(echoed, field)
        if not _are_equal(meant, back):
            name = field.replace("_", " ")
            altered.append(f"{name} is {words(back)}, sent was {words(meant)}")
    return "; ".join(altered) or None


def _are_equal(meant: object, back: object) -> bool:
    if isinstance(meant, Decimal) and isinstance(back, Decimal):
        return meant.is_finite() and back.is_finite() and meant == back
    return meant == back


def words(value: object) -> str:
    """For people, on one line: a venue's text may hold anything."""
    match value:
        case None:
            return "none"
        case Enum():
            return str(value.value)
        case str():
            return value if value.isprintable() and value else repr(value)
        case Decimal() if is_amount(value):
            return f"{value:f}"
        case _:
            return str(value)
