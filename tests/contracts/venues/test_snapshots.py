"""The whole account at one instant, consistent with itself and with all that was told."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from hydra.trading.durations import SECOND
from hydra.trading.exact import add, total
from hydra.trading.order_life import OrderStatus
from hydra.trading.venue_view import VenueSnapshot
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms
from tests.contracts.venues.scene import (
    BUY,
    COIN,
    GTC,
    SHARE,
    order,
    pause_before,
)


def test_an_account_in_which_nothing_happened_is_empty(face: Face) -> None:
    snapshot = face.snapshot()

    assert (snapshot.positions, snapshot.orders, snapshot.fills) == ((), (), ())
    assert snapshot.account.cash == snapshot.account.equity == FaceTerms().starting_cash
    assert snapshot.account.blocked == ""
    assert snapshot.at == pause_before(1)


def busy(make_face: MakeFace) -> tuple[Face, dict[str, OrderStatus]]:
    """An account with an order in each state that an order may come to, by its name."""
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))
    names = {
        face.take(order("filled", BUY, "30")): OrderStatus.FILLED,
        face.take(order("coins", BUY, "0.5", symbol=COIN, time_in_force=GTC)): OrderStatus.FILLED,
        face.take(order("canceled", BUY, "5", limit="80")): OrderStatus.CANCELED,
        face.take(order("old", BUY, "5", limit="81")): OrderStatus.REPLACED,
        face.take(order("open", BUY, "5", limit="82")): OrderStatus.ACCEPTED,
    }
    face.cancel("hy1-canceled")
    new = face.take(order("new", BUY, "6", limit="81", replaces="old"))
    face.go_to(pause_before(2))
    part = face.take(order("part", BUY, "60"))
    face.go_to(pause_before(3))
    face.until(lambda: bool(face.fills(part)), "a part")
    face.settle()
    return face, names | {
        new: OrderStatus.ACCEPTED,
        part: OrderStatus.PARTIALLY_FILLED,
    }


def test_it_has_every_order_execution_and_position_i61_i62(make_face: MakeFace) -> None:
    face, names = busy(make_face)

    snapshot = face.snapshot()

    books = face.books()
    assert {each.order.client_order_id: each.status for each in snapshot.orders} == names
    assert {each.execution_id for each in snapshot.fills} == set(books.executions)
    assert {each.symbol: each.quantity for each in snapshot.positions} == books.positions
    assert snapshot.account.cash == books.cash
    told = [each for name in names for each in face.fills(name)]
    assert set(snapshot.fills) == set(told)
    (replaced,) = [each for each in snapshot.orders if each.status is OrderStatus.REPLACED]
    (by,) = [each for each in snapshot.orders if each.order.replaces]
    assert (replaced.replaced_by, by.order.replaces) == ("hy1-new", "hy1-old")
    assert not any(each.unread for each in snapshot.orders)


def test_what_is_held_is_what_was_executed_less_what_the_venue_kept_i23(
    make_face: MakeFace,
) -> None:
    face, _ = busy(make_face)

    snapshot = face.snapshot()

    assert bought(snapshot) == {SHARE: Decimal(70), COIN: Decimal("0.5")}
    assert [(each.asset, each.symbol, each.amount) for each in snapshot.fees] == [
        (COIN, COIN, Decimal("0.00125"))
    ]
    assert {each.symbol: each.quantity for each in snapshot.positions} == {
        SHARE: Decimal(70),
        COIN: Decimal("0.49875"),
    }
    for each in snapshot.orders:
        assert each.filled_quantity == executed(snapshot, each.order.client_order_id)


def test_what_was_over_long_before_may_be_missing_and_nothing_else_is_i62(
    make_face: MakeFace,
) -> None:
    face, names = busy(make_face)

    snapshot = face.snapshot(since=pause_before(2) - SECOND)

    found = {each.order.client_order_id: each.status for each in snapshot.orders}
    assert found.items() <= names.items()
    assert found.items() >= {name: each for name, each in names.items() if each.is_open}.items()
    assert {each.client_order_id for each in snapshot.fills} >= {"hy1-part"}
    assert {each.symbol: each.quantity for each in snapshot.positions} == face.books().positions


def test_an_order_of_long_ago_that_ends_now_is_there_i62(face: Face) -> None:
    canceled = face.take(order("canceled", BUY, "5", limit="80", time_in_force=GTC))
    filled = face.take(order("filled", BUY, "5", stop="101.05", time_in_force=GTC))
    face.snapshot()  # as the engine does at its start
    face.go_to(pause_before(8))
    since = pause_before(8) - SECOND

    face.cancel(canceled)
    face.until_story(canceled, "accepted", "canceled")
    face.go_to(pause_before(11))
    face.until(lambda: bool(face.fills(filled)), "the other")

    snapshot = face.snapshot(since=since)
    assert {each.order.client_order_id: each.status for each in snapshot.orders} == {
        canceled: OrderStatus.CANCELED,
        filled: OrderStatus.FILLED,
    }
    assert list(snapshot.fills) == face.fills(filled)


@pytest.mark.parametrize("passage", range(12))
def test_one_that_is_taken_while_an_order_trades_is_of_one_instant_i61(
    face: Face, passage: int
) -> None:
    name = face.take(order("in", BUY, "10"))
    first = face.gate.tries

    def trade(number: int) -> None:
        if number == first + passage:  # between two of the reads that a snapshot may be made of
            face.go_to(pause_before(2))

    face.gate.before_passing = trade
    snapshot = face.snapshot()

    (found,) = snapshot.orders
    assert found.filled_quantity in (Decimal(0), Decimal(10))
    assert found.filled_quantity == executed(snapshot, name)
    assert {each.symbol: each.quantity for each in snapshot.positions} == bought(snapshot)


def bought(snapshot: VenueSnapshot) -> dict[str, Decimal]:
    """What all executions come to, by symbol."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in snapshot.fills:
        sums[each.symbol] = add(sums[each.symbol], each.side.sign * each.quantity)
    return {symbol: quantity for symbol, quantity in sums.items() if quantity}


def executed(snapshot: VenueSnapshot, name: str) -> Decimal:
    """What was executed of one order."""
    return total(each.quantity for each in snapshot.fills if each.client_order_id == name)
