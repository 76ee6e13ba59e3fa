from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.marks import Marks

D = Decimal


def test_a_price_of_a_bar_is_taken_as_it_is_printed() -> None:
    marks = Marks()

    marks.put("A", 112.1, 5)
    marks.put("B", 100, 6)  # a whole price may come as a whole number

    assert (marks.price("A"), marks.told("A")) == (D("112.1"), (D("112.1"), 5))
    assert (marks.price("B"), marks.told("B")) == (D(100), (D(100), 6))


@pytest.mark.parametrize("bad", [D(0), D(-1), D("NaN"), float("nan"), float("inf"), -1.0, 0.0])
def test_what_cannot_be_a_price_is_told_and_is_none_i34(bad: Decimal | float) -> None:
    marks = Marks()
    marks.put("A", 10.0, 1)
    assert marks.price("A") == D(10)

    marks.put("A", bad, 2)

    assert marks.price("A") is None
    assert str(marks.told("A")[0]) == str(D(repr(bad)) if isinstance(bad, float) else bad)
    assert marks.told("A")[1] == 2


def test_of_a_symbol_that_nobody_spoke_of_nothing_is_known() -> None:
    assert (Marks().price("A"), Marks().told("A")) == (None, (None, 0))


@given(st.lists(st.tuples(st.floats(0.01, 1_000), st.integers(0, 20)), min_size=1, max_size=30))
def test_the_newest_counts_whatever_was_asked_meanwhile_and_the_later_of_two_i49(
    told: list[tuple[float, int]],
) -> None:
    asked, silent = Marks(), Marks()
    newest: tuple[float, int] | None = None
    for price, at in told:
        is_newer = newest is None or at >= newest[1]
        assert asked.put("A", price, at) is (is_newer and newest is not None)
        assert not silent.put("A", price, at)
        newest = (price, at) if is_newer else newest
        assert newest is not None
        assert asked.price("A") == D(repr(newest[0]))

    assert silent.told("A") == asked.told("A")


def test_a_price_is_told_to_be_over_once_for_all_that_was_reckoned_by_it() -> None:
    marks = Marks()
    assert marks.price("A") is None

    assert marks.put("A", 1.0, 1)  # that there was none was reckoned with
    assert not marks.put("A", 2.0, 2)
    assert marks.price("A") == D(2)
    assert not marks.put("A", 1.0, 1)
    assert marks.put("A", 3.0, 3)
