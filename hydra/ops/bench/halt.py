"""Halting a busy engine: 16 bots flood the guardian, 10,000 orders wait at the gateway.

Halt is told to the real guardian, which trips the gate. When the send in flight has ended, nothing
is in flight any more: that acknowledges the halt. A little later the guardian hears of it.
"""

import random
from queue import SimpleQueue
from time import perf_counter_ns, sleep
from typing import TypeAlias

from actors.risk_guardian import GuardianLimits, RiskGuardian
from actors.risk_guardian import Inbox as GuardianInbox
from hydra.actor import Actor, ChildSpec, Context, Ref, unhandled
from hydra.ops.bench.bare_threads import cpu_bound
from hydra.ops.bench.order_chain import ForgetfulLedger, intent, market_now, trading
from hydra.ops.bench.rows import NO_BAR, Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest, percentiles
from hydra.ports import GateKey, OrderGate, PermitClass
from hydra.runtime.gate import Gate
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.control import GateDrained, Halt
from messages.message import Message
from messages.orders import OrderApproved, OrderDenied, OrderIntent, OrderStored
from supervisors import paths

BOTS = 16
QUEUED = 10_000
SENT_MEANWHILE = 1_000
"""So many more are told, because some go out while the rest is being told."""
HALTS = 100
UNANSWERED = 8
"""How many intents a flooding bot has at the guardian at any time."""
SEND_S = 0.0002
LOOK_AFTER_S = 0.003
"""How long after the acknowledgement one looks for orders that are still sent."""

SCENE = (
    "16 bots flood it with intents, 10,000 approved orders wait at the gateway, each send takes "
    "0.2 ms"
)
DRAINED = f"Halt told to the guardian until no send is in flight any more; {SCENE}"
HEARD = f"Halt told to the guardian until it hears that no send is in flight any more; {SCENE}"
LOADED = "; beside two CPU-bound threads"
BOUND = "a sleep of 0.2 ms (one send) just before"


def _latency(name: str, what: str, bar: Bar = NO_BAR, aim: str = "") -> Figure:
    return Figure(name=name, unit="ms", what=what, bound=BOUND, bar=bar, aim=aim)


FIGURES = (
    _latency("halt_p50", DRAINED),
    _latency("halt_p99", DRAINED, Bar(at_most=5), "1 ms"),
    _latency("halt_heard_p50", HEARD),
    _latency("halt_heard_p99", HEARD),
    _latency("halt_loaded_p50", DRAINED + LOADED),
    _latency("halt_loaded_p99", DRAINED + LOADED, Bar(at_most=50), "10 ms"),
    _latency("halt_loaded_heard_p50", HEARD + LOADED),
    _latency("halt_loaded_heard_p99", HEARD + LOADED),
    Figure(
        name="halt_sent_after_acknowledgement",
        unit="orders",
        what="orders sent after one of these halts was acknowledged",
        bound="orders sent before them",
        bar=Bar(at_most=0),
    ),
)


class Judged(Message, frozen=True, kw_only=True):
    """The guardian has dealt with one intent: the bot may send the next one."""


class WatchedGuardian(RiskGuardian):
    """The guardian, and somebody who notes what becomes of a halt and who keeps the flood going."""

    def __init__(
        self,
        limits: GuardianLimits,
        gate: OrderGate,
        persister: Ref[Message],
        watch: "HaltWatch",
    ) -> None:
        super().__init__(limits, gate, persister)
        self._watch = watch

    def receive(self, message: GuardianInbox, ctx: Context) -> None:
        """What the guardian does, and then the note."""
        super().receive(message, ctx)
        match message:
            case Halt():
                self._watch.gate.when_drained(self._watch.note_drained)
            case GateDrained():
                self._watch.heard.put(perf_counter_ns())
            case OrderIntent() if ctx.sender is not None:
                ctx.tell(ctx.sender, Judged())
            case _:
                pass


class BeginFlood(Message, frozen=True, kw_only=True):
    """Send intents from now on."""


BotInbox: TypeAlias = BeginFlood | Judged | OrderDenied


class FloodingBot(Actor[BotInbox]):
    """Has some intents at the guardian all the time."""

    def __init__(self, guardian: Ref[OrderIntent]) -> None:
        self._guardian = guardian

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
        # Always the same decision: what the guardian keeps for each stays as small as in a market.
        ctx.tell(self._guardian, intent(ctx.me.name, 1, ctx.market_time()))


