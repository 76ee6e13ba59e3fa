"""Halting a busy engine: 16 bots flood the guardian, 10,000 orders wait at the gateway.

It is the whole engine: every actor of the core, ledger and journal on the disk. Halt is told to the
real guardian, which trips the gate. When the send in flight has ended, the engine is drained. The
halt is *acknowledged* when the guardian knows that, and that its cause is on record.
"""

import random
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter_ns, sleep
from typing import Any, TypeAlias

from msgspec import structs

from actors.risk_guardian import Inbox as GuardianInbox
from actors.risk_guardian import RiskGuardian
from hydra.actor import SECOND, Actor, ChildSpec, Context, Ref, unhandled
from hydra.assembly import tell_gateway
from hydra.ops.bench.bare_threads import cpu_bound
from hydra.ops.bench.disk import folder_of_its_own, one_page
from hydra.ops.bench.order_chain import VENUE, intent, market_now, trading
from hydra.ops.bench.rows import NO_BAR, Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, percentiles
from hydra.ports import GateKey, PermitClass
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.testkit.builders import approved
from hydra.trading.causes import OPERATOR_HALT
from hydra.venues.dry_run import DryRun
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.in_process import InProcessVenue
from messages.control import GateDrained, Halt, Recorded
from messages.message import Message
from messages.orders import OrderApproved, OrderDenied, OrderIntent, OrderStored
from supervisors import paths

BOTS = 16
QUEUED = 10_000
SENT_MEANWHILE = 1_000
"""So many more are told, because some go out while the rest is being told."""
ON_RECORD = 1_000
"""Different ones among them, which come by turns."""
HALTS = 60
UNANSWERED = 8
"""How many intents a flooding bot has at the guardian at any time."""
SEND_S = 0.0002
LOOK_AFTER_S = 0.003
"""How long after the acknowledgement one looks for orders that are still sent."""
FILLED_WITHIN = 10 * SECOND

SCENE = (
    "the whole engine, ledger and journal on the disk; 16 bots flood it with intents, 10,000 "
    "orders wait at the gateway (1,000 that are on record, by turns), each send takes 0.2 ms"
)
DRAINED = f"Halt told to the guardian until no send is in flight any more; {SCENE}"
ACKNOWLEDGED = (
    "Halt told to the guardian until it knows that no send is in flight any more and that the "
    f"halt is on record, durable: only then is it acknowledged; {SCENE}"
)
LOADED = "; beside two CPU-bound threads"
ONE_SEND = "a sleep of 0.2 ms (one send) just before"
ONE_SYNC = "fdatasync of 4 KiB in the same folder just before"


def _latencies(name: str, what: str, bound: str, bar: Bar, aim: str) -> tuple[Figure, Figure]:
    p50 = Figure(name=f"{name}_p50", unit="ms", what=what, bound=bound)
    return p50, structs.replace(p50, name=f"{name}_p99", bar=bar, aim=aim)


FIGURES = (
    *_latencies("halt", DRAINED, ONE_SEND, Bar(at_most=5), "1 ms"),
    *_latencies("halt_durable", ACKNOWLEDGED, ONE_SYNC, NO_BAR, ""),
    *_latencies("halt_loaded", DRAINED + LOADED, ONE_SEND, Bar(at_most=50), "10 ms"),
    *_latencies("halt_loaded_durable", ACKNOWLEDGED + LOADED, ONE_SYNC, NO_BAR, ""),
    Figure(
        name="halt_sent_after_acknowledgement",
        unit="orders",
        what="orders sent after one of these halts was drained",
        bound="orders sent before them",
        bar=Bar(at_most=0),
    ),
)


class Judged(Message, frozen=True, kw_only=True):
    """The guardian has dealt with one intent: the bot may send the next one."""


