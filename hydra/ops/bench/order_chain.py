"""The real core of the engine on threads, with a record and a venue that the measurements watch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from time import perf_counter_ns, sleep

import apsw
import msgspec

from actors.risk_guardian import RiskGuardian
from hydra.actor import MINUTE, SECOND, ChildSpec
from hydra.assembly import NothingPresent, connect_gate
from hydra.ops.bench.acting import NO_RESTARTS, tree_on_threads
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.ops.bench.sampling import ANSWER_WITHIN_S, collector_at_rest
from hydra.ops.bench.wide_terms import wide_terms
from hydra.ports import IntentRecorded, Journal, Ledger, PriceFeed, ReportRecorded, Venue
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.checking import Head
from hydra.store.ledger import Ledger as LedgerFile
from hydra.testkit.stand_ins import AllProtected
from hydra.trading.bars import Bar
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.orders import DecisionKey, Role, Side
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.trading_state import TradingState
from messages.health import RunPreflight
from messages.market import BarsReceived
from messages.orders import OrderApproved, OrderIntent, Outcome, client_order_id_of
from supervisors import paths
from supervisors.bots import portfolio_bot
from supervisors.core import core
from supervisors.ops import ops
from supervisors.root import root
from supervisors.supervisor import Supervisor

VENUE = "bench"
SYMBOL = "BENCH"
SESSION = "2026-01-05"
HOUR = 60 * MINUTE
PRICE, STOP = 100, 99
LOOK_EVERY_S = 0.005


class ForgetfulLedger(LedgerFile):
    """Keeps nothing of orders, so that an order's way is timed without its record."""

    def __init__(self, connection: apsw.Connection, head: Head) -> None:
        super().__init__(connection, head)
        self._meant: dict[str, DecisionKey] = {}

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """See `Ledger.record_intent`. Nothing is ever a duplicate."""
        name = approved.order.client_order_id
        self._meant[name] = approved.intent.decision
        return IntentRecorded(name, duplicate=False)

    def record_report(
        self, report: Outcome, at: int, schedule: FeeSchedule = NO_FEES
    ) -> ReportRecorded:
        """See `Ledger.record_report`. Nothing is ever a duplicate."""
        return ReportRecorded(self._meant[client_order_id_of(report)], duplicate=False)


def intent(bot: str, signal: int, decided_at: int) -> OrderIntent:
    """A wish that passes every check while trading is open."""
    return OrderIntent(
        decision=DecisionKey(bot, SYMBOL, SESSION, signal, Role.ENTRY),
        side=Side.BUY,
        quantity=Decimal(1),
        reason="bench",
        decided_at=decided_at,
        reference_price=Decimal(PRICE),
        protective_stop=Decimal(STOP),
    )


def market_now(runtime: ThreadRuntime) -> int:
    """The market time (UTC ns) that the actors see now. No other clock agrees with it exactly."""
    return runtime.market_time_at(runtime.now())


class Market:
    """Closes one bar after another, each as short as it has to be."""

    def __init__(self, runtime: ThreadRuntime) -> None:
        self._runtime = runtime
        self._voice = runtime.outside("market")
        self._closed_at = market_now(runtime)

    def close_bar(self) -> int:
        """Tell the data feed the next bar; gives the moment just before (ns)."""
        start, self._closed_at = self._closed_at, market_now(self._runtime)
        bar = Bar(SYMBOL, start, self._closed_at, PRICE, PRICE, PRICE, PRICE, 1.0)
        message = BarsReceived(bars=(bar,))
        began = perf_counter_ns()
        self._voice.tell(paths.DATA_FEED, message)
        return began


@contextmanager
def trading(
    runtime: ThreadRuntime,
    *,
    ledger: Ledger,
    journal: Journal,
    venue: Venue,
    bots: tuple[ChildSpec, ...],
    guardian: type[RiskGuardian] = RiskGuardian,
    guardian_args: Mapping[str, object] | None = None,
    price_feed: PriceFeed | None = None,
) -> Iterator[Market]:
    """The whole core as the engine has it, and these bots; trading is open, and a price known.

    `guardian` is the real one or one derived from it, which takes `guardian_args` besides.
    `price_feed`: who else tells the data feed of prices; it has been started.
    """
    connect_gate(runtime, venue)
    began = market_now(runtime)
    sessions = SessionTable((ExchangeSession(SESSION, began - SECOND, began + HOUR, False),))
    tree = core(
        ledger=ledger,
        journal=journal,
        venue=venue,
        gate=runtime.gate,
        conditions=NothingPresent(),
        terms=wide_terms(tuple(bot.name for bot in bots), (SYMBOL,), sessions),
        symbols=(SYMBOL,),
        sessions=sessions,
        bar_interval=HOUR,
        loop_interval=SECOND,
        reconcile_every=HOUR,
        unknown_limit=HOUR,
        price_feed=price_feed,
        price_age_max=HOUR,
    )
    tree = _with_guardian(tree, guardian, guardian_args or {})
    children = (portfolio_bot(), ChildSpec(name=paths.EXIT_BOT.name, actor=AllProtected), *bots)
    crowd = ChildSpec(
        name=paths.BOTS.name,
        actor=Supervisor,
        args={"children": children, "policy": NO_RESTARTS},
    )
    # Whoever measures lets the collector look once more: in a process that holds much, that takes
    # longer than a lease of trading lasts, unless what was there before is out of its sight.
    with collector_at_rest(), tree_on_threads(runtime, root(tree, crowd, ops({}))):
        runtime.start_watch()
        _wait_until_open(runtime)
        market = Market(runtime)
        market.close_bar()
        if not runtime.settle(within=ANSWER_WITHIN_S):
            raise CouldNotMeasure("the engine did not come to rest after its first bar")
        yield market


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
    """Preflight passes and the lease is renewed, as in any start, but asked for more often."""
    gate = runtime.gate
    give_up_at = perf_counter_ns() + int(ANSWER_WITHIN_S * SECOND)
    while gate.state is not TradingState.ACTIVE or gate.lease_left() <= 0:
        if perf_counter_ns() > give_up_at:
            causes = "; ".join(cause.detail for cause in gate.standing())
            raise CouldNotMeasure(f"the gate did not open: {causes or 'no lease'}")
        sleep(LOOK_EVERY_S)
        runtime.tell(paths.HEALTH_MONITOR, RunPreflight())
