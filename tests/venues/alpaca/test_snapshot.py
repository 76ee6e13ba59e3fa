"""The account put together from many pages that are read while it lives (I60, I62)."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import pytest

from hydra.trading.durations import SECOND
from hydra.trading.exact import total
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Side
from hydra.trading.venue_view import VenuePosition, VenueSnapshot
from hydra.venues.alpaca.coin_names import CoinNames
from hydra.venues.alpaca.execution_names import ExecutionNames
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.payloads import (
    AccountPayload,
    AssetPayload,
    FeePayload,
    FillPayload,
    OrderPayload,
    PositionPayload,
)
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.snapshot import read_order, read_snapshot
from hydra.venues.alpaca.times import (
    nanoseconds,
    rfc3339,
)
from hydra.venues.alpaca.wire import OPEN
from tests.venues.alpaca.samples import (
    account_json,
    fill_json,
    order_json,
    position_json,
)

BEGINNING = nanoseconds("2026-11-23T14:30:00Z")


def typed(kind: Any, row: dict[str, Any]) -> Any:
    return msgspec.convert(row, kind, strict=False)


class Books:
    """A broker's books behind `Reads`, with pages as long as it likes."""

    def __init__(self, page: int = 500) -> None:
        self.page = page
        self.rows: list[OrderPayload] = []
        self.executions: list[FillPayload] = []
        self.charges: list[FeePayload] = []
        self.held: list[PositionPayload] = []
        self.coin_list: list[AssetPayload] = []
        self.asked: list[str] = []
        self.before_answering: Callable[[str], None] = lambda _: None

    def add(self, number: int, **changes: Any) -> OrderPayload:
        """An order submitted so many seconds after the beginning."""
        at = rfc3339(BEGINNING + number * SECOND)
        name = {"id": f"id-{number}", "client_order_id": f"hy1-{number}"}
        times = {"submitted_at": at, "created_at": at, "updated_at": at}
        row: OrderPayload = typed(OrderPayload, order_json(**{**name, **times, **changes}))
        self.rows.append(row)
        return row

    def execute(self, number: int, order_id: str, quantity: str = "5") -> None:
        at = rfc3339(BEGINNING + number * SECOND)
        row = fill_json(
            id=f"2026::exec-{number}", order_id=order_id, qty=quantity, transaction_time=at
        )
        self.executions.append(typed(FillPayload, row))

    def hold(self, **changes: Any) -> None:
        self.held.append(typed(PositionPayload, position_json(**changes)))

    def account(self) -> AccountPayload:
        self._note("account")
        row: AccountPayload = typed(AccountPayload, account_json())
        return row

    def positions(self) -> list[PositionPayload]:
        self._note("positions")
        # Made anew each time, as of another body: what is the same object is equal unseen.
        return [typed(PositionPayload, msgspec.to_builtins(each)) for each in self.held]

    def orders(
        self, *, status: str, nested: bool, after: int | None, until: int | None
    ) -> list[OrderPayload]:
        self._note(f"{status} nested" if nested else status)
        listed = [
            msgspec.structs.replace(row)  # as it is now, whatever becomes of it
            for row in self.rows
            if (row.status in OPEN) is (status == "open")
            and (after is None or submitted(row) > after)
            and (until is None or submitted(row) < until)
        ]
        return sorted(listed, key=submitted, reverse=True)[: self.page]

    def fills(
        self, *, after: int | None, order_id: str | None, page_token: str | None
    ) -> list[FillPayload]:
        self._note("fills")
        listed = [
            row
            for row in reversed(self.executions)
            if (after is None or nanoseconds(row.transaction_time) > after)
            and order_id in (None, row.order_id)
        ]
        ids = [row.id for row in listed]
        start = 0 if page_token is None else ids.index(page_token) + 1
        return listed[start : start + min(self.page, 100)]

    def fees(self, *, after: int | None, page_token: str | None) -> list[FeePayload]:
        self._note("fees")
        ids = [row.id for row in self.charges]
        start = 0 if page_token is None else ids.index(page_token) + 1
        return self.charges[start : start + min(self.page, 100)]

    def order(self, order_id: str) -> OrderPayload | None:
        self._note(f"order {order_id}")
        return next((row for row in self.rows if row.id == order_id), None)

    def order_by_name(self, client_order_id: str) -> OrderPayload | None:
        self._note(f"order named {client_order_id}")
        named = (row for row in self.rows if row.client_order_id == client_order_id)
        return next(named, None)

    def coins(self) -> list[AssetPayload]:
        self._note("coins")
        return self.coin_list

    def _note(self, what: str) -> None:
        self.before_answering(what)
        self.asked.append(what)


