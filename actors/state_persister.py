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

Inbox: TypeAlias = OrderApproved | Outcome | RecoverBook | ReportHealth


class StatePersister(Actor[Inbox]):
    """Owns the ledger. A write that fails makes it fail, which shuts the order gate."""

    def __init__(self, ledger: Ledger, gateway: Ref[OrderStored]) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._intents = 0
        self._reports = 0
        self._duplicates = 0

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderApproved():
                self._store_intent(message, ctx)
            case (
                OrderAccepted()
                | OrderRejected()
                | OrderFilled()
                | OrderCanceled()
                | OrderExpired()
                | OrderUnknown()
                | OrderWithheld()
            ):
                self._store_report(message, ctx)
            case RecoverBook():
                book = self._ledger.book(message.bot)
                if message.reply_to is None:
                    ctx.reply(book)
                else:
                    answer = structs.replace(book, asked_by=message.asked_by)
                    ctx.tell(Ref(message.reply_to), answer)
            case ReportHealth():
                detail = f"{self._intents} intents, {self._reports} reports stored"
                ctx.reply(HealthReported(component="ledger", is_well=True, detail=detail))
            case _:
                unhandled(message)

    def _store_intent(self, approved: OrderApproved, ctx: Context) -> None:
        recorded = self._ledger.record_intent(approved, ctx.market_time())
        if recorded.duplicate:
            # It was sent, or may have been, in an earlier life. It is never sent again.
            self._duplicates += 1
            ctx.log("intent_duplicate", client_order_id=recorded.client_order_id)
            return
        self._intents += 1
        ctx.log("intent_stored", order=approved.order, reason=approved.intent.reason)
        ctx.tell(self._gateway, OrderStored(approved=approved))

    def _store_report(self, report: Outcome, ctx: Context) -> None:
        recorded = self._ledger.record_report(report, ctx.market_time())
        name = type(report).__name__
        if recorded.duplicate:
            self._duplicates += 1
            ctx.log("report_duplicate", report=name, client_order_id=client_order_id_of(report))
            return
        self._reports += 1
        ctx.log("report_stored", report=name, content=report, decision=recorded.decision)
        stored = ReportStored(decision=recorded.decision, report=report)
        ctx.publish(REPORTS_TOPIC, stored)
        ctx.publish(reports_topic(recorded.decision.bot), stored)

    def state_view(self) -> Mapping[str, object]:
        """How much it has written."""
        return {
            "intents": self._intents,
            "reports": self._reports,
            "duplicates": self._duplicates,
        }
