"""From a bar to the venue: through feed, bot, guardian, persister and gateway, on threads."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter_ns, sleep
from typing import TypeAlias

from hydra.actor import Actor, ChildSpec, Context, Ref, unhandled
from hydra.ops.bench.bare_threads import Relays
from hydra.ops.bench.order_chain import SYMBOL, ForgetfulLedger, intent, market_now, trading
from hydra.ops.bench.rows import CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, percentiles
from hydra.ports import GateKey, Ledger, OrderGate, PermitClass
from hydra.runtime.runtime import Outside
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.ledger import Ledger as LedgerFile
from hydra.trading.bars import Bar as MarketBar
from messages.market import BarClosed, BarReceived, bars_topic
from messages.orders import OrderApproved, OrderDenied, OrderIntent, OrderRejected, ReportStored
from supervisors import paths

BARS = 500
PAUSE_S = 0.003
PAGE = b"\0" * 4096
HOPS = 5
"""market -> feed -> bot -> guardian -> persister -> gateway"""

WHAT = "a bar told to the data feed until the gateway calls the venue, one bar each 6 ms, quiet"
FORGETFUL_P50 = Figure(
    name="order_path_p50",
    unit="µs",
    what=f"{WHAT}; without the ledger's commit",
    bound="five hand-offs between bare threads",
)
FORGETFUL_P99 = Figure(
    name="order_path_p99", unit="µs", what=FORGETFUL_P50.what, bound=FORGETFUL_P50.bound
)
DURABLE_P50 = Figure(
    name="order_path_durable_p50",
    unit="µs",
    what=f"{WHAT}; with the intent committed to the ledger in between",
    bound="fdatasync of 4 KiB in the same folder",
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


class Stopwatch:
    """A venue that notes when it is called and rejects every order, so that nothing piles up."""

    def __init__(self, gate: OrderGate, reports: Outside) -> None:
        self._gate = gate
        self._reports = reports
        self.called: SimpleQueue[int] = SimpleQueue()

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        now = perf_counter_ns()
        name = approved.order.client_order_id
        self._gate.leave(self._gate.enter(name, approved.epoch, key, PermitClass.ENTRY))
        report = OrderRejected(client_order_id=name, reason="bench", at=0)
        self._reports.tell(paths.BROKER_GATEWAY, report)
        self.called.put(now)

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`. Nobody cancels here."""


class Market:
    """Closes one bar after another, each as short as it has to be."""

    def __init__(self, runtime: ThreadRuntime) -> None:
        self._runtime = runtime
        self._voice = runtime.outside("market")
        self._closed_at = market_now(runtime)

    def close_bar(self) -> int:
        """Tell the data feed the next bar; gives the moment just before (ns)."""
        start, self._closed_at = self._closed_at, market_now(self._runtime)
        bar = MarketBar(SYMBOL, start, self._closed_at, 100.0, 100.0, 100.0, 100.0, 1.0)
        message = BarReceived(bar=bar)
        began = perf_counter_ns()
        self._voice.tell(paths.DATA_FEED, message)
        return began


def latencies(ledger: Ledger, bars: int, bound: Callable[[], int]) -> tuple[list[int], list[int]]:
    """Nanoseconds from bar to venue, and those of the bound, by turns."""
    runtime = ThreadRuntime()
    venue = Stopwatch(runtime.gate, runtime.outside("venue"))
    bot = ChildSpec(name="bot", actor=EveryBarBot, args={"guardian": paths.RISK_GUARDIAN})
    took, bounds = [], []
    with trading(runtime, ledger=ledger, venue=venue, bots=(bot,)), collector_at_rest():
        market = Market(runtime)
        for _ in range(bars):
            sleep(PAUSE_S)
            bounds.append(bound())
            sleep(PAUSE_S)
            began = market.close_bar()
            took.append(answer_from(venue.called, "a bar's order at the venue") - began)
    return took, bounds


def take_forgetful(effort: Effort) -> tuple[Measured, ...]:
    """p50 and p99 in µs, nothing written."""
    relays = Relays(HOPS)
    try:
        took, bounds = latencies(ForgetfulLedger(), effort.count(BARS, least=5), relays.one_way)
    finally:
        relays.close()
    return percentiles(took, bounds, unit_ns=1_000)


def take_durable(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """p50 and p99 in µs, with a ledger in a folder of its own below this one."""
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as own:
            ledger = LedgerFile.open(Path(own) / "ledger.db", venue="embedded", at=0)
            try:
                with one_page(Path(own) / "page") as sync:
                    took, bounds = latencies(ledger, effort.count(BARS, least=5), sync)
            finally:
                ledger.close()
    except OSError as error:
        raise CouldNotMeasure(f"cannot write below {folder}: {error}") from error
    return percentiles(took, bounds, unit_ns=1_000)


@contextmanager
def one_page(path: Path) -> Iterator[Callable[[], int]]:
    """A function that writes the same page anew and waits for the disk; gives its nanoseconds."""
    with _synced(path, lambda descriptor: os.pwrite(descriptor, PAGE, 0)) as write:
        write()  # the file's size is settled before anything is timed
        yield write


@contextmanager
def appending(path: Path) -> Iterator[Callable[[], int]]:
    """The same, and each page is a new one: the least that keeping something new can cost."""
    with _synced(path, lambda descriptor: os.write(descriptor, PAGE)) as write:
        yield write


@contextmanager
def _synced(path: Path, put: Callable[[int], object]) -> Iterator[Callable[[], int]]:
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def write() -> int:
        began = perf_counter_ns()
        put(descriptor)
        sync(descriptor)
        return perf_counter_ns() - began

    try:
        yield write
    finally:
        os.close(descriptor)


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
