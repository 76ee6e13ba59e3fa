"""The engine's side of being in step: when it says that it is through with a moment."""

from collections.abc import Iterator

import pytest

from hydra.ops.step_watch import StepWatch
from hydra.ops.venue.pipe import Step
from tests.waiting import eventually

WITHIN_S = 5.0


class Engine:
    """What the watch looks at, and what it says."""

    def __init__(self) -> None:
        self.frames = 0
        self.is_idle = True
        self.looks = 0
        self.said: list[int] = []
        self.watch = StepWatch(
            lambda: self.frames, self._look, lambda step: self.said.append(step.number)
        )

    def _look(self) -> bool:
        self.looks += 1
        return self.is_idle

    def looked_again(self) -> bool:
        """Twice more than by now, so that whatever is so now was seen."""
        wanted = self.looks + 2
        return eventually(lambda: self.looks >= wanted, WITHIN_S)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    engine.watch.start()
    yield engine
    engine.watch.stop(WITHIN_S)


def test_it_is_through_once_all_was_heard_and_nothing_is_left_to_do(engine: Engine) -> None:
    engine.is_idle = False
    engine.frames = 2
    engine.watch.begun(Step(1, 2))
    assert engine.looked_again()
    assert engine.said == []

    engine.is_idle = True
    assert eventually(lambda: engine.said == [1], WITHIN_S)


def test_what_was_not_heard_is_waited_for_and_given_up_when_it_is_lost(engine: Engine) -> None:
    engine.watch.begun(Step(1, 5))
    assert eventually(lambda: engine.said == [1], WITHIN_S)  # its connection is gone, and so are 5
    assert engine.looks <= 3  # it was not even asked before

    engine.frames += 1
    engine.watch.begun(Step(2, 6))
    assert eventually(lambda: engine.said == [1, 2], WITHIN_S)


def test_a_step_that_another_follows_is_not_answered_any_more(engine: Engine) -> None:
    engine.is_idle = False
    engine.watch.begun(Step(1, 0))
    assert engine.looked_again()
    engine.watch.begun(Step(2, 0))
    engine.is_idle = True

    assert eventually(lambda: engine.said == [2], WITHIN_S)
    engine.watch.begun(Step(3, 0))
    assert eventually(lambda: engine.said == [2, 3], WITHIN_S)
    assert engine.watch.left_behind == 1


def test_another_venue_counts_anew(engine: Engine) -> None:
    engine.frames = 40
    engine.watch.counts_anew()
    engine.is_idle = False
    engine.watch.begun(Step(1, 3))
    engine.frames += 3
    engine.is_idle = True

    assert eventually(lambda: engine.said == [1], WITHIN_S)
