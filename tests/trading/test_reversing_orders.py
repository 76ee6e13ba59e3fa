"""Which orders close more than the venue holds."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.exposure import Holding
from hydra.trading.inventory import FifoInventory
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.reversing_orders import reversing
from hydra.trading.risk_book import RiskBook
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from hydra.trading.working_orders import WorkingOrder

SELL, BUY = Side.SELL, Side.BUY
PRICES = {OrderType.STOP: (None, Decimal(97)), OrderType.LIMIT: (Decimal(103), None)}


def stop(name: str, side: Side, quantity: str, **changes: object) -> WorkingOrder:
    """A protective order that rests; `changes` are of its order, or its `role`."""
    role, symbol = changes.pop("role", Role.PROTECT), changes.get("symbol", "AAPL")
    kind = changes.pop("order_type", OrderType.STOP)
    assert isinstance(role, Role) and isinstance(symbol, str) and isinstance(kind, OrderType)
    limit, stop_price = PRICES.get(kind, (None, None))
    order = Order(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        order_type=kind,
        time_in_force=TimeInForce.GTC,
        limit_price=limit,
        stop_price=stop_price,
    )
    return WorkingOrder(
        decision=DecisionKey("a", symbol, "2016-04-15", len(name), role),
        state=OrderState(order=order, status=OrderStatus.ACCEPTED, venue_order_id=f"v-{name}"),
        reference_price=Decimal(100),
    )


def holding(symbol: str, quantity: Decimal) -> Holding:
    fill = Fill(
        execution_id="e1",
        client_order_id="",
        symbol=symbol,
        side=BUY if quantity > 0 else SELL,
        quantity=abs(quantity),
        price=Decimal(100),
        at=1,
    )
    held, _ = Holding(FifoInventory(symbol)).after(fill, None)
    return held


def named(
    at_venue: str | None,
    orders: list[WorkingOrder],
    record: Mapping[str, str] | None = None,
    *,
    excluded: str = "0",
    symbol: str = "AAPL",
    filled: str = "0",
) -> list[str]:
    """What is named where the venue lists all of the orders, and bots hold this on record."""
    book = RiskBook(Decimal(1))
    held = {(bot, symbol): holding(symbol, Decimal(q)) for bot, q in (record or {}).items()}
    book.recover(held, orders, {symbol: Decimal(excluded)})
    return list(reversing(shown(at_venue, orders, symbol, filled), book))


def shown(
    at_venue: str | None, orders: list[WorkingOrder], symbol: str = "AAPL", filled: str = "0"
) -> VenueSnapshot:
    position = VenuePosition(symbol=symbol, quantity=Decimal(at_venue or 0))
    return VenueSnapshot(
        at=2,
        since=0,
        account=VenueAccount(account="A", cash=Decimal(0), equity=None),
        positions=() if at_venue is None else (position,),
        orders=tuple(
            VenueOrder(
                order=each.order,
                venue_order_id=f"v-{each.order.client_order_id}",
                status=OrderStatus.ACCEPTED,
                filled_quantity=Decimal(filled),
            )
            for each in orders
        ),
        fills=(),
    )


@pytest.mark.parametrize(
    ("at_venue", "record", "is_named"),
    [
        ("9", {"a": "9"}, False),
        (None, {"a": "9"}, True),  # all of it was taken back
        (None, {}, True),
        ("5", {"a": "9"}, True),  # a part was: it would sell four that are not there
        ("-2", {"a": "9"}, True),
        ("9", {}, False),  # adopted, and its position is assigned to nobody yet
        ("4", {"a": "9", "b": "-5"}, False),  # of both sides the venue has the difference
        ("-5", {"a": "9", "b": "-5"}, True),
        ("NaN", {"a": "9"}, False),
    ],
)
def test_a_stop_is_named_as_soon_as_it_sells_what_the_venue_does_not_hold_i11_i30(
    at_venue: str | None, record: Mapping[str, str], is_named: bool
) -> None:
    assert named(at_venue, [stop("s", SELL, "9")], record) == ["s"] * is_named


def test_what_somebody_else_is_short_of_is_not_at_our_cost_i11_i29() -> None:
    assert named("6", [stop("s", SELL, "9")], {"a": "9"}, excluded="-3") == []
    assert named("6", [stop("s", SELL, "9")], {"a": "9"}, excluded="0") == ["s"]


@pytest.mark.parametrize(
    ("at_venue", "record", "is_named"),
    [
        ("-9", {"a": "-9"}, False),
        (None, {"a": "-9"}, True),
        ("9", {"a": "9"}, True),  # it would enlarge it
        ("-4", {"a": "5", "b": "-9"}, False),
        ("5", {"a": "5", "b": "-9"}, True),
    ],
)
def test_of_a_short_position_it_is_what_buys_i11_i30(
    at_venue: str | None, record: Mapping[str, str], is_named: bool
) -> None:
    assert named(at_venue, [stop("b", BUY, "9")], record) == ["b"] * is_named


@pytest.mark.parametrize(
    ("at_venue", "out"),
    [("9", []), ("8", ["new"]), ("5", ["new"]), ("4", ["old"]), ("3", ["old", "new"])],
)
def test_as_much_of_the_protection_stays_as_there_is_to_protect_the_oldest_first_i11_i30(
    at_venue: str, out: list[str]
) -> None:
    orders = [stop("old", SELL, "5"), stop("new", SELL, "4")]

    assert named(at_venue, orders, {"a": "9"}) == out


def test_what_only_closes_goes_before_what_protects_i11_i30() -> None:
    target = stop("t", SELL, "9", role=Role.EXIT, order_type=OrderType.LIMIT)

    assert named("9", [target, stop("s", SELL, "9")], {"a": "9"}) == ["t"]


def test_what_trades_at_once_takes_its_part_and_is_not_named_i25_i30() -> None:
    exit_now = stop("x", SELL, "9", role=Role.EXIT, order_type=OrderType.MARKET)

    assert named("9", [stop("s", SELL, "9"), exit_now], {"a": "9"}) == ["s"]
    assert named(None, [exit_now], {"a": "9"}) == []


def test_entries_are_none_of_them_i10() -> None:
    entry = stop("e", BUY, "9", role=Role.ENTRY, order_type=OrderType.LIMIT)

    assert named("9", [entry], {"a": "9"}) == []


def test_what_the_venue_says_is_filled_of_it_it_does_not_sell_again_i25() -> None:
    """Its execution is not on record yet, or never will be."""
    assert named("5", [stop("s", SELL, "9")], {"a": "9"}, filled="4") == []


def test_what_the_venue_does_not_list_as_open_is_not_named_i25() -> None:
    orders = [stop("s", SELL, "9")]
    book = RiskBook(Decimal(1))
    book.recover({}, orders, {})
    listed = shown(None, orders)
    over = structs.replace(listed.orders[0], status=OrderStatus.FILLED)

    assert list(reversing(structs.replace(listed, orders=()), book)) == []
    assert list(reversing(structs.replace(listed, orders=(over,)), book)) == []


def test_a_position_that_is_shown_twice_is_not_clear_i62() -> None:
    orders = [stop("s", SELL, "9")]
    book = RiskBook(Decimal(1))
    book.recover({}, orders, {})
    once = shown("1", orders)

    assert list(reversing(once, book)) == ["s"]
    assert list(reversing(structs.replace(once, positions=once.positions * 2), book)) == []


def test_of_a_coin_no_order_is_named_which_the_venue_sells_only_as_far_as_it_is_held_i11() -> None:
    """What is kept of it as a fee makes it less than was bought, before that is on record."""
    sale = stop("c", SELL, "1", symbol="BTC/USD", role=Role.EXIT, order_type=OrderType.LIMIT)

    assert named("0.9975", [sale], {"a": "1"}, symbol="BTC/USD") == []
