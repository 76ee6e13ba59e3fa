"""How old a price is, and when one that is only repeated is taken for frozen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.feed_age import Rhythm, age, frozen, frozen_after, heard, stale

SECOND = 1_000_000_000
AGE_MAX = 15 * SECOND


def after(*gaps: int, changing: bool = True, until: Rhythm | None = None) -> Rhythm:
    """Prices that come so many ns after one another."""
    rhythm = until or heard(None, 0, is_change=True)
    now = rhythm.heard_at
    for gap in gaps:
        now += gap
        rhythm = heard(rhythm, now, is_change=changing)
    return rhythm


@pytest.mark.parametrize(
    ("seconds", "fault"),
    [
        (0, None),
        (15, None),
        (16, "the newest price is 16 s old, at most 15 s allowed"),
        (-1, "the newest price is -1 s old, at most 15 s allowed"),
    ],
)
def test_a_price_counts_for_so_long_and_no_longer_i45(seconds: int, fault: str | None) -> None:
    heard_at = Rhythm(100 * SECOND, 0)

    assert stale(heard_at, (100 + seconds) * SECOND, 0, AGE_MAX) == fault


def test_prices_are_expected_from_the_open_on_and_one_that_never_came_is_as_old_i45() -> None:
    yesterdays = Rhythm(100 * SECOND, 0)

    assert age(yesterdays, 900 * SECOND, 890 * SECOND) == 10 * SECOND
    assert age(None, 900 * SECOND, 890 * SECOND) == 10 * SECOND


def test_repeating_a_price_keeps_it_young_and_does_not_change_it_i45() -> None:
    rhythm = after(SECOND, SECOND, SECOND, changing=False)

    assert stale(rhythm, 4 * SECOND, 0, AGE_MAX) is None
    assert rhythm == Rhythm(heard_at=3 * SECOND, changed_at=0)


def test_a_price_that_is_repeated_beyond_its_usual_rhythm_is_frozen_i45() -> None:
    lively = after(*[3 * SECOND] * 20)
    repeated = after(*[SECOND] * 60, changing=False, until=lively)
    for_longer = after(SECOND, changing=False, until=repeated)

    assert frozen(repeated, repeated.heard_at, 0, AGE_MAX) is None
    assert frozen(for_longer, for_longer.heard_at, 0, AGE_MAX) == (
        "the price comes again and again and has not changed for 61 s, at most 60 s is usual"
    )


def test_one_change_and_it_is_not_frozen_any_more_i45() -> None:
    frozen_price = after(*[SECOND] * 100, changing=False)
    changed = after(SECOND, until=frozen_price)

    assert frozen(frozen_price, frozen_price.heard_at, 0, AGE_MAX) is not None
    assert frozen(changed, changed.heard_at, 0, AGE_MAX) is None


def test_what_did_not_change_overnight_counts_from_the_open_i45() -> None:
    rhythm = Rhythm(1_000 * SECOND, 0)

    assert frozen(rhythm, 1_000 * SECOND, 990 * SECOND, AGE_MAX) is None


@pytest.mark.parametrize(
    ("gaps", "most"),
    [
        ([], 4 * AGE_MAX),
        ([SECOND] * 7, 4 * AGE_MAX),
        ([SECOND // 100] * 50, 2 * AGE_MAX),
        ([4 * SECOND] * 50, 80 * SECOND),
        ([3600 * SECOND] * 50, 40 * AGE_MAX),
    ],
    ids=["nothing known", "not enough known", "very lively", "usual", "hardly ever"],
)
def test_how_long_is_usual_is_learned_within_bounds_i45(gaps: list[int], most: int) -> None:
    assert frozen_after(after(*gaps), AGE_MAX) == most


@given(
    prices=st.lists(st.tuples(st.integers(0, 10**12), st.booleans()), max_size=60),
    age_max=st.integers(1, 3600 * SECOND),
)
def test_whatever_comes_the_patience_stays_within_its_bounds_i45(
    prices: list[tuple[int, bool]], age_max: int
) -> None:
    rhythm, now = heard(None, 0, is_change=True), 0
    for gap, is_change in prices:
        now += gap
        rhythm = heard(rhythm, now, is_change=is_change)

    assert 2 * age_max <= frozen_after(rhythm, age_max) <= 40 * age_max
    assert rhythm.changed_at <= rhythm.heard_at == now
    assert frozen(rhythm, rhythm.changed_at, 0, age_max) is None
