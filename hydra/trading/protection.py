"""Which open orders and guards protect a position now, and until when.

An order protects if it bounds the loss or ends it: a stop order that waits in the market, or a
market order that is on its way. A limit order is no protection: where the price runs away from it,
it stays where it is. What cannot be read, is not in the market, or is of before a split protects
nothing: it must be proven that a position is protected, not that it is not (I30).

A guard is a rule that lives in the engine. It protects while it looks, and sees fresh prices.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.exact import subtract
from hydra.trading.exposure import is_price
from hydra.trading.hit_stops import HitStop
from hydra.trading.instruments import Instrument, instrument
from hydra.trading.option_expiry import last_exit
from hydra.trading.option_symbols import parsed
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import OrderType, Side, TimeInForce
from hydra.trading.sessions import SessionTable
from hydra.trading.venue_clock import seen_at
from hydra.trading.venue_view import VenueOrder

ZERO = Decimal(0)


class ProtectionTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What protection is held to. Durations are ns, and over zero.

    `splits` are the instants (UTC ns) from which a symbol, or an option's underlying, has new
    prices and quantities: a level that was set before one means nothing after it.
    """

    sessions: SessionTable
    snapshot_age_ns_max: int
    """An older picture of the account proves nothing."""
    guard_age_ns_max: int
    """A guard must have looked since."""
    price_age_ns_max: int
    """At a price that is no older than this."""
    expiring_ns: int
    """Protection that ends within this time has to be renewed."""
    splits: Mapping[str, tuple[int, ...]] = {}

    def __post_init__(self) -> None:
        for name in ("snapshot_age_ns_max", "guard_age_ns_max", "price_age_ns_max", "expiring_ns"):
            value = getattr(self, name)
            if not (type(value) is int and value > 0):
                raise ValueError(f"{name}: found {value}, wanted a whole number above 0")


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """An engine-side rule that closes so much of a bot's position when it has to be closed.

    `name` tells it from others of the bot in the symbol. `quantity` is signed as the position is.
    All times are market time (UTC ns). `looked_at` is when the rule was last asked, not before the
    end of the bar that it was asked about; `price_at` of when the price was. None: never.
    """

    name: str
    bot: str
    symbol: str
    quantity: Decimal
    since: int
    """When its levels were set."""
    until: int
    """It protects until then, and no longer."""
    looked_at: int | None
    price_at: int | None
    stop_price: Decimal | None = None
    """Where it closes a long position before the stop of the bot's settings would: what trails, or
    what was asked for with the position. None: there is no such price.
    """
    hit: HitStop | None = None
    """A stop of it was hit, so that it is closed wherever the price is by now; None: none was."""


