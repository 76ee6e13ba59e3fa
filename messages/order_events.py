"""What a report, which is a message, means for the life of its order, and back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import assert_never

from hydra.trading.order_life import (
    Absent,
    Accepted,
    Attempted,
    Canceled,
    Expired,
    OrderEvent,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
)
from hydra.trading.orders import Fill
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from hydra.trading.venue_word import VenueEvent, events_of
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    VenueReport,
)


def event_of(report: Outcome) -> OrderEvent:
    """What the report says; of which order, its reader knows. Its time decides nothing."""
    match report:
        case OrderWithheld():
            return Withheld(report.reason)
        case OrderUnknown():
            return Unknown(report.reason)
        case OrderAccepted():
            return Accepted(report.venue_order_id)
        case OrderRejected():
            return Rejected(report.reason)
        case OrderFilled():
            return report.fill
        case OrderCanceled():
            return Canceled()
        case OrderExpired():
            return Expired()
        case OrderReplaced():
            return Replaced(report.by)
        case OrderAbsent():
            return Absent(report.reason)
        case _:
            assert_never(report)


def report_of(event: OrderEvent, client_order_id: str, at: int) -> Outcome:
    """The report that says so of this order; `at` (market time) is for those that bear a time.

    An attempt is our own deed, of which there is no report: `ValueError`.
    """
    name = client_order_id
    match event:
        case Withheld():
            return OrderWithheld(client_order_id=name, reason=event.reason, at=at)
        case Unknown():
            return OrderUnknown(client_order_id=name, reason=event.reason, at=at)
        case Absent():
            return OrderAbsent(client_order_id=name, reason=event.reason, at=at)
        case Attempted():
            raise ValueError(f"{name}: an attempt is our own deed, and nobody reports it")
        case _:
            return _venue_report_of(event, name, at)


def _venue_report_of(event: VenueEvent, name: str, at: int) -> VenueReport:
    match event:
        case Accepted():
            return OrderAccepted(client_order_id=name, venue_order_id=event.venue_order_id, at=at)
        case Rejected():
            return OrderRejected(client_order_id=name, reason=event.reason, at=at)
        case Fill():
            return OrderFilled(fill=event)
        case Canceled():
            return OrderCanceled(client_order_id=name, at=at)
        case Expired():
            return OrderExpired(client_order_id=name, at=at)
        case Replaced():
            return OrderReplaced(client_order_id=name, by=event.by, at=at)
        case _:
            assert_never(event)


def reports_in(snapshot: VenueSnapshot) -> Iterator[VenueReport]:
    """All that the snapshot says of orders, as the reports that would have said so, and no more.

    Those of one order come in an order in which they could have happened. Executions of orders
    that it does not list, because they ended before, come last.
    """
    fills: dict[str, list[Fill]] = defaultdict(list)
    for fill in snapshot.fills:
        fills[fill.client_order_id].append(fill)
    for listed in snapshot.orders:
        name = listed.order.client_order_id
        for event in events_of(listed, fills.pop(name, ())):
            yield _venue_report_of(event, name, listed.at or snapshot.at)
    for executions in fills.values():
        for fill in executions:
            yield OrderFilled(fill=fill)


def reports_of(found: VenueOrder, fills: Iterable[Fill], at: int) -> tuple[VenueReport, ...]:
    """What the venue's word on one order implies, as the reports that would have said so."""
    name = found.order.client_order_id
    events = events_of(found, fills)
    return tuple(_venue_report_of(event, name, found.at or at) for event in events)
