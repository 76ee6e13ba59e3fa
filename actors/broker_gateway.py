"""The broker gateway: the only way to the venue, and the only way back."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, assert_never

from actors.comparison_view import comparison_view, differences_in, what_is_wrong
from actors.sender_checks import require_sender
from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import GateKey, GateRefused, OrderGate, Venue
from hydra.trading import unknown_outcomes as search
from hydra.trading.causes import (
    ABSENT_ORDER_LIVES,
    CANCEL_PENDING,
    ECHO_MISMATCH,
    TRADING_STREAM_LOST,
    UNKNOWN_OUTCOME,
    CauseKind,
)
from hydra.trading.comparison import Comparison, Pacing
from hydra.trading.differences import describe
from hydra.trading.echo import echo_mismatch
from hydra.trading.exact import subtract
from hydra.trading.late_lists import LateDifference, why_shut
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order
from hydra.trading.pending_cancels import PendingCancels
from hydra.trading.venue_view import VenueSnapshot
from hydra.trading.watermark import Watermark
from messages.control import CancelOrder, Halt, Recorded, RecordValue
from messages.health import HealthReported, ReportHealth
from messages.lifecycle import Replied
from messages.order_events import event_of, reports_of
from messages.orders import (
    REPORTS_TOPIC,
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderStored,
    OrderUnknown,
    OrderWithheld,
    ReportStored,
    VenueReport,
    client_order_id_of,
)
from messages.positions import (
    GuardedOrder,
    OpenOrdersRecovered,
    RecoverOpenOrders,
    RecoverValue,
    ValueRecovered,
)
from messages.reconciliation import (
    COMPARED_TOPIC,
    RECONCILED_TOPIC,
    WATERMARK,
    AnswerOverdue,
    CancelPending,
    Compared,
    CompareWithVenue,
    LookDue,
    OrderFound,
    OrderNotFound,
    Reconciled,
    ReconcileNow,
    ReportDifferences,
    SnapshotFailed,
    SnapshotOverdue,
    SnapshotTaken,
    TryAgain,
)
from messages.streams import StreamConnected, StreamGap, StreamLost, StreamOverdue

Inbox: TypeAlias = (
    OrderStored
    | CancelOrder
    | VenueReport
    | OrderWithheld
    | ReportStored
    | SnapshotTaken
    | SnapshotFailed
    | OrderFound
    | OrderNotFound
    | Compared
    | ReconcileNow
    | ReportDifferences
    | SnapshotOverdue
    | TryAgain
    | AnswerOverdue
    | LookDue
    | CancelPending
    | StreamConnected
    | StreamLost
    | StreamGap
    | StreamOverdue
    | Recorded
    | Replied
    | ReportHealth
)

ANSWER_WITHIN = 15 * SECOND
"""T_REST: what the venue has not said of an order, or of the account, within this is unknown."""
STREAM_BACK_WITHIN = 10 * SECOND
"""A loss of the trading stream that lasts longer halts; until then no entry is sent."""
NOT_CONNECTED = "the trading stream is not connected yet"
RECOVER_WITHIN = 5 * SECOND
OPEN_ORDERS = "open orders"
PERIODIC = "again and again"
LATE = "lists of the venue's may have been late"


class NotRecovered(Exception):
    """The persister did not say which orders are open; without that nothing may be sent."""


class BrokerGateway(Actor[Inbox]):
    """Sends what is on record and approved now; passes on what the venue says, to be recorded.

    It takes an `OrderStored` and has no way to take an intent. An order that the gate refuses or
    that has expired is *withheld*: it was never sent, and that is recorded too. Nothing is sent a
    second time: of an order that the venue does not answer, the outcome is looked up. Record and
    venue are compared at each start, when somebody asks, and again and again.

    A venue that tells what happens on a stream can fail to. From a loss or a gap on until a
    comparison that began after it has found nothing, no entry is sent (I47). Nor is one where lists
    of the venue's may be late, until they have come or are too late for that.
    """

    def __init__(
        self,
        venue: Venue,
        gate: OrderGate,
        persister: Ref[Any],
        guardian: Ref[Halt],
        reconcile_every: int,
        unknown_limit: int,
    ) -> None:
        self._venue = venue
        self._gate = gate
        self._persister = persister
        self._guardian = guardian
        self._reconcile_every = reconcile_every
        self._key: GateKey | None = None
        self._waits_for = {OPEN_ORDERS, WATERMARK}
        """What is on record and not read yet; nothing is compared before."""
        self._taken_on: set[str] = set()
        """Every order that came to this incarnation to be sent."""
        self._unanswered: dict[str, tuple[Order, int]] = {}
        """What was sent and not answered yet, and when (machine time) it was."""
        self._watermark = Watermark()
        self._cancels = PendingCancels()
        self._unknown = search.UnknownOutcomes(limit_ns=unknown_limit)
        self._number = 0
        """Of the newest reading of the account."""
        self._comparison: Comparison | None = None
        """The one under way."""
        self._wanted: dict[str, None] = {}
        """Why the next one is to be made: whoever asks now wants to know what is from now on."""
        self._last: Reconciled | None = None
        self._late: tuple[LateDifference, ...] = ()
        """What may have been late when the account could last be read."""
        self._has_agreed = False
        self._pacing = Pacing()
        self._compared_at: int | None = None
        """Machine time at which it ended."""
        self._stream_is_lost = venue.has_stream
        self._stream_is_overdue = venue.has_stream
        """It has been away for too long, or was never there: no component is well without it."""
        self._blind = NOT_CONNECTED if venue.has_stream else ""
        """Why the record may be behind the venue, "" if it is not known to be."""
        self._seen_until = 0
        """Readings of the account up to this number began before that was so."""
        self._sent = 0
        self._withheld = 0

    def start(self, ctx: Context) -> None:
        self._key = GateKey(path=ctx.me.path, incarnation=ctx.incarnation)
        self._gate.register(self._key)
        ctx.subscribe(REPORTS_TOPIC)
        ctx.subscribe(COMPARED_TOPIC)
        # What waits in the mailbox to be sent comes before the answer, so that it is not taken for
        # something that an earlier incarnation may have sent.
        ctx.ask(self._persister, RecoverOpenOrders(), within=RECOVER_WITHIN, tag=OPEN_ORDERS)
        question = RecoverValue(key=WATERMARK)
        ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag=WATERMARK)
        ctx.every(self._reconcile_every, ReconcileNow(reason=PERIODIC))
        self._venue.report_stream()  # it may have come up before this incarnation did

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderStored():
                require_sender(self._persister, "an order to be sent", ctx)
                self._send(message, ctx)
            case CancelOrder():
                self._cancel(message, ctx)
            case (
                OrderAccepted()
                | OrderRejected()
                | OrderFilled()
                | OrderCanceled()
                | OrderExpired()
                | OrderReplaced()
                | OrderUnknown()
            ):
                self._hear(message, ctx)
            case OrderWithheld():
                self._take_back(message, ctx)
            case ReportStored():
                self._learn(message, ctx)
            case OrderFound():
                for report in reports_of(message.found, message.fills, ctx.market_time()):
                    ctx.tell(self._persister, report)
                self._search(search.Found(message.client_order_id), ctx)
                # The venue may know more of it than it said, or something beside it.
                self._reconcile(f"{message.client_order_id} was found", ctx)
            case OrderNotFound():
                self._not_found(message, ctx)
            case LookDue():
                self._search(search.Tick(ctx.now()), ctx)
            case CancelPending():
                self._see_to_cancels(ctx)
            case AnswerOverdue():
                self._give_up_waiting(ctx)
            case ReconcileNow():
                self._reconcile(message.reason, ctx)
            case SnapshotTaken():
                if self._is_current(message.number):
                    compare = CompareWithVenue(number=message.number, snapshot=message.snapshot)
                    ctx.tell(self._persister, compare)
            case SnapshotFailed():
                if self._is_current(message.number):
                    self._tried(ctx, failure=message.reason)
            case SnapshotOverdue():
                if self._is_current(message.number):
                    self._tried(ctx, failure=f"no answer within {ANSWER_WITHIN // SECOND} s")
            case Compared():
                if self._is_current(message.number):
                    self._tried(ctx, compared=message)
            case TryAgain():
                self._read(ctx)
            case StreamConnected() | StreamLost() | StreamGap() | StreamOverdue():
                self._watch_stream(message, ctx)
            case Replied():
                self._recover(message, ctx)
            case Recorded():
                pass  # a watermark that was lost would only have more read
            case ReportDifferences():
                ctx.reply(differences_in(self._last))
            case ReportHealth():
                ctx.reply(self._health())
            case _:
                unhandled(message)

    # Orders

    def _send(self, stored: OrderStored, ctx: Context) -> None:
        approved = stored.approved
        order, name = approved.order, approved.order.client_order_id
        self._taken_on.add(name)
        late = ctx.now() - approved.expires_at
        if late > 0:
            self._withhold(stored, f"the approval expired {late // 1_000_000} ms ago", ctx)
            return
        shut = self._blind or why_shut(self._late, order.symbol)
        if shut and not approved.intent.decision.role.reduces:
            self._withhold(stored, shut, ctx)
            return
        is_only_one = not self._unanswered
        self._unanswered[name] = (order, ctx.now())  # before the call: an answer may outrun it
        self._watermark.order_sent(name, ctx.market_time())
        self._cancels.order_sent(name, order.symbol, order.quantity)
        try:
            self._venue.submit(approved, self._own_key)
        except GateRefused as refused:
            del self._unanswered[name]
            self._is_over(name)
            self._withhold(stored, str(refused), ctx)
            return
        self._sent += 1
        if is_only_one:  # else a timer runs already; it can wait for the order, which cannot
            ctx.after(ANSWER_WITHIN, AnswerOverdue())

    def _withhold(self, stored: OrderStored, reason: str, ctx: Context) -> None:
        self._withheld += 1
        withheld = OrderWithheld(
            client_order_id=stored.approved.order.client_order_id,
            reason=reason,
            at=ctx.market_time(),
        )
        ctx.tell(self._persister, withheld)

    def _take_back(self, withheld: OrderWithheld, ctx: Context) -> None:
        """The venue's adapter had taken it on, and in the end nothing of it was sent."""
        name = withheld.client_order_id
        self._unanswered.pop(name, None)
        self._is_over(name)
        self._sent -= 1
        self._withheld += 1
        ctx.tell(self._persister, withheld)

    def _cancel(self, message: CancelOrder, ctx: Context) -> None:
        name = message.client_order_id
        try:
            self._venue.cancel(name, self._own_key)
        except GateRefused as refused:  # whoever asked will ask again
            ctx.log("cancel_withheld", client_order_id=name, reason=str(refused))
            return
        ctx.log("cancel_requested", client_order_id=name, reason=message.reason)
        self._cancels.requested(name, ctx.now())
        self._await_cancels(ctx)

    def _see_to_cancels(self, ctx: Context) -> None:
        """Whose cancel comes to nothing is looked at until it is over, and its symbol shut."""
        for sent in self._cancels.newly_stuck(ctx.now()):
            ctx.log("cancel_pending", client_order_id=sent.client_order_id, symbol=sent.symbol)
        # At each look: a cause that went with another order of the symbol stands again.
        for symbol, why in self._cancels.shut.items():
            self._halt(CANCEL_PENDING, why, ctx, subject=symbol)
        if self._cancels.shut:
            self._reconcile("a cancel is pending", ctx)
        self._await_cancels(ctx)

    def _await_cancels(self, ctx: Context) -> None:
        due = self._cancels.next_due
        if due is not None:
            ctx.after(max(0, due - ctx.now()), CancelPending())

    def _hear(self, report: VenueReport, ctx: Context) -> None:
        sent = self._unanswered.pop(client_order_id_of(report), None)
        if isinstance(report, OrderAccepted) and report.echo is not None and sent is not None:
            altered = echo_mismatch(sent[0], report.echo)
            if altered is not None:
                detail = f"{report.client_order_id} came back altered: {altered}"
                self._halt(ECHO_MISMATCH, detail, ctx)
        ctx.tell(self._persister, report)

    def _give_up_waiting(self, ctx: Context) -> None:
        """What has not been answered in time is unknown from now on; late answers still count."""
        now = ctx.now()
        for name, (_, sent_at) in tuple(self._unanswered.items()):
            if now - sent_at >= ANSWER_WITHIN:
                del self._unanswered[name]
                reason = f"the venue has not answered for {(now - sent_at) // SECOND} s"
                self._tell_unknown(name, reason, ctx)
        if self._unanswered:
            oldest = min(sent_at for _, sent_at in self._unanswered.values())
            ctx.after(oldest + ANSWER_WITHIN - now, AnswerOverdue())

    def _tell_unknown(self, name: str, reason: str, ctx: Context) -> None:
        unknown = OrderUnknown(client_order_id=name, reason=reason, at=ctx.market_time())
        ctx.tell(self._persister, unknown)

    # Orders whose outcome is unknown

    def _learn(self, stored: ReportStored, ctx: Context) -> None:
        """What is on record now: it begins a search, or ends one."""
        report = stored.report
        name = client_order_id_of(report)
        if isinstance(report, OrderUnknown):
            self._search(search.BecameUnknown(name, ctx.now()), ctx)
        else:
            if self._cancels.is_over_after(name, event_of(report)):
                self._is_over(name)
            if not isinstance(report, OrderAbsent):
                self._search(search.Resolved(name), ctx)

    def _is_over(self, name: str) -> None:
        """Nothing more is to be expected of it, or it was never sent."""
        self._watermark.order_ended(name)
        self._cancels.order_ended(name)

    def _not_found(self, message: OrderNotFound, ctx: Context) -> None:
        name, now = message.client_order_id, ctx.now()
        if message.reason:
            ctx.log("look_failed", client_order_id=name, reason=message.reason)
            self._search(search.LookFailed(name, now), ctx)
        else:
            self._search(search.NotFound(name, now), ctx)

    def _search(self, event: search.Event, ctx: Context) -> None:
        if not self._unknown.searches and not isinstance(event, search.BecameUnknown):
            return
        self._unknown, effects = search.after(self._unknown, event)
        for effect in effects:
            self._carry_out(effect, ctx)
        due = self._unknown.next_due
        if due is None:
            ctx.cancel(LookDue.__name__)
        else:
            ctx.after(max(0, due - ctx.now()), LookDue())

    def _carry_out(self, effect: search.Effect, ctx: Context) -> None:
        match effect:
            case search.LookUp(name):
                self._venue.look_up(name, self._own_key)
            case search.TakeSnapshot(name):
                self._reconcile(f"{name} is not found", ctx)
            case search.GiveUpAsAbsent(name, reason):
                ctx.log("order_given_up", client_order_id=name, reason=reason)
                absent = OrderAbsent(client_order_id=name, reason=reason, at=ctx.market_time())
                ctx.tell(self._persister, absent)
            case search.Escalate(name, reason):
                self._halt(UNKNOWN_OUTCOME, f"{name}: {reason}", ctx)
            case search.Revived(name, reason):
                self._halt(ABSENT_ORDER_LIVES, f"{name}: {reason}", ctx)
            case _:
                assert_never(effect)

    # The stream on which the venue tells what happens

    def _watch_stream(
        self, message: StreamConnected | StreamLost | StreamGap | StreamOverdue, ctx: Context
    ) -> None:
        match message:
            case StreamConnected():
                ctx.log("stream_connected", stream=message.stream, connection=message.connection)
                self._stream_is_lost = self._stream_is_overdue = False
                ctx.cancel(StreamOverdue.__name__)
                self._be_blind(f"connection {message.connection} of the trading stream began")
                self._reconcile(self._blind, ctx)
            case StreamLost():
                ctx.log("stream_lost", stream=message.stream, reason=message.reason)
                if not self._stream_is_lost:
                    ctx.after(STREAM_BACK_WITHIN, StreamOverdue(reason=message.reason))
                self._stream_is_lost = True
                self._blind = f"the trading stream is lost: {message.reason}"
                if message.is_refused:
                    self._stream_is_overdue = True
                    self._halt(TRADING_STREAM_LOST, message.reason, ctx)
            case StreamGap():
                ctx.log("stream_gap", stream=message.stream, reason=message.reason, raw=message.raw)
                reason = f"the trading stream has a gap: {message.reason}"
                self._be_blind(reason)
                ctx.after(self._pacing.gap(ctx.now()), ReconcileNow(reason=reason), key="gap")
            case StreamOverdue():
                self._stream_is_overdue = True
                detail = f"not back within {STREAM_BACK_WITHIN // SECOND} s: {message.reason}"
                self._halt(TRADING_STREAM_LOST, detail, ctx)

    def _be_blind(self, reason: str) -> None:
        if not self._stream_is_lost:
            self._blind = reason
        self._seen_until = self._number

    # Comparing record and venue

    def _reconcile(self, reason: str, ctx: Context) -> None:
        self._wanted[reason] = None
        if self._comparison is None and not self._waits_for:
            self._comparison = Comparison(reasons=tuple(self._wanted))
            self._wanted = {}
            self._read(ctx)

    def _read(self, ctx: Context) -> None:
        assert self._comparison is not None
        self._comparison = self._comparison.tried_again(ctx.now(), ctx.market_time())
        self._number += 1
        ctx.after(ANSWER_WITHIN, SnapshotOverdue(number=self._number))
        self._venue.take_snapshot(self._number, self._watermark.since, self._own_key)

    def _is_current(self, number: int) -> bool:
        return self._comparison is not None and number == self._number

    def _tried(self, ctx: Context, *, failure: str = "", compared: Compared | None = None) -> None:
        assert self._comparison is not None
        comparison = self._comparison
        self._number += 1  # whatever still comes of this try is late
        ctx.cancel(SnapshotOverdue.__name__)
        differences = () if compared is None else compared.differences
        if compared is not None:
            self._hold_against_searches(compared.snapshot, comparison.asked_at, ctx)
        unsettled = comparison.unsettled(failure, differences)
        if unsettled is not None:
            self._comparison = unsettled
            ctx.after(unsettled.pause, TryAgain())
            return
        self._comparison = None
        snapshot = None if compared is None else compared.snapshot
        reasons = comparison.reasons
        self._last = Reconciled(
            at=ctx.market_time(),
            reasons=reasons,
            differences=differences,
            failure=failure,
            snapshot=snapshot,
            late=() if compared is None else compared.late,
        )
        self._compared_at = ctx.now()
        if compared is not None:
            self._late = compared.late
            self._look_again_at_what_is_late(ctx)
        if self._last.is_clean and compared is not None:
            self._agrees(compared, comparison, ctx)
        taken_up = 0 if compared is None else compared.taken_up
        if reasons != (PERIODIC,) or taken_up or not self._last.is_clean:
            ctx.log(
                "reconciled",
                reasons=reasons,
                is_clean=self._last.is_clean,
                tries=comparison.tries,
                failure=failure,
                differences=[describe(difference) for difference in differences],
                late=[describe(each.difference) for each in self._last.late],
                taken_up=taken_up,
            )
        ctx.publish(RECONCILED_TOPIC, self._last)
        if self._wanted:
            self._reconcile(next(iter(self._wanted)), ctx)

    def _look_again_at_what_is_late(self, ctx: Context) -> None:
        pause = self._pacing.ended(ctx.now(), late=bool(self._late))
        if pause is None:
            ctx.cancel(LATE)
        else:
            ctx.after(pause, ReconcileNow(reason=LATE), key=LATE)

    def _agrees(self, compared: Compared, comparison: Comparison, ctx: Context) -> None:
        """What both sides say of before it began is settled, as far as no order of ours is open."""
        self._has_agreed = True
        if compared.number > self._seen_until and not self._stream_is_lost:
            self._blind = ""
        began_at = min(comparison.began_at, compared.snapshot.at)
        to_record = self._watermark.clean(began_at)
        if to_record is not None:
            ctx.tell(self._persister, RecordValue(key=WATERMARK, value=to_record))

    def _hold_against_searches(self, snapshot: VenueSnapshot, asked_at: int, ctx: Context) -> None:
        found = {order.order.client_order_id for order in snapshot.orders}
        for name in self._unknown.unresolved:
            if name not in found:
                self._search(search.SnapshotWithout(name, asked_at, ctx.now()), ctx)

    # Starting, and how it is

    def _recover(self, reply: Replied, ctx: Context) -> None:
        match reply.value:
            case ValueRecovered(value=text):
                if not self._watermark.recover(text, ctx.market_time()):
                    ctx.log("watermark_refused", found=text)
            case OpenOrdersRecovered(orders=orders):
                self._recover_orders(orders, ctx)
            case _:
                raise NotRecovered(reply.error or "no answer in time")
        self._waits_for.discard(reply.tag)
        if not self._waits_for:
            self._reconcile("start", ctx)

    def _recover_orders(self, orders: Iterable[GuardedOrder], ctx: Context) -> None:
        for order in orders:
            name, status = order.state.order.client_order_id, order.state.status
            if name in self._taken_on:
                continue
            left = subtract(order.state.order.quantity, order.state.filled_quantity)
            self._watermark.order_sent(name, order.attempted_at or 0)
            self._cancels.order_sent(name, order.state.order.symbol, left)
            if status is OrderStatus.ATTEMPTED:
                self._tell_unknown(name, "the engine ended before it was answered", ctx)
            elif status is OrderStatus.UNKNOWN:
                self._search(search.BecameUnknown(name, ctx.now()), ctx)

    def _health(self) -> HealthReported:
        trouble = what_is_wrong(self._last, has_agreed=self._has_agreed)
        if not trouble and self._stream_is_overdue:
            trouble = self._blind
        detail = f"{self._sent} orders sent, {self._withheld} withheld, agrees with the venue"
        return HealthReported(component="gateway", is_well=not trouble, detail=trouble or detail)

    def _halt(self, kind: CauseKind, detail: str, ctx: Context, *, subject: str = "") -> None:
        cause = kind.cause(since=ctx.market_time(), detail=detail, subject=subject)
        ctx.tell(self._guardian, Halt(cause=cause))

    @property
    def _own_key(self) -> GateKey:
        assert self._key is not None, "start registers the key before any message comes"
        return self._key

    def state_view(self) -> Mapping[str, object]:
        """What went out and what did not, what is unknown, and how the last comparison ended."""
        return {
            "sent": self._sent,
            "withheld": self._withheld,
            "unanswered": sorted(self._unanswered),
            "unknown": self._unknown.unresolved,
            "comparing": () if self._comparison is None else self._comparison.reasons,
            "read_from": self._watermark.since,
            "compared_at": self._compared_at,
            "reconcile_every": self._reconcile_every,
            "blind": self._blind,
            **comparison_view(self._last),
        }
