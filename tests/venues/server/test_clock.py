"""The venue's clock: it runs, stands, jumps forward, and never goes back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.server.clock import MAX_SPEED, BadClockOrder, VenueClock
from tests.venues.server.kit import OPEN, SECOND, MachineClock


def test_it_runs_so_many_times_as_fast_as_the_machines() -> None:
    machine = MachineClock()
    clock = VenueClock(OPEN, 60.0, machine)

    machine.ns = 2 * SECOND

    assert clock.now() == OPEN + 120 * SECOND
    assert clock.seconds_until(OPEN + 180 * SECOND) == 1.0
    assert clock.seconds_until(OPEN) == 0.0


def test_it_runs_to_where_it_is_to_stand_and_on_from_there_when_it_is_given_another_place() -> None:
    machine = MachineClock()
    clock = VenueClock(OPEN, 60.0, machine)
    told: list[tuple[int, int, float, int | None]] = []
    clock.on_change(lambda *line: told.append(line))

    clock.stand_at(OPEN + 90 * SECOND)
    machine.ns = 1 * SECOND
    assert (clock.now(), clock.seconds_until(OPEN + 90 * SECOND)) == (OPEN + 60 * SECOND, 0.5)
    assert clock.seconds_until(OPEN + 91 * SECOND) is None
    machine.ns = 10 * SECOND
    assert clock.now() == OPEN + 90 * SECOND

    clock.stand_at(None)
    machine.ns = 11 * SECOND
    assert clock.now() == OPEN + 150 * SECOND
    assert told == [
        (OPEN, 0, 60.0, None),
        (OPEN, 0, 60.0, OPEN + 90 * SECOND),
        (OPEN + 90 * SECOND, 10 * SECOND, 60.0, None),
    ]


def test_a_virtual_one_stands_until_it_is_moved() -> None:
    machine = MachineClock()
    clock = VenueClock(OPEN, 0, machine)

    machine.ns = 10**12
    clock.move_to(OPEN + 5)

    assert clock.now() == OPEN + 5
    assert clock.seconds_until(OPEN + 6) is None


@pytest.mark.parametrize("speed", [-1.0, math.nan, math.inf, MAX_SPEED * 2])
def test_a_speed_that_makes_no_sense_is_refused(speed: float) -> None:
    with pytest.raises(BadClockOrder, match="wanted 0"):
        VenueClock(OPEN, speed, MachineClock())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("machine"), st.integers(0, 10**10)),
            st.tuples(st.just("jump"), st.integers(0, 10**12)),
            st.tuples(st.just("stand"), st.integers(0, 10**12)),
            st.tuples(st.just("speed"), st.floats(0, 1000)),
        )
    )
)
def test_it_never_goes_back_whatever_is_done_to_it(steps: list[tuple[str, float]]) -> None:
    machine = MachineClock()
    clock = VenueClock(OPEN, 1.0, machine)
    shown = [clock.now()]

    for what, amount in steps:
        match what:
            case "machine":
                machine.ns += int(amount)
            case "stand":
                clock.stand_at(clock.now() + int(amount))
            case "jump":
                clock.move_to(clock.now() + int(amount))
            case _:
                clock.run_at(amount)
        shown.append(clock.now())

    assert shown == sorted(shown)
