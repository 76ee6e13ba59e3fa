from hypothesis import given
from hypothesis import strategies as st

from hydra.actor import SECOND
from hydra.runtime.statistics import Count, Rate, percentile, rates


@given(st.lists(st.integers(0, 10**12), min_size=1), st.floats(0.0, 1.0))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(
    values: list[int], share: float
) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < max(share * len(values), 1)


def test_of_nothing_every_percentile_is_zero() -> None:
    assert percentile([], 0.99) == 0


def test_rates_count_what_came_and_what_was_handled() -> None:
    before = {"/a": Count(processed=10, depth=5), "/gone": Count(1, 1)}
    after = {"/a": Count(processed=30, depth=9), "/new": Count(1, 1)}

    assert rates(before, after, 2 * SECOND) == {"/a": Rate(came=12.0, handled=10.0)}
