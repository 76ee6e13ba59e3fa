"""What becomes of an order: taken or refused, executed, and told so, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from msgspec import structs

from hydra.trading.exact import multiply, subtract, total
from hydra.trading.orders import Fill, Order, Role, Side
from messages.orders import OrderAccepted, OrderRejected
from messages.reconciliation import OrderFound
from tests.contracts.venues.conftest import MakeFace
from tests.contracts.venues.face import Face, FaceTerms, plain
from tests.contracts.venues.scene import (
    BUY,
    COIN,
    DAY,
    ENTRY,
    EXIT,
    GTC,
    IOC,
    SELL,
    SHARE,
    Shown,
    order,
    pause_before,
    shown,
)

FIRST, SECOND = shown(1), shown(2)
CASH = FaceTerms().starting_cash


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and at what price and when it executes in the next bar; no price: not at all."""

    order: Order
    price: Decimal | None
    at: int

    @property
    def words(self) -> str:
        """For the name of the test."""
        sent = self.order
        price = "" if self.price is None else f" at {plain(self.price)}"
        return (
            f"{sent.side.value} {plain(sent.quantity)} {sent.symbol} {sent.order_type.value}"
            f" {sent.time_in_force.value}{price}"
        )


def cases() -> list[Case]:
    """Every type and time in force that the engine can mean, for shares, parts of them and coins.

    Purchases meet the first bar, sales the second.
    """
    return [*_shares(BUY, FIRST), *_shares(SELL, SECOND), *_coins(BUY, 1), *_coins(SELL, 2)]


def _shares(side: Side, bar: Shown) -> Iterator[Case]:
    worst, best = (bar.high, bar.low) if side is BUY else (bar.low, bar.high)
    inside, trigger = (bar.opens + best) / 2, (bar.opens + worst) / 2
    touched = (
        (None, None, bar.opens, bar.start_at),
        (worst + side.sign * 5, None, bar.opens, bar.start_at),
        (inside, None, inside, bar.end_at),
        (None, trigger, trigger, bar.end_at),
    )
    for limit, stop, price, at in touched:
        for time_in_force in (DAY, GTC, IOC) if stop is None else (DAY, GTC):
            misses = time_in_force is IOC and at == bar.end_at
            sent = order("it", side, limit=limit, stop=stop, time_in_force=time_in_force)
            yield Case(order=sent, price=None if misses else price, at=at)
        part = order("it", side, "0.123456789", limit=limit, stop=stop)
        yield Case(order=part, price=price, at=at)


def _coins(side: Side, number: int) -> Iterator[Case]:
    bar = shown(number, COIN)
    for limit in (None, bar.opens + side.sign * 5):
        for time_in_force in (GTC, IOC):
            sent = order(
                "it", side, "0.012345678", symbol=COIN, limit=limit, time_in_force=time_in_force
            )
            yield Case(order=sent, price=bar.opens, at=bar.start_at)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.words)
def test_each_order_is_taken_as_it_was_meant_and_executes_by_the_bar_i22_i23_i27(
    face: Face, case: Case
) -> None:
    sent = case.order
    if sent.side is SELL:
        hold(face, sent.symbol, "20" if sent.symbol == SHARE else "0.02")
    before = face.books()

    name = face.take(sent, ENTRY if sent.side is BUY else EXIT)
    face.go_to(pause_before(2 if sent.side is BUY else 3))

    if case.price is None:
        face.until_story(name, "accepted", "canceled")
        assert face.books().positions == before.positions
        assert face.books().cash == before.cash
        return
    face.until_story(name, "accepted", f"{plain(sent.quantity)} at {plain(case.price)}")
    (fill,) = face.fills(name)
    assert fill == Fill(
        execution_id=face.books().executions[-1],
        client_order_id=name,
        symbol=sent.symbol,
        side=sent.side,
        quantity=sent.quantity,
        price=case.price,
        at=case.at,
    )
    echoes = [each.echo for each in face.of(OrderAccepted) if each.client_order_id == name]
    assert {each for each in echoes if each is not None} == {sent}


def hold(face: Face, symbol: str, quantity: str) -> None:
    """Buy so much, and come to the pause before the second bar."""
    bought = face.take(order("held", BUY, quantity, symbol=symbol, time_in_force=GTC))
    face.go_to(pause_before(2))
    face.until(lambda: bool(face.fills(bought)), "what is to be sold")
    face.settle()


def test_money_and_shares_change_hands_exactly(face: Face) -> None:
    bought = face.take(order("in", BUY, "10.5"))
    face.go_to(pause_before(2))
    sold = face.take(order("out", SELL, "3.25"), EXIT)
    face.go_to(pause_before(3))
    face.until(lambda: bool(face.fills(sold)), "the sale")

    paid = multiply(Decimal("10.5"), FIRST.opens)
    got = multiply(Decimal("3.25"), SECOND.opens)
    assert face.books().positions == {SHARE: Decimal("7.25")}
    assert face.books().cash == subtract(CASH, paid) + got
    assert [each.quantity for each in (*face.fills(bought), *face.fills(sold))] == [
        Decimal("10.5"),
        Decimal("3.25"),
    ]


