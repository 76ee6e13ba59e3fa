"""From a bar to the venue: through feed, bot, guardian, persister and gateway, on threads."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter_ns, sleep
from typing import TypeAlias

from hydra.actor import Actor, ChildSpec, Context, Ref, unhandled
from hydra.assembly import tell_gateway
from hydra.ops.bench.bare_threads import Relays
from hydra.ops.bench.disk import folder_of_its_own, one_page
from hydra.ops.bench.order_chain import (
    SYMBOL,
    VENUE,
    ForgetfulLedger,
    intent,
    market_now,
    trading,
)
from hydra.ops.bench.rows import Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, percentiles
from hydra.ports import GateKey, Journal, Ledger, PermitClass
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger as LedgerFile
from hydra.venues.dry_run import DryRun
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.in_process import InProcessVenue
from messages.market import BarClosed, bars_topic
from messages.orders import OrderApproved, OrderDenied, OrderIntent, OrderRejected, ReportStored
from supervisors import paths

BARS = 500
PAUSE_S = 0.003
HOPS = 5
"""market -> feed -> bot -> guardian -> persister -> gateway"""

WHAT = (
    "a bar told to the data feed until the gateway calls the venue, by way of the bot, all the "
    "guards with their reservations, the persister and the journal; one bar each 6 ms, quiet"
)
FORGETFUL_P50 = Figure(
    name="order_path_p50",
    unit="µs",
    what=f"{WHAT}; nothing put on record in between",
    bound="five hand-offs between bare threads",
    aim="120 µs",
)
FORGETFUL_P99 = Figure(
    name="order_path_p99",
    unit="µs",
    what=FORGETFUL_P50.what,
    bound=FORGETFUL_P50.bound,
    aim="400 µs",
)
DURABLE_P50 = Figure(
    name="order_path_durable_p50",
    unit="µs",
    what=f"{WHAT}; the intent committed to the ledger in between",
    bound="fdatasync of 4 KiB in the same folder",
    aim="120 µs and 2 of the bound",
)
DURABLE_P99 = Figure(
    name="order_path_durable_p99", unit="µs", what=DURABLE_P50.what, bound=DURABLE_P50.bound
)

BotInbox: TypeAlias = BarClosed | OrderDenied | ReportStored


class EveryBarBot(Actor[BotInbox]):
    """Wants to trade on each bar."""

    def __init__(self, guardian: Ref[OrderIntent]) -> None:
        self._guardian = guardian
        self._signals = 0

    def start(self, ctx: Context) -> None:
        ctx.subscribe(bars_topic(SYMBOL))

    def receive(self, message: BotInbox, ctx: Context) -> None:
        match message:
            case BarClosed():
                self._signals += 1
                wish = intent(ctx.me.name, self._signals, message.bar.end_at)
                ctx.tell(self._guardian, wish)
            case OrderDenied() | ReportStored():
                pass
            case _:
                unhandled(message)


class Stopwatch(DryRun):
    """A venue that notes when it is called and rejects every order, so that nothing piles up."""

    def __init__(self, runtime: ThreadRuntime) -> None:
        self._gate = runtime.gate
        self._report = tell_gateway(runtime)
        self.called: SimpleQueue[int] = SimpleQueue()
        super().__init__(
            InProcessVenue(
                SimulatedExchange(), runtime.gate, lambda: market_now(runtime), self._report
            )
        )

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        now = perf_counter_ns()
        name = approved.order.client_order_id
        self._gate.leave(self._gate.enter(name, approved.epoch, key, PermitClass.ENTRY))
        self._report(OrderRejected(client_order_id=name, reason="bench", at=0))
        self.called.put(now)


def latencies(
    ledger: Ledger, journal: Journal, bars: int, bound: Callable[[], int]
) -> tuple[list[int], list[int]]:
    """Nanoseconds from bar to venue, and those of the bound, by turns."""
    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER)
    venue = Stopwatch(runtime)
    bot = ChildSpec(name="bot", actor=EveryBarBot, args={"guardian": paths.RISK_GUARDIAN})
    took, bounds = [], []
    with (
        trading(runtime, ledger=ledger, journal=journal, venue=venue, bots=(bot,)) as market,
        collector_at_rest(),
    ):
        while not venue.called.empty():
            venue.called.get()  # the order of the bar that opened the market
        for _ in range(bars):
            sleep(PAUSE_S)
            bounds.append(bound())
            sleep(PAUSE_S)
            began = market.close_bar()
            took.append(answer_from(venue.called, "a bar's order at the venue") - began)
    return took, bounds


def take_forgetful(effort: Effort) -> tuple[Measured, ...]:
    """p50 and p99 in µs, no order recorded."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as own,
        closing(Relays(HOPS)) as relays,
        closing(ForgetfulLedger.open(IN_MEMORY, venue=VENUE, at=0)) as ledger,
        closing(JournalFile.open(Path(own) / "journal.jsonl", at=0)) as journal,
    ):
        took, bounds = latencies(ledger, journal, effort.count(BARS, least=5), relays.one_way)
    return percentiles(took, bounds, unit_ns=1_000)


def take_durable(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """p50 and p99 in µs, with a ledger in a folder of its own below this one."""
    with (
        folder_of_its_own(folder) as own,
        one_page(own / "page") as sync,
        closing(LedgerFile.open(own / "ledger.db", venue=VENUE, at=0)) as ledger,
        closing(JournalFile.open(own / "journal.jsonl", at=0)) as journal,
    ):
        took, bounds = latencies(ledger, journal, effort.count(BARS, least=5), sync)
    return percentiles(took, bounds, unit_ns=1_000)


FORGETFUL = Measurement(
    name="order_path", figures=(FORGETFUL_P50, FORGETFUL_P99), take=take_forgetful
)


def durable(folder: Path) -> Measurement:
    """The same with a ledger on the disk of this folder."""
    return Measurement(
        name="order_path_durable",
        figures=(DURABLE_P50, DURABLE_P99),
        take=partial(take_durable, folder=folder),
    )
