"""The watch over memory: what it tells, what it halts for, and until when."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.memory_room import MIB, Room
from hydra.ops.memory_watch import MemoryLimits, MemoryWatch, is_under
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.causes import MEMORY_SHORT
from hydra.trading.trading_state import TradingState

LIMITS = MemoryLimits(soft=100 * MIB, hard=40 * MIB)
PLENTY = Room(900 * MIB, "this machine")
ACTIVE, HALTED = TradingState.ACTIVE, TradingState.HALTED


class Listening(ThreadRuntime):
    """Keeps what is written to the journal."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def log(
        self, event: str, source: str, fields: Mapping[str, object], envelope_for: object = None
    ) -> None:
        del source, envelope_for
        self.written.append(f"{event} {fields['detail']}" if fields else event)


class Watched:
    """A watch, the memory that it sees in MiB (None: nobody tells), and what it said."""

    def __init__(self, runtime: Listening) -> None:
        self.runtime = runtime
        self.left: int | None = 500
        self.said: list[str] = []
        self.watch = MemoryWatch(runtime, self.said.append, limits=LIMITS, read=self._read)

    def _read(self) -> Sequence[Room]:
        return () if self.left is None else (PLENTY, Room(self.left * MIB, "a box"), PLENTY)

    def look(self, left: int | None) -> None:
        self.left = left
        self.watch.look_once()


@pytest.fixture
def watched() -> Iterator[Watched]:
    runtime = Listening()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield Watched(runtime)
    runtime.close()


def detail(left: int, wanted: int) -> str:
    return (
        f"memory: found {left} MiB left by a box, wanted {wanted} MiB; see what takes it, or give"
        " it more; a restart frees what leaked"
    )


def test_as_long_as_there_is_enough_nothing_is_said(watched: Watched) -> None:
    for left in (500, 100, 2_000):
        watched.look(left)

    assert (watched.said, watched.runtime.written) == ([], [])
    assert watched.runtime.gate.state is ACTIVE


def test_when_it_runs_short_it_is_told_once_and_again_when_it_was_better(watched: Watched) -> None:
    for left in (99, 98, 109, 99, 110, 97):
        watched.look(left)

    told = [detail(99, 100), detail(97, 100)]
    assert watched.said == [f"ALARM: {each}" for each in told]
    assert watched.runtime.written == [f"memory_alarm {each}" for each in told]
    assert watched.runtime.gate.state is ACTIVE


def test_before_it_is_gone_it_halts_once_and_may_not_be_cleared_until_there_is_more(
    watched: Watched,
) -> None:
    watched.look(39)
    gate = watched.runtime.gate
    epoch = gate.epoch
    (cause,) = gate.standing()
    watched.look(43)

    assert (cause.code, cause.state, cause.detail) == (MEMORY_SHORT.code, HALTED, detail(39, 40))
    assert gate.epoch == epoch
    assert watched.watch.present == {MEMORY_SHORT.code}

    watched.look(44)

    assert watched.watch.present == frozenset()
    assert gate.state is HALTED


def test_what_somebody_cleared_while_there_is_too_little_halts_again_i05(watched: Watched) -> None:
    watched.look(5)
    gate = watched.runtime.gate
    gate.arm((), "somebody", gate.epoch)
    assert gate.state is ACTIVE

    watched.look(5)

    assert [cause.code for cause in gate.standing()] == [MEMORY_SHORT.code]


def test_where_nobody_tells_nothing_halts_and_that_is_on_record_once(watched: Watched) -> None:
    watched.look(None)
    watched.look(None)

    assert watched.runtime.written == ["memory_not_watched"]
    assert watched.runtime.gate.state is ACTIVE


def test_that_nobody_tells_any_more_does_not_make_memory_of_none(watched: Watched) -> None:
    watched.look(10)
    watched.look(None)

    assert watched.watch.present == {MEMORY_SHORT.code}


def test_a_watch_that_dies_halts(watched: Watched) -> None:
    def broken() -> Sequence[Room]:
        raise ValueError("no number")

    watch = MemoryWatch(watched.runtime, watched.said.append, read=broken)
    with pytest.raises(ValueError, match="no number"):
        watch.keep_looking()

    (cause,) = watched.runtime.gate.standing()
    assert cause.code == MEMORY_SHORT.code
    assert cause.detail == "the watch over memory died: ValueError: no number"


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_what_stands_ends_later_than_it_began_and_never_before(wanted: int, free: int) -> None:
    assert is_under(wanted, free, stands=False) is (free < wanted)
    assert is_under(wanted, free, stands=True) or free >= wanted
    assert is_under(wanted, free, stands=True) or not is_under(wanted, free, stands=False)


def test_limits_leave_time_between_the_alarm_and_the_halt() -> None:
    assert 0 < MemoryLimits().hard < MemoryLimits().soft