class WatchedGuardian(RiskGuardian):
    """The guardian, and somebody who notes what becomes of a halt and who keeps the flood going."""

    def __init__(self, watch: "HaltWatch", **of_guardian: Any) -> None:
        super().__init__(**of_guardian)
        self._watch = watch

    def receive(self, message: GuardianInbox, ctx: Context) -> None:
        """What the guardian does, and then the note."""
        super().receive(message, ctx)
        match message:
            case Halt():
                self._watch.gate.when_drained(self._watch.note_drained)
            case GateDrained():
                self._watch.heard.put(perf_counter_ns())
            case Recorded() if OPERATOR_HALT.code in message.tags:
                self._watch.recorded.put(perf_counter_ns())
            case OrderIntent() if ctx.sender is not None:
                ctx.tell(ctx.sender, Judged())
            case _:
                pass


class BeginFlood(Message, frozen=True, kw_only=True):
    """Send intents from now on."""


BotInbox: TypeAlias = BeginFlood | Judged | OrderDenied


class FloodingBot(Actor[BotInbox]):
    """Has some intents at the guardian all the time, each of them a new decision."""

    def __init__(self, guardian: Ref[OrderIntent]) -> None:
        self._guardian = guardian
        self._signals = 0

    def receive(self, message: BotInbox, ctx: Context) -> None:
        match message:
            case BeginFlood():
                for _ in range(UNANSWERED):
                    self._intend(ctx)
            case Judged():
                self._intend(ctx)
            case OrderDenied():
                pass
            case _:
                unhandled(message)

    def _intend(self, ctx: Context) -> None:
        self._signals += 1
        ctx.tell(self._guardian, intent(ctx.me.name, self._signals, ctx.market_time()))


class HaltWatch(DryRun):
    """When a halt was acknowledged, and what is sent although it was. A venue whose sends last."""

    def __init__(self, runtime: ThreadRuntime) -> None:
        super().__init__(
            InProcessVenue(
                SimulatedExchange(),
                runtime.gate,
                lambda: market_now(runtime),
                tell_gateway(runtime),
            )
        )
        self.gate = runtime.gate
        self.drained: SimpleQueue[int] = SimpleQueue()
        self.heard: SimpleQueue[int] = SimpleQueue()
        self.recorded: SimpleQueue[int] = SimpleQueue()
        self.sent = 0
        self.sent_after = 0
        self._halted = False

    def note_drained(self, _epoch: int) -> None:
        """The gate says that nothing is in flight."""
        self._halted = True
        self.drained.put(perf_counter_ns())

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        name = approved.order.client_order_id
        permit = self.gate.enter(name, approved.epoch, key, PermitClass.ENTRY)
        try:
            sleep(SEND_S)
            self.sent += 1
            self.sent_after += self._halted
        finally:
            self.gate.leave(permit)


