"""Durable events: what one commit costs, and how many events go in when they come together."""

from datetime import date
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter_ns
from typing import TypeAlias

import apsw
from msgspec import structs

from actors.state_persister import StatePersister
from hydra.actor import Actor, ChildSpec, Context, Dispatcher, MailboxSpec, unhandled
from hydra.ops.bench.acting import at, on_threads
from hydra.ops.bench.disk import appending, folder_of_its_own
from hydra.ops.bench.order_chain import intent
from hydra.ops.bench.rows import Bar, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, medians, percentiles
from hydra.store.connection import make_durable
from hydra.store.ledger import Ledger
from hydra.testkit.builders import approved, fill
from hydra.trading.orders import Side
from messages.orders import (
    REPORTS_TOPIC,
    OrderAccepted,
    OrderApproved,
    OrderFilled,
    OrderStored,
    ReportStored,
)

SINGLES = 2_000
WARM_UP = 2_500
"""Commits until the write-ahead log has been taken over once: from then on it is written anew."""
ORDERS = 12_500
EVENTS_AN_ORDER = 4
"""Intended, attempted, accepted, filled."""
GROUP = 256
"""Rows in each transaction of the bound; about what the persister finds in its mailbox."""

SINGLE = Figure(
    name="durable_single",
    unit="/s",
    what="reports of orders, each recorded and committed by itself, synchronous=FULL",
    bound="4 KiB appended to a file in the same folder, and fdatasync",
    bar=Bar(ratio_at_least=0.6),
)
GROUPED = Figure(
    name="durable_grouped",
    unit="/s",
    what="events of 12,500 orders (intended, attempted, accepted, filled) told to the persister on "
    "threads, until the last is committed and told on; no journal",
    bound="the same number of rows in one bare SQLite table, 256 a transaction, FULL",
    bar=Bar(at_least=50_000),
    aim="100,000 /s",
)
COMMIT_P99 = Figure(
    name="durable_commit_p99",
    unit="µs",
    what="one report recorded and committed, synchronous=FULL, checkpoints included",
    bound="4 KiB appended to a file in the same folder, and fdatasync; p99",
    aim="2,000 µs",
)


def order(signal: int, day: date | None = None) -> OrderApproved:
    """One order, approved; buys and sells by turns. `day`: of its session, None: all of one."""
    wish = intent("bench", signal, 0)
    if day is not None:
        decision = structs.replace(wish.decision, session=day.isoformat())
        wish = structs.replace(wish, decision=decision)
    return approved(structs.replace(wish, side=Side.BUY if signal % 2 else Side.SELL))


def accepted(of: OrderApproved) -> OrderAccepted:
    """The venue takes it."""
    name = of.order.client_order_id
    return OrderAccepted(client_order_id=name, venue_order_id=f"venue-{name}", at=0)


def filled(of: OrderApproved) -> OrderFilled:
    """The venue fills it, whole."""
    return OrderFilled(fill=fill(of, execution_id=f"execution-{of.order.client_order_id}", at=0))


def take_single(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """Rate, and the 99th percentile of the same commits."""
    took, bounds = [], []
    orders = [order(signal) for signal in range(effort.count(SINGLES, least=20))]
    with folder_of_its_own(folder) as own:
        ledger = Ledger.open(own / "ledger.db", venue="bench", at=0)
        try:
            for one in orders:
                ledger.record_intent(one, 0)
            ledger.commit()
            for number in range(WARM_UP):
                ledger.put("warm_up", str(number), 0)
                ledger.commit()
            with appending(own / "pages") as sync, collector_at_rest():
                for report in map(accepted, orders):
                    bounds.append(sync())
                    began = perf_counter_ns()
                    ledger.record_report(report, 0)
                    ledger.commit()
                    took.append(perf_counter_ns() - began)
        finally:
            ledger.close()
    p50, p99 = percentiles(took, bounds, unit_ns=1_000)
    return Measured(1e6 / p50.value, 1e6 / p50.bound_value), p99


GatewayInbox: TypeAlias = OrderStored | ReportStored


class Counting(Actor[GatewayInbox]):
    """Stands where the gateway and the bots are; says when everything has been told on."""

    def __init__(self, orders: int, done: SimpleQueue[int]) -> None:
        self._left = 3 * orders  # stored, accepted, filled
        self._done = done

    def start(self, ctx: Context) -> None:
        ctx.subscribe(REPORTS_TOPIC)

    def receive(self, message: GatewayInbox, ctx: Context) -> None:
        match message:
            case OrderStored() | ReportStored():
                self._left -= 1
                if not self._left:
                    self._done.put(perf_counter_ns())
            case _:
                unhandled(message)


def take_grouped(effort: Effort, folder: Path) -> tuple[Measured, ...]:
    """Events a second; the median of the rounds."""
    orders = [order(signal) for signal in range(effort.count(ORDERS, least=200))]
    with collector_at_rest():
        return (
            medians(
                effort.rounds,
                lambda: _rate_through_actors(orders, folder),
                lambda: _rate_of_sqlite(len(orders) * EVENTS_AN_ORDER, folder),
            ),
        )


def _rate_through_actors(orders: list[OrderApproved], folder: Path) -> float:
    done: SimpleQueue[int] = SimpleQueue()
    messages = [*orders, *map(accepted, orders), *map(filled, orders)]
    with folder_of_its_own(folder) as own:
        ledger = Ledger.open(own / "ledger.db", venue="bench", at=0)
        try:
            bounds = MailboxSpec(bound=len(messages) + 1_000)
            counting = ChildSpec(
                name="counting",
                actor=Counting,
                args={"orders": len(orders), "done": done},
                mailbox=bounds,
            )
            persister = ChildSpec(
                name="persister",
                actor=StatePersister,
                args={
                    "ledger": ledger,
                    "gateway": at("counting"),
                    "guardian": at("counting"),
                },
                dispatcher=Dispatcher.PINNED,
                mailbox=bounds,
            )
            with on_threads((counting, persister)) as runtime:
                voice = runtime.outside("bench")
                began = perf_counter_ns()
                for message in messages:
                    voice.tell(at("persister"), message)
                ended = answer_from(done, "the last record", within_s=60.0)
        finally:
            ledger.close()
    return len(orders) * EVENTS_AN_ORDER * 1e9 / (ended - began)


def _rate_of_sqlite(rows: int, folder: Path) -> float:
    with folder_of_its_own(folder) as own:
        path = own / "bare.db"
        connection = apsw.Connection(str(path))
        make_durable(connection, path)
        connection.execute("CREATE TABLE bare (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        body = bytes(300)
        began = perf_counter_ns()
        for first in range(0, rows, GROUP):
            group = [(seq, body) for seq in range(first, min(first + GROUP, rows))]
            with connection:
                connection.executemany("INSERT INTO bare VALUES (?, ?)", group)
        took = perf_counter_ns() - began
        connection.close()
    return rows * 1e9 / took


def single(folder: Path) -> Measurement:
    """Commits one at a time on the disk of this folder."""
    return Measurement(
        name="durable_single",
        figures=(SINGLE, COMMIT_P99),
        take=partial(take_single, folder=folder),
    )


def grouped(folder: Path) -> Measurement:
    """As many as there are at a time."""
    return Measurement(
        name="durable_grouped", figures=(GROUPED,), take=partial(take_grouped, folder=folder)
    )
