"""The risk guardian: owns the trading state and judges every order. Starts closed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from actors.guardian_recovery import desk_record, excluded_orders, word_on_record
from actors.intents import order_of, proposal_of
from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import Conditions, GateRefused, OrderGate
from hydra.trading import causes as kinds
from hydra.trading.account_day import trading_day
from hydra.trading.cancels import CancelBook
from hydra.trading.clearing import ClearingPolicy, OperatorWord, Passed
from hydra.trading.difference_causes import difference_causes
from hydra.trading.never_live import never_live
from hydra.trading.orders import Denial, Role, client_order_id
from hydra.trading.pending_cancels import still_pending
from hydra.trading.risk_checks import first_denial
from hydra.trading.risk_desk import DeskTerms, RiskDesk
from hydra.trading.situation import Situation
from hydra.trading.standing import Standing
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.unready_symbols import UnreadySymbols
from hydra.trading.venue_clock import seen_at
from messages.control import (
    ACCOUNT_DAY,
    OPERATOR_RESUME,
    TRADING_STATE_TOPIC,
    CancelOrder,
    CancelsDue,
    EvaluateAccount,
    GateDrained,
    GateTripped,
    Halt,
    PreflightFailed,
    PreflightPassed,
    RecordBudgets,
    RecordChanged,
    RecordClearing,
    Recorded,
    RecordHalt,
    RecordValue,
    ReportTradingState,
    Resume,
    ResumeNoted,
    TradingStateChanged,
    TradingStateReported,
)
from messages.health import HealthReported, ReportHealth
from messages.lifecycle import SUPERVISION_TOPIC, ChildQuarantined, Replied
from messages.market import FEED_TOPIC, SYMBOLS_TOPIC, BarClosed, FeedEnded, SymbolReported
from messages.order_events import event_of
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    OrderApproved,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    ReportStored,
    client_order_id_of,
)
from messages.positions import (
    GuardianRecord,
    PositionsReported,
    RecoverBook,
    RecoverGuardian,
    ReportPositions,
)
from messages.reconciliation import RECONCILED_TOPIC, Reconciled

APPROVAL_LASTS = 30 * SECOND
"""TTL_INTENT: machine time within which an approved order must have been sent."""
RECOVER_WITHIN = 5 * SECOND
EVALUATE_EVERY = 5 * SECOND
"""I37: the account is valued at least so often, whatever happens."""
CANCELS_EVERY = SECOND
TOPICS = (REPORTS_TOPIC, RECONCILED_TOPIC, SUPERVISION_TOPIC, FEED_TOPIC, SYMBOLS_TOPIC)
Inbox: TypeAlias = (
    OrderIntent
    | ReportStored
    | BarClosed
    | FeedEnded
    | SymbolReported
    | Halt
    | GateTripped
    | GateDrained
    | PreflightPassed
    | PreflightFailed
    | Reconciled
    | Recorded
    | RecordChanged
    | Resume
    | ReportTradingState
    | ChildQuarantined
    | RecoverBook
    | EvaluateAccount
    | CancelsDue
    | ReportPositions
    | ReportHealth
    | Replied
)


class GuardianTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian is held to."""

    account: str
    desk: DeskTerms
    clearing: ClearingPolicy


class NotRecovered(Exception):
    """The persister did not say what is on record; without that nothing can be judged."""


