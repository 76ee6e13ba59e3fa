"""From a tick in the socket to the order's bytes at the venue: the engine between two sockets.

A broker in another process writes a quote into a WebSocket. The adapter's stream reads it, the data
feed checks it, a bot that wants to trade on every quote wishes for an order, the guardian judges,
the persister records, the gateway calls the adapter, and one of its threads sends the request back
to the same broker, which refuses it, so that nothing piles up.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Any, TypeAlias

import msgspec
from msgspec import structs

from hydra.actor import Actor, ChildSpec, Context, Ref, unhandled
from hydra.assembly import tell_gateway
from hydra.ops.bench.bare_threads import Relays, cpu_bound
from hydra.ops.bench.disk import folder_of_its_own, one_page
from hydra.ops.bench.loopback import END_WITHIN_S, NO_LIMIT, Broker, Tick, broker, feed_of, started
from hydra.ops.bench.order_chain import (
    SYMBOL,
    VENUE,
    ForgetfulLedger,
    intent,
    market_now,
    trading,
)
from hydra.ops.bench.rows import NO_BAR, Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import collector_at_rest, percentiles
from hydra.ports import GateKey, Ledger
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger as LedgerFile
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from messages.market import QuoteChanged, quotes_topic
from messages.orders import OrderApproved, OrderDenied, OrderIntent, ReportStored
from supervisors import paths

TICKS = 200
IN_A_ROUND = 20
"""Ticks, and then as many of the bound."""
PAUSE_S = 0.005
"""Before each tick, and each bound: what an order still leads to is over by then."""
WARM_UP = 5
TRIES = 3
"""The first quotes may only make the symbol known."""
HOPS = 5
"""stream -> feed -> bot -> guardian -> persister -> gateway"""

Disturbed: TypeAlias = Callable[[], AbstractContextManager[None]]
"""What else goes on in the engine's process meanwhile."""

BotInbox: TypeAlias = QuoteChanged | OrderDenied | ReportStored


class EveryQuoteBot(Actor[BotInbox]):
    """Wants to trade on each quote."""

    def __init__(self, guardian: Ref[OrderIntent]) -> None:
        self._guardian = guardian
        self._signals = 0

    def start(self, ctx: Context) -> None:
        ctx.subscribe(quotes_topic(SYMBOL))

    def receive(self, message: BotInbox, ctx: Context) -> None:
        match message:
            case QuoteChanged():
                self._signals += 1
                wish = intent(ctx.me.name, self._signals, ctx.market_time())
                ctx.tell(self._guardian, wish)
            case OrderDenied() | ReportStored():
                pass
            case _:
                unhandled(message)


class WatchedVenue(AlpacaVenue):
    """The adapter, and a note of when it is called for which order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.called: dict[str, int] = {}

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        self.called[approved.order.client_order_id] = monotonic_ns()
        super().submit(approved, key)


class Samples(msgspec.Struct, frozen=True):
    """What one scene gave, in ns: ticks until the call, until the bytes were there; the bound."""

    to_submit: list[int]
    to_wire: list[int]
    bounds: list[int]


class Chain:
    """The engine between the two sockets, trading."""

    def __init__(self, peer: Broker, venue: WatchedVenue) -> None:
        self._peer = peer
        self._venue = venue

    def warm_up(self) -> None:
        """Until quotes bring orders, and everything has been done once."""
        for _ in range(TRIES):
            if len(found := self._peer.ticks(WARM_UP, PAUSE_S)) == WARM_UP and found[-1].name:
                return
        raise CouldNotMeasure(f"{TRIES} times a quote brought no order")

    def samples(self, ticks: int, bound: Callable[[], int]) -> Samples:
        """So many ticks, and as many of the bound, by turns."""
        bounds: list[int] = []
        found: list[Tick] = []
        while len(found) < ticks:
            count = min(IN_A_ROUND, ticks - len(found))
            for _ in range(count):
                sleep(PAUSE_S)
                bounds.append(bound())
            found += self._peer.ticks(count, PAUSE_S)
            if not found[-1].name:
                raise CouldNotMeasure(f"quote {len(found)} of {ticks} brought no order")
        return Samples(
            [self._venue.called[tick.name] - tick.sent for tick in found],
            [tick.arrived - tick.sent for tick in found],
            bounds,
        )


@contextmanager
def chain(peer: Broker, ledger: Ledger, journal: JournalFile) -> Iterator[Chain]:
    """The engine on threads with its adapter and feed, connected to the broker."""
    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER)
    market_time = partial(market_now, runtime)
    venue = WatchedVenue(
        peer.client(),
        runtime.gate,
        terms=AlpacaTerms(shares=NO_LIMIT),
        market_time=market_time,
        machine_time=runtime.now,
        tell=tell_gateway(runtime),
    )
    voice = runtime.outside("prices")
    feed = feed_of(
        peer, (SYMBOL,), market_time, lambda message: voice.tell(paths.DATA_FEED, message)
    )
    bot = ChildSpec(name="bot", actor=EveryQuoteBot, args={"guardian": paths.RISK_GUARDIAN})
    try:
        with (
            started(feed, peer),
            trading(
                runtime, ledger=ledger, journal=journal, venue=venue, bots=(bot,), price_feed=feed
            ),
        ):
            running = Chain(peer, venue)
            running.warm_up()
            yield running
    finally:
        venue.close(END_WITHIN_S)


def forgetful(peer: Broker, ticks: int, disturbed: Disturbed) -> Samples:
    """A scene in which nothing is put on record."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as own,
        closing(Relays(HOPS)) as relays,
        closing(ForgetfulLedger.open(IN_MEMORY, venue=VENUE, at=0)) as ledger,
    ):
        return scene(peer, ledger, Path(own), ticks, relays.one_way, disturbed)