def test_of_coins_the_venue_keeps_its_fee_and_a_fill_is_told_without_it(face: Face) -> None:
    bought = face.take(order("in", BUY, "0.08", symbol=COIN, time_in_force=GTC))
    face.go_to(pause_before(2))
    sold = face.take(order("out", SELL, "0.04", symbol=COIN, time_in_force=GTC), EXIT)
    face.go_to(pause_before(3))
    face.until(lambda: bool(face.fills(sold)), "the sale")

    assert [each.quantity for each in (*face.fills(bought), *face.fills(sold))] == [
        Decimal("0.08"),
        Decimal("0.04"),
    ]
    assert face.books().positions == {COIN: Decimal("0.0398")}
    brought = multiply(Decimal("0.04"), shown(2, COIN).opens)
    paid = multiply(Decimal("0.08"), shown(1, COIN).opens)
    assert face.books().cash == CASH - paid + brought - multiply(brought, Decimal("0.0025"))


def test_partial_fills_have_ids_of_their_own_and_add_up_i23(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))

    name = face.take(order("large", BUY, "100"))
    face.go_to(pause_before(4))

    face.until_story(
        name,
        "accepted",
        f"40 at {plain(shown(1).opens)}",
        f"40 at {plain(shown(2).opens)}",
        f"20 at {plain(shown(3).opens)}",
    )
    fills = face.fills(name)
    assert len({each.execution_id for each in fills}) == 3
    assert total(each.quantity for each in fills) == Decimal(100)
    assert face.books().positions == {SHARE: Decimal(100)}
    (booked,) = face.books().orders
    assert (booked.filled, booked.is_open) == (Decimal(100), False)


def test_what_is_left_of_an_immediate_order_is_canceled_i23(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(max_participation=Decimal("0.1")))
    face.go_to(pause_before(1))

    name = face.take(order("large", BUY, "100", time_in_force=IOC))
    face.go_to(pause_before(3))

    face.until_story(name, "accepted", f"40 at {plain(FIRST.opens)}", "canceled")
    assert face.books().positions == {SHARE: Decimal(40)}


@pytest.mark.parametrize(
    ("sent", "role", "reason"),
    [
        (order("it", BUY, "100000", limit="100"), ENTRY, "insufficient buying power"),
        (order("it", SELL, "30"), EXIT, "insufficient qty available for order"),
        (order("it", SELL, "1"), EXIT, "insufficient qty available for order"),
        (order("it", SELL, "1", symbol=COIN, time_in_force=GTC), EXIT, "insufficient balance"),
        (order("it", BUY, "1"), ENTRY, "potential wash trade detected"),
    ],
    ids=["no money", "more than is held", "held for another", "no such coins", "our own order"],
)
def test_what_the_account_cannot_bear_is_refused_with_a_reason_i22(
    face: Face, sent: Order, role: Role, reason: str
) -> None:
    hold(face, SHARE, "20")
    if reason != "insufficient buying power":
        face.take(order("target", SELL, "20", limit="150"), EXIT)
    before = face.books()

    name = face.take(sent, role)
    face.go_to(pause_before(3))
    face.settle()

    (rejected,) = face.outcomes(name)
    assert isinstance(rejected, OrderRejected)
    assert reason in rejected.reason
    assert face.books() == before


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_short_sale_is_as_the_account_is(make_face: MakeFace, is_allowed: bool) -> None:
    face = make_face(FaceTerms(shorts_allowed=is_allowed))
    face.go_to(pause_before(1))

    name = face.take(order("short", SELL, "10"))
    face.go_to(pause_before(2))

    if not is_allowed:
        face.until_story(name, "rejected")
        assert face.books().positions == {}
        return
    face.until_story(name, "accepted", f"10 at {plain(FIRST.opens)}")
    assert face.books().positions == {SHARE: Decimal(-10)}
    assert [(each.symbol, each.quantity) for each in face.snapshot().positions] == [
        (SHARE, Decimal(-10))
    ]


def test_what_closes_a_position_never_passes_through_zero(make_face: MakeFace) -> None:
    face = make_face(FaceTerms(shorts_allowed=True))
    face.go_to(pause_before(1))
    hold(face, SHARE, "20")

    name = face.take(order("out", SELL, "21"), EXIT)
    face.go_to(pause_before(3))

    face.until_story(name, "rejected")
    assert face.books().positions == {SHARE: Decimal(20)}


@pytest.mark.parametrize("end", ["open", "filled"])
def test_the_same_name_twice_is_one_order_and_to_be_looked_up_i15_i18(face: Face, end: str) -> None:
    sent = order("once", BUY, "10", limit="120")
    name = face.take(sent)
    if end == "filled":
        face.go_to(pause_before(2))
        face.until(lambda: bool(face.fills(name)), "the fill")
    before = face.books()

    face.submit(structs.replace(sent, quantity=Decimal(11), limit_price=Decimal(80)))
    face.until(lambda: "unknown" in face.story(name), "that nothing is proven")
    face.settle()

    assert face.order_requests() == (name, name)
    assert face.books() == before
    assert "rejected" not in face.story(name)
    look = face.look_up(name)
    assert isinstance(look, OrderFound)
    assert look.found.order == sent


def test_orders_of_both_sides_are_told_of_each_by_its_own_name(face: Face) -> None:
    names = [
        face.take(order(f"number-{number}", BUY, str(number), limit=str(90 + number)))
        for number in range(1, 9)
    ]
    high = face.take(order("high", BUY, "1", limit="120"))
    face.go_to(pause_before(2))

    face.until_story(high, "accepted", f"1 at {plain(FIRST.opens)}")
    assert [face.story(name) for name in names] == [["accepted"]] * 8
    assert [each.name for each in face.books().orders if each.is_open] == names
    assert len({each.venue_order_id for each in face.of(OrderAccepted)}) == 9
