"""Alpaca behind the `Venue` port: orders, cancels, look-ups and snapshots over REST.

A call gives its answer later, as a message, from a thread of the adapter's own. Each request passes
the order gate at the last instant, with its connection open: what the gate refuses there is told as
withheld, since it was not sent. A request is made once; what came of it is decided by `outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep

import msgspec

from hydra.crash_points import reached
from hydra.ports import PERMIT_CLASSES, GateKey, GateRefused, OrderGate, PermitClass
from hydra.trading.causes import ACTOR_FAILED
from hydra.trading.durations import SECOND
from hydra.trading.orders import Order
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.call_watch import CallWatch
from hydra.venues.alpaca.calls import Calls, Passage
from hydra.venues.alpaca.coin_names import CoinNames
from hydra.venues.alpaca.execution_names import ExecutionNames
from hydra.venues.alpaca.http import CALL_WITHIN_S, HttpClient, Request
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.lanes import Job, Lane
from hydra.venues.alpaca.outcomes import (
    Exists,
    NotSent,
    Ok,
    OrderOutcome,
    RateLimited,
    Refused,
    Unknown,
    describe,
    order_outcome_of,
)
from hydra.venues.alpaca.payloads import (
    OrderPayload,
    read_canceled,
    read_nothing,
    read_order,
)
from hydra.venues.alpaca.reads import ReadFailed, RestReads, order_path
from hydra.venues.alpaca.sending import Unsendable, order_body, replacement_body
from hydra.venues.alpaca.snapshot import read_order as read_whole_order
from hydra.venues.alpaca.snapshot import read_snapshot
from messages.order_events import reports_of
from messages.orders import (
    OrderAccepted,
    OrderApproved,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
)
from messages.reconciliation import (
    OrderFound,
    OrderNotFound,
    ReconcileNow,
    SnapshotFailed,
    SnapshotTaken,
    VenueWord,
)

SETTLE_LOOK_EVERY_S = 0.005


class AlpacaTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How the adapter works. Times in seconds."""

    trades_crypto: bool = False
    shares: Shares = Shares()
    failures_max: int = 5
    failures_window_s: int = 60
    failures_halt: bool = True
    """Too many failures trip the gate; if not, they are a condition that is present, no more."""
    call_within_s: float = CALL_WITHIN_S
    """T_REST, from when a request is asked for: the time that it waits here included."""
    snapshot_within_s: float = CALL_WITHIN_S - 1.0
    """A little less, so that the gateway hears why it failed."""
    wait_max_s: float = 2.0
    """An order that has waited here for longer is not sent: the market has moved on."""
    orders_waiting_max: int = 256
    cancels_waiting_max: int = 1024
    looks_waiting_max: int = 256
    snapshots_waiting_max: int = 2


