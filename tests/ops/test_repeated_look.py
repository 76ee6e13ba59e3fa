"""A watch on a thread of its own: when it looks, when it ends, and what its end means."""

import threading
from collections.abc import Callable, Iterator

import pytest

from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.causes import CLOCK_FAULT
from hydra.trading.trading_state import Cause, TradingState

WITHIN_S = 10.0


class Looking(RepeatedLook):
    """Does in each look what a test says."""

    def __init__(self, runtime: ThreadRuntime, look: Callable[[], None]) -> None:
        super().__init__(runtime, name="a-test", period_s=0.001)
        self._look = look

    def look_once(self) -> None:
        self._look()

    def _cannot_go_on(self, reason: str) -> Cause:
        return CLOCK_FAULT.cause(since=0, detail=reason)


@pytest.fixture
def runtime() -> Iterator[ThreadRuntime]:
    runtime = ThreadRuntime()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield runtime
    runtime.close()


def test_it_looks_again_and_again_until_it_is_stopped(runtime: ThreadRuntime) -> None:
    thrice = threading.Semaphore(0)
    watch = Looking(runtime, thrice.release)
    watch.start()

    assert all(thrice.acquire(timeout=WITHIN_S) for _ in range(3))
    assert watch.stop(WITHIN_S)
    assert runtime.gate.state is TradingState.ACTIVE


@pytest.mark.parametrize("end", [OSError, AssertionError, SystemExit, KeyboardInterrupt])
def test_whatever_it_dies_of_halts_and_is_told(
    end: type[BaseException], runtime: ThreadRuntime
) -> None:
    def die() -> None:
        raise end("over")

    with pytest.raises(end):
        Looking(runtime, die).keep_looking()

    told = f"{end.__name__}: over"
    assert [cause.detail for cause in runtime.gate.standing()] == [told]
    assert [(event.what, event.detail) for event in runtime.history] == [("halted", told)]


def test_a_look_that_does_not_come_back_is_not_waited_for_longer_than_it_is_said(
    runtime: ThreadRuntime,
) -> None:
    looks, answers = threading.Event(), threading.Event()

    def hang() -> None:
        looks.set()
        answers.wait(WITHIN_S)

    watch = Looking(runtime, hang)
    watch.start()
    assert looks.wait(WITHIN_S)

    ended_at_once = watch.stop(0.0)
    answers.set()

    assert not ended_at_once
    assert watch.stop(WITHIN_S)


def test_one_that_never_began_has_ended(runtime: ThreadRuntime) -> None:
    assert Looking(runtime, lambda: None).stop(0.0)
