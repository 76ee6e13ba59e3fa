from decimal import Decimal
from typing import get_args

import pytest

from hydra.trading.order_life import (
    Absent,
    Accepted,
    Attempted,
    Canceled,
    Expired,
    OrderEvent,
    OrderStatus,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
)
from hydra.trading.orders import Order
from messages.order_events import event_of, report_of, reports_in
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)
from tests.store.orders import AT, approved, decision, filled
from tests.store.venue_words import listed, snapshot

FILLED = filled(approved().order, "4")

MEANT: list[tuple[Outcome, OrderEvent]] = [
    (OrderWithheld(client_order_id="a", reason="gate shut", at=AT), Withheld("gate shut")),
    (OrderUnknown(client_order_id="a", reason="no answer", at=AT), Unknown("no answer")),
    (OrderAccepted(client_order_id="a", venue_order_id="v", at=AT), Accepted("v")),
    (OrderRejected(client_order_id="a", reason="halted", at=AT), Rejected("halted")),
    (FILLED, FILLED.fill),
    (OrderCanceled(client_order_id="a", at=AT), Canceled()),
    (OrderExpired(client_order_id="a", at=AT), Expired()),
    (OrderReplaced(client_order_id="a", by="b", at=AT), Replaced("b")),
    (OrderAbsent(client_order_id="a", reason="5 looks", at=AT), Absent("5 looks")),
]


@pytest.mark.parametrize(("report", "event"), MEANT)
def test_a_report_means_something_for_the_life_of_its_order(
    report: Outcome, event: OrderEvent
) -> None:
    assert event_of(report) == event
    assert report_of(event, "a", AT) == report


def test_an_attempt_is_reported_by_nobody() -> None:
    with pytest.raises(ValueError, match="a: an attempt is our own deed"):
        report_of(Attempted(), "a", AT)


def test_a_snapshot_is_told_order_by_order_and_each_word_of_it_once_i61() -> None:
    one, two, unlisted = (approved(decision(signal=number)).order for number in (1, 2, 3))
    fills = tuple(filled(order, "4", f"x-{order.client_order_id}") for order in (unlisted, two))
    words = (
        listed(one, OrderStatus.ACCEPTED),
        listed(two, OrderStatus.CANCELED, at=0, filled_quantity=Decimal(4)),
    )

    told = list(reports_in(snapshot(*words, fills=tuple(each.fill for each in fills))))

    assert told == [
        accepted(one, at=AT + 5),
        accepted(two, at=AT + 9),
        fills[1],
        OrderCanceled(client_order_id=two.client_order_id, at=AT + 9),
        fills[0],
    ]


def accepted(order: Order, at: int) -> OrderAccepted:
    name = order.client_order_id
    return OrderAccepted(client_order_id=name, venue_order_id=f"venue-{name}", at=at)


def test_every_kind_of_report_means_something() -> None:
    assert {type(report) for report, _ in MEANT} == set(get_args(Outcome))
