from typing import get_args

import pytest

from hydra.store.order_reports import event_of
from hydra.trading.order_life import (
    Accepted,
    Canceled,
    Expired,
    OrderEvent,
    Rejected,
    Unknown,
    Withheld,
)
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)
from tests.store.orders import AT, approved, filled

FILLED = filled(approved().order, "4")

MEANT: list[tuple[Outcome, OrderEvent]] = [
    (OrderWithheld(client_order_id="a", reason="gate shut", at=AT), Withheld("gate shut")),
    (OrderUnknown(client_order_id="a", reason="no answer", at=AT), Unknown("no answer")),
    (OrderAccepted(client_order_id="a", venue_order_id="v", at=AT), Accepted("v")),
    (OrderRejected(client_order_id="a", reason="halted", at=AT), Rejected("halted")),
    (FILLED, FILLED.fill),
    (OrderCanceled(client_order_id="a", at=AT), Canceled()),
    (OrderExpired(client_order_id="a", at=AT), Expired()),
]


@pytest.mark.parametrize(("report", "event"), MEANT)
def test_a_report_means_something_for_the_life_of_its_order(
    report: Outcome, event: OrderEvent
) -> None:
    assert event_of(report) == event


def test_every_kind_of_report_means_something() -> None:
    assert {type(report) for report, _ in MEANT} == set(get_args(Outcome))
