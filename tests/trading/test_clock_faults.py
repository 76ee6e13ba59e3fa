"""Whether the clocks can be believed: what is a fault, and what keeps them right and is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.clock_faults import (
    END_OF_YEARS_AT,
    FIRST_YEAR_AT,
    ClockReading,
    Skew,
    clock_fault,
    date_fault,
    followed,
)

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR

SKEW = Skew(back=500 * MILLISECOND, forward=2 * SECOND, silence=2 * SECOND)
START = ClockReading(wall=1_735_689_600 * SECOND, machine=77 * HOUR, awake=50 * HOUR)


def later(
    before: ClockReading, after: int = SECOND, *, jump: int = 0, asleep: int = 0
) -> ClockReading:
    """The clocks some machine time later, with the wall clock set meanwhile."""
    return ClockReading(
        wall=before.wall + after + jump,
        machine=before.machine + after,
        awake=before.awake + after - asleep,
    )


def first_fault(jumps: list[int], every: int = SECOND) -> int | None:
    """At which reading a series of jumps, one before each reading, is noticed."""
    held_against = shown = START
    for number, jump in enumerate(jumps):
        shown = later(shown, every, jump=jump)
        if clock_fault(held_against, shown, SKEW) is not None:
            return number
        held_against = followed(held_against, shown, SKEW)
    return None


@pytest.mark.parametrize(
    ("jump", "told"),
    [
        (-500 * MILLISECOND - 1, "back by 0.500000001 s, at most 0.5 s"),
        (-600 * MILLISECOND, "back by 0.6 s, at most 0.5 s"),
        (-SECOND, "back by 1 s, at most 0.5 s"),
        (-3 * SECOND, "back by 3 s, at most 0.5 s"),
        (-HOUR, "back by 3600 s, at most 0.5 s"),
        (-DAY, "back by 86400 s, at most 0.5 s"),
        (-START.wall, "back by 1735689600 s, at most 0.5 s"),
        (2 * SECOND + 1, "forward by 2.000000001 s, at most 2 s"),
        (3 * SECOND, "forward by 3 s, at most 2 s"),
        (HOUR, "forward by 3600 s, at most 2 s"),
        (DAY, "forward by 86400 s, at most 2 s"),
        (END_OF_YEARS_AT - START.wall, "forward by 411794048 s, at most 2 s"),
    ],
)
def test_a_wall_clock_that_jumps_is_a_fault_i48(jump: int, told: str) -> None:
    assert (
        clock_fault(START, later(START, jump=jump), SKEW)
        == f"the wall clock was set {told} allowed"
    )


@pytest.mark.parametrize("jump", [-500 * MILLISECOND, -1, 0, 1, SECOND, 2 * SECOND])
def test_a_disagreement_within_the_skew_is_none_i48(jump: int) -> None:
    assert clock_fault(START, later(START, jump=jump), SKEW) is None


@given(
    jump=st.integers(-DAY, DAY),
    after=st.integers(0, SKEW.silence),
    phase=st.integers(-HOUR, HOUR),
    back=st.integers(1, HOUR),
    forward=st.integers(1, HOUR),
)
def test_a_jump_is_a_fault_exactly_beyond_the_skew_at_whatever_moment_i48(
    jump: int, after: int, phase: int, back: int, forward: int
) -> None:
    skew = Skew(back=back, forward=forward, silence=SKEW.silence)
    before = later(START, phase)

    fault = clock_fault(before, later(before, after, jump=jump), skew)

    assert (fault is None) == (-back <= jump <= forward)


@pytest.mark.parametrize(
    ("jumps", "noticed"),
    [
        ([SECOND], None),
        ([SECOND, 0, 0, SECOND], None),
        ([SECOND, 0, 0, SECOND, SECOND], 4),
        ([-300 * MILLISECOND], None),
        ([-300 * MILLISECOND, 0, 0, -300 * MILLISECOND], 3),
        ([-300 * MILLISECOND, SECOND, -300 * MILLISECOND], None),
        ([SECOND, -SECOND, SECOND, -SECOND], None),
    ],
)
def test_jumps_that_are_within_the_skew_add_up_i48(jumps: list[int], noticed: int | None) -> None:
    assert first_fault(jumps) == noticed


@pytest.mark.parametrize("pieces", [1, 10, 100, 1000])
@pytest.mark.parametrize("jump", [-SECOND, 3 * SECOND, -HOUR, HOUR])
def test_a_jump_in_small_pieces_is_noticed_i48(jump: int, pieces: int) -> None:
    assert first_fault([jump // pieces] * pieces) is not None


TEN_DAYS_OF_READINGS = 10 * 24 * 3600


@pytest.mark.parametrize("ppm", [-500, 500])
def test_a_clock_that_is_slewed_for_ten_days_is_no_fault_i48(ppm: int) -> None:
    a_second = SECOND * ppm // 1_000_000

    held_against = shown = START
    for _ in range(TEN_DAYS_OF_READINGS):
        shown = later(shown, jump=a_second)
        assert clock_fault(held_against, shown, SKEW) is None
        held_against = followed(held_against, shown, SKEW)

    assert shown.wall - shown.machine - (START.wall - START.machine) == 432 * SECOND * ppm // 500


@pytest.mark.parametrize(
    ("ppm", "noticed_after_s"), [(1_000, 4_000), (2_000, 1_334), (-1_000, 1000)]
)
def test_a_clock_that_drifts_faster_than_it_can_be_slewed_is_a_fault_i48(
    ppm: int, noticed_after_s: int
) -> None:
    jumps = [SECOND * ppm // 1_000_000] * 5_000

    noticed = first_fault(jumps)

    assert noticed is not None
    assert abs(noticed - noticed_after_s) <= 2


@pytest.mark.parametrize("ppm", [-500, 500])
def test_a_jump_of_a_clock_that_is_being_slewed_is_a_fault_i48(ppm: int) -> None:
    slewed = [SECOND * ppm // 1_000_000] * 3_000

    assert first_fault([*slewed, -600 * MILLISECOND]) == 3_000
    assert first_fault([*slewed, 3 * SECOND]) == 3_000
    assert first_fault([*slewed, SECOND, *slewed]) is None


def test_a_jump_within_the_skew_is_forgotten_once_a_slew_could_have_made_it_i48() -> None:
    # 2 s at 500 microseconds a second.
    minutes_67 = [0] * 4_000

    assert first_fault([2 * SECOND, *minutes_67, 2 * SECOND]) is None
    assert first_fault([2 * SECOND, *minutes_67[:-10], 2 * SECOND]) is not None


STEPS = st.lists(
    st.tuples(st.integers(1, SKEW.silence), st.integers(-SECOND, SECOND)), min_size=1, max_size=60
)


@given(steps=STEPS)
def test_what_is_no_fault_never_gains_more_than_the_skew_and_a_slew_together_i48(
    steps: list[tuple[int, int]],
) -> None:
    held_against = shown = START
    gained, passed = [0], [0]
    for after, jump in steps:
        shown = later(shown, after, jump=jump)
        if clock_fault(held_against, shown, SKEW) is not None:
            break
        held_against = followed(held_against, shown, SKEW)
        gained.append(gained[-1] + jump)
        passed.append(passed[-1] + after)

    widest = SKEW.back + SKEW.forward
    for start in range(len(gained)):
        for end in range(start, len(gained)):
            slewed = (passed[end] - passed[start]) * SKEW.slew_ppm // 1_000_000
            assert abs(gained[end] - gained[start]) <= widest + slewed


@given(
    afters=st.lists(st.integers(1, SKEW.silence), min_size=1, max_size=60),
    shares=st.lists(st.floats(-1, 1), min_size=60, max_size=60),
)
def test_no_slew_however_it_changes_is_a_fault_and_it_leaves_nothing_behind_i48(
    afters: list[int], shares: list[float]
) -> None:
    held_against = shown = START
    for after, share in zip(afters, shares, strict=False):
        most = after * SKEW.slew_ppm // 1_000_000
        shown = later(shown, after, jump=int(most * share))
        assert clock_fault(held_against, shown, SKEW) is None
        held_against = followed(held_against, shown, SKEW)

    assert held_against == shown


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (later(START, 2 * SECOND), None),
        (
            later(START, 2 * SECOND + 1),
            "this process stood still for 2.000000001 s, at most 2 s allowed",
        ),
        (later(START, HOUR), "this process stood still for 3600 s, at most 2 s allowed"),
        (
            later(START, 600 * SECOND, asleep=599 * SECOND),
            "the machine was suspended for 599 s, at most 2 s allowed",
        ),
        (
            later(START, 600 * SECOND, asleep=2 * SECOND),
            "this process stood still for 600 s, at most 2 s allowed",
        ),
        # That the clock was set while nobody looked changes nothing.
        (
            later(START, HOUR, jump=-HOUR),
            "this process stood still for 3600 s, at most 2 s allowed",
        ),
        (later(START, -1), "machine time went back by 0.000000001 s"),
    ],
)
def test_a_time_in_which_nobody_looked_is_a_fault_i48(now: ClockReading, told: str | None) -> None:
    assert clock_fault(START, now, SKEW) == told


@pytest.mark.parametrize(
    ("wall", "told"),
    [
        (0, "the wall clock shows a date before the year 2024; set it"),
        (-DAY, "the wall clock shows a date before the year 2024; set it"),
        (FIRST_YEAR_AT - 1, "the wall clock shows a date before the year 2024; set it"),
        (FIRST_YEAR_AT, None),
        (START.wall, None),
        (END_OF_YEARS_AT - 1, None),
        (END_OF_YEARS_AT, "the wall clock shows a date after 2038-01-19; set it"),
        (END_OF_YEARS_AT + 100 * 365 * DAY, "the wall clock shows a date after 2038-01-19; set it"),
    ],
)
def test_a_date_that_cannot_be_is_a_fault_by_itself_i48(wall: int, told: str | None) -> None:
    assert date_fault(ClockReading(wall=wall, machine=1, awake=1)) == told
