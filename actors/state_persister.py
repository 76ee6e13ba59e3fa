"""The state persister: nothing is sent, and nothing is believed, before it is on record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from actors.sender_checks import require_sender
from actors.settling import settle
from hydra.actor import Actor, Context, Ref, unhandled
from hydra.ports import Ledger, RecordRefused, Reworded
from hydra.trading.account_day import decision_day
from hydra.trading.causes import IMPOSSIBLE_ORDER
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.exact import subtract
from hydra.trading.fees import (
    NO_FEES,
    FeeAct,
    FeeBooking,
    FeeObservation,
    FeeSchedule,
    explained,
)
from hydra.trading.late_lists import SHOWN_WITHIN, LateDifference, late
from hydra.trading.order_life import ImpossibleReport
from hydra.trading.reconciliation import compare, ended_by_exclusion, lapsed
from hydra.trading.same_executions import in_our_names, without_surplus
from hydra.trading.sessions import NO_SESSIONS, SessionTable
from hydra.trading.venue_view import VenueSnapshot
from messages.control import (
    Halt,
    RecordBudgets,
    RecordChanged,
    RecordClearing,
    Recorded,
    RecordHalt,
    RecordValue,
)
from messages.health import HealthReported, ReportHealth
from messages.orders import (
    REPORTS_TOPIC,
    OrderAbsent,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderStored,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    ReportStored,
    client_order_id_of,
    reports_topic,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    OpenOrdersRecovered,
    RecoverBook,
    RecoverGuardian,
    RecoverOpenOrders,
    RecoverSignals,
    RecoverValue,
    SignalsRecovered,
    ValueRecovered,
)
from messages.reconciliation import (
    COMPARED_TOPIC,
    Compared,
    CompareWithVenue,
    DifferenceSettled,
    SettleDifference,
    SettlementRefused,
)
from messages.record import CommitRecords, JournalSynced

Inbox: TypeAlias = (
    OrderApproved
    | Outcome
    | RecordHalt
    | RecordClearing
    | RecordValue
    | RecordBudgets
    | CompareWithVenue
    | SettleDifference
    | CommitRecords
    | RecoverBook
    | RecoverGuardian
    | RecoverOpenOrders
    | RecoverSignals
    | RecoverValue
    | JournalSynced
    | ReportHealth
)

EXPIRED = "its last session is over, and the venue holds none of it"
EXPIRY_ITSELF = "expiry"
"""Who takes an exclusion back that no person does."""


class ExclusionEnded(NamedTuple):
    """So much (signed) of a contract is left alone no more."""

    symbol: str
    quantity: Decimal


Pending: TypeAlias = (
    OrderApproved | ReportStored | Reworded | FeeAct | ExclusionEnded | tuple[Ref[Any] | None, str]
)
"""What becomes durable with the next commit: orders, reports and other words for them, what was
learned of fees, what is left alone no more, and notes by who gave them, with the tag that they are
answered by.
"""


class StatePersister(Actor[Inbox]):
    """Owns the ledger. A write that fails makes it fail, which shuts the order gate.

    What comes while it works is recorded together and committed once (group commit): the first
    record of a group sends a `CommitRecords` to the end of the mailbox. Nobody is told of a record
    before its commit, so a crash takes back only what nobody knows.
    """

    def __init__(
        self,
        ledger: Ledger,
        gateway: Ref[OrderStored],
        guardian: Ref[Halt | RecordChanged],
        fees: FeeSchedule = NO_FEES,
        sessions: SessionTable = NO_SESSIONS,
    ) -> None:
        """`fees` are the venue's, and so are `sessions`, as far as they are known: the days that
        decisions are of, and by which contracts are over.
        """
        self._ledger = ledger
        self._sessions = sessions
        self._fees = fees
        self._gateway = gateway
        self._guardian = guardian
        self._recorded: list[Pending] = []
        self._compared: VenueSnapshot | None = None
        """The last one, which an operator's decisions are about."""
        self._journal_seq = 0
        self._intents = 0
        self._reports = 0
        self._duplicates = 0
        self._commits = 0

    def start(self, ctx: Context) -> None:
        # What the incarnation before recorded and could not commit (it hung, or its mailbox was
        # full) is a duplicate by now. Nobody was told of it, so the book has to have it.
        if ctx.incarnation > 1:
            self._ledger.commit()

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderApproved():
                require_sender(self._guardian, "an approval", ctx)
                self._record_intent(message, ctx)
            case (
                OrderAccepted()
                | OrderRejected()
                | OrderFilled()
                | OrderCanceled()
                | OrderExpired()
                | OrderReplaced()
                | OrderUnknown()
                | OrderWithheld()
                | OrderAbsent()
            ):
                self._record_report(message, ctx)
            case RecordHalt():
                self._ledger.latch_halt(message.cause, ctx.market_time())
                self._has_recorded((ctx.sender, message.cause.code), ctx)
                self._commit(ctx)  # it waits for nothing that is still to come (I02)
            case RecordClearing():
                self._ledger.clear_halt(message.code, message.reason, ctx.market_time())
                self._has_recorded((ctx.sender, f"-{message.code}"), ctx)
            case RecordValue():
                self._ledger.put(message.key, message.value, ctx.market_time())
                self._has_recorded((ctx.sender, f"={message.key}"), ctx)
            case RecordBudgets():
                for bot, amount in message.grants.items():
                    self._ledger.grant_budget(bot, message.session, amount, ctx.market_time())
                self._has_recorded((ctx.sender, f"budgets {message.session}"), ctx)
            case CompareWithVenue():
                self._compare(message, ctx)
            case SettleDifference():
                ctx.reply(self._settle(message, ctx))
            case CommitRecords():
                self._commit(ctx)
            case RecoverBook():
                self._commit(ctx)  # the answer has all that was told before the question
                book = self._ledger.book(message.bot)
                if message.reply_to is None:
                    ctx.reply(book)
                else:
                    answer = structs.replace(book, asked_by=message.asked_by, number=message.number)
                    ctx.tell(Ref(message.reply_to), answer)
            case RecoverGuardian():
                self._commit(ctx)
                ctx.reply(self._ledger.guardian_record(message.session, message.entries_since))
            case RecoverOpenOrders():
                self._commit(ctx)
                ctx.reply(OpenOrdersRecovered(orders=self._ledger.guardian_record("").open_orders))
            case RecoverSignals(bot=bot, numbers=numbers):
                self._commit(ctx)
                decisions = self._ledger.decisions_of_signals(bot, numbers)
                ctx.reply(SignalsRecovered(decisions=decisions))
            case RecoverValue():
                self._commit(ctx)
                ctx.reply(ValueRecovered(value=self._ledger.get(message.key) or ""))
            case JournalSynced():
                self._journal_seq = message.seq
            case ReportHealth():
                detail = f"{self._intents} intents, {self._reports} reports stored"
                ctx.reply(HealthReported(component="ledger", is_well=True, detail=detail))
            case _:
                unhandled(message)

    def stop(self, ctx: Context, reason: str) -> None:
        self._commit(ctx)

    def _record_intent(self, approved: OrderApproved, ctx: Context) -> None:
        try:
            recorded = self._ledger.record_intent(approved, ctx.market_time())
        except Exception:
            self._commit(ctx)  # what came before must not go down with this one
            raise
        if recorded.duplicate:
            # It was sent, or may have been, in an earlier life. It is never sent again.
            self._duplicates += 1
            ctx.log("intent_duplicate", client_order_id=recorded.client_order_id)
            return
        self._intents += 1
        self._has_recorded(approved, ctx)

    def _record_report(self, report: Outcome, ctx: Context) -> None:
        try:
            recorded = self._ledger.record_report(report, ctx.market_time(), self._fees)
        except (ImpossibleReport, RecordRefused) as impossible:
            self._contradicted(report, str(impossible), ctx)
            return
        except Exception:
            self._commit(ctx)  # what came before must not go down with this one
            raise
        if recorded.duplicate:
            self._duplicates += 1
            ctx.log(
                "report_duplicate",
                report=type(report).__name__,
                client_order_id=client_order_id_of(report),
            )
            return
        if recorded.is_rewording:
            self._has_recorded(Reworded(recorded.decision, report), ctx)
            return
        self._reports += 1
        stored = ReportStored(decision=recorded.decision, report=report, fee=recorded.fee)
        self._has_recorded(stored, ctx)

    def _contradicted(self, report: Outcome, why: str, ctx: Context) -> None:
        """What cannot be true is written down whole and halts: the venue has to be asked (I22)."""
        name = client_order_id_of(report)
        ctx.log(
            "report_impossible",
            report=type(report).__name__,
            content=report,
            client_order_id=name,
            reason=why,
        )
        cause = IMPOSSIBLE_ORDER.cause(since=ctx.market_time(), detail=why)
        ctx.tell(self._guardian, Halt(cause=cause))

    def _compare(self, message: CompareWithVenue, ctx: Context) -> None:
        """First what is merely news becomes the record's, as if it had been reported, and the end
        of what an operator left alone; what differs then is a difference. Nothing is made up to
        make it go away (I61).
        """
        record = self._ledger.record_view(message.snapshot)
        self._compared = snapshot = in_our_names(record, message.snapshot)
        at = ctx.market_time()
        taken_up = 0
        if record.account in (None, snapshot.account.account):
            for recorded in self._ledger.take_up(without_surplus(record, snapshot), at, self._fees):
                self._has_recorded(recorded, ctx)
                taken_up += isinstance(recorded, ReportStored)
            if record.excluded_positions:
                self._end_exclusions(snapshot, ctx)
        self._reports += taken_up
        self._commit(ctx)
        if record.excluded_orders:
            for name in ended_by_exclusion(self._ledger.record_view(snapshot), snapshot):
                self._record_report(OrderCanceled(client_order_id=name, at=at), ctx)
            self._commit(ctx)
        differences = compare(self._ledger.record_view(snapshot), snapshot)
        differences = self._explain_by_fees(differences, snapshot, ctx)
        if not differences and self._ledger.opening_cash is None:
            view = self._ledger.record_view(snapshot)
            self._ledger.open_account(subtract(snapshot.account.cash, view.cash), at)
            self._has_recorded((None, "opening cash"), ctx)
            self._commit(ctx)
        found_late = self._late(differences, snapshot)
        others = {each.difference for each in found_late}
        compared = Compared(
            number=message.number,
            at=at,
            taken_up=taken_up,
            differences=tuple(each for each in differences if each not in others),
            snapshot=snapshot,
            late=found_late,
        )
        ctx.publish(COMPARED_TOPIC, compared)

    def _late(
        self, differences: tuple[Difference, ...], snapshot: VenueSnapshot
    ) -> tuple[LateDifference, ...]:
        if not differences:
            return ()
        written = self._ledger.written_since(snapshot.at - SHOWN_WITHIN)
        return late(self._ledger.record_view(snapshot), written, snapshot, differences)

    def _end_exclusions(self, snapshot: VenueSnapshot, ctx: Context) -> None:
        """A contract that was left alone by name is not there for ever."""
        view = self._ledger.record_view(snapshot)
        for symbol in lapsed(view, snapshot, self._sessions):
            quantity = view.excluded_positions[symbol]
            self._ledger.exclude_difference(
                DifferenceKind.POSITION,
                symbol,
                None,
                reason=EXPIRED,
                operator=EXPIRY_ITSELF,
                at=ctx.market_time(),
            )
            self._has_recorded(ExclusionEnded(symbol, quantity), ctx)

    def _explain_by_fees(
        self, differences: tuple[Difference, ...], snapshot: VenueSnapshot, ctx: Context
    ) -> tuple[Difference, ...]:
        """What differs still when all that is known of fees, and fits, is on record, durably."""
        acts = explained(self._ledger.fee_record(snapshot), snapshot.fees, differences)
        if not acts:
            return differences
        for act in acts:
            self._ledger.record_fees(act, ctx.market_time())
            self._has_recorded(act, ctx)
        self._commit(ctx)
        left = compare(self._ledger.record_view(snapshot), snapshot)
        if left != differences:  # then somebody has more, or less, than was told of executions
            self._tell_of_change(ctx)
        return left

    def _tell_of_change(self, ctx: Context) -> None:
        ctx.tell(self._guardian, RecordChanged())
        # Behind it: a bot asks through the guardian, which knows of the change by then.
        ctx.publish(BOOK_CHANGED_TOPIC, BookChanged())

    def _settle(
        self, wish: SettleDifference, ctx: Context
    ) -> DifferenceSettled | SettlementRefused:
        """What a person decided is durable before it is said to be (I61)."""
        if self._compared is None:
            return SettlementRefused(subject=wish.subject, reason="nothing was compared yet")
        self._commit(ctx)  # it is judged by all that was told before it
        try:
            at = ctx.market_time()
            session = decision_day(self._sessions, at)
            settled = settle(self._ledger, wish, self._compared, at, session)
        except (ImpossibleReport, RecordRefused) as refused:
            return SettlementRefused(subject=wish.subject, reason=str(refused))
        self._reports += settled.stored is not None
        self._has_recorded(settled.stored or (None, "settled"), ctx)
        self._commit(ctx)
        self._tell_of_change(ctx)
        return DifferenceSettled(subject=wish.subject, note=settled.note)

    def _has_recorded(self, record: Pending, ctx: Context) -> None:
        if not self._recorded:
            ctx.tell(ctx.me, CommitRecords())
        self._recorded.append(record)

    def _commit(self, ctx: Context) -> None:
        if not self._recorded:
            return
        self._ledger.mark_journal(self._journal_seq, ctx.market_time())
        mark = self._ledger.commit()
        recorded, self._recorded = self._recorded, []
        self._commits += 1
        ctx.log(
            "ledger_committed",
            ledger_seq=mark.seq,
            ledger_chain=mark.chain,
            records=len(recorded),
        )
        for record in recorded:
            match record:
                case OrderApproved():
                    self._intent_stored(record, ctx)
                case ReportStored():
                    self._report_stored(record, ctx)
                case Reworded():
                    self._write_down(record, ctx)
                case FeeObservation():
                    ctx.log("fees_observed", asset=record.asset, changes=record.changes)
                case FeeBooking():
                    ctx.log("fee_booked", charge=record.charge, parts=record.parts)
                case ExclusionEnded(symbol, quantity):
                    ctx.log("exclusion_ended", symbol=symbol, quantity=quantity, reason=EXPIRED)
                    self._tell_of_change(ctx)
                case (asker, tag):
                    if asker is not None:
                        ctx.tell(asker, Recorded(tags=(tag,)))

    def _intent_stored(self, approved: OrderApproved, ctx: Context) -> None:
        order = approved.order
        stored = OrderStored(approved=approved)
        ctx.tell(self._gateway, stored, corr=order.client_order_id)  # the order first, then words
        ctx.log("intent_stored", order=order, reason=approved.intent.reason)

    def _report_stored(self, stored: ReportStored, ctx: Context) -> None:
        report, decision = stored.report, stored.decision
        self._write_down(stored, ctx)
        if stored.fee is not None:
            ctx.log("fee_accrued", fee=stored.fee)
        name = client_order_id_of(report)
        ctx.publish(REPORTS_TOPIC, stored, corr=name)
        ctx.publish(reports_topic(decision.bot), stored, corr=name)

    def _write_down(self, recorded: ReportStored | Reworded, ctx: Context) -> None:
        report, decision = recorded.report, recorded.decision
        ctx.log("report_stored", report=type(report).__name__, content=report, decision=decision)

    def state_view(self) -> Mapping[str, object]:
        """How much it has written, and what waits for its commit."""
        return {
            "intents": self._intents,
            "reports": self._reports,
            "duplicates": self._duplicates,
            "commits": self._commits,
            "recorded": len(self._recorded),
            "journal_seq": self._journal_seq,
        }