class Halts:
    """What a number of halts gave, in ns and orders. `burners` CPU-bound threads run beside."""

    def __init__(self, burners: int) -> None:
        self._burners = burners
        self.drained: list[int] = []
        self.acknowledged: list[int] = []
        self.sends: list[int] = []
        self.syncs: list[int] = []
        self.sent = 0
        self.sent_after = 0

    def add_one(self, folder: Path, queued: int, moment_s: float) -> None:
        """Start an engine, flood it, halt it, and look whether anything goes out afterwards."""
        runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER)
        watch = HaltWatch(runtime)
        bots = tuple(
            ChildSpec(
                name=f"bot{number}", actor=FloodingBot, args={"guardian": paths.RISK_GUARDIAN}
            )
            for number in range(BOTS)
        )
        with (
            folder_of_its_own(folder) as own,
            one_page(own / "page") as sync,
            closing(Ledger.open(own / "ledger.db", venue=VENUE, at=0)) as ledger,
            closing(JournalFile.open(own / "journal.jsonl", at=0)) as journal,
            trading(
                runtime,
                ledger=ledger,
                journal=journal,
                venue=watch,
                bots=bots,
                guardian=WatchedGuardian,
                guardian_args={"watch": watch},
            ),
        ):
            _fill_the_gateway(runtime, watch, queued)
            with collector_at_rest(), cpu_bound(self._burners):
                for bot in bots:
                    runtime.tell(Ref(f"{paths.BOTS.path}/{bot.name}"), BeginFlood())
                sleep(0.005 + moment_s)
                self.sends.append(_bare_send())
                self.syncs.append(sync())
                _require_waiting(runtime, queued)
                sent_before = watch.sent
                told = perf_counter_ns()
                runtime.tell(paths.RISK_GUARDIAN, _HALT)
                self.drained.append(answer_from(watch.drained, "the end of all sends") - told)
                heard = answer_from(watch.heard, "the guardian's word of it")
                recorded = answer_from(watch.recorded, "a halt's record")
                self.acknowledged.append(max(heard, recorded) - told)
            if not sent_before:
                raise CouldNotMeasure("no order was being sent when the halt was told")
            sleep(LOOK_AFTER_S)
        self.sent += sent_before
        self.sent_after += watch.sent_after

    def measured(self) -> tuple[Measured, ...]:
        """p50 and p99 in ms, of being drained and of being acknowledged."""
        return (
            *percentiles(self.drained, self.sends, unit_ns=1_000_000),
            *percentiles(self.acknowledged, self.syncs, unit_ns=1_000_000),
        )


_HALT = Halt(cause=OPERATOR_HALT.cause(since=0, detail="a halt of the benchmark"))


def _fill_the_gateway(runtime: ThreadRuntime, watch: HaltWatch, queued: int) -> None:
    """Approved orders go on record and on to the gateway; then they are told to it again and again.

    So there are enough of them in a moment: to approve and record each would take seconds.
    """
    epoch, expires_at = runtime.gate.epoch, runtime.now() + 60 * SECOND
    orders = [
        approved(intent("queued", signal, 0), epoch=epoch, expires_at=expires_at)
        for signal in range(ON_RECORD)
    ]
    for order in orders:
        runtime.tell(paths.STATE_PERSISTER, order)
    give_up_at = runtime.now() + FILLED_WITHIN
    while watch.sent + 1 + _waiting(runtime) < ON_RECORD:  # one may be on its way to the venue
        if runtime.now() > give_up_at:
            raise CouldNotMeasure("the orders that were to wait did not come on record")
        sleep(0.0005)
    stored = [OrderStored(approved=order) for order in orders]
    for number in range(queued + SENT_MEANWHILE):
        runtime.tell(paths.BROKER_GATEWAY, stored[number % ON_RECORD])


def _waiting(runtime: ThreadRuntime) -> int:
    """Messages at the gateway; all but a few are orders."""
    return len(runtime.cells[paths.BROKER_GATEWAY.path].mailbox.user)


def _require_waiting(runtime: ThreadRuntime, queued: int) -> None:
    waiting = _waiting(runtime)
    if waiting < queued:
        raise CouldNotMeasure(f"{waiting} orders waited at the gateway, wanted {queued}")


def _bare_send() -> int:
    began = perf_counter_ns()
    sleep(SEND_S)
    return perf_counter_ns() - began


def take_halts(effort: Effort, folder: Path, queued: int = QUEUED) -> tuple[Measured, ...]:
    """Quiet, then beside two CPU-bound threads; on the disk of this folder."""
    halts = effort.count(HALTS)
    moments = random.Random(halts)
    quiet, loaded = Halts(burners=0), Halts(burners=2)
    for each in (quiet, loaded):
        for _ in range(halts):
            each.add_one(folder, queued, moments.random() * SEND_S)
    return (
        *quiet.measured(),
        *loaded.measured(),
        Measured(quiet.sent_after + loaded.sent_after, quiet.sent + loaded.sent),
    )


def halting(folder: Path) -> Measurement:
    """Of engines whose record is on the disk of this folder."""
    return Measurement(name="halt", figures=FIGURES, take=partial(take_halts, folder=folder))
