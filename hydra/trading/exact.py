"""Exact decimal arithmetic: an account is kept to the last digit or not at all.

Python's operators on `Decimal` round silently to the precision of the thread's context, 28 digits
by default; a quantity of nine decimals times a price can need more. These functions do not depend
on the thread's context, and where a result could not be exact they raise `decimal.Inexact`.
"""

from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import reduce

# Far more digits than any sum of money here needs; a result that would not fit is a bug.
_EXACT = Context(
    prec=100,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow, Inexact],
)

_ZERO = Decimal(0)
add = _EXACT.add
subtract = _EXACT.subtract
multiply = _EXACT.multiply
multiply_add = _EXACT.fma
"""The first times the second, and the third to that; faster than one after the other."""


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum of all values, exactly; zero of none."""
    return reduce(add, values, _ZERO)


def total_if_known(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of all values, exactly; None if one of them is not known."""
    value = _ZERO
    for each in values:
        if each is None:
            return None
        value = add(value, each)
    return value


def percent_of(value: Decimal, pct: Decimal) -> Decimal:
    """`pct` percent of `value`, exactly: dividing by a hundred only moves the point."""
    return _EXACT.scaleb(multiply(value, pct), -2)


def plain(value: Decimal) -> Decimal:
    """The same number without zeros at its end, nor an exponent: 345 for 345.000 and 3.45E+2."""
    return Decimal(f"{_EXACT.normalize(value):f}")
