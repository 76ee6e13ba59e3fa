"""What every quote must be before anybody sees it."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.quote_checks import middle, nonsense_in, unusable_in
from hydra.trading.quotes import Quote

FINE = Quote("AAPL", 0, 99.99, 100.01, 200.0, 300.0)


def test_a_fine_quote_has_no_fault_i46() -> None:
    assert (nonsense_in(FINE), unusable_in(FINE), middle(FINE)) == (None, None, 100.0)


@pytest.mark.parametrize("name", ["bid", "ask", "bid_size", "ask_size"])
@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (nan, "found {} nan; wanted a finite number"),
        (inf, "found {} inf; wanted a finite number"),
        (-inf, "found {} -inf; wanted a finite number"),
        (-0.01, "found {} -0.01; wanted 0 or more"),
        (1e300, "found a number that no price or quantity can be"),
    ],
)
def test_numbers_that_are_none_are_nonsense_i46(name: str, value: float, fault: str) -> None:
    assert nonsense_in(structs.replace(FINE, **{name: value})) == fault.format(name)


@pytest.mark.parametrize(
    ("bid", "ask", "fault"),
    [
        (0.0, 100.0, "found bid 0.0 and ask 100.0; wanted both over 0"),
        (100.0, 0.0, "found bid 100.0 and ask 0.0; wanted both over 0"),
        (100.0, 100.0, "found bid 100.0 at or over ask 100.0; wanted it under"),
        (100.01, 100.0, "found bid 100.01 at or over ask 100.0; wanted it under"),
        (50.0, 150.0, "found bid 50.0 and ask 150.0; wanted them closer together"),
    ],
)
def test_a_quote_that_is_no_price_says_why_i46(bid: float, ask: float, fault: str) -> None:
    assert unusable_in(structs.replace(FINE, bid=bid, ask=ask)) == fault


NUMBERS = st.floats(width=64)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_what_passes_is_finite_positive_and_not_crossed_i46(
    bid: float, ask: float, bid_size: float, ask_size: float
) -> None:
    quote = Quote("AAPL", 0, bid, ask, bid_size, ask_size)

    if nonsense_in(quote) is None and unusable_in(quote) is None:
        assert 0 < bid < ask < inf
        assert 0 <= bid_size < inf and 0 <= ask_size < inf
