"""What the venue says to whoever looks: the whole account, or one order."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, Side
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderFilled
from messages.reconciliation import OrderFound, OrderNotFound
from tests.venues.simulated.orders import MINUTE, bar_of, ioc, limit, market

BUY, SELL = Side.BUY, Side.SELL
FLAT = (100.0, 100.0, 100.0, 101.0)


def test_a_snapshot_is_the_whole_account() -> None:
    terms = VenueTerms(account="PA-X", starting_cash=Decimal(5_000))
    engine = MatchingEngine(structs.replace(terms, max_participation=Decimal("0.004")))
    done, partly, waiting = market("d", BUY, "3"), market("p", BUY, "2"), limit("w", BUY, "90")
    for number, order in enumerate((done, partly, waiting)):
        engine.submit(order, at=number)
    reports = engine.on_bar(bar_of(0, FLAT))

    snapshot = engine.snapshot(at=MINUTE + 5, since=0)

    fills = tuple(report.fill for report in reports if isinstance(report, OrderFilled))
    assert snapshot == VenueSnapshot(
        at=MINUTE + 5,
        since=0,
        account=VenueAccount(account="PA-X", cash=Decimal(4_600), equity=Decimal(5_004)),
        positions=(VenuePosition(symbol="AAPL", quantity=Decimal(4)),),
        orders=(
            venue_order(done, 1, OrderStatus.FILLED, "3", at=0),
            venue_order(partly, 2, OrderStatus.PARTIALLY_FILLED, "1", at=0),
            venue_order(waiting, 3, OrderStatus.ACCEPTED, "0", at=2),
        ),
        fills=fills,
    )
    assert [fill.quantity for fill in fills] == [3, 1]


def venue_order(
    order: Order, number: int, status: OrderStatus, filled: str, at: int, reason: str = ""
) -> VenueOrder:
    return VenueOrder(
        order=order,
        venue_order_id=f"sim-o-{number}" if number else "",
        status=status,
        filled_quantity=Decimal(filled),
        reason=reason,
        at=at,
    )


def test_what_was_over_before_is_left_out_and_what_is_open_never() -> None:
    engine = MatchingEngine()
    engine.submit(limit("canceled early", BUY, "90"), at=1)
    engine.submit(limit("open", BUY, "90"), at=2)
    engine.submit(limit("canceled late", BUY, "90"), at=3)
    engine.submit(limit("refused early", BUY, "90.001"), at=4)
    engine.cancel("canceled early", at=9)
    engine.cancel("canceled late", at=10)
    engine.submit(limit("refused late", BUY, "90.001"), at=10)

    snapshot = engine.snapshot(at=20, since=10)

    names = [order.order.client_order_id for order in snapshot.orders]
    assert names == ["open", "canceled late", "refused late"]


def test_an_execution_counts_from_when_it_was_booked_and_not_from_what_it_is_dated_to() -> None:
    # It is dated to the open of its bar; at the snapshot in between nobody could know of it.
    engine = MatchingEngine()
    engine.submit(ioc(market("a", BUY)), at=0)
    between = engine.snapshot(at=MINUTE + 3, since=0)
    engine.on_bar(bar_of(0, FLAT))

    later = engine.snapshot(at=MINUTE + 9, since=MINUTE + 3)

    assert between.fills == ()
    assert [(fill.client_order_id, fill.at) for fill in later.fills] == [("a", 0)]
    assert [order.status for order in later.orders] == [OrderStatus.FILLED]


def test_an_order_is_found_by_its_name_with_its_executions_open_or_over() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.004")))
    order = market("a", BUY)
    engine.submit(order, at=5)

    accepted = engine.look_up("a", at=6)
    (report,) = engine.on_bar(bar_of(0, FLAT))
    engine.cancel("a", at=MINUTE)
    over = engine.look_up("a", at=MINUTE)

    assert isinstance(report, OrderFilled)
    assert accepted == OrderFound(
        client_order_id="a",
        found=venue_order(order, 1, OrderStatus.ACCEPTED, "0", at=5),
        fills=(),
    )
    assert over == OrderFound(
        client_order_id="a",
        found=venue_order(order, 1, OrderStatus.CANCELED, "4", at=MINUTE),
        fills=(report.fill,),
    )


def test_a_refused_order_is_found_with_the_reason_and_a_second_one_changes_nothing() -> None:
    engine = MatchingEngine()
    order = limit("a", BUY, "90.001")
    engine.submit(order, at=5)
    engine.submit(market("a", BUY), at=6)

    found = engine.look_up("a", at=7)

    assert isinstance(found, OrderFound)
    assert found.found.order == order
    assert found.found.status is OrderStatus.REJECTED
    assert found.found.reason.startswith("invalid limit_price 90.001")
    assert found.found.venue_order_id == ""


def test_what_never_came_is_not_found_and_a_name_that_cannot_be_is_not_kept() -> None:
    engine = MatchingEngine()
    engine.submit(market("", BUY), at=1)
    engine.submit(market("x" * 129, BUY), at=2)

    assert engine.look_up("a", at=3) == OrderNotFound(client_order_id="a")
    assert engine.snapshot(at=4, since=0).orders == ()


def test_an_account_with_something_in_it_that_nobody_can_value_has_no_equity() -> None:
    engine = MatchingEngine()
    engine.account.adjust("AAPL", Decimal(1))

    assert engine.snapshot(at=0, since=0).account.equity is None
