"""A look for one order by its name: what is found is all there is, and of nothing there is none."""

from __future__ import annotations

from decimal import Decimal

from hydra.trading.order_life import OrderStatus
from messages.reconciliation import OrderFound, OrderNotFound
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms
from tests.contracts.venues.scene import (
    BUY,
    COIN,
    EXIT,
    GTC,
    SELL,
    name_of,
    order,
    pause_before,
)


def test_an_order_is_found_as_it_is_with_all_its_executions_i19(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))
    sent = order("large", BUY, "100")
    name = face.take(sent)
    found = []
    for number in range(2, 6):
        look = face.look_up(name)
        assert isinstance(look, OrderFound)
        found.append((look.found.status, look.found.filled_quantity, len(look.fills)))
        face.go_to(pause_before(number))

    assert found == [
        (OrderStatus.ACCEPTED, Decimal(0), 0),
        (OrderStatus.PARTIALLY_FILLED, Decimal(40), 1),
        (OrderStatus.PARTIALLY_FILLED, Decimal(80), 2),
        (OrderStatus.FILLED, Decimal(100), 3),
    ]
    face.until(lambda: len(face.fills(name)) == 3, "all of it")
    look = face.look_up(name)
    assert isinstance(look, OrderFound)
    assert look.found.order == sent
    assert sorted(look.fills, key=lambda each: each.at) == face.fills(name)


def test_coins_are_found_under_the_name_they_were_ordered_by(face: Face) -> None:
    sent = order("coins", BUY, "0.0123", symbol=COIN, time_in_force=GTC)
    name = face.take(sent)
    face.go_to(pause_before(2))

    look = face.look_up(name)

    assert isinstance(look, OrderFound)
    assert (look.found.order, look.found.status) == (sent, OrderStatus.FILLED)
    assert [(each.symbol, each.quantity) for each in look.fills] == [(COIN, Decimal("0.0123"))]


def test_a_canceled_order_is_found_canceled_i25(face: Face) -> None:
    name = face.take(order("open", BUY, "10", limit="90"))
    face.cancel(name)
    face.until_story(name, "accepted", "canceled")

    look = face.look_up(name)

    assert isinstance(look, OrderFound)
    assert (look.found.status, look.fills) == (OrderStatus.CANCELED, ())


def test_what_never_came_is_not_found_i19(face: Face) -> None:
    name = name_of("nobody")

    assert face.look_up(name) == OrderNotFound(client_order_id=name)
    assert face.order_requests() == ()


def test_what_was_refused_is_not_found_alive_i19(face: Face) -> None:
    name = face.take(order("refused", SELL, "10"), EXIT)
    assert face.story(name) == ["rejected"]

    look = face.look_up(name)

    assert isinstance(look, OrderNotFound) or look.found.status is OrderStatus.REJECTED
