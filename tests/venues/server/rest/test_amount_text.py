from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.server.rest.amount_text import (
    amount_text,
    number,
    ratio_text,
    rounded_text,
)

amounts = st.decimals(
    min_value=Decimal("-1e17"), max_value=Decimal("1e17"), allow_nan=False, allow_infinity=False
)


@given(amounts)
def test_an_amount_is_written_to_its_last_digit_without_exponent_or_idle_zeros(
    amount: Decimal,
) -> None:
    text = amount_text(amount)

    assert Decimal(text) == amount
    assert "e" not in text.lower()
    assert text != "-0"
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize(
    ("amount", "text"),
    [("43.50", "43.5"), ("1E+3", "1000"), ("1E-9", "0.000000001"), ("-0.00", "0"), ("12.0", "12")],
)
def test_amounts_look_as_the_broker_writes_them(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


def test_a_share_has_sixteen_decimals_and_is_unknown_if_a_part_is() -> None:
    assert ratio_text(Decimal("4.13"), Decimal("495.19")) == "0.0083402330418627"
    assert ratio_text(Decimal(1), Decimal(0)) == "0"
    assert ratio_text(None, Decimal(1)) is None
    assert ratio_text(Decimal(1), None) is None


def test_rounding_is_to_the_even_neighbour() -> None:
    assert rounded_text(Decimal("41.2658330833"), 6) == "41.265833"
    assert rounded_text(Decimal("0.5"), 0) == "0"


def test_numbers_of_market_data_are_whole_where_they_can_be() -> None:
    assert [number(61260.0), number(0.31377), number(Decimal("41.20"))] == [61260, 0.31377, 41.2]
    assert isinstance(number(61260.0), int)
