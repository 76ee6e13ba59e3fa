import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.bench.quotes_absorbed import (
    BRIEF,
    GROWTH_MAX,
    LOWERED,
    SYMBOLS,
    Haste,
    absorbing,
    decoded_a_second,
    grow,
    sustained_rate,
)
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.trading.durations import MILLISECOND


def test_the_symbols_are_fifty_shares() -> None:
    assert len(set(SYMBOLS)) == 50


@given(st.integers(1, 10**12), st.integers(4, 100))
def test_ages_that_stay_do_not_grow(age: int, count: int) -> None:
    assert not grow([age] * count)


def test_a_slow_beginning_is_no_growth() -> None:
    assert not grow([900 * MILLISECOND] * 25 + [MILLISECOND] * 75)


@pytest.mark.parametrize(("more", "is_growth"), [(GROWTH_MAX, False), (GROWTH_MAX + 1, True)])
def test_ages_grow_from_the_second_quarter_to_the_last(more: int, is_growth: bool) -> None:
    assert grow([0] * 75 + [more] * 25) is is_growth


def test_a_single_late_quote_is_no_growth() -> None:
    assert not grow([0] * 99 + [1 << 40])


def test_a_trend_needs_quotes_to_be_seen() -> None:
    with pytest.raises(CouldNotMeasure, match="3 quotes came"):
        grow([0, 0, 0])


@given(st.floats(0.003, 1.0), st.integers(0, 6))
def test_the_rate_found_is_kept_up_with_and_the_next_higher_one_is_not(
    share: float, halvings: int
) -> None:
    bound = 1_000_000.0
    limit = share * bound

    found = sustained_rate(
        bound, lambda rate, _: rate <= limit, Haste(halvings=halvings, step_ms=1, last_ms=1)
    )

    assert found <= limit
    assert min(limit, bound) <= found * (1 + 0.5**halvings)


def test_a_rate_that_only_a_short_try_keeps_up_with_is_lowered() -> None:
    haste = Haste(halvings=0, step_ms=1, last_ms=10)

    found = sustained_rate(100.0, lambda rate, ms: rate <= (50 if ms == 1 else 40), haste)

    assert found == 50 * LOWERED * LOWERED


def test_if_nothing_is_kept_up_with_there_is_no_rate() -> None:
    with pytest.raises(CouldNotMeasure, match=r"not even .* quotes/s are kept up with"):
        sustained_rate(1e6, lambda rate, _: False, BRIEF)


@pytest.mark.parametrize("a_frame", [1, 10])
def test_every_quote_of_a_flood_is_taken_in_later_than_it_was_due(a_frame: int) -> None:
    assert decoded_a_second(100, a_frame) > 0
    with absorbing(a_frame) as feed:
        feed.keeps_up_with(2_000.0, 100)
        ages = tuple(feed.watch.ages)  # one more quote wakes the stream for its end

    assert 0 < len(ages) <= 200
    assert all(age > 0 for age in ages)
