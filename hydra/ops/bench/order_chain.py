"""The real core of the engine on threads, with a record and a venue that the measurements watch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from time import sleep

import msgspec

from actors.risk_guardian import GuardianLimits, RiskGuardian
from hydra.actor import MINUTE, SECOND, ChildSpec
from hydra.assembly import connect_gate
from hydra.ops.bench.acting import NO_RESTARTS, tree_on_threads
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.ops.bench.sampling import ANSWER_WITHIN_S
from hydra.ports import IntentRecorded, Ledger, LedgerMark, ReportRecorded, Venue
from hydra.runtime.clock import machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.orders import DecisionKey, Role, Side
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.trading_state import TradingState
from messages.orders import OrderApproved, OrderIntent, Outcome, client_order_id_of
from messages.positions import BookRecovered
from supervisors.core import core
from supervisors.ops import ops
from supervisors.root import root
from supervisors.supervisor import Supervisor

SYMBOL = "BENCH"
SESSION = "2026-01-05"
HOUR = 60 * MINUTE


class ForgetfulLedger:
    """Fulfils the ledger's port without keeping anything durable."""

    def __init__(self) -> None:
        self._decisions: dict[str, DecisionKey] = {}
        self.newest: OrderApproved | None = None
        """The last order that the guardian approved."""

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """See `Ledger.record_intent`. Nothing is ever a duplicate."""
        client_order_id = approved.order.client_order_id
        self._decisions[client_order_id] = approved.intent.decision
        self.newest = approved
        return IntentRecorded(client_order_id, duplicate=False)

    def record_report(self, report: Outcome, at: int) -> ReportRecorded:
        """See `Ledger.record_report`."""
        return ReportRecorded(self._decisions[client_order_id_of(report)], duplicate=False)

    def book(self, bot: str | None) -> BookRecovered:
        """See `Ledger.book`. There is never anything on record."""
        return BookRecovered(orders=(), fills=())

    def mark_journal(self, seq: int, at: int) -> None:
        """See `Ledger.mark_journal`."""

    def commit(self) -> LedgerMark:
        """See `Ledger.commit`."""
        return LedgerMark(0, "")

    def close(self) -> None:
        """See `Ledger.close`."""


class NoJournal:
    """Fulfils the journal's port and writes nothing."""

    def append(self, record: Mapping[str, object]) -> int:
        """See `Journal.append`."""
        return 0

    def prune(self, *, at: int, wall_ns: int) -> int:
        """See `Journal.prune`."""
        return 0

    def close(self) -> None:
        """See `Journal.close`."""


def intent(bot: str, signal: int, decided_at: int) -> OrderIntent:
    """A wish that passes every check while trading is open."""
    return OrderIntent(
        decision=DecisionKey(bot, SYMBOL, SESSION, signal, Role.ENTRY),
        side=Side.BUY,
        quantity=Decimal(1),
        reason="bench",
        decided_at=decided_at,
        reference_price=Decimal(100),
    )


def market_now(runtime: ThreadRuntime) -> int:
    """The market time (UTC ns) that the actors see now. No other clock agrees with it exactly."""
    return runtime.market_time_at(runtime.now())


@contextmanager
def trading(
    runtime: ThreadRuntime,
    *,
    ledger: Ledger,
    venue: Venue,
    bots: tuple[ChildSpec, ...],
    guardian: type[RiskGuardian] = RiskGuardian,
    guardian_args: Mapping[str, object] | None = None,
) -> Iterator[ThreadRuntime]:
    """The safety chain, feed and health monitor as the engine has them; these bots; gate open.

    `guardian` is the real one or one derived from it, which takes `guardian_args` besides.
    """
    connect_gate(runtime)
    began = market_now(runtime)
    sessions = SessionTable((ExchangeSession(SESSION, began - SECOND, began + HOUR, False),))
    tree = core(
        ledger=ledger,
        journal=NoJournal(),
        venue=venue,
        gate=runtime.gate,
        limits=GuardianLimits(
            account="BENCH",
            symbols=frozenset({SYMBOL}),
            order_notional_usd_max=Decimal(1_000_000),
            decision_age_max=HOUR,
            sessions=sessions,
            windows={bot.name: Window.parse("00:00", "23:59", "UTC") for bot in bots},
        ),
        sessions=sessions,
        bar_interval=HOUR,
        loop_interval=SECOND,
    )
    tree = _with_guardian(tree, guardian, guardian_args or {})
    crowd = ChildSpec(name="bots", actor=Supervisor, args={"children": bots, "policy": NO_RESTARTS})
    with tree_on_threads(runtime, root(tree, crowd, ops(None))):
        runtime.start_watch()
        _wait_until_open(runtime)
        yield runtime


def _with_guardian(
    tree: ChildSpec, guardian: type[RiskGuardian], more: Mapping[str, object]
) -> ChildSpec:
    children = tuple(
        msgspec.structs.replace(child, actor=guardian, args={**child.args, **more})
        if issubclass(child.actor, RiskGuardian)
        else child
        for child in tree.args["children"]
    )
    return msgspec.structs.replace(tree, args={**tree.args, "children": children})


def _wait_until_open(runtime: ThreadRuntime) -> None:
    """Preflight passes and the lease is renewed, as in any start."""
    gate = runtime.gate
    give_up_at = machine_time() + int(ANSWER_WITHIN_S * SECOND)
    while gate.state is not TradingState.ACTIVE or gate.lease_left() <= 0:
        if machine_time() > give_up_at:
            causes = "; ".join(cause.detail for cause in gate.standing())
            raise CouldNotMeasure(f"the gate did not open: {causes or 'no lease'}")
        sleep(0.001)
