"""The clocks of a live engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.runtime.clock import ScaledClock, WallClock, machine_time

START = 1_460_727_000_000_000_000


def test_machine_time_never_goes_back() -> None:
    times = [machine_time() for _ in range(1_000)]

    assert times == sorted(times)


def test_market_time_of_the_wall_goes_with_machine_time() -> None:
    clock = WallClock()
    now = machine_time()

    assert clock.at(now + 5) - clock.at(now) == 5


def test_scaled_time_stands_still_until_it_is_run() -> None:
    clock = ScaledClock(START, speed=600.0)

    assert clock.at(0) == clock.at(10**12) == START

    clock.run(1_000)
    assert clock.at(1_000) == START
    assert clock.at(1_000 + 10**9) == START + 600 * 10**9


def test_it_can_be_set_forward_but_not_back() -> None:
    clock = ScaledClock(START, speed=2.0)
    clock.run(0)

    clock.skip_to(START + 10**9, 100)

    assert clock.at(100 + 50) == START + 10**9 + 100
    with pytest.raises(ValueError, match="cannot go back"):
        clock.skip_to(START, 200)


@given(
    speed=st.floats(0.5, 100_000),
    ahead=st.integers(0, 10**15),
    machine=st.integers(0, 10**15),
)
def test_waiting_as_long_as_told_reaches_the_time(speed: float, ahead: int, machine: int) -> None:
    clock = ScaledClock(START, speed)
    clock.run(machine)

    waited = clock.machine_wait(START + ahead, machine)

    # Within one step of the clock, and what a float of this size can tell.
    assert clock.at(machine + waited + 1) >= START + ahead - int(speed) - ahead // 10**9 - 2
    assert clock.machine_wait(START - 1, machine) == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_goes_nowhere_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be over 0"):
        ScaledClock(START, speed)
