import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import add, multiply, percent_of, subtract, total

NUMBERS = st.decimals(min_value=-(10**15), max_value=10**15, places=15)


@given(a=NUMBERS, b=NUMBERS)
def test_arithmetic_is_exact_where_the_operators_would_round(a: Decimal, b: Decimal) -> None:
    results = (add(a, b), subtract(a, b), multiply(a, b), percent_of(a, b))

    x, y = Fraction(a), Fraction(b)
    assert tuple(map(Fraction, results)) == (x + y, x - y, x * y, x * y / 100)


@given(values=st.lists(NUMBERS, max_size=20))
def test_a_total_is_exact(values: list[Decimal]) -> None:
    assert Fraction(total(values)) == sum(map(Fraction, values))


def test_the_context_of_the_thread_changes_nothing() -> None:
    with decimal.localcontext(decimal.Context(prec=3)):
        result = multiply(Decimal("123456.789"), Decimal("1.000000001"))

    assert result == Decimal("123456.789123456789")


def test_a_result_that_cannot_be_exact_is_no_result() -> None:
    with pytest.raises(decimal.Inexact):
        add(Decimal("1E+60"), Decimal("1E-60"))
