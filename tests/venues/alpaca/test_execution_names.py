"""An execution that the stream and the list of activities call differently counts once.

Whatever comes first, is told again, comes late or not at all. And where they call it the same none
is taken for another.
"""

import json
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.exact import total
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.reconciliation import RecordView
from hydra.trading.same_executions import in_our_names, without_surplus
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenueSnapshot
from hydra.venues.alpaca.execution_names import ExecutionNames, Part, Teller
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.snapshot import read_order
from hydra.venues.alpaca.trading_stream import TradingConversation
from messages.orders import OrderFilled
from tests.venues.alpaca.test_snapshot import Books
from tests.venues.alpaca.test_trading_stream import update

LIST, STREAM = Teller.LIST, Teller.STREAM
SECOND = 1_000_000_000
ORDER = Order(
    client_order_id="hy1-1",
    symbol="HYDR",
    side=Side.BUY,
    quantity=Decimal(100),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(41),
)


def part(cumulative: int, quantity: int, price: int = 41) -> Part:
    return Decimal(cumulative), Decimal(quantity), Decimal(price)


@pytest.mark.parametrize("first", list(Teller))
def test_what_both_tell_of_bears_the_name_that_came_first_i23(first: Teller) -> None:
    names = ExecutionNames()

    booked = [
        names.name_of(first, "o", "a1", part(3, 3)),
        names.name_of(first.other, "o", "b1", part(3, 3)),
        names.name_of(first.other, "o", "b2", part(5, 2)),
        names.name_of(first, "o", "a2", part(5, 2)),
        names.name_of(first, "o", "a1", part(3, 3)),
    ]

    assert booked == ["a1", "a1", "b2", "b2", "a1"]


@pytest.mark.parametrize(
    ("order", "name", "other"),
    [
        ("another", "b1", part(3, 3)),
        ("o", "b1", part(6, 3)),
        ("o", "b1", part(3, 2)),
        ("o", "b1", part(3, 3, price=42)),
        ("o", "b1", None),
    ],
)
def test_what_is_another_part_is_another_execution_i61(
    order: str, name: str, other: Part | None
) -> None:
    names = ExecutionNames()
    names.name_of(STREAM, "o", "a1", part(3, 3))

    assert names.name_of(LIST, order, name, other) == name


def test_two_of_one_teller_are_two_and_so_are_all_once_both_gave_one_name_i61() -> None:
    names = ExecutionNames()
    of_stream = [names.name_of(STREAM, "o", each, part(6, 3)) for each in ("a1", "a2")]
    names.name_of(LIST, "p", "shared", part(1, 1))
    names.name_of(STREAM, "p", "shared", part(1, 1))

    assert of_stream == ["a1", "a2"]
    assert names.name_of(LIST, "o", "b1", part(6, 3)) == "b1"


class Account:
    """One order's executions, what the engine has on record of them, and the way there."""

    def __init__(self, sizes: list[int], *, are_shared: bool) -> None:
        cumulative = accumulate(sizes)
        self.sizes = sizes
        self.parts = [part(sum_, size) for sum_, size in zip(cumulative, sizes, strict=True)]
        self.are_shared = are_shared
        self.names = ExecutionNames()
        self.record: dict[str, Fill] = {}

    def name(self, teller: Teller, number: int) -> str:
        return f"x{number}" if self.are_shared else f"{teller.value}{number}"

    def fill(self, teller: Teller, number: int) -> Fill:
        """As the adapter tells of it."""
        told = self.name(teller, number)
        return Fill(
            execution_id=self.names.name_of(teller, "o", told, self.parts[number]),
            client_order_id=ORDER.client_order_id,
            symbol=ORDER.symbol,
            side=ORDER.side,
            quantity=self.parts[number][1],
            price=self.parts[number][2],
            at=SECOND * (1_000 + number) + (teller is LIST),
        )

    def book(self, fill: Fill) -> None:
        """As the ledger does: once by its name."""
        self.record.setdefault(fill.execution_id, fill)

    def streamed(self, number: int) -> None:
        self.book(self.fill(STREAM, number))

    def looked_up(self) -> None:
        """A look for the order has all of its executions, or fails."""
        for number in range(len(self.sizes)):
            self.book(self.fill(LIST, number))

    def compared(self, listed: list[int], filled: Decimal | None = None) -> None:
        """A comparison, with lists that may lack what is new. `filled` None: all of it is."""
        filled = self.parts[-1][0] if filled is None else filled
        record = RecordView(
            account="PA1",
            opening_cash=Decimal(0),
            cash=Decimal(0),
            orders={
                ORDER.client_order_id: OrderState(order=ORDER, status=OrderStatus.PARTIALLY_FILLED)
            },
            fills=tuple(self.record.values()),
            positions={},
        )
        listing = VenueOrder(
            order=ORDER,
            venue_order_id="o",
            status=OrderStatus.PARTIALLY_FILLED,
            filled_quantity=filled,
        )
        snapshot = VenueSnapshot(
            at=SECOND * 2_000,
            since=0,
            account=VenueAccount(account="PA1", cash=Decimal(0), equity=None),
            positions=(),
            orders=(listing,),
            fills=tuple(self.fill(LIST, number) for number in listed),
        )
        renamed = in_our_names(record, snapshot)
        for fill in without_surplus(record, renamed).fills:
            self.book(fill)


