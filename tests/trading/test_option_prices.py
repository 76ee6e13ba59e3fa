"""Prices on the steps of options: never on the wrong side, never farther than a step."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.option_prices import (
    COARSE_STEPS,
    PENNY_STEPS,
    middle_of,
    price_above,
    price_below,
    steps_of,
)
from hydra.trading.quotes import Quote
from hydra.trading.situation import PriceStep

D = Decimal
PRICES = st.decimals("0.0001", "2000", places=4)
STEPS = st.sampled_from([PENNY_STEPS, COARSE_STEPS])


@pytest.mark.parametrize(
    ("price", "is_penny", "below", "above"),
    [
        ("2.37", True, "2.37", "2.37"),
        ("2.37", False, "2.35", "2.40"),
        ("3.07", True, "3.05", "3.10"),
        ("3.07", False, "3.00", "3.10"),
        ("2.98", False, "2.95", "3.00"),
        ("0.03", True, "0.03", "0.03"),
        ("0.03", False, None, "0.05"),
    ],
)
def test_a_price_goes_to_the_step_on_the_side_that_was_asked_for(
    price: str, is_penny: bool, below: str | None, above: str
) -> None:
    steps = steps_of(is_penny)

    assert price_below(D(price), steps) == (None if below is None else D(below))
    assert price_above(D(price), steps) == D(above)


@given(price=PRICES, steps=STEPS)
def test_rounding_stays_on_its_side_within_a_step_and_is_done_once(
    price: Decimal, steps: tuple[PriceStep, ...]
) -> None:
    both = price_below(price, steps), price_above(price, steps)
    below, above = both

    assert above is not None
    assert price <= above < price + D("0.10")
    assert below is None or price - D("0.10") < below <= price
    assert price_above(above, steps) == above


@given(price=PRICES)
def test_what_is_on_a_coarse_step_is_on_a_fine_one(price: Decimal) -> None:
    coarse = price_below(price, COARSE_STEPS)

    assert coarse is None or price_below(coarse, PENNY_STEPS) == coarse


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_what_is_no_price_has_no_step_i34(price: str) -> None:
    assert price_above(D(price), PENNY_STEPS) is None
    assert price_below(D(price), PENNY_STEPS) is None


def test_the_middle_of_a_quote_is_exact() -> None:
    assert middle_of(Quote("X", 0, 1.98, 2.01, 1.0, 1.0)) == D("1.995")
