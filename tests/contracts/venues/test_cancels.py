"""A cancel is a request: what came of it is what the order's own end says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.trading.order_life import OrderStatus
from messages.reconciliation import OrderFound, OrderNotFound
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms, plain
from tests.contracts.venues.scene import (
    BUY,
    COIN,
    GTC,
    SHARE,
    name_of,
    order,
    pause_before,
    shown,
)


@pytest.mark.parametrize("symbol", [SHARE, COIN])
def test_an_open_order_is_taken_out_and_trades_no_more_i25(face: Face, symbol: str) -> None:
    limit = shown(1, symbol).low
    name = face.take(order("open", BUY, "1", symbol=symbol, limit=limit, time_in_force=GTC))

    face.cancel(name)

    face.until_story(name, "accepted", "canceled")
    face.go_to(pause_before(3))
    face.settle()
    assert face.story(name) == ["accepted", "canceled"]
    assert face.books().positions == {}
    assert [each.is_open for each in face.books().orders] == [False]


def test_what_had_traded_before_stays_traded_i23_i25(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))
    name = face.take(order("large", BUY, "100"))
    face.go_to(pause_before(2))
    face.until(lambda: bool(face.fills(name)), "a part")

    face.cancel(name)

    part = f"40 at {plain(shown(1).opens)}"
    face.until_story(name, "accepted", part, "canceled")
    face.go_to(pause_before(3))
    face.settle()
    assert face.story(name) == ["accepted", part, "canceled"]
    assert face.books().positions == {SHARE: Decimal(40)}


def test_a_cancel_of_what_is_over_changes_nothing_i25(face: Face) -> None:
    name = face.take(order("over", BUY, "10"))
    face.go_to(pause_before(2))
    filled = f"10 at {plain(shown(1).opens)}"
    face.until_story(name, "accepted", filled)
    before = face.books()

    face.cancel(name)

    looks = [OrderStatus.FILLED] if face.traits.looks_when_a_cancel_is_refused else []
    face.until(lambda: len(face.looks(name)) == len(looks), "a look")
    face.settle()
    assert [each.found.status for each in face.of(OrderFound)] == looks
    assert face.story(name) == ["accepted", filled]
    assert face.books() == before


def test_a_cancel_of_what_was_never_there_changes_nothing_i25(face: Face) -> None:
    name = name_of("nobody")

    face.cancel(name)

    looks = [OrderNotFound(client_order_id=name)]
    looks = looks if face.traits.looks_when_a_cancel_is_refused else []
    face.until(lambda: len(face.looks(name)) == len(looks), "a look")
    face.settle()
    assert face.told == looks
    assert face.order_requests() == ()


def test_a_cancel_that_is_asked_for_twice_is_one_end_i24_i25(face: Face) -> None:
    name = face.take(order("open", BUY, "10", limit="90"))
    other = face.take(order("other", BUY, "10", limit="91"))

    face.cancel(name)
    face.cancel(name)

    face.until_story(name, "accepted", "canceled")
    assert face.story(other) == ["accepted"]
    assert [each.is_open for each in face.books().orders] == [False, True]
