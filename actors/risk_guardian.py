"""The risk guardian: owns the trading state and judges every order. Starts closed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from actors.granting import Granting
from actors.guardian_cancels import GuardianCancels
from actors.guardian_halts import FEED, Halts
from actors.guardian_recovery import (
    desk_record,
    question_at,
    rejections_seen,
    round_trips_seen,
)
from actors.guardian_terms import GuardianTerms, TakeTerms, TermsTaken
from actors.guardian_view import coverage_view, desk_view, halts_view, positions_of
from actors.intents import order_of, proposal_of
from actors.kept_day import KeptDay
from actors.sender_checks import not_its_own
from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import Conditions, OrderGate
from hydra.trading import causes as kinds
from hydra.trading.account_day import closed_when_flat
from hydra.trading.bars import Bar
from hydra.trading.coverage_watch import still_unprotected
from hydra.trading.difference_causes import difference_causes, worth_differs
from hydra.trading.orders import DecisionKey, Denial, Role, client_order_id
from hydra.trading.pending_cancels import still_pending
from hydra.trading.risk_checks import first_denial
from hydra.trading.risk_desk import RiskDesk
from hydra.trading.situation import Situation
from hydra.trading.trading_state import Cause, TradingState
from hydra.trading.unready_symbols import UnreadySymbols
from hydra.trading.venue_clock import seen_at
from messages.budgets import GrantsOverdue, ProposeBudgets, ReportBudgetDay
from messages.control import (
    CancelOrder,
    CancelsDue,
    EvaluateAccount,
    GateDrained,
    GateTripped,
    Halt,
    PreflightFailed,
    PreflightPassed,
    RecordChanged,
    Recorded,
    ReportTradingState,
    Resume,
)
from messages.corporate_actions import ACTIONS_TOPIC, ActionsReported
from messages.execution import EXECUTION_TOPIC, ExecutionReported
from messages.health import HealthReported, ReportHealth
from messages.lifecycle import SUPERVISION_TOPIC, ChildQuarantined, Replied
from messages.loops import LoopDue
from messages.market import (
    FEED_TOPIC,
    SYMBOLS_TOPIC,
    BarsClosed,
    FeedEnded,
    QuoteChanged,
    SymbolReported,
)
from messages.options import CONTRACT_QUOTES_TOPIC
from messages.order_events import event_of
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    CancelIntent,
    OrderApproved,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    ReportStored,
    client_order_id_of,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    GuardianRecord,
    RecoverBook,
    ReportPositions,
    orders_left_alone,
)
from messages.protection import COVERAGE_TOPIC, CoverageReported
from messages.reconciliation import RECONCILED_TOPIC, Reconciled

APPROVAL_LASTS = 30 * SECOND
"""TTL_INTENT: machine time within which an approved order must have been sent."""
RECOVER_WITHIN = 5 * SECOND
EVALUATE_EVERY = 5 * SECOND
"""I37: the account is valued at least so often, whatever happens."""
TOPICS = (
    REPORTS_TOPIC,
    RECONCILED_TOPIC,
    SUPERVISION_TOPIC,
    FEED_TOPIC,
    SYMBOLS_TOPIC,
    COVERAGE_TOPIC,
    EXECUTION_TOPIC,
    ACTIONS_TOPIC,
    CONTRACT_QUOTES_TOPIC,
)
SAFETY_BOTS = EXIT_BOT, PORTFOLIO_BOT = ("exit_bot", "portfolio_bot")
"""Nobody may enter without them, so a person has to look why one of them is down."""
Inbox: TypeAlias = (
    OrderIntent
    | CancelIntent
    | ReportStored
    | BarsClosed
    | QuoteChanged
    | FeedEnded
    | SymbolReported
    | CoverageReported
    | ExecutionReported
    | ActionsReported
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
    | LoopDue
    | ProposeBudgets
    | ReportBudgetDay
    | GrantsOverdue
    | CancelsDue
    | TakeTerms
    | ReportPositions
    | ReportHealth
    | Replied
)


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
        portfolio: Ref[Any],
    ) -> None:
        self._terms = terms
        self._sessions = terms.desk.sessions
        self._gate = gate
        self._conditions = conditions
        self._persister = persister
        self._flattener = flattener
        self._desk = RiskDesk(terms.desk)
        self._cancels = GuardianCancels(
            gateway, self._sessions, terms.desk.limits.cancels_per_minute_max
        )
        self._halts = Halts(terms.clearing, terms.desk.sessions, gate, persister, terms.kill)
        self._covered: CoverageReported | None = None
        """The exit bot's last word."""
        self._granting = Granting(self._desk, persister, portfolio)
        self._symbols = UnreadySymbols()
        self._day = KeptDay(persister)
        self._differing: frozenset[str] = frozenset()
        """The codes of what the last comparison with the venue found."""
        self._approved_since: list[tuple[OrderApproved, Situation]] | None = None
        """What was approved while the record is being read; None if it is not."""
        self._excluded_orders: frozenset[str] = frozenset()
        self._approved = 0
        self._denied: dict[str, int] = {}

    def start(self, ctx: Context) -> None:
        for topic in TOPICS:
            ctx.subscribe(topic)
        self._halts.begin(ctx)
        self._read_record(ctx)
        ctx.every(EVALUATE_EVERY, EvaluateAccount())

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderIntent():
                self._judge(message, ctx)
            case CancelIntent():
                self._cancel_for(message, ctx)
            case ReportStored():
                self._learn(message, ctx)
            case BarsClosed():
                if not message.is_backfill:  # history is no price to judge an order by
                    self._mark(message.bars, ctx)
            case QuoteChanged(quote=quote):  # of a contract: there are no bars of options
                self._desk.quoted(quote, seen_at(quote.at, ctx.market_time()))
            case SymbolReported():
                self._hear_of_symbol(message, ctx)
            case CoverageReported():
                self._hear_of_coverage(message, ctx)
            case ExecutionReported():
                word = message
                self._desk.execution.told(word.regimes, word.router, word.at, word.is_whole)
            case ActionsReported():
                self._desk.actions.told(message.known, message.spells)
            case EvaluateAccount():
                self._value_account(None, ctx)
                self._day.keep(self._desk.day, ctx)
                self._granting.ask_again(ctx)
            case LoopDue():
                self._desk.loops.missed_one()
                self._desk.coverage.loop_ran()
            case ProposeBudgets():
                self._granting.heard_from(ctx.sender)
                ctx.reply(self._granting.judge(message, ctx))
            case ReportBudgetDay():
                self._granting.heard_from(ctx.sender)
                ctx.reply(self._granting.report())
            case GrantsOverdue():
                self._granting.overdue(ctx)
            case Halt(cause=cause):
                if self._halts.latch(cause, ctx, has_happened=True):
                    self._stopped(ctx)
            case GateTripped():
                self._halts.epoch = max(self._halts.epoch, message.epoch)
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
                self._halts.recorded(message, ctx)
            case RecordChanged():
                self._day.keep_all(self._desk.day, ctx)
                self._read_record(ctx)
            case Resume():
                ctx.reply(self._halts.resume(message, self._present(ctx.market_time()), ctx))
            case TakeTerms():
                ctx.reply(self._take(message.terms, ctx))
            case ReportPositions():
                ctx.reply(positions_of(self._desk, self._excluded_orders))
            case CancelsDue():
                self._cancel_entries(ctx)
            case ReportTradingState():
                ctx.reply(self._halts.report((*self._symbols.causes, *self._terms.closed)))
            case ChildQuarantined():
                self._child_quarantined(message, ctx)
            case Replied():
                self._recover(message, ctx)
            case RecoverBook():
                # Behind the bot's own intents, so that the book has what it decided before a crash.
                if not self._granting.holds_behind(ctx):
                    ctx.tell(self._persister, message)
            case ReportHealth():
                ctx.reply(self._health())
            case FeedEnded():
                pass
            case _:
                unhandled(message)

    def _judge(self, intent: OrderIntent, ctx: Context) -> None:
        decision = intent.decision
        may_wait = not decision.role.reduces and self._halts.state is TradingState.ACTIVE
        if may_wait and self._granting.holds(ctx):
            return
        name = client_order_id(self._terms.account, decision)
        if self._desk.knows(name):
            self._repeated(decision, name, ctx)
            return
        causes = (*self._halting, *self._terms.closed)
        situation = self._desk.situation(proposal_of(intent), causes, ctx.market_time())
        denial = self._not_its_own(intent, ctx)
        if denial is None:
            denial = first_denial(situation, self._terms.brought)
        if decision.role is Role.FLATTEN and ctx.sender != self._flattener:
            denial = Denial("flatten_is_the_operators", "only an operator's flatten sends such")
        if denial is not None:
            self._deny(intent, denial, situation, ctx)
            return
        order = order_of(intent, name)
        approved = OrderApproved(
            intent=intent,
            order=order,
            epoch=self._halts.epoch,
            expires_at=ctx.now() + APPROVAL_LASTS,
        )
        self._desk.approve(order, decision, situation)
        if self._approved_since is not None:
            self._approved_since.append((approved, situation))
        if not decision.role.reduces:
            self._cancels.entry_opened(name, decision)
        self._approved += 1
        ctx.tell(self._persister, approved, corr=name)  # the order first, then the words
        ctx.log(
            "order_approved",
            client_order_id=name,
            intent=intent,
            epoch=self._halts.epoch,
            configuration=self._terms.configuration,
            situation=situation,
        )
        ctx.publish(JUDGEMENTS_TOPIC, approved)

    def _repeated(self, decision: DecisionKey, name: str, ctx: Context) -> None:
        """It was decided and approved before, and is never sent again. Its bot does not know that,
        and would wait for what it has not asked for: a denial could make it forget an order that
        lives, so it is to read what became of it. (A flatten goes by what is at the venue.)
        """
        ctx.log("intent_repeated", client_order_id=name, decision=decision)
        if ctx.sender is not None and ctx.sender != self._flattener:
            ctx.tell(ctx.sender, BookChanged())

    def _deny(
        self, intent: OrderIntent, denial: Denial, situation: Situation, ctx: Context
    ) -> None:
        self._denied[denial.check] = self._denied.get(denial.check, 0) + 1
        ctx.log(
            "order_denied",
            intent=intent,
            check=denial.check,
            reason=denial.reason,
            configuration=self._terms.configuration,
            situation=situation,
        )
        denied = OrderDenied(intent=intent, denial=denial)
        if ctx.sender is not None and ctx.sender != ctx.me:
            ctx.tell(ctx.sender, denied)
        ctx.publish(JUDGEMENTS_TOPIC, denied)
        if intent.decision.role.reduces:
            entries = set(self._desk.book.open_entries)
            waits = intent.decision.role is not Role.FLATTEN  # that looks by itself
            for name in situation.book.opposing:
                if name in entries:
                    self._cancels.clear_the_way(name, ctx, ctx.sender if waits else None)

    def _cancel_for(self, wish: CancelIntent, ctx: Context) -> None:
        """Take out an order because its bot would like it, but for a flatten's."""
        decision = wish.decision
        if self._not_its_own(wish, ctx) is not None:
            return
        open_orders = self._desk.book.orders_of_symbol(decision.symbol)
        known = next((each for each in open_orders if each.decision == decision), None)
        if known is not None and decision.role is not Role.FLATTEN:
            self._cancels.wish(known, wish.reason, self._halting, ctx)

    def _not_its_own(self, wish: OrderIntent | CancelIntent, ctx: Context) -> Denial | None:
        return not_its_own(wish, self._terms.foreign, ctx, self._desk.book, self._sessions)

    @property
    def _halting(self) -> tuple[Cause, ...]:
        """What stands, and what the exchange has halted."""
        return (*self._halts.causes, *self._symbols.causes)

    def _learn(self, stored: ReportStored, ctx: Context) -> None:
        decision, report = stored.decision, stored.report
        name = client_order_id_of(report)
        if isinstance(report, OrderFilled) and self._desk.is_over(ctx.market_time()):
            self._value_account(None, ctx)  # for the equity that its day begins with
        for cause in self._desk.learn(decision, name, event_of(report), ctx.market_time()):
            self._latch(cause, ctx)
        if stored.fee is not None:
            self._desk.charge(stored.fee, decision)
        self._day.keep_carried(self._desk.day, ctx)
        working = self._desk.book.order(name)
        if working is None or not working.state.status.is_open:
            self._cancels.order_ended(name, ctx)
        elif working.is_entry:  # also one that was given up, and lives
            self._cancels.entry_opened(name, decision)
        if isinstance(report, OrderFilled):
            self._value_account(None, ctx)

    def _mark(self, bars: tuple[Bar, ...], ctx: Context) -> None:
        """The account is valued once for all of them: each is a price of this moment."""
        book, now = self._desk.book, ctx.market_time()
        book.mark_closes(bars, now)
        if self._desk.is_over(now) or book.is_any_held([bar.symbol for bar in bars]):
            self._value_account(None, ctx)

    def _hear_of_symbol(self, word: SymbolReported, ctx: Context) -> None:
        halt = self._symbols.hear(word.symbol, word.why, word.detail, word.at)
        if halt is not None:
            self._latch(halt, ctx)

    def _value_account(
        self, venues_equity: Decimal | None, ctx: Context, *, differs: bool | None = None
    ) -> None:
        if self._halts.is_recovering or not self._desk.is_opened:
            return  # nothing is known yet, and nothing passes
        granted = self._desk.granted
        for cause in self._desk.observe(venues_equity, ctx.market_time(), differs=differs):
            self._latch(cause, ctx)
        if not self._desk.may_hold():
            for cause in closed_when_flat(self._halts.causes):
                self._latch(cause, ctx)
        if self._desk.granted is not granted:
            self._day.keep(self._desk.day, ctx)
            self._granting.budgets_changed(ctx)

    def _latch(self, cause: Cause, ctx: Context) -> None:
        """From here on it stands. The gate is told first if it holds for everybody."""
        if self._halts.latch(cause, ctx):
            self._stopped(ctx)

    def _stands(self, cause: Cause, ctx: Context) -> None:
        self._halts.stand(cause, ctx)
        self._stopped(ctx)

    def _stopped(self, ctx: Context) -> None:
        self._cancel_entries(ctx)
        self._halts.announce(ctx)

    def _loop_ended(self, number: int, ctx: Context, *, passed: bool) -> None:
        self._desk.loops.heard(number, passed=passed)
        for cause in self._desk.loop_ended(ctx.market_time()):
            self._latch(cause, ctx)
        ctx.every(self._terms.loop_interval, LoopDue())

    def _preflight_passed(self, message: PreflightPassed, ctx: Context) -> None:
        self._loop_ended(message.loop, ctx, passed=True)
        self._halts.all_are_well()
        present = self._present(ctx.market_time())
        cleared = self._halts.preflight_passed(message, present, ctx)
        self._halts.sound(self._conditions.present(), ctx)
        self._halts.keep_alarms(present, ctx)
        for cause in cleared:
            self._count_anew(cause, ctx)
        if cleared:
            self._halts.announce(ctx)

    def _count_anew(self, over: Cause, ctx: Context) -> None:
        """What a person has looked into counts no more, after a restart neither."""
        kind = kinds.kind_of(over.code)
        if kind is kinds.REJECTIONS and over.symbol is not None:
            names = self._desk.forget_rejections(over.symbol)
            ctx.tell(self._persister, rejections_seen(over.symbol, names))
        if kind is kinds.THROTTLE and over.bot is not None:
            seen = self._desk.forget_round_trips(over.bot, ctx.market_time())
            ctx.tell(self._persister, round_trips_seen(seen))

    def _present(self, at: int) -> frozenset[str]:
        """What holds still, whoever finds it."""
        found = {*self._conditions.present(), *self._differing}
        found.update(cause.code for cause in self._desk.alarms(at))
        if any(order.is_unknown for order in self._desk.book.open_orders):
            found.add(kinds.UNKNOWN_OUTCOME.code)
        found |= self._symbols.still_halted(self._halts.causes)
        found |= still_pending(self._halts.causes, self._desk.book.open_orders)
        if self._gate.flatten_reason is not None:
            found.add(kinds.FLATTEN.code)
        if self._halts.not_well == (FEED,):
            found.add(kinds.STALE_FEED.code)
        if not self._desk.coverage.is_heard:
            found.add(f"{kinds.BOT_DOWN.code}{EXIT_BOT}")
        if self._terms.desk.budgets.is_proposed and not self._granting.is_heard:
            found.add(f"{kinds.BOT_DOWN.code}{PORTFOLIO_BOT}")
        told = self._covered if self._desk.coverage.is_heard else None
        told = told if told is not None and told.is_known else None
        lines = None if told is None else told.lines
        taken_over = None if told is None else told.taken_over
        found |= self._desk.still_unmanaged(self._halts.causes, taken_over)
        known = (*self._halts.causes, *self._halts.alarms)
        found |= still_unprotected(known, lines) | self._desk.execution.still(known)
        return frozenset(found)

    def _hear_of_coverage(self, told: CoverageReported, ctx: Context) -> None:
        self._covered = told
        self._desk.coverage.told(is_known=told.is_known, pct=told.pct, uncovered=told.uncovered)
        self._halts.hear_of_coverage(told, self._terms.desk.limits.protection_confirm_ns, ctx)

    def _preflight_failed(self, message: PreflightFailed, ctx: Context) -> None:
        self._loop_ended(message.loop, ctx, passed=False)
        cause = self._halts.preflight_failed(message, ctx)
        if cause is not None:
            self._latch(cause, ctx)
        self._halts.sound(self._conditions.present(), ctx)
        self._halts.keep_alarms(self._present(ctx.market_time()), ctx)

    def _reconciled(self, message: Reconciled, ctx: Context) -> None:
        """What differs is for a person; nothing is traded over it (I29, I60)."""
        found = difference_causes(message.differences, ctx.market_time())
        late = [each.difference for each in message.late]
        not_agreed = difference_causes((*message.differences, *late), ctx.market_time())
        self._differing = frozenset(cause.code for cause in not_agreed)
        for cause in found:
            self._latch(cause, ctx)
        snapshot = message.snapshot
        if snapshot is not None and not late:
            self._cancels.account_read(snapshot, self._desk.book, self._halting, ctx)
            self._desk.opened_with(snapshot.account.cash)
            differs = worth_differs(message.differences)
            self._value_account(snapshot.account.equity, ctx, differs=differs)
            self._day.keep(self._desk.day, ctx)  # that they differ, before anybody settles it

    def _child_quarantined(self, message: ChildQuarantined, ctx: Context) -> None:
        """A bot that is down manages its positions no more: nothing new until a person looked."""
        ctx.log("bot_quarantined", path=message.path, reason=message.reason)
        bot = message.path.rpartition("/")[2]
        if bot in SAFETY_BOTS:
            detail = f"{message.path} is quarantined: {message.reason}"
            down = kinds.BOT_DOWN.cause(subject=bot, since=ctx.market_time(), detail=detail)
            self._latch(down, ctx)
        if bot == EXIT_BOT:
            self._desk.coverage.lost()
        if bot == PORTFOLIO_BOT:
            self._granting.lost()
        if self._desk.may_hold(bot) or self._halts.is_recovering:
            detail = f"{message.path} is quarantined and holds a position, or may come to"
            self._latch(
                kinds.UNMANAGED.cause(subject=bot, since=ctx.market_time(), detail=detail), ctx
            )

    def _take(self, terms: GuardianTerms, ctx: Context) -> TermsTaken:
        """A reload: the next order is judged by it, and so is the account as it is now (I41)."""
        self._terms = terms
        granted = self._desk.granted
        self._desk.take(terms.desk)
        if self._desk.granted is not granted:
            self._granting.budgets_changed(ctx)
        self._halts.take_policy(terms.clearing, terms.kill)
        ctx.log("terms_taken", configuration=terms.configuration, closed=terms.closed)
        self._value_account(None, ctx)
        self._stopped(ctx)
        return TermsTaken(configuration=terms.configuration)

    def _cancel_entries(self, ctx: Context) -> None:
        stopping = (*self._halts.stopping, *self._terms.closed)
        while_any = bool(self._desk.book.open_entries)
        self._cancels.take_entries_out(stopping, ctx, while_any=while_any)

    def _read_record(self, ctx: Context) -> None:
        self._approved_since = []
        question = question_at(ctx.market_time(), self._sessions, self._terms.desk.limits)
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
        self._excluded_orders = orders_left_alone(record.exclusions)
        for order in self._desk.book.open_orders:
            if order.is_entry:
                self._cancels.entry_opened(order.order.client_order_id, order.decision)
        if self._halts.is_recovering:
            self._halts.recover(record, ctx)
            if ctx.incarnation > 1:  # a wish that was lost would be waited for, for ever
                ctx.publish(BOOK_CHANGED_TOPIC, BookChanged())
        self._cancel_entries(ctx)
        self._value_account(None, ctx)
        self._granting.budgets_changed(ctx)
        self._halts.announce(ctx)

    def _health(self) -> HealthReported:
        if self._halts.is_recovering:
            is_well, detail = False, "positions not read yet"
        elif self._granting.is_waiting and self._halts.is_starting:
            is_well, detail = False, "the day's budgets are not granted yet"
        else:
            is_well, detail = True, "positions known"
        return HealthReported(component="guardian", is_well=is_well, detail=detail)

    def state_view(self) -> Mapping[str, object]:
        """Trading state and causes, what it has judged, who holds what, what is left."""
        return {
            **halts_view(self._halts),
            **desk_view(self._desk),
            **coverage_view(self._covered if self._desk.coverage.is_heard else None),
            "approved": self._approved,
            "denied": dict(self._denied),
            "cancels_overdue": list(self._cancels.overdue),
        }
