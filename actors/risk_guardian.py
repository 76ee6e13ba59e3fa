"""The risk guardian: owns the trading state and judges every order. Starts closed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import GateRefused, OrderGate
from hydra.trading.orders import DecisionKey, Denial, Order, Role, Side, client_order_id
from hydra.trading.risk_checks import Situation, first_denial
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.trading_state import (
    Cause,
    CauseClass,
    TradingState,
    effective_state,
)
from messages.control import (
    TRADING_STATE_TOPIC,
    GateDrained,
    GateTripped,
    Halt,
    PreflightFailed,
    PreflightPassed,
    TradingStateChanged,
)
from messages.health import HealthReported, ReportHealth
from messages.lifecycle import SUPERVISION_TOPIC, ChildQuarantined, Replied
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    OrderAccepted,
    OrderApproved,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderUnknown,
    ReportStored,
)
from messages.positions import BookRecovered, RecoverBook

Inbox: TypeAlias = (
    OrderIntent
    | ReportStored
    | Halt
    | GateTripped
    | GateDrained
    | PreflightPassed
    | PreflightFailed
    | ChildQuarantined
    | RecoverBook
    | ReportHealth
    | Replied
)

APPROVAL_LASTS = 30 * SECOND
"""TTL_INTENT: machine time within which an approved order must have been sent."""
RECOVER_WITHIN = 5 * SECOND


class GuardianLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian allows. `windows` has each bot's own trade window."""

    account: str
    symbols: frozenset[str]
    order_notional_usd_max: Decimal
    decision_age_max: int
    """Market ns; an older decision was made on prices that are history."""
    sessions: SessionTable
    windows: Mapping[str, Window]


class NotRecovered(Exception):
    """The persister did not say what is on record; without that nothing can be judged."""


