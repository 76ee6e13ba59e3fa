"""The exit bot: proves that everything that is held is protected, and closes what nobody does."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.trading.account_day import trading_day
from hydra.trading.causes import DAILY_LOSS, FLATTEN, UNPROTECTED
from hydra.trading.coverage_lines import WHOLE, CoverageLine, Mismatch
from hydra.trading.exit_desk import ExitDesk
from hydra.trading.exit_plans import ExitTerms
from hydra.trading.exit_steps import (
    CloseNow,
    KeepHits,
    KeepTrail,
    Look,
    Step,
    TakeOut,
    Unprotected,
)
from hydra.trading.flatten import Phase
from hydra.trading.hit_stops import HIT_STOPS, readable_hit_stops, text_of
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Role, TimeInForce
from hydra.trading.trading_state import Cause, TradingState
from hydra.trading.trail import readable_trails, trail_key
from messages.control import (
    TRADING_STATE_TOPIC,
    FlattenReported,
    Halt,
    Recorded,
    RecordValue,
    ReportFlatten,
    ReportTradingState,
    TradingStateChanged,
    TradingStateReported,
)
from messages.corporate_actions import ACTIONS_TOPIC, ActionsReported
from messages.lifecycle import (
    IS_QUARANTINED,
    SUPERVISION_TOPIC,
    ChildQuarantined,
    Children,
    Replied,
    WhichChildren,
)
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import FEED_TOPIC, BarsClosed, FeedEnded
from messages.order_events import event_of
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    CancelIntent,
    OrderApproved,
    OrderDenied,
    OrderIntent,
    ReportStored,
    client_order_id_of,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    GuardianRecord,
    RecoverGuardian,
    orders_left_alone,
    positions_left_alone,
)
from messages.protection import (
    COVERAGE_TOPIC,
    GUARDS_TOPIC,
    CoverageReported,
    GuardReported,
    ProtectionDue,
)
from messages.reconciliation import RECONCILED_TOPIC, Reconciled, ReconcileNow

Inbox: TypeAlias = (
    ReportStored
    | OrderApproved
    | OrderDenied
    | Reconciled
    | ActionsReported
    | GuardReported
    | BarsClosed
    | FeedEnded
    | LoopRan
    | ProtectionDue
    | ChildQuarantined
    | TradingStateChanged
    | BookChanged
    | Recorded
    | Replied
)
TOPICS = (
    REPORTS_TOPIC,
    JUDGEMENTS_TOPIC,
    RECONCILED_TOPIC,
    ACTIONS_TOPIC,
    GUARDS_TOPIC,
    FEED_TOPIC,
    LOOP_TOPIC,
    SUPERVISION_TOPIC,
    TRADING_STATE_TOPIC,
    BOOK_CHANGED_TOPIC,
)
RECOVER_WITHIN = 5 * SECOND
RECORD, STATE, BOTS, FLATTENING = "record", "state", "bots", "flatten"


class NotRecovered(Exception):
    """Nobody said who holds what, which bots are quarantined, or what stands; without that nothing
    can be proven.
    """


class ExitBot(Actor[Inbox]):
    """Hears everything that bears on protection, and has `ExitDesk` look at it.

    It tells what is covered after each loop and whenever that may have changed; where it says
    nothing no entry passes. What it wants closed goes to the guardian in the name of the bot that
    holds it, so that this bot's books are right. It begins knowing nothing: what is on record and
    which bots are quarantined it asks for, the venue it has read, and a bot counts as silent only
    once it has missed bars. Beside a flatten it closes nothing, after one what that has left.
    """

    def __init__(
        self,
        terms: ExitTerms,
        guardian: Ref[Any],
        persister: Ref[RecoverGuardian | RecordValue],
        gateway: Ref[ReconcileNow],
        flattener: Ref[ReportFlatten],
    ) -> None:
        self._terms = terms
        self._guardian = guardian
        self._persister = persister
        self._gateway = gateway
        self._flattener = flattener
        self._desk = ExitDesk(terms, 0)
        self._unanswered = {RECORD, STATE, BOTS}
        """What was asked at the start; nothing is proven before all of it is known."""
        self._state = TradingState.HALTED
        self._flatten_stands = False
        self._is_flattening = False
        """As far as is known, a flatten is under way."""
        self._told: object = None
        """What was last written down of coverage, so that only changes are."""
        self._took: Mapping[tuple[str, str], str] = {}
        self._waits: Mapping[tuple[str, str], str] = {}
        self._last: Look | None = None
        self._pct = Decimal(0)
        """Of the last look."""
        self._mismatches: tuple[Mismatch, ...] = ()
        self._words: list[str] = []
        """Those of the mismatches."""

    def start(self, ctx: Context) -> None:
        self._desk = ExitDesk(self._terms, ctx.market_time())
        for topic in TOPICS:
            ctx.subscribe(topic)
        ctx.tell(self._gateway, ReconcileNow(reason="the exit bot starts"))
        ctx.ask(self._guardian, ReportTradingState(), within=RECOVER_WITHIN, tag=STATE)
        assert ctx.parent is not None, "it has a supervisor, which is the bots'"
        ctx.ask(ctx.parent, WhichChildren(), within=RECOVER_WITHIN, tag=BOTS)
        self._read_record(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        if self._take(message, ctx) and not self._unanswered:
            self._look(ctx)

    def _take(self, message: Inbox, ctx: Context) -> bool:
        """Take it up; gives whether there is something to look at."""
        match message:
            case GuardReported():
                return self._desk.looked(message.guard) or not self._is_calm
            case BarsClosed():
                return not message.is_backfill and self._desk.bars(message.bars, ctx.now())
            case ReportStored():
                self._learn(message, ctx)
            case OrderApproved():
                decision = message.intent.decision
                if decision.signal > 0 and decision.role is not Role.FLATTEN:
                    self._desk.decided(decision.bot, message.intent.decided_at)
                self._desk.approved(decision, message.order, ctx.market_time())
                return False  # nothing of it is at the venue yet
            case OrderDenied() | FeedEnded() | Recorded():
                return False
            case Reconciled():
                if message.snapshot is None or message.late:
                    return False  # what was read before, with the reports since, is nearer to it
                self._desk.read(message.snapshot)
            case ActionsReported():
                self._desk.told_of_actions(message.spells)
                return False  # the loop that it was told after is looked at
            case LoopRan():
                if not message.is_again:
                    self._desk.loop_ran()
                self._ask_of_flatten(ctx)
            case ProtectionDue():
                pass
            case ChildQuarantined():
                self._desk.quarantined(message.path.rpartition("/")[2], ctx.market_time())
            case TradingStateChanged():
                self._hear_of_state(message.state, message.causes, ctx)
            case BookChanged():
                self._read_record(ctx)
                return False
            case Replied():
                self._hear_answer(message, ctx)
            case _:
                unhandled(message)
        return True

    def _learn(self, stored: ReportStored, ctx: Context) -> None:
        report = stored.report
        name = client_order_id_of(report)
        event = event_of(report)
        self._desk.learned(stored.decision, name, event, stored.fee, ctx.market_time())

    def _read_record(self, ctx: Context) -> None:
        session = trading_day(self._terms.sessions, ctx.market_time())
        question = RecoverGuardian(session=session)
        self._desk.asked_for_record()
        ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag=RECORD)

    def _hear_answer(self, reply: Replied, ctx: Context) -> None:
        match reply.value:
            case GuardianRecord() as record:
                self._recover(record)
            case TradingStateReported() as told:
                self._hear_of_state(told.state, told.causes, ctx)
            case Children() as told:
                for child in told.children:
                    if child.status == IS_QUARANTINED:
                        self._desk.quarantined(child.name, ctx.market_time())
            case FlattenReported() as told:
                self._is_flattening = self._flatten_stands and Phase(told.phase).is_under_way
                self._stand_back_or_not()
            case _ if reply.tag == FLATTENING:
                return  # as before, then; it is asked again after the next loop
            case _:
                raise NotRecovered(f"{reply.tag}: {reply.error or 'no answer in time'}")
        self._unanswered.discard(reply.tag)

    def _recover(self, record: GuardianRecord) -> None:
        guarded = (*record.given_up, *record.open_orders, *record.orders)
        self._desk.recover(
            [(each.intent.decision, each.state) for each in guarded],
            record.inventories,
            positions_left_alone(record.exclusions),
            orders_left_alone(record.exclusions),
            readable_trails(record.values),
            readable_hit_stops(record.values.get(HIT_STOPS, "")),
        )

    def _hear_of_state(self, state: TradingState, causes: tuple[Cause, ...], ctx: Context) -> None:
        codes = {cause.code for cause in causes}
        self._desk.is_lost = DAILY_LOSS.code in codes
        self._desk.causes = causes
        self._state = state
        if FLATTEN.code not in codes:
            self._flatten_stands = self._is_flattening = False
        elif not self._flatten_stands:
            self._flatten_stands = self._is_flattening = True
            self._ask_of_flatten(ctx)
        self._stand_back_or_not()

    def _ask_of_flatten(self, ctx: Context) -> None:
        """Its cause stands until a person takes it away, also when it ended and was not flat: so it
        is asked as long as it stands, and nobody is left without exits by it.
        """
        if self._flatten_stands:
            ctx.ask(self._flattener, ReportFlatten(), within=RECOVER_WITHIN, tag=FLATTENING)

    def _stand_back_or_not(self) -> None:
        if self._is_flattening:
            self._desk.stands_back = "an operator's flatten closes it"
        elif self._state is TradingState.HALTED:
            self._desk.stands_back = "trading is halted, so no order passes"
        else:
            self._desk.stands_back = ""

    # Looking

    @property
    def _is_calm(self) -> bool:
        last = self._last
        return last is not None and self._pct == WHOLE and not last.taken_over

    def _look(self, ctx: Context) -> None:
        found = self._desk.look(ctx.market_time(), ctx.now())
        if self._last is None or found.coverage is not self._last.coverage:
            self._pct = found.coverage.pct
        self._last = found
        self._tell(found, ctx)
        for step in found.steps:
            self._carry_out(step, ctx)
        newest = min(found.uncovered.values(), default=None)
        if newest is not None and newest <= self._terms.confirm_within:
            ctx.after(self._terms.confirm_within - newest + 1, ProtectionDue())

    def _tell(self, found: Look, ctx: Context) -> None:
        coverage = found.coverage
        told = CoverageReported(
            at=ctx.market_time(),
            is_known=coverage.is_known,
            pct=self._pct,
            lines=coverage.lines,
            mismatches=coverage.mismatches,
            uncovered={f"{bot} {symbol}": ns for (bot, symbol), ns in found.uncovered.items()},
            taken_over={f"{bot} {symbol}": why for (bot, symbol), why in found.taken_over.items()},
        )
        ctx.publish(COVERAGE_TOPIC, told)
        longest = max(found.uncovered.values(), default=0)
        if self._pct == WHOLE or not coverage.is_known or longest > self._terms.confirm_within:
            self._write_down(told, ctx)  # what was filled just now is not protected for a moment
        if found.taken_over != self._took:
            for (bot, symbol), why in found.taken_over.items():
                if (bot, symbol) not in self._took:
                    ctx.log("position_taken_over", bot=bot, symbol=symbol, reason=why)
            self._took = found.taken_over
        if found.waits != self._waits:
            self._waits = found.waits
            for (bot, symbol), why in found.waits.items():
                ctx.log("exit_waits", bot=bot, symbol=symbol, reason=why)

    def _write_down(self, coverage: CoverageReported, ctx: Context) -> None:
        if coverage.mismatches is not self._mismatches:
            self._mismatches = coverage.mismatches
            self._words = [mismatch.words for mismatch in coverage.mismatches]
        words = self._words
        content = (coverage.is_known, coverage.pct, words, list(coverage.uncovered))
        if content != self._told:
            self._told = content
            ctx.log(
                "coverage_changed",
                is_known=coverage.is_known,
                pct=coverage.pct,
                mismatches=words,
                uncovered=list(coverage.uncovered),
            )

    def _carry_out(self, step: Step, ctx: Context) -> None:
        match step:
            case CloseNow():
                self._close(step, ctx)
            case TakeOut(decision=decision, reason=reason):
                ctx.tell(self._guardian, CancelIntent(decision=decision, reason=reason))
            case KeepTrail(bot=bot, trail=trail):
                value = RecordValue(key=trail_key(bot), value=trail.text)
                ctx.tell(self._persister, value)
            case KeepHits(hits=hits):
                ctx.tell(self._persister, RecordValue(key=HIT_STOPS, value=text_of(hits)))
            case Unprotected(symbol=symbol, detail=detail):
                cause = UNPROTECTED.cause(subject=symbol, since=ctx.market_time(), detail=detail)
                ctx.tell(self._guardian, Halt(cause=cause))

    def _close(self, step: CloseNow, ctx: Context) -> None:
        intent = OrderIntent(
            decision=step.decision,
            side=step.side,
            quantity=step.quantity,
            reason=f"exit bot: {step.reason}",
            decided_at=ctx.market_time(),
            reference_price=None,
            time_in_force=TimeInForce.GTC if is_crypto(step.decision.symbol) else TimeInForce.DAY,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def state_view(self) -> Mapping[str, object]:
        """What is covered, what is wrong with it, what was taken over, and what waits."""
        last = self._last
        return {
            "recovered": not self._unanswered,
            "coverage_pct": None if last is None else _text(self._pct),
            "is_known": last is not None and last.coverage.is_known,
            "mismatches": [] if last is None else [m.words for m in last.coverage.mismatches],
            "lines": {} if last is None else _lines(last.coverage.lines),
            "taken_over": {f"{bot} {symbol}": why for (bot, symbol), why in self._took.items()},
            "waits": {f"{bot} {symbol}": why for (bot, symbol), why in self._waits.items()},
        }


def _lines(lines: Iterable[CoverageLine]) -> Mapping[str, str]:
    """What protects each position, by "bot symbol"."""
    return {f"{line.bot} {line.symbol}": line.words for line in lines}


def _text(amount: Decimal) -> str:
    return f"{amount:f}"
