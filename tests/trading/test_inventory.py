import decimal
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import total
from hydra.trading.inventory import BadFill, ClosedLot, FifoInventory, FillBook, Lot
from hydra.trading.orders import Fill, Side

D = Decimal
FLAT = FifoInventory("AAPL")

# Full precision: a quantity of nine places times a price of eight needs over 28 digits.
QUANTITIES = st.decimals(min_value="0.000000001", max_value="9999999", places=9)
PRICES = st.decimals(min_value="0.00000001", max_value="99999999", places=8)


def fill(number: int, side: Side, quantity: str | Decimal, price: str | Decimal) -> Fill:
    return Fill(
        execution_id=f"execution-{number}",
        client_order_id="hy1-20160415-0123456789abcdef-e",
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=number,
    )


BUY_10 = fill(1, Side.BUY, "10", "100")

FILLS = st.lists(st.tuples(st.sampled_from(Side), QUANTITIES, PRICES), max_size=12).map(
    lambda rows: [fill(number, *row) for number, row in enumerate(rows, start=1)]
)


def after(fills: Iterable[Fill]) -> tuple[FifoInventory, list[ClosedLot]]:
    inventory, closed = FLAT, list[ClosedLot]()
    for one in fills:
        inventory, closed_now = inventory.apply(one)
        closed += closed_now
    return inventory, closed


def realised(closed: Iterable[ClosedLot]) -> Decimal:
    return total(lot.realised for lot in closed)


def test_lots_close_in_the_order_in_which_they_were_opened() -> None:
    fills = [
        fill(1, Side.BUY, "10", "100"),
        fill(2, Side.BUY, "5", "110"),
        fill(3, Side.SELL, "12", "120"),
    ]

    inventory, closed = after(fills)

    assert closed == [
        ClosedLot(
            side=Side.BUY,
            quantity=D(10),
            entry_price=D(100),
            exit_price=D(120),
            opened_at=1,
            closed_at=3,
            entry_execution_id="execution-1",
            exit_execution_id="execution-3",
            realised=D(200),
        ),
        ClosedLot(
            side=Side.BUY,
            quantity=D(2),
            entry_price=D(110),
            exit_price=D(120),
            opened_at=2,
            closed_at=3,
            entry_execution_id="execution-2",
            exit_execution_id="execution-3",
            realised=D(20),
        ),
    ]
    assert inventory == FifoInventory(
        "AAPL",
        (Lot(side=Side.BUY, quantity=D(3), price=D(110), opened_at=2, execution_id="execution-2"),),
    )


def test_a_fill_through_zero_closes_everything_and_opens_the_rest_on_the_other_side() -> None:
    inventory, closed = after([BUY_10, fill(2, Side.SELL, "15", "90")])

    assert [(lot.side, lot.quantity, lot.realised) for lot in closed] == [
        (Side.BUY, D(10), D(-100))
    ]
    assert inventory == FifoInventory(
        "AAPL",
        (Lot(side=Side.SELL, quantity=D(5), price=D(90), opened_at=2, execution_id="execution-2"),),
    )


def test_a_short_position_earns_when_the_price_falls() -> None:
    inventory, closed = after(
        [fill(1, Side.SELL, "10", "100"), fill(2, Side.BUY, "4", "90")],
    )

    assert realised(closed) == D(40)
    assert closed[0].side is Side.SELL
    assert (inventory.position, inventory.cost_basis) == (D(-6), D(-600))
    assert (inventory.average_price, inventory.unrealised(D(95))) == (D(100), D(30))


def test_a_flat_inventory_has_no_average_price_and_nothing_to_gain() -> None:
    figures = (FLAT.position, FLAT.cost_basis, FLAT.average_price, FLAT.unrealised(D(123)))

    assert figures == (D(0), D(0), None, D(0))


def test_the_average_price_is_weighted_by_quantity() -> None:
    inventory, _ = after([fill(1, Side.BUY, "1", "100"), fill(2, Side.BUY, "3", "104")])

    assert inventory.average_price == D(103)


@given(fills=FILLS, price=PRICES)
def test_cash_and_the_worth_of_the_position_are_all_that_was_gained(
    fills: list[Fill], price: Decimal
) -> None:
    inventory, closed = after(fills)

    cash = sum(-one.side.sign * Fraction(one.quantity) * Fraction(one.price) for one in fills)
    worth = Fraction(inventory.position) * Fraction(price)
    gained = Fraction(realised(closed)) + Fraction(inventory.unrealised(price))
    assert cash + worth == gained


@given(fills=FILLS)
def test_the_position_is_the_sum_of_the_signed_fills(fills: list[Fill]) -> None:
    inventory, _ = after(fills)

    assert Fraction(inventory.position) == sum(
        one.side.sign * Fraction(one.quantity) for one in fills
    )


@given(fills=FILLS)
def test_open_lots_are_of_one_side_and_not_empty(fills: list[Fill]) -> None:
    inventory, closed = after(fills)

    assert len({lot.side for lot in inventory.lots}) <= 1
    assert all(lot.quantity > 0 for lot in inventory.lots)
    assert all(lot.quantity > 0 for lot in closed)


