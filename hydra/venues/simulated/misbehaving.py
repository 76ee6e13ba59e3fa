"""A venue that misbehaves by a plan. Apart from what the plan says it is the honest one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import assert_never

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply
from hydra.trading.orders import Order
from hydra.trading.venue_view import VenueOrder
from hydra.venues.simulated.delivery import Delivery
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import (
    AlterEcho,
    BlockAccount,
    DriftCash,
    DriftPosition,
    FailLook,
    Fault,
    FillPart,
    FillRefused,
    Hide,
    HideEquity,
    HoldCancel,
    Ignore,
    MomentFault,
    Overfill,
    PlantOrder,
    RejectLater,
)
from hydra.venues.simulated.fill_model import as_written, in_steps
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.misbehaviour import Misbehaviour, Strikes, Subject
from hydra.venues.simulated.request_log import RequestLog
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Replace,
    Request,
    Submit,
    TakeSnapshot,
    VenueMessage,
)
from hydra.venues.simulated.resting_orders import RestingOrder
from hydra.venues.simulated.symbols import quantity_step
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderAccepted, client_order_id_of
from messages.reconciliation import (
    OrderFound,
    OrderNotFound,
    SnapshotFailed,
    SnapshotTaken,
)


class MisbehavingExchange(SimulatedExchange):
    """See `faults` for what each fault does."""

    def __init__(
        self,
        plan: Misbehaviour,
        terms: VenueTerms | None = None,
        log: RequestLog | None = None,
        wall_clock: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__(terms, log, wall_clock)
        self._ended = 0
        """Bars that have ended and sessions that have closed: a plan's events are these."""
        self._strikes = Strikes(plan)
        self._delivery = Delivery(self._strikes, self._subject_of_message)
        self._cancels: list[_Pending] = []
        self._rejections: list[_Pending] = []
        self._fills_due: list[Order] = []
        self._hidden_until: dict[str, int] = {}
        self._shown: dict[str, Order] = {}

    def tell_strikes(self, struck: Callable[[Fault], None]) -> None:
        """Whoever counts them is told of each fault as it strikes."""
        self._strikes.struck = struck

    def forget_untold(self) -> None:
        """See `SimulatedExchange.forget_untold`."""
        self._delivery.forget()

    def _new_engine(self, terms: VenueTerms) -> MatchingEngine:
        return MatchingEngine(terms, self._executed)

    def _answer(self, request: Request, at: int) -> tuple[VenueMessage, ...]:
        subject = self._subject_of_request(request)
        if self._strikes.on(Ignore, subject, self._ended) is not None:
            return ()
        return self._delivery.told(super()._answer(request, at), self._ended)

    def _look_up(self, client_order_id: str, at: int) -> OrderFound | OrderNotFound:
        answer = super()._look_up(client_order_id, at)
        subject = self._subject_named(client_order_id, "look_up")
        failed = self._strikes.on(FailLook, subject, self._ended)
        if failed is not None:
            return OrderNotFound(client_order_id=client_order_id, reason=failed.reason)
        if self._is_hidden(client_order_id, at):
            return OrderNotFound(client_order_id=client_order_id)
        if isinstance(answer, OrderFound):
            return structs.replace(answer, found=self._as_shown(answer.found))
        return answer

    def _snapshot(self, number: int, since: int, at: int) -> SnapshotTaken | SnapshotFailed:
        honest = self._engine.snapshot(at, since)
        subject = Subject("snapshot")
        failed = self._strikes.on(FailLook, subject, self._ended)
        if failed is not None:
            return SnapshotFailed(number=number, reason=failed.reason)
        account = honest.account
        if self._strikes.on(HideEquity, subject, self._ended) is not None:
            account = structs.replace(account, equity=None)
        shown = structs.replace(
            honest,
            account=account,
            orders=tuple(
                self._as_shown(order)
                for order in honest.orders
                if not self._is_hidden(order.order.client_order_id, at)
            ),
            fills=tuple(
                fill for fill in honest.fills if not self._is_hidden(fill.client_order_id, at)
            ),
        )
        return SnapshotTaken(number=number, snapshot=shown)

    def _take(self, order: Order, at: int) -> tuple[VenueMessage, ...]:
        name, event = order.client_order_id, self._ended
        subject, is_new = _subject_of(order), self._engine.find(name) is None
        first, *others = super()._take(order, at)
        if not isinstance(first, OrderAccepted):
            if is_new and self._strikes.on(FillRefused, subject, event) is not None:
                self._fills_due.append(order)
            return (first, *others)
        rejection = self._strikes.on(RejectLater, subject, event)
        if rejection is not None:
            due = event + rejection.events
            self._rejections.append(_Pending(due, name, rejection.reason))
        hiding = self._strikes.on(Hide, subject, event)
        if hiding is not None:
            self._hidden_until[name] = at + hiding.for_ns
        alteration = self._strikes.on(AlterEcho, subject, event)
        if alteration is not None:
            self._shown[name] = _altered(order, alteration)
            first = structs.replace(first, echo=self._shown[name])
        return (first, *others)

    def _cancel(self, client_order_id: str, at: int) -> tuple[VenueMessage, ...]:
        resting = self._engine.resting(client_order_id)
        if resting is None:
            return super()._cancel(client_order_id, at)
        if resting.cancel_pending:
            return ()
        subject = structs.replace(_subject_of(resting.order), what="cancel")
        holding = self._strikes.on(HoldCancel, subject, self._ended)
        if holding is None:
            return super()._cancel(client_order_id, at)
        self._engine.request_cancel(client_order_id, at)
        if holding.events is not None:
            self._cancels.append(_Pending(self._ended + holding.events, client_order_id))
        return ()

    def _begin(self, bar: Bar) -> tuple[VenueMessage, ...]:
        # What ends just before the next event of the market ends before the open, too.
        before = tuple(self._rejected(self._ended + 1, bar.start_at))
        return self._delivery.told((*before, *super()._begin(bar)), self._ended)

    def _trade(self, bar: Bar) -> tuple[VenueMessage, ...]:
        self._ended += 1
        before = tuple(self._just_before(Subject(symbol=bar.symbol), bar.start_at))
        honest = super()._trade(bar)
        return self._told_after((*before, *honest, *self._fills_of_refused(bar)), bar.end_at)

    def _close(self, at: int) -> tuple[VenueMessage, ...]:
        self._ended += 1
        before = tuple(self._just_before(Subject(), at))
        return self._told_after((*before, *super()._close(at)), at)

    def _just_before(self, moment: Subject, at: int) -> Iterator[VenueMessage]:
        """What happens to the account, and late rejections, between two market events."""
        for fault in tuple(self._strikes.all_on(MomentFault, moment, self._ended)):
            match fault:
                case PlantOrder(order=order):
                    yield from self._engine.submit(order, at)
                case DriftPosition(symbol=symbol, quantity=quantity):
                    self._engine.account.adjust(symbol, quantity)
                case DriftCash(amount=amount):
                    self._engine.account.adjust_cash(amount)
                case BlockAccount(reason=reason):
                    self._engine.block(reason)
                case _:
                    raise AssertionError(f"nobody knows what this fault does: {fault}")
        yield from self._rejected(self._ended, at)

    def _rejected(self, event: int, at: int) -> Iterator[VenueMessage]:
        """The late rejections that come before this event."""
        for rejection in _due(self._rejections, event):
            yield from self._engine.reject_late(rejection.client_order_id, rejection.reason, at)

    def _told_after(self, messages: tuple[VenueMessage, ...], at: int) -> tuple[VenueMessage, ...]:
        """The market event is over: what was pending for its time ends too; then all is told."""
        ended = [
            report
            for cancel in _due(self._cancels, self._ended)
            for report in self._engine.cancel(cancel.client_order_id, at)
        ]
        told = self._delivery.told((*messages, *ended), self._ended)
        return (*told, *self._delivery.released(self._ended))

    def _fills_of_refused(self, bar: Bar) -> list[VenueMessage]:
        struck = [order for order in self._fills_due if order.symbol == bar.symbol]
        self._fills_due = [order for order in self._fills_due if order.symbol != bar.symbol]
        price = as_written(bar.open)
        return [
            report
            for order in struck
            for report in self._engine.execute(
                order.client_order_id, order.quantity, price, bar.start_at
            )
        ]

    def _executed(self, resting: RestingOrder, quantity: Decimal) -> Decimal:
        """How much of what the bar would execute is executed."""
        subject = _subject_of(resting.order)
        if quantity == resting.remaining:
            overfill = self._strikes.on(Overfill, subject, self._ended)
            if overfill is not None:
                return add(quantity, overfill.extra)
        part = self._strikes.on(FillPart, subject, self._ended)
        if part is None:
            return quantity
        step = quantity_step(resting.order.symbol)
        return min(quantity, max(step, in_steps(multiply(quantity, part.share), step)))

    def _is_hidden(self, client_order_id: str, at: int) -> bool:
        return at < self._hidden_until.get(client_order_id, at)

    def _as_shown(self, order: VenueOrder) -> VenueOrder:
        shown = self._shown.get(order.order.client_order_id)
        return order if shown is None else structs.replace(order, order=shown)

    def _subject_of_request(self, request: Request) -> Subject:
        match request:
            case Submit(order=order):
                return structs.replace(_subject_of(order), what="submit")
            case Replace(order=order):
                return structs.replace(_subject_of(order), what="replace")
            case Cancel(client_order_id=name):
                return self._subject_named(name, "cancel")
            case LookUp(client_order_id=name):
                return self._subject_named(name, "look_up")
            case TakeSnapshot():
                return Subject("snapshot")
            case _:
                assert_never(request)

    def _subject_of_message(self, message: VenueMessage) -> Subject:
        what = type(message).__name__
        match message:
            case SnapshotTaken() | SnapshotFailed():
                return Subject(what)
            case OrderFound(client_order_id=name) | OrderNotFound(client_order_id=name):
                return self._subject_named(name, what)
            case _:
                return self._subject_named(client_order_id_of(message), what)

    def _subject_named(self, client_order_id: str, what: str) -> Subject:
        known = self._engine.find(client_order_id)
        if known is None:
            return Subject(what, client_order_id)
        return structs.replace(_subject_of(known.order), what=what)


class _Pending(msgspec.Struct, frozen=True):
    """What is to become of an order at a market event."""

    event: int
    client_order_id: str
    reason: str = ""


def _due(pending: list[_Pending], event: int) -> list[_Pending]:
    """Take out what was waiting for this event."""
    due = [entry for entry in pending if entry.event <= event]
    pending[:] = [entry for entry in pending if entry.event > event]
    return due


def _subject_of(order: Order) -> Subject:
    return Subject("", order.client_order_id, order.symbol, order.side)


def _altered(order: Order, alteration: AlterEcho) -> Order:
    changes = {
        field: value
        for field in AlterEcho.__struct_fields__
        if (value := getattr(alteration, field)) is not None
    }
    return structs.replace(order, **changes)
