"""The state persister: nothing is sent, and nothing is believed, before it is on record."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import structs

from hydra.actor import Actor, Context, Ref, unhandled
from hydra.ports import Ledger
from messages.health import HealthReported, ReportHealth
from messages.orders import (
    REPORTS_TOPIC,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStored,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    ReportStored,
    client_order_id_of,
    reports_topic,
)
from messages.positions import RecoverBook
from messages.record import CommitRecords, JournalSynced

Inbox: TypeAlias = (
    OrderApproved | Outcome | CommitRecords | RecoverBook | JournalSynced | ReportHealth
)


class StatePersister(Actor[Inbox]):
    """Owns the ledger. A write that fails makes it fail, which shuts the order gate.

    What comes while it works is recorded together and committed once (group commit): the first
    record of a group sends a `CommitRecords` to the end of the mailbox. Nobody is told of a record
    before its commit, so a crash takes back only what nobody knows.
    """

    def __init__(self, ledger: Ledger, gateway: Ref[OrderStored]) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._recorded: list[OrderApproved | ReportStored] = []
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
                self._record_intent(message, ctx)
            case (
                OrderAccepted()
                | OrderRejected()
                | OrderFilled()
                | OrderCanceled()
                | OrderExpired()
                | OrderUnknown()
                | OrderWithheld()
            ):
                self._record_report(message, ctx)
            case CommitRecords():
                self._commit(ctx)
            case RecoverBook():
                self._commit(ctx)  # the answer has all that was told before the question
                book = self._ledger.book(message.bot)
                if message.reply_to is None:
                    ctx.reply(book)
                else:
                    answer = structs.replace(book, asked_by=message.asked_by)
                    ctx.tell(Ref(message.reply_to), answer)
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
            recorded = self._ledger.record_report(report, ctx.market_time())
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
        self._reports += 1
        self._has_recorded(ReportStored(decision=recorded.decision, report=report), ctx)

    def _has_recorded(self, record: OrderApproved | ReportStored, ctx: Context) -> None:
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

    def _intent_stored(self, approved: OrderApproved, ctx: Context) -> None:
        ctx.log("intent_stored", order=approved.order, reason=approved.intent.reason)
        name = approved.order.client_order_id
        ctx.tell(self._gateway, OrderStored(approved=approved), corr=name)

    def _report_stored(self, stored: ReportStored, ctx: Context) -> None:
        report, decision = stored.report, stored.decision
        ctx.log("report_stored", report=type(report).__name__, content=report, decision=decision)
        name = client_order_id_of(report)
        ctx.publish(REPORTS_TOPIC, stored, corr=name)
        ctx.publish(reports_topic(decision.bot), stored, corr=name)

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
