"""What the close of the exchange does to orders, and the next open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order
from messages.reconciliation import OrderFound
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms, plain
from tests.contracts.venues.scene import (
    BARS_AT,
    BUY,
    CLOSE,
    COIN,
    GTC,
    NEXT_OPEN,
    SHARE,
    order,
    pause_before,
    shown,
)

NEXT_DAY = len(BARS_AT) - 2
"""The number of the next day's first bar."""
LAST = NEXT_DAY - 1


@pytest.mark.parametrize(
    "sent",
    [order("day", BUY, "10", limit="80"), order("day", BUY, "0.5", stop="120")],
    ids=["limit", "stop for a part of a share"],
)
def test_a_day_order_expires_at_the_close(face: Face, sent: Order) -> None:
    name = face.take(sent)
    face.go_to(CLOSE - SECOND)
    face.settle()
    before = face.story(name)

    face.go_to(CLOSE + MINUTE)

    face.until_story(name, "accepted", "expired")
    assert before == ["accepted"]
    look = face.look_up(name)
    assert isinstance(look, OrderFound)
    assert look.found.status is OrderStatus.EXPIRED
    assert face.books().positions == {}


def test_what_expired_keeps_what_it_had_traded_i23(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(LAST))

    name = face.take(order("large", BUY, "100"))
    face.go_to(CLOSE + MINUTE)

    face.until_story(name, "accepted", f"40 at {plain(shown(LAST).opens)}", "expired")
    assert face.books().positions == {SHARE: Decimal(40)}


def test_an_order_until_canceled_goes_on_the_next_day(face: Face) -> None:
    stop = shown(NEXT_DAY).high
    name = face.take(order("long", BUY, "10", stop=stop, time_in_force=GTC))
    coins = face.take(order("coins", BUY, "1", symbol=COIN, limit="40000", time_in_force=GTC))
    face.go_to(CLOSE + MINUTE)
    face.settle()
    overnight = face.story(name), face.story(coins)

    face.go_to(NEXT_OPEN + 90 * SECOND)

    face.until_story(name, "accepted", f"10 at {plain(stop)}")
    assert overnight == (["accepted"], ["accepted"])
    assert face.story(coins) == ["accepted"]


def test_what_is_sent_after_the_close_is_for_the_next_day(face: Face) -> None:
    face.go_to(CLOSE + MINUTE)
    name = face.take(order("early", BUY, "10"))
    overnight = face.story(name)

    face.go_to(NEXT_OPEN + 90 * SECOND)

    face.until_story(name, "accepted", f"10 at {plain(shown(NEXT_DAY).opens)}")
    assert overnight == ["accepted"]
