"""A new order in the place of an old one: at once, or the old one stays as it was."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order
from messages.orders import OrderAccepted
from messages.reconciliation import OrderFound
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms, plain
from tests.contracts.venues.scene import (
    BUY,
    EXIT,
    SELL,
    SHARE,
    order,
    pause_before,
    shown,
)


def test_the_new_order_works_in_the_place_of_the_old_one_i26(face: Face) -> None:
    old = face.take(order("old", BUY, "10", limit="90"))
    sent = order("new", BUY, "4", limit=shown(1).opens, replaces="old")

    new = face.take(sent)
    face.go_to(pause_before(2))

    face.until_story(new, "accepted", f"4 at {plain(shown(1).opens)}")
    ended = [f"replaced by {new}"] if face.traits.tells_replacements else []
    assert face.story(old) == ["accepted", *ended]
    found = face.look_up(old)
    assert isinstance(found, OrderFound)
    assert (found.found.status, found.found.replaced_by) == (OrderStatus.REPLACED, new)
    assert sent in [each.echo for each in face.of(OrderAccepted)]
    assert face.books().positions == {SHARE: Decimal(4)}
    assert not any(each.is_open for each in face.books().orders)


def test_a_protective_stop_is_moved_and_never_missing(face: Face) -> None:
    bought = face.take(order("in", BUY, "10"))
    face.go_to(pause_before(2))
    face.until(lambda: bool(face.fills(bought)), "the shares")
    old = face.take(order("old", SELL, "10", stop="95"), EXIT)

    new = face.take(order("new", SELL, "10", stop=shown(2).low, replaces="old"), EXIT)
    face.go_to(pause_before(3))

    face.until_story(new, "accepted", f"10 at {plain(shown(2).low)}")
    found = face.look_up(old)
    assert isinstance(found, OrderFound)
    assert found.found.status is OrderStatus.REPLACED
    assert face.books().positions == {}


@pytest.mark.parametrize(
    "changed",
    [
        order("new", BUY, "10", stop="120", replaces="old"),
        order("new", SELL, "10", limit="150", replaces="old"),
        order("new", BUY, "10", limit="90", replaces="old"),
        order("new", BUY, "100000", limit="90", replaces="old"),
        order("new", BUY, "10", limit="91", replaces="nobody"),
    ],
    ids=["another type", "another side", "no change", "no money", "nothing to replace"],
)
def test_what_cannot_take_its_place_leaves_the_old_order_as_it_was_i26(
    face: Face, changed: Order
) -> None:
    old = face.take(order("old", BUY, "10", limit="90"))
    before = face.books()

    new = face.take(changed)

    assert face.story(new) in (["rejected"], ["withheld"])
    assert face.story(old) == ["accepted"]
    assert face.books() == before


@pytest.mark.parametrize("end", ["filled", "canceled"])
def test_what_is_over_is_not_replaced(face: Face, end: str) -> None:
    limit = "90" if end == "canceled" else "120"
    old = face.take(order("old", BUY, "10", limit=limit))
    if end == "canceled":
        face.cancel(old)
    face.go_to(pause_before(2))
    face.until(lambda: len(face.story(old)) == 2, "its end")
    before = face.books()

    new = face.take(order("new", BUY, "10", limit="91", replaces="old"))
    face.go_to(pause_before(3))
    face.settle()

    assert face.story(new) in (["rejected"], ["withheld"])
    assert face.books() == before


def test_of_an_order_that_has_traded_no_more_than_was_meant_is_traded_i23_i26(
    make_face: MakeFace,
) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))
    old = face.take(order("old", BUY, "100", limit="120"))
    face.go_to(pause_before(2))
    face.until(lambda: bool(face.fills(old)), "a part")

    new = face.take(order("new", BUY, "10", limit="121", replaces="old"))
    face.go_to(pause_before(5))
    face.settle()

    if face.traits.replaces_what_has_traded:
        assert face.story(new) == ["accepted", f"10 at {plain(shown(2).opens)}"]
        assert face.books().positions == {SHARE: Decimal(50)}
    else:
        assert face.story(new) == ["withheld"]
        assert face.books().positions == {SHARE: Decimal(100)}