def submitted(row: OrderPayload) -> int:
    return _at(row.submitted_at or "")


_at = cache(nanoseconds)


def snapshot_of(books: Books, since: int = 0, known: KnownOrders | None = None) -> VenueSnapshot:
    return read_snapshot(
        books,
        since,
        market_time=lambda: BEGINNING,
        known=known or KnownOrders(),
        names=ExecutionNames(),
        coins=CoinNames(),
        trades_crypto=False,
    )


def names(snapshot: VenueSnapshot) -> list[str]:
    return sorted(order.order.client_order_id for order in snapshot.orders)


def test_an_account_is_read_whole() -> None:
    books = Books()
    books.add(1, status="partially_filled", filled_qty="5")
    books.add(2, status="canceled")
    books.execute(3, "id-1")
    books.hold()

    snapshot = snapshot_of(books)

    assert (snapshot.at, snapshot.since) == (BEGINNING, 0)
    assert (snapshot.account.account, snapshot.account.cash) == (
        "PA3HYDRA0001",
        Decimal("61874.33"),
    )
    assert snapshot.positions == (VenuePosition(symbol="HYDR", quantity=Decimal(5)),)
    assert {order.venue_order_id: order.status for order in snapshot.orders} == {
        "id-1": OrderStatus.PARTIALLY_FILLED,
        "id-2": OrderStatus.CANCELED,
    }
    assert snapshot.fills == (
        Fill(
            execution_id="exec-3",
            client_order_id="hy1-1",
            symbol="HYDR",
            side=Side.BUY,
            quantity=Decimal(5),
            price=Decimal("41.262"),
            at=BEGINNING + 3 * SECOND,
        ),
    )
    assert books.asked == [
        "positions",
        "account",
        *["open nested", "open nested", "open", "open", "closed", "closed"],
        *["fills", "fills", "fees", "positions"],
    ]


