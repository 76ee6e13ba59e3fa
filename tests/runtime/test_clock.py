"""The clocks of a live engine."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.runtime.clock import FollowedClock, WallClock, machine_time

START = 1_460_727_000_000_000_000


def test_machine_time_never_goes_back() -> None:
    times = [machine_time() for _ in range(1_000)]

    assert times == sorted(times)


def test_market_time_of_the_wall_goes_with_machine_time() -> None:
    clock = WallClock()
    now = machine_time()

    assert clock.at(now + 5) - clock.at(now) == 5


def test_followed_time_stands_still_until_the_venue_says_how_it_runs() -> None:
    clock = FollowedClock(START)

    assert clock.at(0) == clock.at(10**12) == START

    clock.follow(START, 1_000, 600.0)
    assert clock.at(1_000) == START
    assert clock.at(1_000 + 10**9) == START + 600 * 10**9


def test_followed_time_stands_still_where_the_venue_said_it_would() -> None:
    clock = FollowedClock(START)

    clock.follow(START, 1_000, 600.0, until=START + 15 * 10**9)
    assert clock.at(1_000 + 10**7) == START + 6 * 10**9
    assert clock.at(1_000 + 10**9) == START + 15 * 10**9


@given(
    said=st.lists(
        st.tuples(
            st.integers(-(10**12), 10**12),
            st.integers(0, 10**9),
            st.sampled_from([0.0, 0.5, 1.0, 600.0]),
            st.none() | st.integers(-(10**12), 10**12),
        ),
        min_size=1,
    )
)
def test_whatever_the_venue_says_it_is_never_set_back(
    said: list[tuple[int, int, float, int | None]],
) -> None:
    clock = FollowedClock(START)
    machine, seen = 0, clock.at(0)
    for moved, passed, speed, ahead in said:
        machine += passed
        until = None if ahead is None else START + moved + ahead
        clock.follow(START + moved, machine, speed, until)
        assert clock.at(machine) >= max(seen, START + moved)
        machine += passed
        seen = clock.at(machine)
