"""The watch over the clocks: what it halts for, and that nothing else has to work for it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.ops.clock_watch import (
    ENOUGH,
    PERIOD_S,
    SKEW,
    ClockWatch,
    read_clocks,
)
from hydra.runtime.clock import machine_time
from hydra.runtime.lease import LEASE
from hydra.runtime.runtime import Runtime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.clock_faults import END_OF_YEARS_AT, ClockReading
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.engine.harness import OPEN_AT, bars_of, market_of, play, rising
from tests.waiting import eventually

HOME = Path(__file__).resolve().parents[2]
WITHIN_S = 10.0
HOUR, DAY = 3600 * SECOND, 24 * 3600 * SECOND
START = ClockReading(wall=1_735_689_600 * SECOND, machine=77 * HOUR, awake=50 * HOUR)
HALTED, ACTIVE = TradingState.HALTED, TradingState.ACTIVE
OPERATOR_HALT = Cause(
    code="operator-halt",
    cause_class=CauseClass.INTEGRITY,
    state=HALTED,
    since=1,
    detail="a test",
)


class Clocks:
    """Clocks that go on by half a second with each look, and what a test does to them."""

    def __init__(self) -> None:
        self.shown = START

    def read(self) -> ClockReading:
        self.pass_by(SECOND // 2)
        return self.shown

    def pass_by(self, time: int, *, asleep: bool = False) -> None:
        self.shown = ClockReading(
            wall=self.shown.wall + time,
            machine=self.shown.machine + time,
            awake=self.shown.awake + (0 if asleep else time),
        )

    def set(self, *, ahead: int) -> None:
        self.shown = structs.replace(self.shown, wall=self.shown.wall + ahead)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def runtime() -> Iterator[ThreadRuntime]:
    runtime = ThreadRuntime()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield runtime
    runtime.close()


def look(watch: ClockWatch, times: int) -> None:
    for _ in range(times):
        watch.look_once()


def details(runtime: Runtime) -> list[str]:
    return [cause.detail for cause in runtime.gate.standing()]


def test_as_long_as_the_clocks_agree_trading_goes_on_i48(
    runtime: ThreadRuntime, clocks: Clocks
) -> None:
    look(ClockWatch(runtime, read=clocks.read), 1_000)

    assert runtime.gate.state is ACTIVE
    assert runtime.gate.epoch == 2


@pytest.mark.parametrize("looks_before", [1, 2, 500])
@pytest.mark.parametrize(
    "ahead",
    [-600 * MILLISECOND, -SECOND, 3 * SECOND, -HOUR, HOUR, -DAY, DAY, -START.wall, END_OF_YEARS_AT],
)
def test_a_clock_that_is_set_halts_at_the_next_look_in_whatever_phase_i48(
    looks_before: int, ahead: int, runtime: ThreadRuntime, clocks: Clocks
) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    look(watch, looks_before)
    assert runtime.gate.state is ACTIVE

    clocks.set(ahead=ahead)
    watch.look_once()

    (cause,) = runtime.gate.standing()
    assert structs.replace(cause, since=0, detail="") == Cause(
        code="clock_fault",
        cause_class=CauseClass.INTEGRITY,
        state=HALTED,
        since=0,
        detail="",
    )
    assert cause.detail.startswith(f"the wall clock was set {'forward' if ahead > 0 else 'back'} ")
    assert runtime.gate.state is HALTED


def test_a_clock_that_is_set_in_pieces_halts_i48(runtime: ThreadRuntime, clocks: Clocks) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    watch.look_once()

    for _ in range(30):
        clocks.set(ahead=SECOND // 10)
        watch.look_once()

    assert runtime.gate.state is HALTED


@pytest.mark.parametrize(
    ("asleep", "told"),
    [
        (False, "this process stood still for 5.5 s, at most 2 s allowed"),
        (True, "the machine was suspended for 5 s, at most 2 s allowed"),
    ],
)
def test_a_time_in_which_nobody_looked_halts_i08_i48(
    asleep: bool, told: str, runtime: ThreadRuntime, clocks: Clocks
) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    watch.look_once()

    clocks.pass_by(5 * SECOND, asleep=asleep)
    watch.look_once()

    assert details(runtime) == [told]
    assert runtime.gate.state is HALTED


def test_a_stop_that_outlasts_the_lease_always_shows_i08_i48() -> None:
    # It shows as long as it lasts, at least; and a look that is merely late has time.
    assert SKEW.silence == LEASE
    assert SKEW.silence >= 4 * PERIOD_S * SECOND


def test_each_fault_is_told_and_undoes_what_was_decided_before_it_i04_i48(
    runtime: ThreadRuntime, clocks: Clocks
) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    watch.look_once()

    epochs = []
    for ahead in (HOUR, 0, HOUR, -HOUR, 0):
        clocks.set(ahead=ahead)
        watch.look_once()
        epochs.append(runtime.gate.epoch)

    assert epochs == [3, 3, 4, 5, 5]
    assert details(runtime) == ["the wall clock was set back by 3600 s, at most 0.5 s allowed"]


def test_a_fault_that_was_cleared_does_not_come_back_by_itself_i05_i48(
    runtime: ThreadRuntime, clocks: Clocks
) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    watch.look_once()
    clocks.set(ahead=HOUR)
    watch.look_once()

    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    look(watch, 100)

    assert runtime.gate.state is ACTIVE


def test_a_date_that_cannot_be_halts_at_the_first_look_and_for_as_long_as_it_is_there_i05_i48(
    runtime: ThreadRuntime, clocks: Clocks
) -> None:
    clocks.set(ahead=-START.wall)
    watch = ClockWatch(runtime, read=clocks.read)
    look(watch, 100)
    first = runtime.gate.epoch

    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()
    after_it_was_cleared = details(runtime)
    clocks.set(ahead=START.wall)
    watch.look_once()
    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()

    assert first == 3
    assert after_it_was_cleared == ["the wall clock shows a date before the year 2024; set it"]
    assert runtime.gate.state is ACTIVE


def test_a_date_that_cannot_be_is_told_beside_another_halt_i05_i48(
    runtime: ThreadRuntime, clocks: Clocks
) -> None:
    runtime.gate.trip(OPERATOR_HALT)
    clocks.set(ahead=-START.wall)

    ClockWatch(runtime, read=clocks.read).look_once()

    assert [cause.code for cause in runtime.gate.standing()] == ["operator-halt", "clock_fault"]


def test_another_halt_is_left_as_it_is_i04_i48(runtime: ThreadRuntime, clocks: Clocks) -> None:
    watch = ClockWatch(runtime, read=clocks.read)
    watch.look_once()
    runtime.gate.trip(OPERATOR_HALT)

    clocks.set(ahead=HOUR)
    watch.look_once()

    assert [cause.code for cause in runtime.gate.standing()] == ["operator-halt", "clock_fault"]


def test_a_fault_of_the_clocks_stops_orders_in_a_session_i01_i48(clocks: Clocks) -> None:
    def set_the_clock(runtime: SimRuntime) -> None:
        watch = ClockWatch(runtime, read=clocks.read)
        watch.look_once()
        clocks.set(ahead=-HOUR)
        watch.look_once()
        told = "the wall clock was set back by 3600 s, at most 0.5 s allowed"
        assert [event.detail for event in runtime.history if event.what == "halted"] == [told]

    # As in tests/engine: decided at minute 15.
    market = market_of(bars_of([100.0] * 10 + rising(30) + rising(20, from_price=101.5)))
    undisturbed = play(market)
    disturbed = play(market, at={OPEN_AT + 15 * MINUTE - 1: set_the_clock})

    assert len(undisturbed.journal.events("intent_stored")) > 0
    assert disturbed.journal.events("intent_stored") == []
    assert disturbed.runtime.gate.state is HALTED


def test_the_thread_sees_a_clock_that_is_set_i48(runtime: ThreadRuntime, clocks: Clocks) -> None:
    watch = ClockWatch(runtime, period_s=0.001, read=clocks.read)
    watch.start()

    clocks.set(ahead=DAY)

    assert eventually(lambda: runtime.gate.state is HALTED)
    assert watch.stop(WITHIN_S)


def test_a_watch_that_cannot_go_on_halts_i48(runtime: ThreadRuntime) -> None:
    def read() -> ClockReading:
        raise OSError("no such clock")

    with pytest.raises(OSError, match="no such clock"):
        ClockWatch(runtime, read=read).keep_looking()

    assert details(runtime) == ["the watch over the clocks died: OSError: no such clock"]
    assert runtime.gate.state is HALTED


def test_it_ends_when_it_is_told_to(runtime: ThreadRuntime) -> None:
    before = threading.active_count()
    never_started, watch = ClockWatch(runtime), ClockWatch(runtime)
    watch.start()

    assert watch.stop(WITHIN_S)
    assert never_started.stop(WITHIN_S)

    assert threading.active_count() == before
    assert runtime.gate.state is ACTIVE


def test_the_clocks_of_this_machine_are_read_as_if_at_one_moment_i48() -> None:
    begun = machine_time()
    readings = [read_clocks() for _ in range(100)]

    for reading, later in pairwise(readings):
        assert abs((later.wall - reading.wall) - (later.machine - reading.machine)) < SKEW.back / 5
        assert reading.awake < later.awake
    assert begun <= readings[0].machine
    assert readings[-1].machine <= machine_time()
    assert SKEW.back > 100 * ENOUGH


@pytest.mark.parametrize(
    ("machine", "read_at", "number"),
    [
        ([0, 100], 50, 1),
        ([0, ENOUGH], ENOUGH // 2, 1),
        # Another thread had the processor in between, once or more often.
        ([0, SECOND, SECOND, SECOND + 6], SECOND + 3, 2),
        ([0, 5, 9 * SECOND, 9 * SECOND], 2, 1),
        # Never at once, and after five tries it has to do: the second took 2 ms.
        ([ms * ENOUGH for ms in (0, 9, 10, 12, 20, 29, 30, 39, 40, 49, 50, 50)], 11 * ENOUGH, 2),
    ],
)
def test_of_some_readings_the_quickest_counts_i48(
    machine: list[int], read_at: int, number: int
) -> None:
    walls = iter(range(1, 100))
    awakes = iter(range(101, 200))
    times = iter(machine)

    reading = read_clocks(lambda: next(walls), lambda: next(times), lambda: next(awakes))

    assert reading == ClockReading(wall=number, machine=read_at, awake=100 + number)


STOOD_STILL = """
from hydra.ops.clock_watch import ClockWatch
from hydra.runtime.thread_runtime import ThreadRuntime

runtime = ThreadRuntime()
runtime.gate.arm((), "a test", runtime.gate.epoch)
watch = ClockWatch(runtime)
watch.look_once()
watch.start()
print("looking", flush=True)
input()
watch.look_once()
print(*(cause.detail for cause in runtime.gate.standing()), flush=True)
watch.stop(5)
runtime.close()
"""


@pytest.mark.slow
def test_a_process_that_is_stopped_and_goes_on_halts_i08_i48() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOOD_STILL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HOME,
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "looking\n"

        os.kill(process.pid, signal.SIGSTOP)
        threading.Event().wait(LEASE / SECOND + 0.2)
        os.kill(process.pid, signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()

        assert process.stdout.readline().startswith("this process stood still for 2.")
    assert process.returncode == 0