class OrderGroups(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says of orders that belong together, by its own names of them.

    `of`: the orders of one group trade at most once (the two legs of an OCO). `waiting`: legs that
    are held until their entry is filled completely; until then they protect nothing.
    """

    of: Mapping[str, str] = {}
    waiting: frozenset[str] = frozenset()


class Fault(Enum):
    """Why something that is there does not protect. The value is for people."""

    UNREADABLE = "it cannot be read whole"
    NOT_LIVE = "it is not in the market"
    OVER = "its time is over"
    OF_BEFORE_SPLIT = "it is of before a split"
    STALE = "it has not looked at a fresh price lately"


class Term(msgspec.Struct, frozen=True):
    """How long something protects: until `until` (None: no end is known), or why it does not."""

    until: int | None = None
    fault: Fault | None = None

    def holds_at(self, at: int) -> bool:
        """Whether it protects at this instant, not before the one that it was made for."""
        return self.fault is None and (self.until is None or at < self.until)


def bounds_loss(order: VenueOrder) -> bool:
    """Whether an order of this kind protects at all, provided that it lives."""
    content = order.order
    if content.order_type is OrderType.STOP:
        return (
            content.time_in_force is not TimeInForce.IOC
            and content.stop_price is not None
            and is_price(content.stop_price)
        )
    return content.order_type is OrderType.MARKET


def is_open(order: VenueOrder) -> bool:
    """Whether it may trade yet. An order that is over with its status unread counts as open."""
    return order.status.is_open


def remaining(order: VenueOrder, by_name: Mapping[str, VenueOrder]) -> Decimal:
    """What it may still close at least; zero if its numbers are none.

    A replacement's quantity is that of the whole chain at the broker (PROTOCOL 7.6), so what the
    orders before it traded is taken off.
    """
    left = order.order.quantity
    for each in (order, *_replaced_by(order, by_name)):
        if not (is_amount(left) and is_amount(each.filled_quantity) and each.filled_quantity >= 0):
            return ZERO
        left = subtract(left, each.filled_quantity)
    return max(left, ZERO)


def chain_of(order: VenueOrder, by_name: Mapping[str, VenueOrder]) -> str:
    """What all orders that took the place of one another have in common."""
    earlier = _replaced_by(order, by_name)
    return (earlier[-1] if earlier else order).venue_order_id


def order_term(order: VenueOrder, terms: ProtectionTerms, at: int) -> Term:
    """How long an open order protects, as it was seen at market time `at` or before."""
    if order.unread or not _numbers_are_some(order):
        return Term(fault=Fault.UNREADABLE)
    if order.status not in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
        return Term(fault=Fault.NOT_LIVE)
    kind = instrument(order.order.symbol)
    if kind is None:
        return Term(fault=Fault.UNREADABLE)
    if order.is_waiting and not _waits_for_opening(kind, terms.sessions, at):
        return Term(fault=Fault.NOT_LIVE)
    ends: list[int] = []
    if order.order.time_in_force is TimeInForce.DAY:
        close = _day_order_ends(kind, order.at, terms.sessions)
        if close is None:
            return Term(fault=Fault.OVER)
        ends.append(close)
    return _ending(order.order.symbol, order.at, ends, terms, at)


def guard_term(guard: Guard, terms: ProtectionTerms, at: int) -> Term:
    """How long a guard protects, by what is known of it at `at`."""
    if not is_amount(guard.quantity):
        return Term(fault=Fault.UNREADABLE)
    looked = _is_recent(guard.looked_at, at, terms.guard_age_ns_max)
    if not (looked and _is_recent(guard.price_at, at, terms.price_age_ns_max)):
        return Term(fault=Fault.STALE)
    return _ending(guard.symbol, guard.since, [guard.until], terms, at)


def closing_side(position: Decimal) -> Side:
    """The side that takes off a position that is not zero."""
    return Side.SELL if position > 0 else Side.BUY


def _ending(symbol: str, since: int, ends: list[int], terms: ProtectionTerms, at: int) -> Term:
    option = parsed(symbol)
    splits = terms.splits.get(symbol if option is None else option.root, ())
    if any(since < split <= at for split in splits):
        return Term(fault=Fault.OF_BEFORE_SPLIT)
    ends.extend(split for split in splits if split > at)
    if instrument(symbol) is Instrument.OPTION:
        last = None if option is None else last_exit(option.expiration, terms.sessions)
        if last is None:  # when it expires is not known
            return Term(fault=Fault.UNREADABLE)
        ends.append(last)
    until = min(ends, default=None)
    return Term(until=until) if until is None or at < until else Term(fault=Fault.OVER)


def _waits_for_opening(kind: Instrument, sessions: SessionTable, at: int) -> bool:
    """Out of hours every order does; in hours it is live or proves nothing."""
    if kind is Instrument.COIN:
        return False
    return sessions.at(at) is None and sessions.next_after(at) is not None


def _day_order_ends(kind: Instrument, since: int, sessions: SessionTable) -> int | None:
    """The close of the session that it was last heard of in, or for which it was waiting then.

    So one that is still listed after its close counts no more. None: there is no such session.
    """
    if kind is Instrument.COIN:
        return None  # a coin's market has no day
    session = sessions.at(since) or sessions.next_after(since)
    return None if session is None else session.close_at


def _numbers_are_some(order: VenueOrder) -> bool:
    quantity, filled = order.order.quantity, order.filled_quantity
    return is_amount(quantity) and is_amount(filled) and quantity > 0 and 0 <= filled <= quantity


def _is_recent(then: int | None, at: int, age_max: int) -> bool:
    """A time in the future is no good news: a clock is wrong. (A bar's may be by the venue's.)"""
    return then is not None and 0 <= at - seen_at(then, at) <= age_max


def _replaced_by(order: VenueOrder, by_name: Mapping[str, VenueOrder]) -> list[VenueOrder]:
    """The orders whose place it took, the newest first."""
    found: list[VenueOrder] = []
    seen = {order.order.client_order_id}
    name = order.order.replaces
    while name is not None and name not in seen and name in by_name:
        seen.add(name)
        found.append(by_name[name])
        name = by_name[name].order.replaces
    return found
