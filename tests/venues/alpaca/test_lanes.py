"""Threads that do jobs, and what becomes of one whose job fails."""

import threading
from time import monotonic

import pytest

from hydra.venues.alpaca.lanes import Lane
from tests.waiting import eventually

WITHIN_S = 5.0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("threads", [1, 3])
def test_a_lane_whose_jobs_fail_goes_on_with_as_many_threads_and_ends_when_it_is_closed(
    threads: int,
) -> None:
    died: list[str] = []
    done = threading.Event()
    lane = Lane("readings", threads=threads, waiting_max=100, died=died.append)

    def fail() -> None:
        raise RuntimeError("a bug")

    for _ in range(20):
        assert lane.add(fail)
    assert eventually(lambda: lane.is_idle)
    assert lane.add(done.set)
    assert done.wait(WITHIN_S)
    assert eventually(lambda: len(lane._alive()) == threads)
    # Whoever begins in the place of one that fails forgets all that have ended by then.
    assert lane.add(fail)
    assert eventually(lambda: len(died) == 21 and lane.is_idle)
    kept = len(lane._threads)
    lane.close()

    assert lane.join(monotonic() + WITHIN_S)
    assert died == ["readings"] * 21
    assert kept == threads + 1


def test_who_waits_for_a_lane_that_does_not_end_is_told_so_in_time() -> None:
    release = threading.Event()
    lane = Lane("readings", threads=1, waiting_max=1, died=lambda _name: None)

    def wait() -> None:
        release.wait(WITHIN_S)

    lane.add(wait)
    lane.close()

    assert not lane.join(monotonic() + 0.05)

    release.set()
    assert lane.join(monotonic() + WITHIN_S)
