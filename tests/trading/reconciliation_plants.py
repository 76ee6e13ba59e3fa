"""Differences to plant into a world that agrees: each names what must be found, and where."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import product
from typing import NamedTuple, TypeAlias

from msgspec import structs

from hydra.trading.differences import DifferenceKind
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, OrderType, TimeInForce
from hydra.trading.venue_view import VenuePosition
from tests.trading.reconciliation_world import (
    EARLY,
    FILLED,
    LATE,
    NEWS,
    UNFILLED,
    Case,
    World,
    other,
)

Named: TypeAlias = tuple[DifferenceKind, str]

CLOSED = ("canceled unfilled", "expired unfilled", "rejected", "canceled", "expired", "replaced")
"""Lives that are over on record, though not all was executed."""
LISTED = (*NEWS, *UNFILLED, *FILLED)
ACKNOWLEDGED = ("accepted", "canceled unfilled", "expired unfilled", *FILLED)
"""Lives whose name at the venue is on record."""

NO_AMOUNTS = ("NaN", "sNaN", "Infinity", "-Infinity", "1E+40", "1E-99")


class Plant(NamedTuple):
    """`plant` changes the world in `place`, and gives what must be named there, and only that."""

    name: str
    place: str
    plant: Callable[[World], set[Named]]


def all_plants() -> Iterator[Plant]:
    yield from _in_the_account()
    yield from _in_orders_of_others()
    yield from _gone_from_the_venue()
    yield from _in_the_echo()
    yield from _in_what_the_venue_says()
    yield from _in_executions()
    yield from _in_positions()
    yield from _in_the_cash()


def _in_the_account() -> Iterator[Plant]:
    def of(name: str, kind: DifferenceKind, **changes: object) -> Plant:
        def plant(world: World) -> set[Named]:
            world.venue = structs.replace(world.venue, **changes)
            return {(kind, "account")}

        return Plant(f"account {name}", "account", plant)

    def without_a_name_at_first(world: World) -> set[Named]:
        world.account, world.venue = None, structs.replace(world.venue, account="")
        return {(DifferenceKind.ACCOUNT_MISMATCH, "account")}

    yield of("of somebody else", DifferenceKind.ACCOUNT_MISMATCH, account="PA0000000002")
    yield of("in other letters", DifferenceKind.ACCOUNT_MISMATCH, account="pa0000000001")
    yield of("without a name", DifferenceKind.ACCOUNT_MISMATCH, account="")
    yield Plant("account without a name, at first", "account", without_a_name_at_first)
    yield of("blocked", DifferenceKind.ACCOUNT_BLOCKED, blocked="trading_blocked")
    yield of("closed", DifferenceKind.ACCOUNT_BLOCKED, blocked="status ACCOUNT_CLOSED")


def _in_orders_of_others() -> Iterator[Plant]:
    def of(name: str, status: OrderStatus, kind: DifferenceKind, number: int) -> Plant:
        venue_name = f"stranger-{number}"

        def plant(world: World) -> set[Named]:
            world.others.append(other(venue_name, status, name))
            executed = structs.replace(world.other_fills[0], client_order_id=name)
            world.other_fills.append(executed)
            return {(kind, venue_name)}

        return Plant(f"{kind.value} {name!r} {status.value}", venue_name, plant)

    odd = ("accepted", "partially_filled", "unknown", "intended", "withheld", "absent", "attempted")
    over = ("filled", "canceled", "expired", "rejected", "replaced")
    names = ("", "by hand", "HY1-20240102-0123456789abcdef-e", "hy2-20240102-0123456789abcdef-e")
    for number, (name, status) in enumerate(product(names, odd)):
        yield of(name, OrderStatus(status), DifferenceKind.FOREIGN_ORDER, number)
    for number, status in enumerate((*odd, *over), start=100):
        name = f"hy1-20240101-{number:016x}-x"
        yield of(name, OrderStatus(status), DifferenceKind.UNRECORDED_ORDER, number)

    def twice(world: World) -> set[Named]:
        world.others.append(world.others[1])
        return {(DifferenceKind.IMPOSSIBLE_ORDER, "theirs-over")}

    def executed(world: World) -> set[Named]:
        name = "hy1-20240101-00000000000000ff-e"
        world.other_fills.append(structs.replace(world.other_fills[0], client_order_id=name))
        return {(DifferenceKind.UNRECORDED_ORDER, name)}

    yield Plant("an order of others that is over, listed twice", "theirs-over", twice)
    yield Plant("an execution of ours that neither side has an order for", "executed", executed)


def _of_order(
    name: str, life: str, kind: DifferenceKind, change: Callable[[Case], object]
) -> Plant:
    def plant(world: World) -> set[Named]:
        case = world.case(life)
        change(case)
        return {(kind, case.name)}

    return Plant(f"{kind.value} {name}: {life}", life, plant)


def _gone_from_the_venue() -> Iterator[Plant]:
    for life in ("accepted", "partially filled"):
        yield _of_order(
            "gone", life, DifferenceKind.MISSING_ORDER, lambda case: case.listings.clear()
        )


def _in_the_echo() -> Iterator[Plant]:
    def of(field: str, value: object, life: str) -> Plant:
        def alter(case: Case) -> None:
            order = case.listing.order
            case.list_as(order=structs.replace(order, **{field: _altered(order, field, value)}))

        return _of_order(f"{field} {value}", life, DifferenceKind.ORDER_CONTENT, alter)

    for life in LISTED:
        yield of("symbol", "TSLA", life)
        yield of("side", "the other", life)
        yield of("order_type", OrderType.STOP, life)
        yield of("time_in_force", TimeInForce.GTC, life)
        yield of("limit_price", "a little more", life)
        yield of("limit_price", None, life)
        yield of("limit_price", Decimal("NaN"), life)
        yield of("stop_price", Decimal(1), life)
        yield of("replaces", "hy1-20240102-00000000000000aa-e", life)
        if life != "filled":
            yield of("quantity", "a little more", life)
            yield of("quantity", Decimal("sNaN"), life)
    for life in ACKNOWLEDGED:
        yield of("client_order_id", "by another name", life)
        yield of("client_order_id", "hy1-20240102-00000000000000bb-e", life)


def _altered(order: Order, field: str, value: object) -> object:
    if value == "the other":
        return order.side.opposite
    if value == "a little more":
        return getattr(order, field) + Decimal("0.000000001")
    return value


def _in_what_the_venue_says() -> Iterator[Plant]:
    def of(name: str, life: str, change: Callable[[Case], object]) -> Plant:
        return _of_order(name, life, DifferenceKind.IMPOSSIBLE_ORDER, change)

    def listed_as(name: str, life: str, **changes: object) -> Plant:
        return of(name, life, lambda case: case.list_as(**changes))

    for life in LISTED:
        for status in ("intended", "attempted", "withheld", "unknown", "absent"):
            yield listed_as(f"said to be {status}", life, status=OrderStatus(status))
        for number in (*NO_AMOUNTS, "-1", "1000000"):
            yield listed_as(f"{number} filled", life, filled_quantity=Decimal(number))
        if life != "refused":
            yield of("twice", life, lambda case: case.listings.append(case.listing))
        yield of("under two names", life, _list_another)
        if life not in ("landed and rejected", "rejected", "refused"):
            yield listed_as("without the venue's name", life, venue_order_id="")
        yield of("withheld on record", life, lambda c: c.record_as(status=OrderStatus.WITHHELD))
        yield of("intended on record", life, lambda c: c.record_as(status=OrderStatus.INTENDED))
        yield of("no number on record", life, _record_no_number)
        yield listed_as("in words that we do not have", life, unread="type is pegged")
    for life in ACKNOWLEDGED:
        yield listed_as("under another name of the venue's", life, venue_order_id="venue-999")
    rejected = {"status": OrderStatus.REJECTED, "venue_order_id": "venue-999"}
    yield listed_as("rejected under another name", "accepted", **rejected)
    for life in CLOSED:
        for again in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
            yield listed_as(f"{again.value} again", life, status=again)
    for life in ("partially filled", "filled", "canceled unfilled", "expired unfilled"):
        yield listed_as("rejected after all", life, status=OrderStatus.REJECTED)
    for life in ("accepted", "partially filled", "landed", "canceled"):
        yield listed_as("filled, with less", life, status=OrderStatus.FILLED)
    for life in ("rejected", "refused"):
        yield listed_as("out of the market", life, status=OrderStatus.CANCELED, venue_order_id="v")


def _list_another(case: Case) -> None:
    case.listings.append(structs.replace(case.listing, venue_order_id="venue-888"))


def _record_no_number(case: Case) -> None:
    case.record_as(filled_quantity=Decimal("NaN"))


def _in_executions() -> Iterator[Plant]:
    def impossible(name: str, life: str, change: Callable[[Case], object]) -> Plant:
        return _of_order(name, life, DifferenceKind.IMPOSSIBLE_ORDER, change)

    def altered(name: str, life: str, field: str, value: object) -> Plant:
        def alter(case: Case) -> None:
            case.at_venue[0] = structs.replace(case.at_venue[0], **{field: value})

        return impossible(f"execution of {name}", life, alter)

    def incomplete(name: str, life: str, change: Callable[[Case], object]) -> Plant:
        return _of_order(name, life, DifferenceKind.FILLS_INCOMPLETE, change)

    for life in FILLED:
        yield altered("another price", life, "price", Decimal("1.01"))
        yield altered("another quantity", life, "quantity", Decimal("0.01"))
        yield altered("another symbol", life, "symbol", "TSLA")
        for number in (*NO_AMOUNTS, "0", "-1"):
            yield altered(f"{number}", life, "quantity", Decimal(number))
        for number in (*NO_AMOUNTS, "-1"):
            yield altered(f"{number} money", life, "price", Decimal(number))
        yield impossible("beyond the order", life, _overfill)
        yield impossible(
            "no number in an execution on record", life, _record_a_fill_without_a_number
        )
        yield incomplete("one listed twice", life, lambda c: c.at_venue.append(c.at_venue[0]))
        yield _lost_at_the_venue(life, whole=True)
        yield _lost_at_the_venue(life, whole=False)
    for life in ("partially filled", "canceled", "expired", "replaced"):
        yield incomplete("less filled", life, lambda case: _say_filled(case, "-0.000000001"))
        yield incomplete("more filled", life, lambda case: _say_filled(case, "0.000000001"))
    for life in ("landed", "accepted", "landed and canceled", "revived", "canceled unfilled"):
        yield incomplete("none listed", life, lambda case: _say_filled(case, "1"))
        yield incomplete("filled, none listed", life, _say_all_filled)
    for life in ("attempted", "unknown", "absent", "filled long ago"):
        yield incomplete("the order not listed", life, _execute)
    for life in ("accepted", "partially filled", "canceled unfilled"):
        yield _told_of_a_trade_before_the_venue_lists_any(life)


def _overfill(case: Case) -> None:
    case.at_venue.append(case.fill("e7", case.order.quantity, Decimal(1), LATE))


def _record_a_fill_without_a_number(case: Case) -> None:
    case.on_record.append(case.fill("e0", Decimal("NaN"), Decimal(1), EARLY))


def _say_filled(case: Case, more: str) -> None:
    case.list_as(filled_quantity=case.listing.filled_quantity + Decimal(more))


def _say_all_filled(case: Case) -> None:
    case.list_as(filled_quantity=case.order.quantity, status=OrderStatus.FILLED)


def _execute(case: Case) -> None:
    case.at_venue.append(case.fill("e1", case.order.quantity, Decimal(1), LATE))


def _lost_at_the_venue(life: str, *, whole: bool) -> Plant:
    """The venue took an execution back, or lists it under another order."""

    def plant(world: World) -> set[Named]:
        case = world.case(life)
        lost = case.at_venue.pop()
        _say_filled(case, f"-{lost.quantity}")
        if case.listing.status is OrderStatus.FILLED:
            case.list_as(status=OrderStatus.PARTIALLY_FILLED)
        if not whole:
            world.other_fills.append(structs.replace(lost, client_order_id="by hand-over"))
        return {(DifferenceKind.FILL_NOT_AT_VENUE, f"{case.name}/{lost.execution_id}")}

    return Plant(f"fill_not_at_venue {'lost' if whole else 'moved'}: {life}", life, plant)


def _told_of_a_trade_before_the_venue_lists_any(life: str) -> Plant:
    def plant(world: World) -> set[Named]:
        case = world.case(life)
        fill = case.fill("e8", Decimal("0.5"), Decimal(1), LATE)
        case.on_record.append(fill)
        return {(DifferenceKind.FILL_NOT_AT_VENUE, f"{case.name}/e8")}

    return Plant(f"fill_not_at_venue only told of: {life}", life, plant)


def _in_positions() -> Iterator[Plant]:
    def of(name: str, symbol: str, change: Callable[[World], object]) -> Plant:
        def plant(world: World) -> set[Named]:
            change(world)
            return {(DifferenceKind.POSITION, symbol)}

        return Plant(f"position {symbol} {name}", f"position {symbol}", plant)

    def more(symbol: str, quantity: str) -> Plant:
        def change(world: World) -> None:
            world.hold(symbol, world.holds(symbol) + Decimal(quantity))

        return of(f"by {quantity}", symbol, change)

    def exactly(symbol: str, quantity: str) -> Plant:
        return of(quantity, symbol, lambda world: world.hold(symbol, Decimal(quantity)))

    for symbol in ("AAPL", "MSFT", "BTCUSD", "GLD", "EMPTY"):
        for quantity in ("1", "-1", "0.000000001", "-1000000"):
            yield more(symbol, quantity)
        for quantity in NO_AMOUNTS:
            yield exactly(symbol, quantity)
        yield of("twice", symbol, _hold_twice(symbol))
    yield exactly("TSLA", "5")
    yield exactly("TSLA", "-0.01")
    yield exactly("", "1")
    yield of("that was excluded, gone", "GLD", lambda world: world.hold("GLD", None))
    yield of("no number on record", "MSFT", lambda w: w.ours.update(MSFT=Decimal("NaN")))
    yield of("no number excluded", "GLD", lambda w: w.excluded.update(GLD=Decimal("sNaN")))
    yield of("ours, and not theirs", "NOTHING", lambda w: w.ours.update(NOTHING=Decimal(3)))


def _hold_twice(symbol: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.held.append(VenuePosition(symbol=symbol, quantity=Decimal(0)))

    return change


def _in_the_cash() -> Iterator[Plant]:
    def of(name: str, change: Callable[[World], object]) -> Plant:
        def plant(world: World) -> set[Named]:
            change(world)
            return {(DifferenceKind.CASH, "cash")}

        return Plant(f"cash {name}", "cash", plant)

    for amount in ("0.01", "-0.01", "0.000000000000000001", "-10000", "1000000"):
        yield of(f"by {amount}", partial(_pay_in, Decimal(amount)))
    for number in NO_AMOUNTS:
        yield of(number, partial(_say_cash, Decimal(number)))
    yield of("no number at first", lambda world: setattr(world, "opening", Decimal("NaN")))
    yield of("no number on record", lambda world: setattr(world, "cash", Decimal("Infinity")))


def _pay_in(amount: Decimal, world: World) -> None:
    _say_cash(world.venue.cash + amount, world)


def _say_cash(cash: Decimal, world: World) -> None:
    world.venue = structs.replace(world.venue, cash=cash)


PLANTS = tuple(all_plants())
