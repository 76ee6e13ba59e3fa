import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.actor import SECOND, Backoff
from supervisors.strategies import Intensity, Strategy, Supervision, affected_by

NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("strategy", "failed", "affected"),
    [
        (Strategy.ONE_FOR_ONE, "b", ("b",)),
        (Strategy.REST_FOR_ONE, "a", NAMES),
        (Strategy.REST_FOR_ONE, "b", ("b", "c", "d")),
        (Strategy.REST_FOR_ONE, "d", ("d",)),
        (Strategy.ONE_FOR_ALL, "c", NAMES),
    ],
)
def test_a_strategy_names_who_goes_down_with_a_child(
    strategy: Strategy, failed: str, affected: tuple[str, ...]
) -> None:
    assert affected_by(strategy, NAMES, failed) == affected


@given(strategy=st.sampled_from(Strategy), failed=st.sampled_from(NAMES))
def test_whoever_goes_down_does_so_in_start_order_and_the_failed_one_is_among_them(
    strategy: Strategy, failed: str
) -> None:
    affected = affected_by(strategy, NAMES, failed)

    assert failed in affected
    assert [name for name in NAMES if name in affected] == list(affected)


@pytest.mark.parametrize(
    ("restarts_at", "exceeded"),
    [
        ([], False),
        ([0], False),
        ([0, 1], False),
        ([0, 1, 2], True),
        ([0, 5, 9], True),
        ([0, 5, 10], False),  # the first is a whole period ago
        ([0, 5, 11], False),
        ([0, 10, 20, 25], False),
        ([0, 10, 20, 25, 29], True),
    ],
)
def test_the_restarts_of_the_period_that_ends_with_the_last_one_count_i75(
    restarts_at: list[int], exceeded: bool
) -> None:
    assert Intensity(2, 10).exceeded_by(restarts_at) == exceeded


def test_an_intensity_of_none_allows_none() -> None:
    assert Intensity(0, 10).exceeded_by([7])
    assert not Intensity(0, 10).exceeded_by([])


def test_all_intensities_apply_together_i75() -> None:
    policy = Supervision(
        strategy=Strategy.ONE_FOR_ONE, intensity=(Intensity(1, 10), Intensity(3, 100))
    )

    assert not policy.exceeded_by([0, 20, 40])
    assert policy.exceeded_by([0, 20, 40, 45])
    assert policy.exceeded_by([0, 20, 40, 60])
    assert policy.longest_period() == 100


times = st.lists(st.integers(0, 1_000), max_size=30).map(sorted)


@given(restarts_at=times, restarts=st.integers(0, 5), period=st.integers(1, 200))
def test_what_is_older_than_the_period_does_not_matter(
    restarts_at: list[int], restarts: int, period: int
) -> None:
    intensity = Intensity(restarts, period)
    recent = [at for at in restarts_at if at > restarts_at[-1] - period]

    assert intensity.exceeded_by(restarts_at) == intensity.exceeded_by(recent)
    assert intensity.exceeded_by(restarts_at) == (len(recent) > restarts)


@given(
    failures=st.integers(1, 1_000),
    jitter=st.floats(0, 1, exclude_max=True),
    base=st.integers(1, 10 * SECOND),
    cap=st.integers(1, 100 * SECOND),
)
def test_a_pause_lies_between_half_and_all_of_the_doubled_base_and_under_the_cap(
    failures: int, jitter: float, base: int, cap: int
) -> None:
    pause = Backoff(base=base, cap=cap).delay(failures, jitter)

    longest = min(cap, base * 2 ** min(failures - 1, 60))
    assert longest // 2 <= pause <= min(longest, cap)


def test_pauses_double_up_to_the_cap() -> None:
    backoff = Backoff(base=SECOND, cap=5 * SECOND)

    pauses = [backoff.delay(n, 0.0) for n in range(1, 6)]

    assert pauses == [SECOND // 2, SECOND, 2 * SECOND, 5 * SECOND // 2, 5 * SECOND // 2]
