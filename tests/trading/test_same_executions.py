"""Executions that record and venue name differently are counted once, and none is made up."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Fill
from hydra.trading.reconciliation import RecordView
from hydra.trading.same_executions import in_our_names, without_surplus
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenueSnapshot
from hydra.trading.watermark import EDGE
from tests.trading.test_late_lists import NAME, ORDER

SINCE = 1_000_000


def fill(name: str, quantity: int, at: int, price: int = 100) -> Fill:
    return Fill(
        execution_id=name,
        client_order_id=NAME,
        symbol="AAPL",
        side=ORDER.side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=SINCE + EDGE + at,
    )


def record(*fills: Fill) -> RecordView:
    return RecordView(
        account="PA1",
        opening_cash=Decimal(0),
        cash=Decimal(0),
        orders={NAME: OrderState(order=ORDER, status=OrderStatus.PARTIALLY_FILLED)},
        fills=fills,
        positions={},
    )


def snapshot(*fills: Fill, filled: int) -> VenueSnapshot:
    listing = VenueOrder(
        order=ORDER,
        venue_order_id="venue-1",
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal(filled),
    )
    return VenueSnapshot(
        at=SINCE + 2 * EDGE,
        since=SINCE,
        account=VenueAccount(account="PA1", cash=Decimal(0), equity=None),
        positions=(),
        orders=(listing,),
        fills=fills,
    )


A1, A2, A3 = fill("a1", 3, 1), fill("a2", 2, 2), fill("a3", 2, 3)
B1, B2, B3 = (
    structs.replace(each, execution_id=f"b{number}", at=each.at + 1)
    for number, each in enumerate((A1, A2, A3), 1)
)
LONG_AGO = structs.replace(fill("a0", 1, 0), at=SINCE)


@pytest.mark.parametrize(
    ("on_record", "listed", "names"),
    [
        ([A1], [A1], ["a1"]),
        ([A1], [B1], ["a1"]),
        ([A1, A2], [B1, B2, B3], ["a1", "a2", "b3"]),
        ([A1, A2], [A1, B2], ["a1", "a2"]),
        ([LONG_AGO, A1], [B1], ["a1"]),
        ([], [B1, B2], ["b1", "b2"]),
        # The second of two that are equal, and the record does not have the first.
        ([A1, A3], [B1, B2, B3], ["a1", "a3", "b3"]),
        ([A1], [structs.replace(B1, quantity=Decimal(2))], ["b1"]),
        ([A1], [structs.replace(B1, price=Decimal(101))], ["b1"]),
        ([A1], [structs.replace(B1, client_order_id="another")], ["b1"]),
    ],
    ids=[
        "one name",
        "two names",
        "the last is news",
        "only one has two",
        "some of before",
        "all news",
        "equal ones",
        "another size",
        "another price",
        "of another order",
    ],
)
def test_an_execution_bears_the_name_that_is_on_record_i23(
    on_record: list[Fill], listed: list[Fill], names: list[str]
) -> None:
    renamed = in_our_names(record(*on_record), snapshot(*listed, filled=7))

    assert [each.execution_id for each in renamed.fills] == names


def test_what_cannot_all_be_executed_is_not_all_news_i23_i61() -> None:
    differing = structs.replace(B1, price=Decimal(101))

    assert without_surplus(record(A1), snapshot(differing, filled=3)).fills == ()
    assert without_surplus(record(A1, A2), snapshot(A1, B3, filled=5)).fills == (A1,)


@pytest.mark.parametrize(
    ("on_record", "listed", "filled"),
    [
        ([A1], [A1, B2], 5),
        ([], [B1], 3),
        ([A1, A3], [A1, A2], 7),  # the list of executions is late, and the record lacks one
        ([A1], [A1, B2], 3),  # the list of orders is late
        ([LONG_AGO], [B1], 4),
    ],
)
def test_what_may_be_news_is_taken_up_i61(
    on_record: list[Fill], listed: list[Fill], filled: int
) -> None:
    shown = snapshot(*listed, filled=filled)

    assert without_surplus(record(*on_record), shown) is shown
