"""What fees do to lots, to holdings and to what was made: all of it adds up to the account's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.budgets import Budgets, DayGrants
from hydra.trading.exact import add, multiply, subtract
from hydra.trading.exposure import Holding
from hydra.trading.fees import ALPACA_FEES, Fee, expected_fee
from hydra.trading.inventory import FifoInventory, FillBook, Lot
from hydra.trading.orders import Fill, Side

BTC = "BTC/USD"


def fill(number: int, side: Side, quantity: str | Decimal, price: str | Decimal = "100") -> Fill:
    return Fill(
        execution_id=f"x-{number}",
        client_order_id=f"o-{number}",
        symbol=BTC,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=number,
    )


def fee_of(execution: Fill) -> Fee:
    fee = expected_fee(execution, "coins", ALPACA_FEES)
    assert fee is not None
    return fee


def two_lots() -> FifoInventory:
    inventory, _ = FifoInventory(BTC).apply(fill(1, Side.BUY, "2", "100"))
    return inventory.apply(fill(2, Side.BUY, "1", "110"))[0]


def test_a_fee_is_taken_from_the_newest_lots_at_what_they_cost() -> None:
    inventory, made = two_lots().charged(Decimal("1.5"), 9, "fee")

    assert [(lot.quantity, lot.price) for lot in inventory.lots] == [(Decimal("1.5"), Decimal(100))]
    assert made == Decimal(-160)


def test_what_is_given_back_undoes_it() -> None:
    before = two_lots()
    charged, paid = before.charged(Decimal("0.5"), 9, "fee")

    again, back = charged.credited(Decimal("0.5"), 9, "fee")

    assert (again, add(paid, back)) == (before, Decimal(0))


def test_more_than_is_held_is_owed() -> None:
    inventory, made = two_lots().charged(Decimal(4), 9, "fee")

    owed = Lot(
        side=Side.SELL, quantity=Decimal(1), price=Decimal(0), opened_at=9, execution_id="fee"
    )
    assert inventory.lots == (owed,)
    assert made == Decimal(-310)


def test_what_comes_back_to_nobody_was_got_for_nothing() -> None:
    inventory, made = FifoInventory(BTC).credited(Decimal(1), 9, "fee")

    assert (inventory.position, inventory.cost_basis, made) == (
        Decimal(1),
        Decimal(0),
        Decimal(0),
    )


quantities = st.decimals("0.001", "10", places=9)
prices = st.decimals("1", "100000", places=2)


@given(st.lists(st.tuples(st.sampled_from(Side), quantities, prices), max_size=8), prices)
def test_realised_and_unrealised_are_what_money_and_position_come_to_with_every_fee_i23(
    trades: list[tuple[Side, Decimal, Decimal]], mark: Decimal
) -> None:
    """Of any trades; what is sold beyond the position is short, as everywhere else."""
    book = FillBook(BTC)
    cash = position = Decimal(0)
    for number, (side, quantity, price) in enumerate(trades):
        execution = fill(number, side, quantity, price)
        fee = fee_of(execution)
        book.book(execution, fee)
        signed = multiply(quantity, Decimal(side.sign))
        cash, position = subtract(cash, multiply(signed, price)), add(position, signed)
        if side is Side.BUY:
            position = subtract(position, fee.amount)
        else:
            cash = subtract(cash, fee.amount)

    assert book.inventory.position == position
    worth = add(cash, multiply(position, mark))
    assert add(book.realised, book.inventory.unrealised(mark)) == worth


def test_an_execution_that_is_told_again_costs_nothing_again_i23() -> None:
    book, execution = FillBook(BTC), fill(1, Side.BUY, "1")
    book.book(execution, fee_of(execution))
    once = (book.inventory, book.realised)

    book.book(execution, fee_of(execution))

    assert (book.inventory, book.realised) == once


@pytest.mark.parametrize(
    ("kept", "stops"),
    [("0.5", (Decimal(90), Decimal(99))), ("1", (Decimal(90),)), ("2.5", (Decimal(90),))],
)
def test_a_lot_that_is_left_keeps_its_stop(kept: str, stops: tuple[Decimal, ...]) -> None:
    held = Holding(two_lots(), Decimal(3), (Decimal(90), Decimal(99)))
    fee = structs.replace(fee_of(fill(2, Side.BUY, "1")), amount=Decimal(kept))

    after, _ = held.after_fee(fee)

    assert (after.position, after.stops) == (3 - Decimal(kept), stops)
    assert len(after.stops) == len(after.inventory.lots)


def test_what_is_owed_has_no_stop() -> None:
    fee = structs.replace(fee_of(fill(2, Side.BUY, "1")), amount=Decimal(4))

    after, _ = Holding(two_lots(), Decimal(3), (Decimal(90), Decimal(99))).after_fee(fee)

    assert (after.position, after.stops) == (Decimal(-1), (None,))


def test_fees_are_lost_from_the_days_budget() -> None:
    granted = DayGrants(
        grants={"coins": Decimal(10)}, shares={"c": Decimal(10)}, bucket_of={"coins": "c"}
    )
    budgets = Budgets(Decimal(10), granted, {})

    budgets.made("coins", Decimal("-0.25"))

    left = budgets.view("coins", {})
    assert (left.bot_left, left.bucket_left, left.day_left) == (Decimal("9.75"),) * 3
