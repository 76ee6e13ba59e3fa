"""From one thread to another: how many messages a second, and how long one takes."""

import statistics
from queue import SimpleQueue
from time import perf_counter_ns, sleep
from typing import TypeAlias

from hydra.actor import Actor, ChildSpec, Context, Dispatcher, MailboxSpec, Ref, unhandled
from hydra.ops.bench.acting import at, on_threads
from hydra.ops.bench.bare_threads import Relays, flood
from hydra.ops.bench.rows import Bar, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, percentiles
from messages.message import Message

FLOOD = 200_000
ROUND_TRIPS = 1_000
PAUSE_S = 0.001

TELL = Figure(
    name="thread_tell",
    unit="messages/s",
    what="tells a second by one pinned actor to another one that works them off meanwhile, "
    "until the last tell has returned",
    bound="SimpleQueue: puts, another thread gets",
    bar=Bar(at_least=700_000),
)
TELL_DRAINED = Figure(
    name="thread_tell_drained",
    unit="messages/s",
    what="the same flood, until the receiving actor has handled its last message",
    bound="SimpleQueue: another thread has got all",
)
ROUND_TRIP_P50 = Figure(
    name="thread_round_trip_p50",
    unit="µs",
    what="one pinned actor tells another, which tells it back: from the tell to the answer's "
    "handler, one such round trip each 2 ms",
    bound="SimpleQueue: there and back",
)
ROUND_TRIP_P99 = Figure(
    name="thread_round_trip_p99",
    unit="µs",
    what=ROUND_TRIP_P50.what,
    bound=ROUND_TRIP_P50.bound,
)


class StartFlood(Message, frozen=True, kw_only=True):
    """Tell the sink so many messages."""

    count: int


class Drop(Message, frozen=True, kw_only=True):
    """One message of a flood."""


class LastDrop(Message, frozen=True, kw_only=True):
    """The flood is over."""


class Source(Actor[StartFlood]):
    """Tells without pause, and says when it began and when the last tell had returned."""

    def __init__(self, sink: Ref[Drop | LastDrop], told: SimpleQueue[tuple[int, int]]) -> None:
        self._sink = sink
        self._told = told

    def receive(self, message: StartFlood, ctx: Context) -> None:
        sink, drop = self._sink, Drop()
        began = perf_counter_ns()
        for _ in range(message.count):
            ctx.tell(sink, drop)
        ended = perf_counter_ns()
        ctx.tell(sink, LastDrop())
        self._told.put((began, ended))


class Sink(Actor[Drop | LastDrop]):
    """Handles without doing anything, and says when it handled the last one."""

    def __init__(self, drained: SimpleQueue[int]) -> None:
        self._drained = drained

    def receive(self, message: Drop | LastDrop, ctx: Context) -> None:
        if isinstance(message, LastDrop):
            self._drained.put(perf_counter_ns())


class Serve(Message, frozen=True, kw_only=True):
    """Begin a round trip."""


class Ball(Message, frozen=True, kw_only=True):
    """On its way there."""


class BallReturned(Message, frozen=True, kw_only=True):
    """On its way back."""


ServerInbox: TypeAlias = Serve | BallReturned


class Server(Actor[ServerInbox]):
    """Begins each round trip and takes its time."""

    def __init__(self, returner: Ref[Ball], took: SimpleQueue[int]) -> None:
        self._returner = returner
        self._took = took
        self._began = 0

    def receive(self, message: ServerInbox, ctx: Context) -> None:
        match message:
            case Serve():
                self._began = perf_counter_ns()
                ctx.tell(self._returner, Ball())
            case BallReturned():
                self._took.put(perf_counter_ns() - self._began)
            case _:
                unhandled(message)


class Returner(Actor[Ball]):
    """Tells back whoever told it."""

    def receive(self, message: Ball, ctx: Context) -> None:
        ctx.reply(BallReturned())


def take_tell(effort: Effort, count: int = FLOOD) -> tuple[Measured, ...]:
    """Told and drained, a second; of actors and of bare threads.

    The flood is never made shorter: a short one is told before the other thread has had a turn.
    """
    told: SimpleQueue[tuple[int, int]] = SimpleQueue()
    drained: SimpleQueue[int] = SimpleQueue()
    source = ChildSpec(
        name="source",
        actor=Source,
        args={"sink": at("sink"), "told": told},
        dispatcher=Dispatcher.PINNED,
    )
    sink = ChildSpec(
        name="sink",
        actor=Sink,
        args={"drained": drained},
        dispatcher=Dispatcher.PINNED,
        mailbox=MailboxSpec(bound=count + 1),
    )
    told_rates, drained_rates, bare_told_rates, bare_drained_rates = [], [], [], []
    with on_threads((source, sink)) as runtime, collector_at_rest():
        for _ in range(effort.rounds):
            bare_told, bare_drained = flood(count)
            bare_told_rates.append(bare_told)
            bare_drained_rates.append(bare_drained)
            runtime.tell(at("source"), StartFlood(count=count))
            emptied = answer_from(drained, "a flood between two actors")
            began, ended = answer_from(told, "a flood between two actors")
            told_rates.append(count / ((ended - began) / 1e9))
            drained_rates.append(count / ((emptied - began) / 1e9))
    median = statistics.median
    return (
        Measured(median(told_rates), median(bare_told_rates)),
        Measured(median(drained_rates), median(bare_drained_rates)),
    )


def take_round_trips(effort: Effort) -> tuple[Measured, ...]:
    """p50 and p99 in µs; actors and bare threads by turns."""
    took: SimpleQueue[int] = SimpleQueue()
    server = ChildSpec(
        name="server",
        actor=Server,
        args={"returner": at("returner"), "took": took},
        dispatcher=Dispatcher.PINNED,
    )
    returner = ChildSpec(name="returner", actor=Returner, dispatcher=Dispatcher.PINNED)
    values, bounds = [], []
    relay = Relays(1)
    try:
        with on_threads((server, returner)) as runtime, collector_at_rest():
            for _ in range(effort.count(ROUND_TRIPS, least=5)):
                sleep(PAUSE_S)
                bounds.append(relay.there_and_back())
                sleep(PAUSE_S)
                runtime.tell(at("server"), Serve())
                values.append(answer_from(took, "a round trip between two actors"))
    finally:
        relay.close()
    return percentiles(values, bounds, unit_ns=1_000)


FLOODS = Measurement(name="tell", figures=(TELL, TELL_DRAINED), take=take_tell)
ROUND_TRIPPING = Measurement(
    name="round_trip", figures=(ROUND_TRIP_P50, ROUND_TRIP_P99), take=take_round_trips
)
