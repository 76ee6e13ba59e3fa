import gc
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.bench.rows import CouldNotMeasure, Measured
from hydra.ops.bench.sampling import answer_from, collector_at_rest, medians, percentiles


def test_bound_and_measurement_are_taken_by_turns() -> None:
    taken: list[str] = []

    def taking(what: str, values: list[float]) -> Callable[[], float]:
        def take() -> float:
            taken.append(what)
            return values.pop(0)

        return take

    measured = medians(3, taking("value", [1.0, 100.0, 3.0]), taking("bound", [5.0, 4.0, 90.0]))

    assert taken == ["bound", "value"] * 3
    assert measured == Measured(3.0, 5.0)


def test_percentiles_are_given_in_the_unit_that_was_asked_for() -> None:
    values = [number * 1_000 for number in range(1, 101)]

    p50, p99 = percentiles(values, [2_000], unit_ns=1_000)

    assert (p50, p99) == (Measured(50.0, 2.0), Measured(99.0, 2.0))


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_a_percentile_is_a_sample_and_they_ascend(values: list[int]) -> None:
    p50, p99 = percentiles(values, values, unit_ns=1)

    assert {p50.value, p99.value} <= set(values)
    assert min(values) <= p50.value <= p99.value <= max(values)


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_frozen")
def test_the_collector_looks_at_everything_again_after_the_outermost() -> None:
    with collector_at_rest():
        outer = gc.get_freeze_count()
        came_since = [[number] for number in range(10_000)]
        with collector_at_rest():
            inner = gc.get_freeze_count()
        after_inner = gc.get_freeze_count()

    assert inner - outer > len(came_since) / 2  # something else may have gone meanwhile
    assert after_inner > outer > 0
    assert gc.get_freeze_count() == 0


def test_an_answer_that_does_not_come_says_what_was_waited_for() -> None:
    never: SimpleQueue[int] = SimpleQueue()

    with pytest.raises(CouldNotMeasure, match=r"a halt's acknowledgement: nothing within 0\.01 s"):
        answer_from(never, "a halt's acknowledgement", within_s=0.01)