def durable(peer: Broker, ticks: int, folder: Path, disturbed: Disturbed) -> Samples:
    """A scene in which every intent is committed to the disk of this folder before it is sent."""
    with (
        folder_of_its_own(folder) as own,
        one_page(own / "page") as sync,
        closing(LedgerFile.open(own / "ledger.db", venue=VENUE, at=0)) as ledger,
    ):
        return scene(peer, ledger, own, ticks, sync, disturbed)


def scene(
    peer: Broker,
    ledger: Ledger,
    folder: Path,
    ticks: int,
    bound: Callable[[], int],
    disturbed: Disturbed,
) -> Samples:
    """Ticks through an engine with this ledger; the disturbance begins once it trades."""
    with (
        closing(JournalFile.open(folder / "journal.jsonl", at=0)) as journal,
        chain(peer, ledger, journal) as running,
        collector_at_rest(),
        disturbed(),
    ):
        return running.samples(ticks, bound)


def both(
    ticks: int, folder: Path, disturbed: Disturbed
) -> tuple[tuple[Measured, ...], tuple[Measured, ...]]:
    """The figures of a scene without the commit, and of one with it."""
    with broker("refuse") as peer:
        peer.require_one_clock()
        without = forgetful(peer, ticks, disturbed)
        with_commit = durable(peer, ticks, folder, disturbed)
    return four(without), four(with_commit)


def figures_of(
    suffix: str, scene: str, bound: str, p50: Bar, p99: Bar, aims: tuple[str, str]
) -> tuple[Figure, ...]:
    """Both ends of the way, each with p50 and p99; the bars are those of the call."""
    call = Figure(
        name=f"tick_to_submit{suffix}_p50",
        unit="µs",
        what="a quote just before it is written into the WebSocket of another process, until the "
        f"gateway calls the adapter; one each 5 ms and more; {scene}",
        bound=bound,
        bar=p50,
        aim=aims[0],
    )
    wire = Figure(
        name=f"tick_to_wire{suffix}_p50",
        unit="µs",
        what=f"the same quote until the last byte of the order is in that process; {scene}",
        bound=bound,
    )
    return (
        call,
        structs.replace(call, name=f"tick_to_submit{suffix}_p99", bar=p99, aim=aims[1]),
        wire,
        structs.replace(wire, name=f"tick_to_wire{suffix}_p99"),
    )


RELAYED = "five hand-offs between bare threads"
SYNCED = "fdatasync of 4 KiB in the same folder"
BUSY = "; beside one CPU-bound thread"
NOT_RECORDED, RECORDED = "nothing put on record", "the intent committed to the ledger on the way"
ADDED = Figure(
    name="tick_to_submit_commit",
    unit="µs",
    what="what the commit adds to tick_to_submit_p50",
    bound=SYNCED,
    bar=Bar(ratio_at_most=2),
)
QUIET_FIGURES = (
    *figures_of("", NOT_RECORDED, RELAYED, Bar(at_most=120), Bar(at_most=400), ("60 µs", "200 µs")),
    *figures_of("_durable", RECORDED, SYNCED, NO_BAR, NO_BAR, ("120 µs", "300 µs")),
    ADDED,
)
BUSY_FIGURES = (
    *figures_of(
        "_busy", NOT_RECORDED + BUSY, RELAYED + BUSY, NO_BAR, Bar(at_most=5_000), ("", "1,000 µs")
    ),
    *figures_of("_durable_busy", RECORDED + BUSY, SYNCED + BUSY, NO_BAR, NO_BAR, ("", "")),
)


def four(samples: Samples) -> tuple[Measured, ...]:
    """In the order of `figures_of`, in µs."""
    return (
        *percentiles(samples.to_submit, samples.bounds, unit_ns=1_000),
        *percentiles(samples.to_wire, samples.bounds, unit_ns=1_000),
    )


def take_quiet(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """p50 and p99 in µs of both ends, without the commit and with it; and what it adds."""
    without, with_commit = both(effort.count(TICKS, least=5), folder, nullcontext)
    added = with_commit[0].value - without[0].value
    return *without, *with_commit, Measured(added, with_commit[0].bound_value)


def take_busy(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """The same beside a thread that computes without end."""
    without, with_commit = both(effort.count(TICKS // 2, least=5), folder, partial(cpu_bound, 1))
    return *without, *with_commit


def quiet(folder: Path) -> Measurement:
    """With the ledger on the disk of this folder."""
    return Measurement(
        name="tick_to_order", figures=QUIET_FIGURES, take=partial(take_quiet, folder=folder)
    )


def busy(folder: Path) -> Measurement:
    """The same, disturbed."""
    return Measurement(
        name="tick_to_order_busy", figures=BUSY_FIGURES, take=partial(take_busy, folder=folder)
    )
