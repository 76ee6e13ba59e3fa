"""A thousand bots on one machine: one bar told to all of them, and starting and stopping them."""

from itertools import count
from queue import SimpleQueue
from time import perf_counter_ns

from hydra.actor import Actor, ChildSpec, Context, Dispatcher
from hydra.ops.bench.acting import START_WITHIN_S, at, on_threads, supervised, threads_of
from hydra.ops.bench.bare_threads import Relays, Workers
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import (
    answer_from,
    collector_at_rest,
    medians,
    percentiles,
    seconds_of,
)
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.bars import Bar as MarketBar
from messages.market import BarClosed, bars_topic

BOTS = 1_000
FAN_OUTS = 100
TOPIC = bars_topic("BENCH")
BAR_CLOSED = BarClosed(bar=MarketBar("BENCH", 0, 1, 1.0, 1.0, 1.0, 1.0, 1.0))

FAN_OUT = Figure(
    name="fan_out_1000_p50",
    unit="ms",
    what="a pinned feed is told a bar and publishes it to 1,000 pooled actors that do nothing "
    "with it: from the tell to the feed until the last one has handled it",
    bound="1,000 calls, SimpleQueue to as many threads",
    bar=Bar(at_most=10),
)
START_STOP = Figure(
    name="start_stop_1000",
    unit="s",
    what="a supervisor starts 1,000 pooled actors one by one, each acknowledged, and stops them "
    "one by one, each acknowledged",
    bound="2,000 round trips between two threads",
    bar=Bar(at_most=1),
)


class Finish:
    """Counts who has handled the bar, in any thread, and says when all have."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._numbers = count(1)  # its `next` is atomic
        self._reached: SimpleQueue[int] = SimpleQueue()

    def handled(self) -> None:
        """One more."""
        if next(self._numbers) % self._size == 0:
            self._reached.put(perf_counter_ns())

    def reached_at(self) -> int:
        """When the last one handled it; waits for that."""
        return answer_from(self._reached, "a bar to all bots")


class Feed(Actor[BarClosed]):
    """Publishes what it is told."""

    def receive(self, message: BarClosed, ctx: Context) -> None:
        ctx.publish(TOPIC, message)


class Listener(Actor[BarClosed]):
    """Hears every bar and does nothing with it."""

    def __init__(self, finish: Finish) -> None:
        self._finish = finish

    def start(self, ctx: Context) -> None:
        ctx.subscribe(TOPIC)

    def receive(self, message: BarClosed, ctx: Context) -> None:
        self._finish.handled()


class Idle(Actor[BarClosed]):
    """Is told nothing."""


def idle_bots(number: int, dispatcher: Dispatcher) -> tuple[ChildSpec, ...]:
    """So many actors that do nothing."""
    return tuple(
        ChildSpec(name=f"bot{index}", actor=Idle, dispatcher=dispatcher) for index in range(number)
    )


def take_fan_out(effort: Effort, size: int = BOTS) -> tuple[Measured, ...]:
    """p50 in ms; actors and bare calls by turns."""
    finish, bare_finish = Finish(size), Finish(size)
    feed = ChildSpec(name="feed", actor=Feed, dispatcher=Dispatcher.PINNED)
    listeners = tuple(
        ChildSpec(name=f"bot{index}", actor=Listener, args={"finish": finish})
        for index in range(size)
    )
    values, bounds = [], []
    with on_threads((feed, *listeners)) as runtime, collector_at_rest():
        workers = Workers(threads_of(runtime, listeners[0]))
        put = workers.calls.put
        for _ in range(effort.count(FAN_OUTS, least=3)):
            began = perf_counter_ns()
            for _ in range(size):
                put(bare_finish.handled)
            bounds.append(bare_finish.reached_at() - began)
            began = perf_counter_ns()
            runtime.tell(at("feed"), BAR_CLOSED)
            values.append(finish.reached_at() - began)
        workers.close()
    p50, _ = percentiles(values, bounds, unit_ns=1_000_000)
    return (p50,)


def take_start_stop(effort: Effort, size: int = BOTS) -> tuple[Measured, ...]:
    """Seconds for both together; the median of the rounds."""
    relay = Relays(1)

    def hand_off() -> float:
        return seconds_of(lambda: [relay.there_and_back() for _ in range(2 * size)])

    try:
        return (medians(effort.rounds, lambda: _start_and_stop(size), hand_off),)
    finally:
        relay.close()


def _start_and_stop(size: int) -> float:
    tree = supervised("bench", idle_bots(size, Dispatcher.POOLED))
    runtime = ThreadRuntime()
    try:
        with collector_at_rest():
            began = perf_counter_ns()
            started = runtime.start_and_wait(tree, within=START_WITHIN_S)
            stopped = runtime.stop_tree("the measurement is over", within=START_WITHIN_S)
            ended = perf_counter_ns()
    finally:
        runtime.close()
    if not (started and stopped):
        raise CouldNotMeasure(f"{size} actors: started {started}, stopped {stopped}")
    return (ended - began) / 1e9


FANNING_OUT = Measurement(name="fan_out", figures=(FAN_OUT,), take=take_fan_out)
STARTING = Measurement(name="start_stop", figures=(START_STOP,), take=take_start_stop)
