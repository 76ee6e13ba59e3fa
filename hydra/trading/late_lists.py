"""Which differences a list of the venue's that is late explains.

What a venue tells at once, its lists may show some seconds later, and each by its own time. So what
was done a moment ago can look like a difference: an execution that is not listed yet, a position or
cash of before it, an order that is not there yet, or still is. A difference is *late* if it is
exactly what such a list would show, by what came on record within `SHOWN_WITHIN`, or by what the
venue itself says was filled within it and does not list yet. It is looked at again until that is
too old to explain it; until then nothing is entered where it lies. All else is a difference at
once.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import TypeAlias

import msgspec
from msgspec import structs

from hydra.trading.amounts import is_amount
from hydra.trading.differences import Difference, DifferenceKind, describe
from hydra.trading.durations import SECOND
from hydra.trading.exact import add, multiply, subtract, total, total_if_known
from hydra.trading.fees import USD, Fee
from hydra.trading.instruments import value_of
from hydra.trading.order_life import (
    Attempted,
    Canceled,
    Expired,
    OrderEvent,
    OrderStatus,
    Rejected,
    Replaced,
)
from hydra.trading.orders import Fill, Order, Side
from hydra.trading.reconciliation import RecordView
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from hydra.trading.venue_word import contradiction

SHOWN_WITHIN = 30 * SECOND
"""What the venue has done, all its lists show within this time."""

ZERO = Decimal(0)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What came on record of an order at this market time."""

    at: int
    client_order_id: str
    event: OrderEvent | Fee


class LateDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that a late list explains. Until it is gone, or too old, nothing is entered in
    this symbol; "": in none.
    """

    difference: Difference
    symbol: str


Sums: TypeAlias = frozenset[Decimal]
"""What can be missing: nothing, or what the last executions come to, however many of them."""


def late(
    record: RecordView,
    written: Iterable[Written],
    snapshot: VenueSnapshot,
    differences: Iterable[Difference],
) -> tuple[LateDifference, ...]:
    """Those that are late. `written`: in the order of recording; what is too old does not count."""
    recent = [each for each in written if each.at >= snapshot.at - SHOWN_WITHIN]
    lists = _LateLists(record, recent, snapshot)
    return tuple(
        LateDifference(difference=difference, symbol=_symbol_of(difference, record))
        for difference in differences
        if lists.explain(difference)
    )


def why_shut(differences: Iterable[LateDifference], symbol: str) -> str:
    """Why nothing is entered in the symbol while these are late; "" if it may be."""
    for each in differences:
        if each.symbol in ("", symbol):
            return f"record and venue may only differ for a moment: {describe(each.difference)}"
    return ""


class _LateLists:
    """What the lists would show if they did not have yet what is recent."""

    def __init__(
        self, record: RecordView, recent: Iterable[Written], snapshot: VenueSnapshot
    ) -> None:
        self._record = record
        self._snapshot = snapshot
        self._sent: set[str] = set()
        self._ended: set[str] = set()
        self._fills: list[Fill] = []
        self._fees: dict[tuple[str, str], Fee] = {}
        for each in recent:
            match each.event:
                case Attempted():
                    self._sent.add(each.client_order_id)
                case Fill() as fill:
                    self._fills.append(fill)
                case Fee() as fee:
                    self._fees[fee.client_order_id, fee.execution_id] = fee
                case Canceled() | Expired() | Rejected() | Replaced():
                    self._ended.add(each.client_order_id)
                case _:
                    pass
        self._fills.sort(key=lambda fill: fill.at)
        self._listings = _by_name(snapshot.orders)
        self._unlisted = dict(self._unlisted_fills())

    def explain(self, difference: Difference) -> bool:
        """Whether that is what one of them would show."""
        subject, amount = difference.subject, difference.amount
        match difference.kind:
            case DifferenceKind.MISSING_ORDER:
                return subject in self._sent
            case DifferenceKind.IMPOSSIBLE_ORDER:
                return self._was_open(subject)
            case DifferenceKind.FILL_NOT_AT_VENUE:
                keys = (f"{fill.client_order_id}/{fill.execution_id}" for fill in self._fills)
                return subject in keys
            case DifferenceKind.FILLS_INCOMPLETE:
                if amount is None:
                    return subject in self._sent and subject not in self._listings
                return self._are_incomplete_by(subject, amount)
            case DifferenceKind.POSITION:
                return amount is not None and self._is_held_less(subject, amount)
            case DifferenceKind.CASH:
                return amount is not None and self._is_paid_less(amount)
            case _:
                return False

    def _unlisted_fills(self) -> Iterable[tuple[str, tuple[Order, Decimal]]]:
        """What an order has filled lately by its own listing and neither side has executions of."""
        for name, listings in self._listings.items():
            state = self._record.orders.get(name)
            if state is None or len(listings) > 1:
                continue
            (listing,) = listings
            is_recent = abs(self._snapshot.at - listing.at) <= SHOWN_WITHIN
            filled, known = listing.filled_quantity, state.filled_quantity
            if is_recent and is_amount(filled) and is_amount(known) and filled > known:
                yield name, (state.order, subtract(filled, known))

    def _was_open(self, name: str) -> bool:
        """Whether all that is said of an order was true until it ended."""
        state, listings = self._record.orders.get(name), self._listings.get(name, [])
        if name not in self._ended or state is None or len(listings) != 1:
            return False
        (listing,) = listings
        before = OrderStatus.PARTIALLY_FILLED if state.filled_quantity else OrderStatus.ACCEPTED
        if not listing.status.is_open or listing.unread:
            return False
        counted = {
            fill.execution_id: fill for fill in self._record.fills if fill.client_order_id == name
        }
        executions = [fill for fill in self._snapshot.fills if fill.client_order_id == name]
        was = structs.replace(state, status=before, reason="")
        return contradiction(was, listing, executions, counted) is None

    def _are_incomplete_by(self, name: str, amount: Decimal) -> bool:
        """What is filled and what is executed are of two lists, of which either may be late."""
        listed = {
            fill.execution_id for fill in self._snapshot.fills if fill.client_order_id == name
        }
        own = [fill for fill in self._fills if fill.client_order_id == name]
        not_listed = [fill.quantity for fill in own if fill.execution_id not in listed]
        unlisted = self._unlisted[name][1] if name in self._unlisted else ZERO
        lacking = add(total(not_listed), unlisted)
        return subtract(lacking, amount) in _last(fill.quantity for fill in own)

    def _is_held_less(self, symbol: str, amount: Decimal) -> bool:
        back = _last(self._got(fill) for fill in self._fills if fill.symbol == symbol)
        unlisted = total(
            multiply(quantity, Decimal(order.side.sign))
            for order, quantity in self._unlisted.values()
            if order.symbol == symbol
        )
        return any(subtract(shown, amount) in back for shown in (ZERO, unlisted))

    def _is_paid_less(self, amount: Decimal) -> bool:
        back = _last(self._paid(fill) for fill in self._fills)
        if amount.copy_negate() in back:
            return True
        orders = tuple(self._unlisted.values())
        return bool(orders) and any(_may_bring(orders, add(amount, paid)) for paid in back)

    def _got(self, fill: Fill) -> Decimal:
        """What an execution and its fee add to the position."""
        got = multiply(fill.quantity, Decimal(fill.side.sign))
        fee = self._fees.get((fill.client_order_id, fill.execution_id))
        return got if fee is None or fee.asset == USD else subtract(got, fee.amount)

    def _paid(self, fill: Fill) -> Decimal:
        """What an execution and its fee add to the cash."""
        value = value_of(fill.symbol, fill.quantity, fill.price)
        paid = multiply(value, Decimal(-fill.side.sign))
        fee = self._fees.get((fill.client_order_id, fill.execution_id))
        return subtract(paid, fee.amount) if fee is not None and fee.asset == USD else paid


def _symbol_of(difference: Difference, record: RecordView) -> str:
    match difference.kind:
        case DifferenceKind.POSITION:
            return difference.subject
        case DifferenceKind.CASH:
            return ""
        case _:
            name = difference.subject.partition("/")[0]
            return record.orders[name].order.symbol


def _last(amounts: Iterable[Decimal]) -> Sums:
    """What the last of them come to, for each number of them; none: nothing."""
    return frozenset(accumulate(reversed(list(amounts)), add, initial=ZERO))


def _may_bring(orders: Iterable[tuple[Order, Decimal]], cash: Decimal) -> bool:
    """Whether so much of these orders can have brought this cash (below zero: cost it), by their
    sides and limits. At which price they were executed, nobody has said yet.
    """
    least: list[Decimal | None] = []
    are_buys = True
    for order, quantity in orders:
        is_buy = order.side is Side.BUY
        are_buys = are_buys and is_buy
        if order.limit_price is not None and is_amount(order.limit_price):
            worst = value_of(order.symbol, quantity, order.limit_price)
            least.append(worst.copy_negate() if is_buy else worst)
        else:
            least.append(None if is_buy else ZERO)
    bound = total_if_known(least)
    return (bound is None or bound <= cash) and not (are_buys and cash > 0)


def _by_name(orders: Iterable[VenueOrder]) -> Mapping[str, list[VenueOrder]]:
    by_name: dict[str, list[VenueOrder]] = {}
    for order in orders:
        by_name.setdefault(order.order.client_order_id, []).append(order)
    return by_name
