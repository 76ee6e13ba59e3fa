import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import add, multiply, percent_of, plain, subtract, total, total_if_known

NUMBERS = st.decimals(min_value=-(10**15), max_value=10**15, places=15)


@given(a=NUMBERS, b=NUMBERS)
def test_arithmetic_is_exact_where_the_operators_would_round(a: Decimal, b: Decimal) -> None:
    results = (add(a, b), subtract(a, b), multiply(a, b), percent_of(a, b))

    x, y = Fraction(a), Fraction(b)
    assert tuple(map(Fraction, results)) == (x + y, x - y, x * y, x * y / 100)


@given(values=st.lists(NUMBERS, max_size=20))
def test_a_total_is_exact(values: list[Decimal]) -> None:
    assert Fraction(total(values)) == sum(map(Fraction, values))


@given(values=st.lists(st.none() | NUMBERS, max_size=20))
def test_a_total_is_known_if_all_of_it_is(values: list[Decimal | None]) -> None:
    known = [value for value in values if value is not None]

    assert total_if_known(known) == total(known)
    assert (total_if_known(values) is None) is (None in values)


def test_the_context_of_the_thread_changes_nothing() -> None:
    with decimal.localcontext(decimal.Context(prec=3)):
        result = multiply(Decimal("123456.789"), Decimal("1.000000001"))

    assert result == Decimal("123456.789123456789")


def test_a_result_that_cannot_be_exact_is_no_result() -> None:
    with pytest.raises(decimal.Inexact):
        add(Decimal("1E+60"), Decimal("1E-60"))


@given(value=st.one_of(NUMBERS, st.integers(-(10**18), 10**18).map(lambda n: Decimal(n).scaleb(9))))
def test_a_plain_number_is_the_same_and_as_short_as_can_be(value: Decimal) -> None:
    found = plain(value)

    assert Fraction(found) == Fraction(value)
    shown = f"{found:f}"
    assert "." not in shown or not shown.endswith(("0", "."))
    assert found.as_tuple() == Decimal(shown).as_tuple()  # it is kept as it is shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("345.000", "345"), ("3.45E+2", "345"), ("0.10", "0.1"), ("0.00", "0"), ("-7.50", "-7.5")],
)
def test_a_plain_number_has_no_zeros_at_its_end_and_no_exponent(value: str, shown: str) -> None:
    assert str(plain(Decimal(value))) == shown
