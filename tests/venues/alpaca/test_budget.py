"""The request budget: never over it, and what is kept for exits and cancels is there (K15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import MINUTE, SECOND
from hydra.venues.alpaca.budget import (
    RESET_UNKNOWN_NS,
    Budget,
    Shares,
    Use,
    heard,
    limited,
    take,
)

SHARES = Shares()
FRESH = Budget(shares=SHARES)


def taken(budget: Budget, use: Use, times: int, now: int = 0) -> tuple[Budget, int]:
    """The budget after as many of these requests as it allows, and how many those were."""
    for number in range(times):
        after = take(budget, use, now)
        if after is None:
            return budget, number
        budget = after
    return budget, times


@pytest.mark.parametrize(
    ("use", "most"), [(Use.URGENT, 150), (Use.RECONCILE, 130), (Use.ENTRY, 100), (Use.POLL, 70)]
)
def test_each_use_leaves_the_share_of_those_more_urgent(use: Use, most: int) -> None:
    budget, got = taken(FRESH, use, 1000)

    assert got == most
    assert taken(budget, Use.URGENT, 1000)[1] == 150 - most


def test_what_was_asked_a_minute_ago_counts_no_more() -> None:
    budget, _ = taken(FRESH, Use.URGENT, 150)

    assert take(budget, Use.URGENT, MINUTE - 1) is None
    assert take(budget, Use.URGENT, MINUTE) is not None


REQUESTS = st.lists(st.tuples(st.integers(0, 2 * SECOND), st.sampled_from(list(Use))), max_size=400)


@given(REQUESTS)
def test_in_no_minute_is_more_asked_than_allowed_whatever_for(
    requests: list[tuple[int, Use]],
) -> None:
    budget, now, asked = FRESH, 0, []
    for gap, use in requests:
        now += gap
        after = take(budget, use, now)
        if after is not None:
            budget = after
            asked.append((now, use))

    for at, _ in asked:
        minute = [use for when, use in asked if at <= when < at + MINUTE]
        assert len(minute) <= SHARES.a_minute
        assert sum(use is Use.ENTRY for use in minute) <= SHARES.a_minute - SHARES.left_by_entry


@given(REQUESTS, st.integers(0, 120))
def test_entries_and_polls_never_take_what_the_last_thirty_are_kept_for(
    requests: list[tuple[int, Use]], seconds: int
) -> None:
    budget, now = FRESH, 0
    for gap, use in requests:
        now += gap
        if use in (Use.ENTRY, Use.POLL):
            budget = take(budget, use, now) or budget

    assert taken(budget, Use.URGENT, 30, now + seconds * SECOND)[1] == 30


def test_a_429_holds_back_all_but_the_urgent_until_its_reset() -> None:
    held = limited(FRESH, 20 * SECOND, now=0)

    for use in (Use.RECONCILE, Use.ENTRY, Use.POLL):
        assert take(held, use, 20 * SECOND - 1) is None
        assert take(held, use, 20 * SECOND) is not None
    assert take(held, Use.URGENT, 0) is not None


def test_a_429_that_does_not_say_for_how_long_holds_for_half_a_minute() -> None:
    held = limited(FRESH, None, now=0)

    assert take(held, Use.ENTRY, RESET_UNKNOWN_NS - 1) is None
    assert take(held, Use.ENTRY, RESET_UNKNOWN_NS) is not None


def test_a_reset_is_believed_for_a_minute_at_most() -> None:
    held = limited(FRESH, 10**18, now=0)

    assert take(held, Use.ENTRY, MINUTE) is not None


def test_what_other_programs_use_up_is_not_ours_to_use() -> None:
    budget = heard(FRESH, 60, 30 * SECOND, now=0)

    assert taken(budget, Use.ENTRY, 100)[1] == 10
    assert taken(budget, Use.POLL, 100)[1] == 0
    assert heard(FRESH, 199, 30 * SECOND, now=0) == FRESH


def test_answers_that_overtake_one_another_only_tighten() -> None:
    one = heard(heard(FRESH, 60, 30 * SECOND, 0), 90, 20 * SECOND, 1)
    other = heard(heard(FRESH, 90, 20 * SECOND, 0), 60, 30 * SECOND, 1)

    assert one.held_to == other.held_to == 60


def test_a_hold_ends_no_sooner_because_of_a_later_answer() -> None:
    held = heard(heard(FRESH, 55, 30 * SECOND, 0), 50, 5 * SECOND, 1)

    assert take(held, Use.ENTRY, 29 * SECOND) is None
    assert take(held, Use.ENTRY, 30 * SECOND) is not None


def test_a_hold_is_of_its_minute_alone() -> None:
    # The broker's minute ends at 60 s of ours; its clock is half a second ahead.
    budget = heard(FRESH, 5, 30 * SECOND, now=30 * SECOND)
    just_before = 59 * SECOND + SECOND // 2

    plenty = heard(budget, 198, MINUTE, just_before)
    little = heard(budget, 60, MINUTE, just_before)

    assert take(budget, Use.RECONCILE, just_before) is None
    assert plenty == FRESH
    assert taken(little, Use.ENTRY, 100, 65 * SECOND)[1] == 10
    assert little.held_until == just_before + MINUTE


def test_an_answer_of_the_minute_before_says_nothing_of_this_one() -> None:
    budget = heard(FRESH, 60, MINUTE, now=MINUTE)

    assert heard(budget, 2, 0, now=MINUTE + 1) == budget


@pytest.mark.parametrize("reset_in", [20 * SECOND, 55 * SECOND])
def test_a_hold_of_which_the_broker_did_not_say_the_end_is_ended_by_no_answer(
    reset_in: int,
) -> None:
    # What was answered before may come after; a key that was refused must not be tried at once.
    held = limited(FRESH, None, now=0)

    assert heard(held, 198, reset_in, 1) == held
    still = max(reset_in, RESET_UNKNOWN_NS) - 1
    assert take(heard(held, 0, reset_in, 1), Use.ENTRY, still) is None