class RiskGuardian(Actor[Inbox]):
    """Every order passes here, or is denied with a reason.

    A halt is the gate tripped, at once; the messages about it come after. What this actor forgets
    in a crash it does not need: causes stand in the gate, positions are on record.
    """

    def __init__(
        self, limits: GuardianLimits, gate: OrderGate, persister: Ref[OrderApproved | RecoverBook]
    ) -> None:
        self._limits = limits
        self._gate = gate
        self._persister = persister
        self._causes: dict[str, Cause] = {}
        self._epoch = 0
        self._positions: dict[tuple[str, str], Decimal] = {}
        self._live: dict[DecisionKey, tuple[Side, Decimal]] = {}
        self._approved = 0
        self._denied: dict[str, int] = {}

    def start(self, ctx: Context) -> None:
        self._epoch = self._gate.epoch
        self._causes = {cause.code: cause for cause in self._gate.standing()}
        ctx.subscribe(REPORTS_TOPIC)
        ctx.subscribe(SUPERVISION_TOPIC)
        # Until the answer is here every order is denied, because `recovering` is a cause.
        self._latch_own("recovering", "what is on record has not been read yet", ctx)
        ctx.ask(self._persister, RecoverBook(), within=RECOVER_WITHIN, tag="book")

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderIntent():
                self._judge(message, ctx)
            case ReportStored():
                self._book(message)
            case Halt():
                self._gate.trip(message.cause)
            case GateTripped():
                self._tripped(message, ctx)
            case GateDrained():
                ctx.log("halt_acknowledged", epoch=message.epoch, abandoned=message.abandoned)
            case PreflightPassed():
                self._preflight_passed(message, ctx)
            case PreflightFailed():
                self._preflight_failed(message, ctx)
            case ChildQuarantined():
                self._child_quarantined(message, ctx)
            case Replied():
                self._recover(message, ctx)
            case RecoverBook():
                # Behind the bot's own intents, so that the book has what it decided before a crash.
                ctx.tell(self._persister, message)
            case ReportHealth():
                recovered = "recovering" not in self._causes
                detail = "positions known" if recovered else "positions not read yet"
                ctx.reply(HealthReported(component="guardian", is_well=recovered, detail=detail))
            case _:
                unhandled(message)

    def _judge(self, intent: OrderIntent, ctx: Context) -> None:
        denial = first_denial(self._situation_of(intent, ctx))
        if denial is not None:
            self._deny(intent, denial, ctx)
            return
        name = client_order_id(self._limits.account, intent.decision)
        approved = OrderApproved(
            intent=intent,
            order=Order(
                client_order_id=name,
                symbol=intent.decision.symbol,
                side=intent.side,
                quantity=intent.quantity,
                order_type=intent.order_type,
                time_in_force=intent.time_in_force,
                limit_price=intent.limit_price,
                stop_price=intent.stop_price,
            ),
            epoch=self._epoch,
            expires_at=ctx.now() + APPROVAL_LASTS,
        )
        self._approved += 1
        # A decision that comes again keeps what is known of it; the ledger sends it only once.
        self._live.setdefault(intent.decision, (intent.side, intent.quantity))
        ctx.log("order_approved", client_order_id=name, intent=intent, epoch=self._epoch)
        ctx.tell(self._persister, approved, corr=name)
        ctx.publish(JUDGEMENTS_TOPIC, approved)

    def _deny(self, intent: OrderIntent, denial: Denial, ctx: Context) -> None:
        self._denied[denial.check] = self._denied.get(denial.check, 0) + 1
        ctx.log("order_denied", intent=intent, check=denial.check, reason=denial.reason)
        denied = OrderDenied(intent=intent, denial=denial)
        if ctx.sender is not None:
            ctx.tell(ctx.sender, denied)
        ctx.publish(JUDGEMENTS_TOPIC, denied)

    def _situation_of(self, intent: OrderIntent, ctx: Context) -> Situation:
        decision = intent.decision
        now = ctx.market_time()
        window = self._limits.windows.get(decision.bot)
        return Situation(
            trading_state=effective_state(tuple(self._causes.values())),
            cause_codes=tuple(self._causes),
            role=decision.role,
            side=intent.side,
            quantity=intent.quantity,
            reference_price=intent.reference_price,
            symbol=decision.symbol,
            symbols_allowed=self._limits.symbols,
            position=self._positions.get((decision.bot, decision.symbol), Decimal(0)),
            reducing_quantity_live=self._reducing_live(decision, intent.side),
            notional_usd_max=self._limits.order_notional_usd_max,
            at=now,
            decided_at=intent.decided_at,
            decision_age_ns_max=self._limits.decision_age_max,
            session_open=self._limits.sessions.at(now) is not None,
            window_open=window is not None and window.contains(now),
        )

    def _reducing_live(self, decision: DecisionKey, side: Side) -> Decimal:
        """What this bot's other exits in the symbol still may reduce, as far as anyone knows."""
        return sum(
            (
                remaining
                for other, (other_side, remaining) in self._live.items()
                if other != decision
                and other.role is Role.EXIT
                and (other.bot, other.symbol) == (decision.bot, decision.symbol)
                and other_side is side
            ),
            Decimal(0),
        )

    def _book(self, stored: ReportStored) -> None:
        decision, report = stored.decision, stored.report
        match report:
            case OrderAccepted() | OrderUnknown():
                return  # it counts as live from its approval until it is proven over
            case OrderFilled():
                fill = report.fill
                self._move(decision, fill.side, fill.quantity)
                if decision in self._live:
                    side, remaining = self._live[decision]
                    self._live[decision] = (side, remaining - fill.quantity)
                    if remaining <= fill.quantity:
                        del self._live[decision]
            case _:
                self._live.pop(decision, None)

    def _move(self, decision: DecisionKey, side: Side, quantity: Decimal) -> None:
        key = (decision.bot, decision.symbol)
        self._positions[key] = self._positions.get(key, Decimal(0)) + side.sign * quantity

    def _recover(self, reply: Replied, ctx: Context) -> None:
        if not isinstance(reply.value, BookRecovered):
            raise NotRecovered(reply.error or "no answer in time")
        owners = {order.order.client_order_id: order.decision for order in reply.value.orders}
        self._positions, self._live = {}, {}
        for fill in reply.value.fills:
            self._move(owners[fill.client_order_id], fill.side, fill.quantity)
        for order in reply.value.orders:
            if order.is_open:
                remaining = order.order.quantity - order.filled_quantity
                self._live[order.decision] = (order.order.side, remaining)
        self._causes.pop("recovering", None)
        self._announce(ctx)

    def _latch_own(self, code: str, detail: str, ctx: Context) -> None:
        """A cause that belongs to this incarnation alone and that it clears itself."""
        self._causes[code] = Cause(
            code=code,
            cause_class=CauseClass.START,
            state=TradingState.HALTED,
            since=ctx.market_time(),
            detail=detail,
        )

    def _tripped(self, message: GateTripped, ctx: Context) -> None:
        self._causes[message.cause.code] = message.cause
        self._epoch = max(self._epoch, message.epoch)
        ctx.log("halt_latched", cause=message.cause, epoch=message.epoch)
        self._announce(ctx)

    def _preflight_passed(self, message: PreflightPassed, ctx: Context) -> None:
        """The one thing that clears a start. Nothing else is cleared by passing."""
        if "recovering" in self._causes:
            return  # said of an earlier incarnation
        remaining = tuple(
            cause for cause in self._causes.values() if cause.cause_class is not CauseClass.START
        )
        if len(remaining) == len(self._causes):
            return
        try:
            self._epoch = self._gate.arm(remaining, "; ".join(message.evidence), self._epoch)
        except GateRefused as refused:  # tripped meanwhile: that message is on its way
            ctx.log("arming_refused", reason=str(refused))
            return
        self._causes = {cause.code: cause for cause in remaining}
        ctx.log("preflight_passed", evidence=message.evidence, epoch=self._epoch)
        self._announce(ctx)

    def _preflight_failed(self, message: PreflightFailed, ctx: Context) -> None:
        ctx.log("preflight_failed", failures=message.failures)
        if effective_state(tuple(self._causes.values())) is TradingState.HALTED:
            return  # it stays shut; a later pass is needed anyway
        self._gate.trip(
            Cause(
                code="preflight",
                cause_class=CauseClass.LIMIT,
                state=TradingState.HALTED,
                since=ctx.market_time(),
                detail="; ".join(message.failures),
            )
        )

    def _child_quarantined(self, message: ChildQuarantined, ctx: Context) -> None:
        """A bot that is down manages its positions no more: nothing new until a person looked."""
        ctx.log("bot_quarantined", path=message.path, reason=message.reason)
        bot = message.path.rpartition("/")[2]
        holds = any(position for (owner, _), position in self._positions.items() if owner == bot)
        may_hold = any(decision.bot == bot for decision in self._live)
        if holds or may_hold or "recovering" in self._causes:
            self._gate.trip(
                Cause(
                    code=f"unmanaged:{bot}",
                    cause_class=CauseClass.INTEGRITY,
                    state=TradingState.CLOSE_ONLY,
                    since=ctx.market_time(),
                    detail=f"{message.path} is quarantined and holds a position, or may come to",
                )
            )

    def _announce(self, ctx: Context) -> None:
        causes = tuple(self._causes.values())
        state = effective_state(causes)
        ctx.log("trading_state", state=state.name, causes=[cause.code for cause in causes])
        ctx.publish(
            TRADING_STATE_TOPIC,
            TradingStateChanged(state=state, causes=causes, at=ctx.market_time()),
        )

    def state_view(self) -> Mapping[str, object]:
        """The trading state with its causes, what it has judged, and who holds what."""
        return {
            "trading_state": effective_state(tuple(self._causes.values())).name,
            "causes": {code: cause.detail for code, cause in self._causes.items()},
            "epoch": self._epoch,
            "approved": self._approved,
            "denied": dict(self._denied),
            "positions": {
                f"{bot} {symbol}": str(position)
                for (bot, symbol), position in self._positions.items()
                if position
            },
        }
