"""Which decimals are amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading import exact
from hydra.trading.amounts import excess, is_amount

AMOUNTS = st.decimals(min_value="-999999999999999999", max_value="999999999999999999", places=12)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", True),
        ("-0.00", True),
        ("999999999999999999", True),
        ("-999999999999999999.99", True),
        ("1E+17", True),
        ("1E-60", True),
        ("1000000000000000000", False),
        ("-1E+18", False),
        ("1E-61", False),
        ("0E-61", False),
        ("0E+18", False),
        ("NaN", False),
        ("sNaN", False),
        ("Infinity", False),
        ("-Infinity", False),
        ("1E+999999999", False),
    ],
)
def test_an_amount_is_finite_and_neither_absurdly_large_nor_fine_i34(
    value: str, expected: bool
) -> None:
    assert is_amount(Decimal(value)) is expected


@given(AMOUNTS, st.lists(AMOUNTS))
def test_the_excess_is_exact_i60(theirs: Decimal, ours: list[Decimal]) -> None:
    difference = excess(theirs, *ours)

    assert difference is not None
    assert exact.total([*ours, difference]) == theirs


@pytest.mark.parametrize("odd", ["NaN", "sNaN", "Infinity", "1E+18", "1E-61"])
def test_there_is_no_excess_of_what_is_no_amount_i60(odd: str) -> None:
    assert excess(Decimal(odd), Decimal(1)) is None
    assert excess(Decimal(1), Decimal(1), Decimal(odd)) is None