SIZES = st.lists(st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=5)


@given(st.data(), SIZES, st.booleans())
def test_each_execution_counts_once_whatever_is_told_in_what_order_i23_i24(
    data: st.DataObject, sizes: list[int], are_shared: bool
) -> None:
    account, numbers = Account(sizes, are_shared=are_shared), range(len(sizes))
    filled = account.parts[-1][0]
    for _ in range(data.draw(st.integers(0, 12))):
        match data.draw(st.sampled_from(["stream", "stream", "list", "look"])):
            case "stream":
                account.streamed(data.draw(st.sampled_from(numbers)))
            case "list":
                account.compared(data.draw(st.lists(st.sampled_from(numbers), unique=True)))
            case _:
                account.looked_up()
        # NEVER TWICE: what is on record are different executions.
        assert total(each.quantity for each in account.record.values()) <= filled

    account.compared([*numbers])

    # AND NONE IS LOST.
    booked = sorted(each.quantity for each in account.record.values())
    assert booked == sorted(map(Decimal, sizes))


@given(st.data(), SIZES, st.booleans(), st.integers(0, 5))
def test_what_an_earlier_process_booked_counts_once_too_i23_i38(
    data: st.DataObject, sizes: list[int], are_shared: bool, before: int
) -> None:
    """The stream tells a new process nothing of before; its first comparison shows all of it.

    Where the names differ, and the record lacks an execution before one that it has, the two cannot
    be told apart for sure: then the record stays short of what is filled, which is a difference.
    """
    account, numbers = Account(sizes, are_shared=are_shared), range(len(sizes))
    for number in numbers[:before]:
        if data.draw(st.booleans()):
            account.streamed(number)
    account.names = ExecutionNames()
    done = numbers[: max(before, 1)]
    account.compared([*done], account.parts[done[-1]][0])
    for number in data.draw(st.permutations(numbers[before:])):
        account.streamed(number)

    account.compared([*numbers])

    booked = [each.quantity for each in account.record.values()]
    has_gap = not are_shared and total(booked) < account.parts[-1][0]
    assert has_gap or sorted(booked) == sorted(map(Decimal, sizes))


@pytest.mark.parametrize("is_streamed_first", [True, False])
def test_stream_and_list_of_one_account_share_what_they_know_i23(is_streamed_first: bool) -> None:
    names, books = ExecutionNames(), Books()
    order = books.add(1, status="partially_filled", filled_qty="5")
    books.execute(1, order.id, "5")
    books.executions[-1] = structs.replace(books.executions[-1], cum_qty=Decimal(5))
    listed = books.executions[-1]
    told = update(
        "partial_fill",
        "partially_filled",
        "5",
        execution_id="of the stream",
        price=f"{listed.price}",
        qty="5",
        client_order_id="hy1-1",
    )
    told["data"]["order"]["id"] = order.id
    talk = TradingConversation("KEY", "SECRET", names)

    def of_stream() -> list[str]:
        heard = talk.hear(json.dumps(told)).tell
        return [each.fill.execution_id for each in heard if isinstance(each, OrderFilled)]

    def of_list() -> list[str]:
        found = read_order(books, "hy1-1", KnownOrders(), names)
        assert found is not None
        return [each.execution_id for each in found[1]]

    first, then = (of_stream, of_list) if is_streamed_first else (of_list, of_stream)
    assert first() == then()