@pytest.mark.parametrize("page", [50, 500])
def test_all_pages_are_read_however_short_the_broker_makes_them_i62(page: int) -> None:
    books = Books(page)
    for number in range(1_700):
        books.add(number // 3, id=f"id-{number}", client_order_id=f"hy1-{number}")
    for number in range(1_700, 2_000):
        order = books.add(number, status="filled", filled_qty="12")
        books.execute(number, order.id, "12")

    snapshot = snapshot_of(books)

    assert names(snapshot) == sorted(f"hy1-{number}" for number in range(2_000))
    assert len(snapshot.fills) == 300


def crowded(apart: int) -> Books:
    """An older order, and 130 within one second, so many nanoseconds apart; pages are of 50."""
    books = Crowded(page=50)
    books.add(-60)
    for number in range(130):
        at = rfc3339(BEGINNING + number * apart)
        books.add(number, submitted_at=at, created_at=at)
    return books


class Crowded(Books):
    """Cuts instants as finely as it is told."""

    cut_to = 1

    def orders(
        self, *, status: str, nested: bool, after: int | None, until: int | None
    ) -> list[OrderPayload]:
        cut = None if until is None else until // self.cut_to * self.cut_to
        return super().orders(status=status, nested=nested, after=after, until=cut)


@pytest.mark.parametrize("apart", [1, 1_000_000, 7_000_000])
def test_orders_of_one_second_that_fill_more_than_a_page_are_all_read_i62(apart: int) -> None:
    assert len(snapshot_of(crowded(apart)).orders) == 131


@pytest.mark.parametrize(
    ("apart", "cut_to", "why"),
    [
        (1_000_000, SECOND, "orders of one second fill a page"),
        (1_000, 1_000_000, "orders of one second fill a page"),
        (0, 1, "orders of one instant fill a page"),
    ],
)
def test_orders_that_no_page_can_reach_are_a_failure_i62(
    apart: int, cut_to: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Crowded, "cut_to", cut_to)

    with pytest.raises(ReadFailed, match=why):
        snapshot_of(crowded(apart))


@pytest.mark.parametrize("failing", [1, 3, 7, 12])
def test_a_page_that_fails_fails_the_whole_i62(failing: int) -> None:
    books = Books(page=2)
    for number in range(8):
        books.add(number)
    requests = iter(range(1_000))

    def fail(_: str) -> None:
        if next(requests) == failing:
            raise ReadFailed("GET somewhere: the broker answered 500")

    books.before_answering = fail

    with pytest.raises(ReadFailed, match="the broker answered 500"):
        snapshot_of(books)


class Repeating(Books):
    """Gives the first page whatever is asked for."""

    def orders(
        self, *, status: str, nested: bool, after: int | None, until: int | None
    ) -> list[OrderPayload]:
        return super().orders(status=status, nested=nested, after=after, until=None)


class RepeatingFills(Books):
    """Gives the first page of executions whatever is asked for."""

    def fills(
        self, *, after: int | None, order_id: str | None, page_token: str | None
    ) -> list[FillPayload]:
        return super().fills(after=after, order_id=order_id, page_token=None)


@pytest.mark.parametrize("books", [Repeating(page=2), RepeatingFills(page=2)])
def test_a_page_that_is_repeated_is_a_failure_and_no_end_i62(books: Books) -> None:
    for number in range(5):
        books.add(number, status="filled", filled_qty="5")
        books.execute(number, f"id-{number}")

    with pytest.raises(ReadFailed, match=r"belong on an earlier one|is on two pages"):
        snapshot_of(books)


def test_legs_are_orders_of_their_own() -> None:
    books = Books()
    leg = order_json(id="leg", client_order_id="a1", status="held")
    books.add(1, order_class="bracket", legs=[leg])

    snapshot = snapshot_of(books)

    assert names(snapshot) == ["a1", "hy1-1"]
    assert [order.unread for order in snapshot.orders] == ["class is bracket", ""]


def test_an_old_order_that_ended_or_traded_since_is_found_all_the_same() -> None:
    books, known = Books(), KnownOrders()
    ended, traded, quiet = books.add(1), books.add(2), books.add(3)
    snapshot_of(books, known=known)
    since = BEGINNING + 1_000 * SECOND
    ended.status = "canceled"
    traded.status, traded.filled_qty = "filled", Decimal(12)
    books.execute(1_001, traded.id, "12")

    snapshot = snapshot_of(books, since, known)

    assert {order.order.client_order_id: order.status for order in snapshot.orders} == {
        "hy1-1": OrderStatus.CANCELED,
        "hy1-2": OrderStatus.FILLED,
        quiet.client_order_id: OrderStatus.ACCEPTED,
    }
    assert [fill.client_order_id for fill in snapshot.fills] == ["hy1-2"]


def test_an_old_order_that_was_never_seen_is_found_by_its_execution() -> None:
    books = Books()
    order = books.add(1, status="filled", filled_qty="12")
    books.execute(1_001, order.id, "12")

    snapshot = snapshot_of(books, since=BEGINNING + 1_000 * SECOND)

    assert names(snapshot) == ["hy1-1"]
    assert [fill.client_order_id for fill in snapshot.fills] == ["hy1-1"]


def test_an_order_that_is_gone_from_the_broker_is_not_in_it_and_is_not_asked_for_again() -> None:
    books, known = Books(), KnownOrders()
    books.add(1)
    snapshot_of(books, known=known)
    books.rows.clear()

    assert snapshot_of(books, known=known).orders == ()
    books.asked.clear()
    assert snapshot_of(books, known=known).orders == ()
    assert "order id-1" not in books.asked


def test_replacements_name_each_other_as_we_do_also_where_one_is_not_listed() -> None:
    books = Books()
    books.add(1, status="replaced", replaced_by="id-2")
    books.add(2_000, id="id-2", client_order_id="hy1-2", replaces="id-1")

    snapshot = snapshot_of(books, since=BEGINNING + 1_000 * SECOND)

    (new,) = snapshot.orders
    assert (new.order.client_order_id, new.order.replaces, new.unread) == ("hy1-2", "hy1-1", "")


def test_what_trades_while_the_account_is_read_makes_it_be_read_again() -> None:
    books = Books()
    order = books.add(1)
    books.hold(qty="1")

    def trade_once(what: str) -> None:
        if what == "fills" and not books.executions:
            order.status, order.filled_qty = "filled", Decimal(12)
            books.execute(2, order.id, "12")
            books.held[:] = []
            books.hold(qty="13")

    books.before_answering = trade_once

    snapshot = snapshot_of(books)

    assert snapshot.positions == (VenuePosition(symbol="HYDR", quantity=Decimal(13)),)
    assert [order.status for order in snapshot.orders] == [OrderStatus.FILLED]
    assert books.asked.count("positions") == 4


def test_what_trades_while_the_account_is_read_is_known_by_its_executions_i60() -> None:
    books = Books()
    order = books.add(1, status="partially_filled", filled_qty="5", qty="1000")
    books.execute(3, order.id)
    books.hold(qty="5")

    def one_share_more(what: str) -> None:
        if what == "account":
            (held,) = books.held
            now_held = held.qty + 1
            order.filled_qty = now_held
            books.held[0] = msgspec.structs.replace(held, qty=now_held)
            books.execute(100, order.id, "1")

    books.before_answering = one_share_more

    snapshot = snapshot_of(books)

    assert snapshot.positions == (VenuePosition(symbol="HYDR", quantity=Decimal(6)),)
    assert sorted(fill.quantity for fill in snapshot.fills) == [Decimal(1), Decimal(5)]
    assert books.asked.count("positions") == 2


def test_where_it_trades_on_and_on_the_orders_may_be_of_a_moment_before_i60() -> None:
    books = Books()
    order = books.add(1, status="partially_filled", filled_qty="5", qty="1000")
    books.execute(3, order.id)
    books.hold(qty="5")

    def one_share_more(what: str) -> None:
        if what == "fills" and what not in books.asked[-1:]:
            (held,) = books.held
            now_held = held.qty + 1
            order.filled_qty = now_held
            books.held[0] = msgspec.structs.replace(held, qty=now_held)
            books.execute(100 + int(now_held), order.id, "1")

    books.before_answering = one_share_more

    snapshot = snapshot_of(books)

    (listed,) = snapshot.orders
    executed = total(fill.quantity for fill in snapshot.fills)
    assert snapshot.positions == (VenuePosition(symbol="HYDR", quantity=executed),)
    assert listed.filled_quantity == executed - 1
    assert books.asked.count("positions") == 6


def test_positions_that_no_execution_has_changed_are_read_again_i60() -> None:
    books = Books()
    order = books.add(1, status="filled", filled_qty="5")
    books.execute(3, order.id)
    books.hold(qty="5")

    def given_away(what: str) -> None:
        if what == "account":
            books.held[0] = msgspec.structs.replace(books.held[0], qty=Decimal(3))

    books.before_answering = given_away

    assert snapshot_of(books).positions == (VenuePosition(symbol="HYDR", quantity=Decimal(3)),)
    assert books.asked.count("positions") == 4


def test_an_account_that_does_not_hold_still_is_given_up_after_three_tries() -> None:
    books = Books()

    def trade(what: str) -> None:
        if what == "positions":
            books.hold(asset_id=f"asset-{len(books.asked)}")

    books.before_answering = trade

    with pytest.raises(ReadFailed, match="positions changed while they were read, 3 times in a"):
        snapshot_of(books)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_coin_is_spelled_as_in_orders_if_the_broker_lists_it(is_listed: bool) -> None:
    books = Books()
    books.hold(asset_id="coin", symbol="BTCUSD", asset_class="crypto")
    if is_listed:
        books.coin_list = [AssetPayload(id="coin", symbol="BTC/USD")]

    (position,) = snapshot_of(books).positions

    assert position.symbol == ("BTC/USD" if is_listed else "BTCUSD")


def test_a_position_that_is_listed_twice_fails_the_whole_i62() -> None:
    books = Books()
    books.hold()
    books.hold()

    with pytest.raises(ReadFailed, match="a position is listed twice"):
        snapshot_of(books)


@pytest.mark.parametrize("quantity", ["sNaN", "NaN", "Infinity", "1E+40"])
def test_a_position_of_no_amount_fails_the_whole_i62(quantity: str) -> None:
    books = Books()
    books.hold(qty=quantity)

    with pytest.raises(ReadFailed, match=r"qty is .*, which is no amount"):
        snapshot_of(books)


def test_an_execution_without_an_order_fails_the_whole() -> None:
    books = Books()
    books.execute(1, "id-nobody")

    with pytest.raises(ReadFailed, match="is of an order that is not there"):
        snapshot_of(books)


def test_an_order_is_looked_up_with_its_own_executions() -> None:
    books = Books(page=2)
    order = books.add(1, status="partially_filled", filled_qty="8")
    books.add(2, status="filled", filled_qty="12")
    for number, quantity in enumerate(("1", "3", "4"), start=3):
        books.execute(number, order.id, quantity)
    books.execute(9, "id-2", "12")

    found = read_order(books, "hy1-1", KnownOrders(), ExecutionNames())

    assert found is not None
    assert found[0].filled_quantity == Decimal(8)
    assert [fill.quantity for fill in found[1]] == [Decimal(4), Decimal(3), Decimal(1)]
    assert read_order(books, "hy1-other", KnownOrders(), ExecutionNames()) is None


def test_an_order_whose_executions_are_not_all_listed_yet_is_not_told_of() -> None:
    books = Books()
    order = books.add(1, status="filled", filled_qty="12")
    books.execute(2, order.id, "5")

    with pytest.raises(ReadFailed, match="hy1-1 is there, but not all of its executions are"):
        read_order(books, "hy1-1", KnownOrders(), ExecutionNames())


def test_a_row_that_cannot_be_read_fails_the_whole() -> None:
    books = Books()
    books.add(1).filled_qty = Decimal("NaN")

    with pytest.raises(ReadFailed, match="filled_qty is NaN, which is no amount"):
        snapshot_of(books)
