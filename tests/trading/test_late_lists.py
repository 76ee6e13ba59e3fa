"""What a late list of the venue's explains, and what it does not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.durations import SECOND
from hydra.trading.fees import Fee
from hydra.trading.late_lists import SHOWN_WITHIN, LateDifference, Written, late, why_shut
from hydra.trading.order_life import Attempted, Canceled, OrderState, OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.reconciliation import RecordView, compare
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot

NOW = 1_000_000 * SECOND
NAME = "hy1-20240102-0000000000000001-e"
ORDER = Order(
    client_order_id=NAME,
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(101),
)
FILLS = tuple(
    Fill(
        execution_id=f"e{number}",
        client_order_id=NAME,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(number),
        price=Decimal(100),
        at=NOW - 9 * SECOND + number * SECOND,
    )
    for number in (1, 2, 3)
)
HELD = Decimal(6)


def status_of(filled: Decimal) -> OrderStatus:
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED


def record_of(fills: tuple[Fill, ...] = FILLS, status: OrderStatus | None = None) -> RecordView:
    """What is on record if these are its executions."""
    filled = sum((fill.quantity for fill in fills), Decimal(0))
    state = OrderState(
        order=ORDER,
        status=status or status_of(filled),
        venue_order_id="venue-1",
        filled_quantity=filled,
    )
    return RecordView(
        account="PA1",
        opening_cash=Decimal(10_000),
        cash=-100 * filled,
        orders={NAME: state},
        fills=fills,
        positions={"AAPL": filled} if filled else {},
    )


def snapshot_of(
    *, executed: int = 3, held: int = 3, paid: int = 3, filled: int | None = 3, at: int = NOW
) -> VenueSnapshot:
    """What the venue shows if so many executions have come into each of its lists. `filled` None:
    the order is not listed.
    """

    def of(number: int) -> Decimal:
        return sum((fill.quantity for fill in FILLS[:number]), Decimal(0))

    listing = VenueOrder(
        order=ORDER,
        venue_order_id="venue-1",
        status=status_of(of(filled or 0)),
        filled_quantity=of(filled or 0),
        at=FILLS[-1].at,
    )
    return VenueSnapshot(
        at=at,
        since=0,
        account=VenueAccount(account="PA1", cash=10_000 - 100 * of(paid), equity=None),
        positions=(VenuePosition(symbol="AAPL", quantity=of(held)),) if held else (),
        orders=() if filled is None else (listing,),
        fills=FILLS[:executed],
    )


def written_of(fills: tuple[Fill, ...] = FILLS) -> tuple[Written, ...]:
    sent = Written(at=NOW - 9 * SECOND, client_order_id=NAME, event=Attempted())
    return (
        sent,
        *(Written(at=fill.at, client_order_id=NAME, event=fill) for fill in fills),
    )


def unexplained(
    record: RecordView, snapshot: VenueSnapshot, written: tuple[Written, ...] = written_of()
) -> list[Difference]:
    differences = compare(record, snapshot)
    explained = {each.difference for each in late(record, written, snapshot, differences)}
    return [each for each in differences if each not in explained]


SHARES_LISTED = st.integers(0, 3)


@given(SHARES_LISTED, SHARES_LISTED, SHARES_LISTED, st.none() | SHARES_LISTED)
def test_each_list_may_be_late_by_itself_i60(
    executed: int, held: int, paid: int, filled: int | None
) -> None:
    snapshot = snapshot_of(executed=executed, held=held, paid=paid, filled=filled)

    assert unexplained(record_of(), snapshot) == []


@given(SHARES_LISTED, SHARES_LISTED, SHARES_LISTED, st.none() | SHARES_LISTED)
def test_nothing_is_late_that_came_on_record_too_long_ago_i60(
    executed: int, held: int, paid: int, filled: int | None
) -> None:
    at = FILLS[-1].at + SHOWN_WITHIN + 1
    snapshot = snapshot_of(executed=executed, held=held, paid=paid, filled=filled, at=at)

    assert unexplained(record_of(), snapshot) == [*compare(record_of(), snapshot)]


@pytest.mark.parametrize(
    ("kind", "snapshot"),
    [
        (
            DifferenceKind.POSITION,
            structs.replace(
                snapshot_of(), positions=(VenuePosition(symbol="AAPL", quantity=Decimal(2)),)
            ),
        ),
        (
            DifferenceKind.POSITION,
            structs.replace(
                snapshot_of(), positions=(VenuePosition(symbol="AAPL", quantity=Decimal(9)),)
            ),
        ),
        (
            DifferenceKind.CASH,
            structs.replace(
                snapshot_of(),
                account=VenueAccount(account="PA1", cash=Decimal("9699.99"), equity=None),
            ),
        ),
    ],
    ids=["a share too few", "too many", "a cent too much"],
)
def test_what_no_late_list_would_show_is_a_difference_at_once_i60(
    kind: DifferenceKind, snapshot: VenueSnapshot
) -> None:
    assert [each.kind for each in unexplained(record_of(), snapshot)] == [kind]


def test_an_execution_that_only_the_orders_list_speaks_of_may_come_to_the_others_i60() -> None:
    record = record_of(FILLS[:1])
    known = written_of(FILLS[:1])

    for held in (1, 3):
        for paid in (1, 3):
            snapshot = snapshot_of(executed=1, held=held, paid=paid, filled=3)
            assert unexplained(record, snapshot, known) == []
    dearer = structs.replace(
        snapshot_of(executed=1),
        account=VenueAccount(account="PA1", cash=Decimal("9394.99"), equity=None),
    )
    assert [each.kind for each in unexplained(record, dearer, known)] == [DifferenceKind.CASH]


def test_an_order_that_has_just_ended_may_still_be_listed_as_open_i60() -> None:
    record = record_of(status=OrderStatus.CANCELED)
    ended = Written(at=NOW - SECOND, client_order_id=NAME, event=Canceled())
    snapshot = snapshot_of()

    assert unexplained(record, snapshot, (*written_of(), ended)) == []
    assert [each.kind for each in unexplained(record, snapshot)] == [
        DifferenceKind.IMPOSSIBLE_ORDER
    ]


def test_what_the_venue_kept_of_a_coin_is_late_with_its_execution_i60() -> None:
    bought = structs.replace(FILLS[0], symbol="BTC/USD")
    fee = Fee(
        client_order_id=NAME,
        execution_id=bought.execution_id,
        bot="mom",
        symbol="BTC/USD",
        asset="BTC/USD",
        amount=Decimal("0.0025"),
        most=Decimal("0.0025"),
        at=bought.at,
    )
    lacking = Difference(
        kind=DifferenceKind.POSITION,
        subject="BTC/USD",
        found="0",
        wanted="0.9975",
        amount=Decimal("-0.9975"),
    )
    written = (
        Written(at=bought.at, client_order_id=NAME, event=bought),
        Written(at=bought.at, client_order_id=NAME, event=fee),
    )

    explained = late(record_of(), written, snapshot_of(), [lacking])

    assert explained == (LateDifference(difference=lacking, symbol="BTC/USD"),)


def test_late_cash_shuts_every_symbol_and_all_else_its_own_i60() -> None:
    differences = {
        each.difference.kind: each
        for each in late(
            record_of(),
            written_of(),
            snapshot_of(executed=2, held=2, paid=2, filled=2),
            compare(record_of(), snapshot_of(executed=2, held=2, paid=2, filled=2)),
        )
    }
    of_fill = differences.pop(DifferenceKind.FILL_NOT_AT_VENUE)
    of_cash = differences.pop(DifferenceKind.CASH)

    assert why_shut([of_fill], "MSFT") == ""
    assert why_shut([of_fill], "AAPL").startswith("record and venue may only differ for a moment")
    assert why_shut([of_cash], "MSFT") != ""
    assert [each.symbol for each in differences.values()] == ["AAPL"]