class RiskGuardian(Actor[Inbox]):
    """Every order passes here, or is denied with a reason.

    A halt is the gate tripped, at once; the messages about it, and its record, come after. What
    this actor forgets in a crash it does not need: causes stand in the gate and in the ledger, and
    everything that it counts is rebuilt from there.
    """

    def __init__(
        self,
        terms: GuardianTerms,
        gate: OrderGate,
        conditions: Conditions,
        persister: Ref[Any],
        gateway: Ref[CancelOrder],
        flattener: Ref[Any],
    ) -> None:
        self._terms = terms
        self._sessions = terms.desk.sessions
        self._gate = gate
        self._conditions = conditions
        self._persister = persister
        self._gateway = gateway
        self._flattener = flattener
        self._desk = RiskDesk(terms.desk)
        self._cancels = CancelBook(terms.desk.limits.cancels_per_minute_max)
        self._standing = Standing(terms.clearing, terms.desk.sessions)
        self._symbols = UnreadySymbols()
        self._epoch = 0
        self._overdue: set[str] = set()
        """Orders whose cancel was told to be overdue."""
        self._day_on_record: object = None
        self._differing: frozenset[str] = frozenset()
        """The codes of what the last comparison with the venue found."""
        self._approved_since: list[tuple[OrderApproved, Situation]] | None = None
        """What was approved while the record is being read; None if it is not."""
        self._excluded_orders: frozenset[str] = frozenset()
        self._not_well: tuple[str, ...] = ()
        """The components that did not report well at the last preflight."""
        self._approved = 0
        self._denied: dict[str, int] = {}

    def start(self, ctx: Context) -> None:
        self._epoch = self._gate.epoch
        self._standing = Standing(self._terms.clearing, self._sessions, self._gate.standing())
        for topic in TOPICS:
            ctx.subscribe(topic)
        # Until the answer is here every order is denied, because `recovering` is a cause.
        reading = "what is on record has not been read yet"
        self._standing.stand(kinds.RECOVERING.cause(since=ctx.market_time(), detail=reading))
        self._read_record(ctx)
        ctx.every(EVALUATE_EVERY, EvaluateAccount())

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderIntent():
                self._judge(message, ctx)
            case ReportStored():
                self._learn(message, ctx)
            case BarClosed():
                if not message.is_backfill:  # history is no price to judge an order by
                    self._mark(message, ctx)
            case SymbolReported():
                self._hear_of_symbol(message, ctx)
            case EvaluateAccount():
                self._value_account(None, ctx)
                self._keep_day(ctx)
            case Halt():
                self._latch(message.cause, ctx)
            case GateTripped():
                self._epoch = max(self._epoch, message.epoch)
                self._stands(message.cause, ctx)
            case GateDrained():
                ctx.log("halt_acknowledged", epoch=message.epoch, abandoned=message.abandoned)
            case PreflightPassed():
                self._preflight_passed(message, ctx)
            case PreflightFailed():
                self._preflight_failed(message, ctx)
            case Reconciled():
                self._reconciled(message, ctx)
            case Recorded():
                self._recorded(message, ctx)
            case RecordChanged():
                self._read_record(ctx)
            case Resume():
                ctx.reply(self._resume(message, ctx))
            case ReportPositions():
                ctx.reply(self._positions())
            case CancelsDue():
                self._cancel_entries(ctx)
            case ReportTradingState():
                ctx.reply(self._report())
            case ChildQuarantined():
                self._child_quarantined(message, ctx)
            case Replied():
                self._recover(message, ctx)
            case RecoverBook():
                # Behind the bot's own intents, so that the book has what it decided before a crash.
                ctx.tell(self._persister, message)
            case ReportHealth():
                ctx.reply(self._health())
            case FeedEnded():
                pass
            case _:
                unhandled(message)

    def _judge(self, intent: OrderIntent, ctx: Context) -> None:
        decision = intent.decision
        name = client_order_id(self._terms.account, decision)
        if self._desk.knows(name):
            # It was decided and approved in an earlier life of the bot. It is never sent again.
            ctx.log("intent_repeated", client_order_id=name, decision=decision)
            return
        causes = (*self._standing.causes, *self._symbols.causes)
        situation = self._desk.situation(proposal_of(intent), causes, ctx.market_time())
        denial = first_denial(situation)
        if decision.role is Role.FLATTEN and ctx.sender != self._flattener:
            denial = Denial("flatten_is_the_operators", "only an operator's flatten sends such")
        if denial is not None:
            self._deny(intent, denial, situation, ctx)
            return
        order = order_of(intent, name)
        approved = OrderApproved(
            intent=intent, order=order, epoch=self._epoch, expires_at=ctx.now() + APPROVAL_LASTS
        )
        self._desk.approve(order, decision, situation)
        if self._approved_since is not None:
            self._approved_since.append((approved, situation))
        if not decision.role.reduces:
            self._cancels.entry_opened(name, decision.bot, decision.symbol)
        self._approved += 1
        ctx.tell(self._persister, approved, corr=name)  # the order first, then the words
        ctx.log(
            "order_approved",
            client_order_id=name,
            intent=intent,
            epoch=self._epoch,
            situation=situation,
        )
        ctx.publish(JUDGEMENTS_TOPIC, approved)

    def _deny(
        self, intent: OrderIntent, denial: Denial, situation: Situation, ctx: Context
    ) -> None:
        self._denied[denial.check] = self._denied.get(denial.check, 0) + 1
        ctx.log(
            "order_denied",
            intent=intent,
            check=denial.check,
            reason=denial.reason,
            situation=situation,
        )
        denied = OrderDenied(intent=intent, denial=denial)
        if ctx.sender is not None and ctx.sender != ctx.me:
            ctx.tell(ctx.sender, denied)
        ctx.publish(JUDGEMENTS_TOPIC, denied)
        decision = intent.decision
        if decision.role.reduces:
            self._clear_the_way(situation, ctx)

    def _clear_the_way(self, situation: Situation, ctx: Context) -> None:
        """What reduces goes before what enters: no resting entry may keep a position in (K3)."""
        entries = set(self._desk.book.open_entries)
        for name in situation.book.opposing:
            if name in entries:
                self._ask_to_cancel(name, "it stands in the way of an exit", ctx)

    def _learn(self, stored: ReportStored, ctx: Context) -> None:
        decision, report = stored.decision, stored.report
        name = client_order_id_of(report)
        for cause in self._desk.learn(decision, name, event_of(report), ctx.market_time()):
            self._latch(cause, ctx)
        if stored.fee is not None:
            self._desk.charge(stored.fee)
        working = self._desk.book.order(name)
        if working is None or not working.state.status.is_open:
            self._cancels.order_ended(name)
            self._overdue.discard(name)
        elif working.is_entry:  # also one that was given up, and lives
            self._cancels.entry_opened(name, decision.bot, decision.symbol)
        if isinstance(report, OrderFilled):
            self._value_account(None, ctx)

    def _mark(self, message: BarClosed, ctx: Context) -> None:
        bar = message.bar
        at = seen_at(bar.end_at, ctx.market_time())  # the feed let it pass, by the same rule
        self._desk.mark(bar.symbol, Decimal(repr(bar.close)), at)
        if self._desk.is_over(ctx.market_time()) or not self._desk.book.is_flat:
            self._value_account(None, ctx)

    def _hear_of_symbol(self, word: SymbolReported, ctx: Context) -> None:
        halt = self._symbols.hear(word.symbol, word.why, word.detail, word.at)
        if halt is not None:
            self._latch(halt, ctx)

    def _value_account(self, venues_equity: Decimal | None, ctx: Context) -> None:
        if self._is_recovering or not self._desk.is_opened:
            return  # nothing is known yet, and nothing passes
        granted = self._desk.granted
        for cause in self._desk.observe(venues_equity, ctx.market_time()):
            self._latch(cause, ctx)
        if self._desk.granted is not granted:
            self._keep_day(ctx)
            new, session = self._desk.granted, self._desk.day.session
            ctx.log("budgets_granted", session=session, grants=new.grants, refused=new.refused)
            ctx.tell(self._persister, RecordBudgets(session=session, grants=new.grants))

    def _keep_day(self, ctx: Context) -> None:
        """Day start, peak and the drawdown's state survive a restart (C2); not every observation is
        worth a record.
        """
        day = self._desk.day
        content = (day.session, day.day_start, day.peak, day.state, day.changes)
        if day.day_start is None or content == self._day_on_record:
            return
        self._day_on_record = content
        value = msgspec.json.encode(day).decode()
        ctx.tell(self._persister, RecordValue(key=ACCOUNT_DAY, value=value))

    def _latch(self, cause: Cause, ctx: Context) -> None:
        """From here on it stands. The gate is told first if it holds for everybody."""
        if not self._standing.is_news(cause):
            return
        if cause.is_global:
            self._gate.trip(cause)  # `GateTripped` follows
        else:
            self._stands(cause, ctx)

    def _stands(self, cause: Cause, ctx: Context) -> None:
        self._standing.stand(cause)
        ctx.log("halt_latched", cause=cause, epoch=self._epoch)
        if cause in self._standing.to_be_recorded:
            ctx.tell(self._persister, RecordHalt(cause=cause))
        self._cancel_entries(ctx)
        self._announce(ctx)

    def _announce(self, ctx: Context) -> None:
        causes, state = self._standing.causes, self._standing.state
        ctx.log("trading_state", state=state.name, causes=[cause.code for cause in causes])
        changed = TradingStateChanged(state=state, causes=causes, at=ctx.market_time())
        ctx.publish(TRADING_STATE_TOPIC, changed)

    def _recorded(self, message: Recorded, ctx: Context) -> None:
        for tag in message.tags:
            if self._standing.recorded(tag):
                ctx.log("halt_recorded", code=tag)

    def _preflight_passed(self, message: PreflightPassed, ctx: Context) -> None:
        """Clear what may be cleared now: preflight and reconciliation have just passed (I04)."""
        at, self._not_well = ctx.market_time(), ()
        cleared = self._standing.ends(
            Passed(at=at, evidence=message.evidence, present=self._present(at))
        )
        if not cleared:
            return
        gone = {each.code: each.reason for each in cleared}
        stay = tuple(cause for cause in self._standing.causes if cause.code not in gone)
        try:
            self._epoch = self._gate.arm(
                tuple(cause for cause in stay if cause.is_global),
                "; ".join(f"{code}: {reason}" for code, reason in gone.items()),
                self._epoch,
            )
        except GateRefused as refused:  # tripped meanwhile: that message is on its way
            ctx.log("arming_refused", reason=str(refused))
            return
        for code, reason in gone.items():
            self._clear(code, reason, ctx)
        ctx.log("preflight_passed", evidence=message.evidence, epoch=self._epoch)
        self._announce(ctx)

    def _clear(self, code: str, reason: str, ctx: Context) -> None:
        was_let_go = self._standing.word is not None
        cause = self._standing.end(code)
        ctx.log("halt_cleared", code=code, reason=reason)
        if cause.cause_class is not CauseClass.START:
            ctx.tell(self._persister, RecordClearing(code=code, reason=reason))
        if was_let_go and self._standing.word is None:
            ctx.tell(self._persister, RecordValue(key=OPERATOR_RESUME, value=""))
        if cause.symbol is not None and kinds.kind_of(code) is kinds.REJECTIONS:
            self._desk.forget_rejections(cause.symbol)

    def _present(self, at: int) -> frozenset[str]:
        """What holds still, whoever finds it."""
        found = {*self._conditions.present(), *self._differing}
        found.update(cause.code for cause in self._desk.alarms(at))
        if any(order.is_unknown for order in self._desk.book.open_orders):
            found.add(kinds.UNKNOWN_OUTCOME.code)
        found.update(
            cause.code
            for cause in self._standing.causes
            if kinds.kind_of(cause.code) is kinds.UNMANAGED
            and self._may_hold(cause.code.removeprefix(kinds.UNMANAGED.code))
        )
        found |= self._symbols.still_halted(self._standing.causes)
        found |= still_pending(self._standing.causes, self._desk.book.open_orders)
        if self._gate.flatten_reason is not None:
            found.add(kinds.FLATTEN.code)
        return frozenset(found)

    def _preflight_failed(self, message: PreflightFailed, ctx: Context) -> None:
        components = tuple(failure.partition(":")[0] for failure in message.failures)
        if components != self._not_well:  # that it lasts is not written down again and again
            self._not_well = components
            ctx.log("preflight_failed", failures=message.failures)
        if TradingState.HALTED in (self._standing.state, self._gate.state):
            return  # it stays shut; a later pass is needed anyway
        detail = "; ".join(message.failures)
        self._latch(kinds.PREFLIGHT.cause(since=ctx.market_time(), detail=detail), ctx)

    def _reconciled(self, message: Reconciled, ctx: Context) -> None:
        """What differs is for a person; nothing is traded over it (I29, I60)."""
        found = difference_causes(message.differences, ctx.market_time())
        self._differing = frozenset(cause.code for cause in found)
        for cause in found:
            self._latch(cause, ctx)
        snapshot = message.snapshot
        if snapshot is not None:
            for name in never_live(snapshot.orders, self._sessions, ctx.market_time()):
                if self._desk.knows(name):
                    self._ask_to_cancel(name, "the market does not come to have it", ctx)
            self._desk.opened_with(snapshot.account.cash)
            self._value_account(snapshot.account.equity, ctx)

    def _child_quarantined(self, message: ChildQuarantined, ctx: Context) -> None:
        """A bot that is down manages its positions no more: nothing new until a person looked."""
        ctx.log("bot_quarantined", path=message.path, reason=message.reason)
        bot = message.path.rpartition("/")[2]
        if self._may_hold(bot) or self._is_recovering:
            detail = f"{message.path} is quarantined and holds a position, or may come to"
            self._latch(
                kinds.UNMANAGED.cause(subject=bot, since=ctx.market_time(), detail=detail), ctx
            )

    def _may_hold(self, bot: str) -> bool:
        book = self._desk.book
        holds = any(owner == bot for owner, _ in book.positions)
        return holds or any(order.decision.bot == bot for order in book.open_orders)

    def _resume(self, message: Resume, ctx: Context) -> ResumeNoted:
        at = ctx.market_time()
        wish = OperatorWord(
            codes=frozenset(message.codes),
            reason=message.reason,
            operator=message.operator,
            at=at,
        )
        verdict = self._standing.let_go(wish, self._present(at))
        ctx.log(
            "resume_asked",
            reason=message.reason,
            by=message.operator,
            noted=verdict.noted,
            refused=verdict.refused,
        )
        return ResumeNoted(noted=verdict.noted, refused=verdict.refused)

    def _report(self) -> TradingStateReported:
        standing = self._standing
        return TradingStateReported(
            state=standing.state,
            causes=(*standing.causes, *self._symbols.causes),
            durable=standing.on_record,
            noted=() if standing.word is None else tuple(sorted(standing.word.codes)),
            epoch=self._epoch,
            is_drained=self._gate.is_drained,
        )

    def _cancel_entries(self, ctx: Context) -> None:
        """I10: what is not known to be gone is asked to go, again and again."""
        stopping = self._standing.stopping
        now = ctx.now()
        for name in self._cancels.due(stopping, now):
            ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason="trading is not open"))
        for overdue in self._cancels.overdue(now):
            if overdue.client_order_id not in self._overdue:
                self._overdue.add(overdue.client_order_id)
                ctx.log(
                    "cancel_overdue",
                    client_order_id=overdue.client_order_id,
                    requests=overdue.requests,
                )
        if stopping and self._desk.book.open_entries:
            ctx.after(CANCELS_EVERY, CancelsDue())

    def _ask_to_cancel(self, name: str, reason: str, ctx: Context) -> None:
        self._cancels.other_request_made(ctx.now())
        ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason=reason))

    @property
    def _is_recovering(self) -> bool:
        return self._standing.has(kinds.RECOVERING.code)

    def _read_record(self, ctx: Context) -> None:
        session = trading_day(self._sessions, ctx.market_time())
        self._approved_since = []
        question = RecoverGuardian(session=session)
        ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag="record")

    def _recover(self, reply: Replied, ctx: Context) -> None:
        record = reply.value
        if not isinstance(record, GuardianRecord):
            raise NotRecovered(reply.error or "no answer in time")
        self._desk.recover(desk_record(record, self._sessions))
        # The answer is as old as the question: what was approved since then counts too.
        for approved, situation in self._approved_since or ():
            if not self._desk.knows(approved.order.client_order_id):
                self._desk.approve(approved.order, approved.intent.decision, situation)
        self._approved_since = None
        self._excluded_orders = excluded_orders(record)
        for order in self._desk.book.open_orders:
            if order.is_entry:
                name, decision = order.order.client_order_id, order.decision
                self._cancels.entry_opened(name, decision.bot, decision.symbol)
        if self._is_recovering:
            self._recover_causes(record, ctx)
        self._cancel_entries(ctx)
        self._value_account(None, ctx)
        self._announce(ctx)

    def _recover_causes(self, record: GuardianRecord, ctx: Context) -> None:
        """What stood when this actor, or the engine, came to its end stands on."""
        at = ctx.market_time()
        for cause in record.halts:
            if cause.is_global and not self._standing.has(cause.code):
                self._gate.trip(cause)
        self._standing.found_on_record(record.halts, at)
        for cause in self._standing.to_be_recorded:
            ctx.tell(self._persister, RecordHalt(cause=cause))
        self._standing.word = word_on_record(record, self._standing.causes, at)
        self._standing.end(kinds.RECOVERING.code)

    def _health(self) -> HealthReported:
        detail = "positions not read yet" if self._is_recovering else "positions known"
        return HealthReported(component="guardian", is_well=not self._is_recovering, detail=detail)

    def _positions(self) -> PositionsReported:
        book = self._desk.book
        return PositionsReported(
            positions=tuple((bot, symbol, held) for (bot, symbol), held in book.positions.items()),
            open_orders=tuple(order.order.client_order_id for order in book.open_orders),
            excluded_positions=book.excluded,
            excluded_orders=self._excluded_orders,
        )

    def state_view(self) -> Mapping[str, object]:
        """Trading state and causes, what it has judged, who holds what, what is left."""
        book, day, standing = self._desk.book, self._desk.day, self._standing
        return {
            "trading_state": standing.state.name,
            "causes": {cause.code: cause.detail for cause in standing.causes},
            "durable": list(standing.on_record),
            "noted_resume": [] if standing.word is None else sorted(standing.word.codes),
            "epoch": self._epoch,
            "approved": self._approved,
            "denied": dict(self._denied),
            "positions": {
                f"{bot} {symbol}": f"{held:f}" for (bot, symbol), held in book.positions.items()
            },
            "orders_today": self._desk.orders_today,
            "open_orders": [order.order.client_order_id for order in book.open_orders],
            "unknown_orders": [
                order.order.client_order_id for order in book.open_orders if order.is_unknown
            ],
            "equity": _text(day.equity),
            "day_start": _text(day.day_start),
            "peak": _text(day.peak),
            "drawdown_state": day.state.value,
            "risk_mode": self._desk.risk_mode.value,
            "exposure": _text(book.gross_exposure),
            "heat": _text(book.heat),
            "budgets": {bot: f"{amount:f}" for bot, amount in self._desk.granted.grants.items()},
            "cancels_overdue": sorted(self._overdue),
        }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