class HaltWatch:
    """When a halt was acknowledged, and what is sent although it was. A venue whose sends last."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.drained: SimpleQueue[int] = SimpleQueue()
        self.heard: SimpleQueue[int] = SimpleQueue()
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

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`. Nobody cancels here."""


class Halts:
    """What a number of halts gave, in ns and orders."""

    def __init__(self) -> None:
        self.drained: list[int] = []
        self.heard: list[int] = []
        self.sends: list[int] = []
        self.sent = 0
        self.sent_after = 0

    def add_one(self, queued: int, moment_s: float) -> None:
        """Start an engine, flood it, halt it, and look whether anything goes out afterwards."""
        runtime, ledger = ThreadRuntime(), ForgetfulLedger()
        watch = HaltWatch(runtime.gate)
        bots = tuple(
            ChildSpec(
                name=f"bot{number}", actor=FloodingBot, args={"guardian": paths.RISK_GUARDIAN}
            )
            for number in range(BOTS)
        )
        with trading(
            runtime,
            ledger=ledger,
            venue=watch,
            bots=bots,
            guardian=WatchedGuardian,
            guardian_args={"watch": watch},
        ):
            _fill_the_gateway(runtime, ledger, queued)
            for bot in bots:
                runtime.tell(Ref(f"{paths.BOTS.path}/{bot.name}"), BeginFlood())
            with collector_at_rest():
                sleep(0.005 + moment_s)
                self.sends.append(_bare_send())
                _require_waiting(runtime, queued)
                sent_before = watch.sent
                told = perf_counter_ns()
                runtime.tell(paths.RISK_GUARDIAN, _HALT)
                self.drained.append(answer_from(watch.drained, "a halt's acknowledgement") - told)
                self.heard.append(answer_from(watch.heard, "the guardian's word of it") - told)
            if not sent_before:
                raise CouldNotMeasure("no order was being sent when the halt was told")
            sleep(LOOK_AFTER_S)
        self.sent += sent_before
        self.sent_after += watch.sent_after

    def measured(self) -> tuple[Measured, ...]:
        """p50 and p99 in ms, of the acknowledgement and of hearing it."""
        return (
            *percentiles(self.drained, self.sends, unit_ns=1_000_000),
            *percentiles(self.heard, self.sends, unit_ns=1_000_000),
        )


_HALT = Halt(
    cause=Cause(
        code="bench",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=0,
        detail="a halt of the benchmark",
    )
)


def _fill_the_gateway(runtime: ThreadRuntime, ledger: ForgetfulLedger, queued: int) -> None:
    """One order that the guardian approved, in its queue very many times."""
    runtime.tell(paths.RISK_GUARDIAN, intent("bot0", 1, market_now(runtime)))
    deadline = perf_counter_ns() + 5_000_000_000
    while (approved := ledger.newest) is None:
        if perf_counter_ns() > deadline:
            raise CouldNotMeasure("the guardian approved nothing although the gate was open")
        sleep(0.0005)
    stored = OrderStored(approved=approved)
    for _ in range(queued + SENT_MEANWHILE):
        runtime.tell(paths.BROKER_GATEWAY, stored)


def _require_waiting(runtime: ThreadRuntime, queued: int) -> None:
    waiting = len(runtime.cells[paths.BROKER_GATEWAY.path].mailbox.user)
    if waiting < queued:
        raise CouldNotMeasure(f"{waiting} orders waited at the gateway, wanted {queued}")


def _bare_send() -> int:
    began = perf_counter_ns()
    sleep(SEND_S)
    return perf_counter_ns() - began


def take_halts(effort: Effort, queued: int = QUEUED) -> tuple[Measured, ...]:
    """Quiet, then beside two CPU-bound threads."""
    halts = effort.count(HALTS)
    moments = random.Random(halts)
    quiet, loaded = Halts(), Halts()
    for _ in range(halts):
        quiet.add_one(queued, moments.random() * SEND_S)
    with cpu_bound(2):
        for _ in range(halts):
            loaded.add_one(queued, moments.random() * SEND_S)
    return (
        *quiet.measured(),
        *loaded.measured(),
        Measured(quiet.sent_after + loaded.sent_after, quiet.sent + loaded.sent),
    )


HALTING = Measurement(name="halt", figures=FIGURES, take=take_halts)
