"""When a comparison of record and venue is tried again, and when it is over."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.comparison import (
    GAPS_APART,
    PAUSE_AFTER_DIFFERENCE,
    PAUSE_AFTER_FAILURE,
    TRIES,
    Comparison,
    Pacing,
)
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.durations import SECOND


def apart(found: str) -> tuple[Difference, ...]:
    return (Difference(kind=DifferenceKind.POSITION, subject="AAPL", found=found, wanted="3"),)


FIRST = Comparison(reasons=("a test",)).tried_again(1, 2)
TWO, FOUR = apart("2"), apart("4")


def tried(*finds: tuple[str, tuple[Difference, ...]]) -> tuple[int, list[int]]:
    """How many tries there are if they find this, and the pauses between them."""
    comparison, pauses = FIRST, list[int]()
    for failure, differences in finds:
        following = comparison.unsettled(failure, differences)
        if following is None:
            return comparison.tries, pauses
        pauses.append(following.pause)
        comparison = following.tried_again(3, 4)
    raise AssertionError("it goes on")


AFTER_FAILURE, AFTER_DIFFERENCE = PAUSE_AFTER_FAILURE, PAUSE_AFTER_DIFFERENCE


def test_where_both_sides_agree_one_look_is_enough() -> None:
    assert tried(("", ())) == (1, [])


def test_a_difference_is_looked_at_again_and_is_one_if_it_is_still_the_same_i60() -> None:
    assert tried(("", TWO), ("", TWO)) == (2, [AFTER_DIFFERENCE])


def test_what_was_on_its_way_is_no_difference() -> None:
    assert tried(("", TWO), ("", ())) == (2, [AFTER_DIFFERENCE])


def test_while_what_is_found_changes_it_is_looked_at_three_times() -> None:
    assert tried(("", TWO), ("", FOUR), ("", TWO)) == (3, [AFTER_DIFFERENCE] * 2)


def test_what_cannot_be_read_is_tried_three_times_and_proves_no_difference_i62() -> None:
    assert tried(("late", ()), ("late", ()), ("late", ())) == (3, [AFTER_FAILURE] * 2)
    assert tried(("", TWO), ("late", ()), ("", TWO)) == (3, [AFTER_DIFFERENCE, AFTER_FAILURE])


@given(st.lists(st.sampled_from([("late", ()), ("", TWO), ("", FOUR)]), min_size=TRIES))
def test_it_ends_and_never_with_a_difference_that_was_seen_once_alone_before_the_last_try(
    finds: list[tuple[str, tuple[Difference, ...]]],
) -> None:
    tries, _ = tried(*finds)

    assert 2 <= tries <= TRIES
    if tries < TRIES:
        assert finds[tries - 1] == finds[tries - 2] and not finds[tries - 1][0]


def test_what_is_late_is_looked_at_ever_less_often_and_when_it_is_too_old_i60() -> None:
    pacing = Pacing()
    looks = [7 * SECOND]

    while looks[-1] < 70 * SECOND:
        pause = pacing.ended(looks[-1], late=True)
        assert pause is not None
        looks.append(looks[-1] + pause)

    assert [(look - looks[0]) // SECOND for look in looks] == [0, 2, 6, 14, 30, 31, 47, 63]
    assert pacing.ended(80 * SECOND, late=False) is None
    assert pacing.ended(81 * SECOND, late=True) == 2 * SECOND


def test_gaps_that_come_together_have_one_comparison_i47_i71() -> None:
    pacing = Pacing()

    begins = [now + pacing.gap(now) for now in range(SECOND, 61 * SECOND, SECOND // 2)]

    assert sorted(set(begins)) == [SECOND + number * GAPS_APART for number in range(5)]
    assert pacing.gap(1_000 * SECOND) == 0
