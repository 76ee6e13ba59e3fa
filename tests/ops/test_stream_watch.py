"""The watch over the threads that bring news: whoever does not go on is noticed by silence."""

import threading
from collections.abc import Iterator

import pytest

from hydra.ops.stream_watch import IDLE_S_MAX, StreamWatch
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.turns import Turns
from tests.waiting import eventually

WITHIN_S = 10.0
HALTED, ACTIVE = TradingState.HALTED, TradingState.ACTIVE


class Thing:
    """Idle for as long as a test says."""

    def __init__(self, idle_s: float = 0.0) -> None:
        self.idle_s = idle_s


@pytest.fixture
def runtime() -> Iterator[ThreadRuntime]:
    runtime = ThreadRuntime()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield runtime
    runtime.close()


def details(runtime: ThreadRuntime) -> dict[str, str]:
    return {cause.code: cause.detail for cause in runtime.gate.standing()}


def test_as_long_as_all_of_them_go_on_trading_does_i45(runtime: ThreadRuntime) -> None:
    watch = StreamWatch(runtime, trading={"trading": Thing()}, prices={"prices": Thing(IDLE_S_MAX)})

    for _ in range(100):
        watch.look_once()

    assert (runtime.gate.state, watch.present) == (ACTIVE, frozenset())


def test_one_that_does_not_go_on_halts_and_is_named_i45(runtime: ThreadRuntime) -> None:
    orders, prices = Thing(), Thing()
    watch = StreamWatch(runtime, trading={"the trading stream": orders}, prices={"prices": prices})

    prices.idle_s = 5.1
    watch.look_once()
    orders.idle_s = 7.0
    watch.look_once()

    assert runtime.gate.state is HALTED
    assert details(runtime) == {
        "stale_feed": "prices: its thread has not gone on for 5.1 s",
        "trading_stream_lost": "the trading stream: its thread has not gone on for 7.0 s",
    }
    assert watch.present == {"stale_feed", "trading_stream_lost"}


def test_a_thread_is_not_blamed_for_a_time_in_which_the_whole_process_stood_still_i45(
    runtime: ThreadRuntime,
) -> None:
    at, prices = 1000.0, Thing(0.2)
    watch = StreamWatch(runtime, trading={}, prices={"prices": prices}, clock=lambda: at)
    watch.look_once()

    at, prices.idle_s = at + 60.5, 60.7  # it was stopped for a minute, and has just gone on
    watch.look_once()
    said_when_it_went_on = watch.present
    at, prices.idle_s = at + 0.5, 0.1
    watch.look_once()

    assert said_when_it_went_on == watch.present == frozenset()
    assert runtime.gate.state is ACTIVE


def test_a_thread_that_stays_silent_after_a_standstill_halts_when_its_time_is_up_i45(
    runtime: ThreadRuntime,
) -> None:
    at, prices = 1000.0, Thing(3.0)
    watch = StreamWatch(runtime, trading={}, prices={"prices": prices}, clock=lambda: at)
    watch.look_once()

    at, prices.idle_s = at + 60.5, 63.5
    states = []
    for _ in range(6):
        watch.look_once()
        states.append(runtime.gate.state)
        at, prices.idle_s = at + 0.5, prices.idle_s + 0.5

    assert states == [ACTIVE] * 5 + [HALTED]
    assert details(runtime) == {"stale_feed": "prices: its thread has not gone on for 5.5 s"}


def test_an_idleness_that_is_no_number_halts_too_i07(runtime: ThreadRuntime) -> None:
    StreamWatch(runtime, trading={}, prices={"prices": Thing(float("nan"))}).look_once()

    assert runtime.gate.state is HALTED


def test_what_stands_is_not_told_again_and_what_was_cleared_and_is_still_so_is_i05(
    runtime: ThreadRuntime,
) -> None:
    prices = Thing(60.0)
    watch = StreamWatch(runtime, trading={}, prices={"prices": prices})

    epochs = []
    for _ in range(2):
        watch.look_once()
        epochs.append(runtime.gate.epoch)
    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()
    epochs.append(runtime.gate.epoch)
    prices.idle_s = 0.0
    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()

    assert epochs == [3, 3, 5]
    assert runtime.gate.state is ACTIVE


def test_a_thread_that_dies_is_noticed_by_its_silence_i45(runtime: ThreadRuntime) -> None:
    turns = Turns()
    watch = StreamWatch(
        runtime, trading={}, prices={"prices": turns}, idle_s_max=0.05, period_s=0.005
    )
    watch.start()
    dying = threading.Thread(target=turns.round)
    dying.start()
    dying.join()

    assert eventually(lambda: runtime.gate.state is HALTED)
    assert watch.stop(WITHIN_S)


def test_a_thread_that_said_how_long_it_may_take_has_that_long() -> None:
    turns = Turns()
    turns.round(60.0)
    patient = turns.idle_s
    turns.round(-60.0)

    assert patient == 0.0
    assert turns.idle_s >= 60.0


def test_a_watch_that_cannot_go_on_halts_i45(runtime: ThreadRuntime) -> None:
    class Broken:
        @property
        def idle_s(self) -> float:
            raise OSError("no such clock")

    with pytest.raises(OSError, match="no such clock"):
        StreamWatch(runtime, trading={}, prices={"prices": Broken()}).keep_looking()

    assert details(runtime) == {
        "trading_stream_lost": "the watch over the streams died: OSError: no such clock"
    }


def test_it_ends_when_it_is_told_to(runtime: ThreadRuntime) -> None:
    before = threading.active_count()
    never_started = StreamWatch(runtime, trading={}, prices={})
    watch = StreamWatch(runtime, trading={}, prices={})
    watch.start()

    assert watch.stop(WITHIN_S)
    assert never_started.stop(WITHIN_S)

    assert threading.active_count() == before
    assert runtime.gate.state is ACTIVE