@given(fills=FILLS)
def test_what_was_opened_is_closed_or_open(fills: list[Fill]) -> None:
    inventory, closed = after(fills)

    for one in fills:
        as_entry = [lot.quantity for lot in closed if lot.entry_execution_id == one.execution_id]
        as_exit = [lot.quantity for lot in closed if lot.exit_execution_id == one.execution_id]
        still_open = [
            lot.quantity for lot in inventory.lots if lot.execution_id == one.execution_id
        ]
        assert total([*as_entry, *as_exit, *still_open]) == one.quantity


@given(fills=FILLS.filter(bool), data=st.data())
def test_a_fill_in_two_parts_at_one_price_gains_the_same(
    fills: list[Fill], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(fills) - 1))
    whole = fills[index]
    first = data.draw(st.decimals(min_value=0, max_value=whole.quantity, places=9))
    parts: list[Fill] = [
        msgspec.structs.replace(whole, execution_id=f"{whole.execution_id}{part}", quantity=size)
        for part, size in (("a", first), ("b", whole.quantity - first))
        if size > 0
    ]

    inventory, closed = after(fills)
    inventory_by_parts, closed_by_parts = after([*fills[:index], *parts, *fills[index + 1 :]])

    assert realised(closed_by_parts) == realised(closed)
    assert inventory_by_parts.position == inventory.position
    assert inventory_by_parts.cost_basis == inventory.cost_basis


@given(data=st.data(), fills=FILLS, price=PRICES)
def test_the_order_of_the_fills_changes_neither_the_position_nor_the_total_gain(
    data: st.DataObject, fills: list[Fill], price: Decimal
) -> None:
    shuffled = data.draw(st.permutations(fills))

    figures = [
        (inventory.position, total([realised(closed), inventory.unrealised(price)]))
        for inventory, closed in (after(fills), after(shuffled))
    ]

    assert figures[0] == figures[1]


@given(fills=FILLS)
def test_a_coarse_context_of_the_thread_loses_nothing(fills: list[Fill]) -> None:
    exactly = after(fills)

    with decimal.localcontext(decimal.Context(prec=3)):
        inventory, closed = after(fills)
        figures = (inventory.position, inventory.cost_basis, inventory.unrealised(D("1.23456789")))

    assert (inventory, closed) == exactly
    assert figures == (
        inventory.position,
        inventory.cost_basis,
        inventory.unrealised(D("1.23456789")),
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"symbol": "MSFT"}, "is in MSFT, this inventory is of AAPL"),
        ({"quantity": D(0)}, "has quantity 0, wanted a decimal above zero"),
        ({"quantity": D(-1)}, "has quantity -1, wanted a decimal above zero"),
        ({"quantity": D("NaN")}, "has quantity NaN, wanted a decimal above zero"),
        ({"quantity": D("sNaN")}, "has quantity sNaN, wanted a decimal above zero"),
        ({"quantity": D("Infinity")}, "has quantity Infinity, wanted a decimal above zero"),
        ({"quantity": 10.0}, "has quantity 10.0, wanted a decimal above zero"),
        ({"quantity": True}, "has quantity True, wanted a decimal above zero"),
        ({"price": D("-0.01")}, "has price -0.01, wanted a decimal of zero or more"),
        ({"price": D("NaN")}, "has price NaN, wanted a decimal of zero or more"),
        ({"price": 100.0}, "has price 100.0, wanted a decimal of zero or more"),
    ],
)
def test_what_cannot_be_true_is_not_booked(changed: dict[str, object], complaint: str) -> None:
    bad = msgspec.structs.replace(BUY_10, **changed)

    with pytest.raises(BadFill) as caught:
        FLAT.apply(bad)

    assert (
        str(caught.value) == f"execution execution-1 of order {BUY_10.client_order_id} {complaint}"
    )


def test_an_option_that_expires_worthless_is_closed_at_nothing() -> None:
    _, closed = after([BUY_10, fill(2, Side.SELL, "10", "0")])

    assert realised(closed) == D(-1000)


@given(fills=FILLS, data=st.data())
def test_an_execution_counts_once_however_often_it_is_told(
    fills: list[Fill], data: st.DataObject
) -> None:
    told: list[Fill] = []
    for one in fills:
        told.append(one)
        told += data.draw(st.lists(st.sampled_from(told), max_size=5))

    book = FillBook("AAPL")
    closed = [lot for one in told for lot in book.book(one)]

    assert (book.inventory, closed) == after(fills)
    assert book.realised == realised(closed)


def test_the_same_execution_id_in_another_order_is_another_execution() -> None:
    book = FillBook("AAPL")
    book.book(BUY_10)

    book.book(msgspec.structs.replace(BUY_10, client_order_id="another"))

    assert book.inventory.position == D(20)


def test_an_execution_that_comes_back_with_another_content_is_refused() -> None:
    book = FillBook("AAPL")
    book.book(BUY_10)

    with pytest.raises(BadFill) as caught:
        book.book(msgspec.structs.replace(BUY_10, price=D(101)))

    assert str(caught.value) == (
        f"execution execution-1 of order {BUY_10.client_order_id} was booked as "
        "buy 10 AAPL at 100 and came again as buy 10 AAPL at 101; reconcile"
    )
    assert book.inventory.cost_basis == D(1000)


def test_a_refused_fill_leaves_the_book_as_it_was_and_may_come_again_corrected() -> None:
    book = FillBook("AAPL")

    with pytest.raises(BadFill):
        book.book(msgspec.structs.replace(BUY_10, quantity=D("NaN")))
    book.book(BUY_10)

    assert (book.inventory, book.realised) == (FLAT.apply(BUY_10)[0], D(0))