class AlpacaVenue:
    """See the module. `tell` may be called from any of the adapter's threads."""

    def __init__(
        self,
        client: HttpClient,
        gate: OrderGate,
        *,
        terms: AlpacaTerms,
        market_time: Callable[[], int],
        machine_time: Callable[[], int],
        tell: Callable[[VenueWord], None],
        report_stream: Callable[[], None] | None = None,
        minutes_by: Callable[[], int] | None = None,
    ) -> None:
        """`report_stream` tells how the trading stream is; None: nobody keeps one. `minutes_by` as
        of `Calls`; None: machine time.
        """
        self._report_stream = report_stream
        self._gate = gate
        self._terms = terms
        self._market_time = market_time
        self._machine_time = machine_time
        self._tell_message = tell
        self.known = KnownOrders()
        """Which names are one order: the trading stream learns and asks here as well."""
        self.executions = ExecutionNames()
        """And which names are one execution."""
        self._coins = CoinNames()
        self._watch = CallWatch(
            gate,
            failures_max=terms.failures_max,
            window_ns=terms.failures_window_s * SECOND,
            failures_halt=terms.failures_halt,
            market_time=market_time,
            machine_time=machine_time,
        )
        self._calls = Calls(
            client,
            terms.shares,
            minutes_by=machine_time if minutes_by is None else minutes_by,
            market_time=market_time,
            ended=self._watch.note,
        )
        lane = partial(Lane, died=self._lane_died)
        self._entries = lane("entries", threads=2, waiting_max=terms.orders_waiting_max)
        self._exits = lane("exits", threads=2, waiting_max=terms.orders_waiting_max)
        self._cancels = lane("cancels", threads=2, waiting_max=terms.cancels_waiting_max)
        self._looks = lane("looks", threads=1, waiting_max=terms.looks_waiting_max)
        self._snapshots = lane("snapshots", threads=1, waiting_max=terms.snapshots_waiting_max)
        self._lanes = (self._entries, self._exits, self._cancels, self._looks, self._snapshots)

    @property
    def calls(self) -> Calls:
        """Calls to the account's host, for others who read there within the same allowance."""
        return self._calls

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`. Raises `GateRefused` also for what cannot be sent as it is."""
        order, role = approved.order, approved.intent.decision.role
        reached("venue.submit.asked")
        now = self._machine_time()
        begin_by = min(now + int(self._terms.wait_max_s * SECOND), approved.expires_at)
        # To connect takes time as well. An exit is better late than never.
        send_by = approved.expires_at if role.reduces else begin_by
        passage = Passage(
            self._gate,
            order.client_order_id,
            approved.epoch,
            key,
            PERMIT_CLASSES[role],
            lambda: self._machine_time() > send_by,
        )
        passage.look()
        body = None
        if order.replaces is None:
            try:
                body = order_body(order, role)
            except Unsendable as unsendable:
                raise GateRefused(str(unsendable)) from unsendable
        attempt = _Attempt(
            order=order,
            use=Use.URGENT if role.reduces else Use.ENTRY,
            passage=passage,
            begin_by=begin_by,
            deadline=monotonic() + self._terms.call_within_s,
        )
        lane = self._exits if role.reduces else self._entries
        job: Job = (
            partial(self._replace, attempt, key)
            if body is None
            else partial(self._place, attempt, body)
        )
        self._require(lane.add(job), lane, order.client_order_id)

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`. What the broker says to it otherwise than yes is found out."""
        passage = self._passage(client_order_id, self._gate.epoch, key, PermitClass.CANCEL)
        passage.look()
        job = partial(self._cancel, client_order_id, key, passage, self._deadline())
        self._require(self._cancels.add(job), self._cancels, client_order_id)

    def cancel_all(self, key: GateKey) -> None:
        """Ask for the end of every order of the account, in one request; then have it compared."""
        passage = self._passage("all orders", self._gate.epoch, key, PermitClass.CANCEL)
        passage.look()
        job = partial(self._cancel_all, passage, self._deadline())
        self._require(self._cancels.add(job), self._cancels, "all orders")

    def look_up(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.look_up`."""
        job = partial(self._look_up, client_order_id, key, self._deadline())
        if not self._looks.add(job):
            self._tell(OrderNotFound(client_order_id=client_order_id, reason=_full(self._looks)))

    def take_snapshot(self, number: int, since: int, key: GateKey) -> None:
        """See `Venue.take_snapshot`."""
        deadline = monotonic() + self._terms.snapshot_within_s
        job = partial(self._take_snapshot, number, since, key, deadline)
        if not self._snapshots.add(job):
            self._tell(SnapshotFailed(number=number, reason=_full(self._snapshots)))

    @property
    def has_stream(self) -> bool:
        """See `Venue.has_stream`. The stream is kept by somebody else."""
        return self._report_stream is not None

    def report_stream(self) -> None:
        """See `Venue.report_stream`."""
        if self._report_stream is not None:
            self._report_stream()

    def cut(self, client_order_ids: tuple[str, ...]) -> None:
        """End the sends of these orders that are in flight, at once: they become unknown (I01)."""
        self._calls.cut(client_order_ids)

    @property
    def is_failing(self) -> bool:
        """So many calls have failed lately that the broker counts as failing."""
        return self._watch.is_failing

    def settle(self, within_s: float) -> bool:
        """Wait until everything that was asked for has been answered; False if it takes longer."""
        deadline = monotonic() + within_s
        while not self.is_idle:
            if monotonic() >= deadline:
                return False
            sleep(SETTLE_LOOK_EVERY_S)
        return True

    @property
    def is_idle(self) -> bool:
        """Everything that was asked for has been answered."""
        return all(lane.is_idle for lane in self._lanes)

    def close(self, within_s: float) -> bool:
        """Take nothing more and end what is under way; False if something has not ended in time.

        What was being sent is unknown afterwards, as after a crash.
        """
        deadline = monotonic() + within_s
        for lane in self._lanes:
            lane.close()
        self._calls.close()
        ended = [lane.join(deadline) for lane in self._lanes]
        return all(ended)

    # What the threads do

    def _place(self, attempt: _Attempt, body: bytes) -> None:
        request = Request(method="POST", target="/v2/orders", body=body)
        self._attempt(attempt, request)

    def _replace(self, attempt: _Attempt, key: GateKey) -> None:
        order = attempt.order
        assert order.replaces is not None, "else it would have been placed"
        try:
            old = self._reads(Use.URGENT, order.client_order_id, key, attempt.deadline)
            payload = old.order_by_name(order.replaces)
            if payload is None:
                self._withhold(order, f"the venue has no {order.replaces} to replace")
                return
            self.known.learn(payload)
            body = replacement_body(order, payload)
        except (ReadFailed, Unsendable) as failed:
            self._withhold(order, str(failed))
            return
        request = Request(method="PATCH", target=order_path(payload.id), body=body)
        self._attempt(attempt, request)

    def _attempt(self, attempt: _Attempt, request: Request) -> None:
        """Send it, once, and tell what came of it."""
        order = attempt.order
        if self._machine_time() > attempt.begin_by:
            self._withhold(order, "it waited too long for its turn to be sent")
            return
        reached("venue.request.before")
        outcome = order_outcome_of(
            self._calls.call(
                request,
                read_order,
                attempt.use,
                deadline=attempt.deadline,
                passage=attempt.passage,
                name=order.client_order_id,
            )
        )
        reached("venue.request.answered")
        self._tell_of_order(order, outcome)

    def _tell_of_order(self, order: Order, outcome: OrderOutcome[OrderPayload]) -> None:
        name, at = order.client_order_id, self._market_time()
        match outcome:
            case Ok(value=payload):
                self._tell_answer(order, payload, at)
            case Refused():
                self._tell(OrderRejected(client_order_id=name, reason=str(outcome), at=at))
            case NotSent(cause=cause):
                self._withhold(order, cause)
            case Exists() | RateLimited() | Unknown():
                self._tell(OrderUnknown(client_order_id=name, reason=describe(outcome), at=at))

    def _tell_answer(self, order: Order, payload: OrderPayload, at: int) -> None:
        """The broker has the order. What is filled of it, its executions say, and not this."""
        name = order.client_order_id
        self.known.learn(payload)
        try:
            listing = wire.venue_order(payload, self.known.name_of)
            unread = listing.unread
        except BadAnswer as bad:
            listing, unread = None, str(bad)
        if listing is None or unread:
            reason = f"the venue's answer cannot be read: {unread}"
            self._tell(OrderUnknown(client_order_id=name, reason=reason, at=at))
            return
        # That it has ended is told now if nothing of it traded; else by those who know all of it.
        # An answer that names another order ends neither: the echo, held against ours, halts.
        is_ours = listing.order.client_order_id == name
        ended = reports_of(listing, (), at) if is_ours and not listing.filled_quantity else ()
        if not any(isinstance(report, OrderRejected) for report in ended):
            self._tell(
                OrderAccepted(
                    client_order_id=name,
                    venue_order_id=payload.id,
                    at=listing.at or at,
                    echo=listing.order,
                )
            )
        for report in ended:
            if not isinstance(report, OrderAccepted):
                self._tell(report)

    def _cancel(
        self, client_order_id: str, key: GateKey, passage: Passage, deadline: float
    ) -> None:
        order_id = self.known.id_of(client_order_id)
        if order_id is None:
            try:
                reads = self._reads(Use.URGENT, client_order_id, key, deadline)
                payload = reads.order_by_name(client_order_id)
            except ReadFailed as failed:
                self._tell(OrderNotFound(client_order_id=client_order_id, reason=str(failed)))
                return
            if payload is None:
                self._tell(OrderNotFound(client_order_id=client_order_id))
                return
            self.known.learn(payload)
            order_id = payload.id
        request = Request(method="DELETE", target=order_path(order_id), yes=204)
        outcome = self._calls.call(
            request, read_nothing, Use.URGENT, deadline=deadline, passage=passage
        )
        if isinstance(outcome, Refused | Unknown):
            # It may be over, or about to be: the order itself says what became of it.
            self._look_up(client_order_id, key, self._deadline())

    def _cancel_all(self, passage: Passage, deadline: float) -> None:
        request = Request(method="DELETE", target="/v2/orders", yes=207)
        outcome = self._calls.call(
            request, read_canceled, Use.URGENT, deadline=deadline, passage=passage
        )
        if isinstance(outcome, Ok):
            refused = sum(not 200 <= each.status < 300 for each in outcome.value)
            came_of_it = f"{len(outcome.value)} orders, {refused} refusals"
        else:
            came_of_it = describe(outcome)
        self._tell(ReconcileNow(reason=f"all orders were asked to be canceled: {came_of_it}"))

    def _look_up(self, client_order_id: str, key: GateKey, deadline: float) -> None:
        reads = self._reads(Use.RECONCILE, client_order_id, key, deadline)
        with self._failing_as(partial(OrderNotFound, client_order_id=client_order_id)):
            found = read_whole_order(reads, client_order_id, self.known, self.executions)
            if found is None:
                self._tell(OrderNotFound(client_order_id=client_order_id))
                return
            order, fills = found
            self._tell(OrderFound(client_order_id=client_order_id, found=order, fills=fills))

    def _take_snapshot(self, number: int, since: int, key: GateKey, deadline: float) -> None:
        reads = self._reads(Use.RECONCILE, f"snapshot {number}", key, deadline)
        with self._failing_as(partial(SnapshotFailed, number=number)):
            snapshot = read_snapshot(
                reads,
                since,
                market_time=self._market_time,
                known=self.known,
                names=self.executions,
                coins=self._coins,
                trades_crypto=self._terms.trades_crypto,
            )
            self._tell(SnapshotTaken(number=number, snapshot=snapshot))

    # What they have in common

    @contextmanager
    def _failing_as(self, failed: Callable[..., OrderNotFound | SnapshotFailed]) -> Iterator[None]:
        """A reading that comes to nothing is told as `failed`, with the reason: the gateway waits
        for the answer, and asks for no other one meanwhile.
        """
        try:
            yield
        except ReadFailed as reason:
            self._tell(failed(reason=str(reason)))
        except Exception as bug:  # whatever it is, it is told; then it is the lane's, which halts
            name = type(bug).__name__
            self._tell(failed(reason=f"the adapter itself has failed: {name}"))
            raise

    def _passage(self, name: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Passage:
        return Passage(self._gate, name, epoch, key, permit_class)

    def _reads(self, use: Use, name: str, key: GateKey, deadline: float) -> RestReads:
        passage = self._passage(name, self._gate.epoch, key, PermitClass.READ)
        return RestReads(self._calls, use, passage, deadline)

    def _deadline(self) -> float:
        return monotonic() + self._terms.call_within_s

    def _withhold(self, order: Order, reason: str) -> None:
        at = self._market_time()
        self._tell(OrderWithheld(client_order_id=order.client_order_id, reason=reason, at=at))

    def _tell(self, message: VenueWord) -> None:
        self._tell_message(message)
        reached("venue.told")

    def _require(self, is_added: bool, lane: Lane, name: str) -> None:
        if not is_added:
            raise GateRefused(f"{name}: {_full(lane)}")

    def _lane_died(self, name: str) -> None:
        cause = ACTOR_FAILED.cause(
            since=self._market_time(), detail="a thread of it has died", subject=f"alpaca-{name}"
        )
        self._gate.trip(cause)


class _Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One sending of an order. `begin_by`: machine time (ns); `deadline`: monotonic (s)."""

    order: Order
    use: Use
    passage: Passage
    begin_by: int
    deadline: float


def _full(lane: Lane) -> str:
    return f"too many {lane.name} wait to be sent, or the adapter is closed"
