"""Execution quality ("router"): how well orders get done, by symbol and over all (SCOPE D7, C8).

The state is what is known of the last orders of each symbol; everything else is worked out of it.
The same events, in any order after the sending, and none of them twice (what is on record is told
once), make the same state. It is bounded: so many orders of a symbol, so many symbols; what was
sent longest ago is forgotten first. What was sent too long ago says nothing of now: an alarm ends
so, as nothing new can be learned while it keeps entries out.

The quality score is a product of four factors, each from 0 to 1. Whatever is worse makes it lower:

    certainty    1 − (orders rejected or unknown) / orders answered
    completion   ½ + ½ × filled quantity / ordered quantity, of orders that are over and were not
                 rejected, and that were not meant to rest
    price        1 / (1 + slippage / `slippage_bps_half`), by the worse of the two slippages
    speed        1 / (1 + latency / `latency_ns_half`), by the median from sending to acceptance

What is not measured (no order was filled, no price known) is left out. Slippage below zero, which
is a better price than expected, counts as none. One factor at a half makes the score a half at the
most. That nobody took a limit order is no fault of the way there, so orders that are never filled
cost at most half of the score. It is rounded down to four places.

All times are ns of one clock, whichever that is. Prices and quantities are exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import Enum
from typing import TypeAlias, assert_never

import msgspec
from msgspec import structs

from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.exposure import is_price
from hydra.trading.instruments import value_of
from hydra.trading.orders import Side

ZERO, ONE = Decimal(0), Decimal(1)
_HALF = Decimal("0.5")
_IN_BPS = Decimal(10_000)
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)
_UP = Context(prec=60, rounding=ROUND_CEILING)
_SCORE_STEP = Decimal("0.0001")
_BPS_STEP = Decimal("0.01")

DEGRADED_BELOW = Decimal("0.5")
EARLY_MAX = 64
"""So many orders whose sending is not known are kept in mind."""


class QualityTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How much is remembered, and what counts as bad. Every number is over zero."""

    orders_max: int
    """Of one symbol."""
    symbols_max: int
    orders_min: int
    """So many answered orders say something; fewer do not."""
    slippage_bps_half: Decimal
    """This slippage alone halves the score."""
    latency_ns_half: int
    """This latency alone halves the score."""
    idle_ns: int
    """So long with an order out and no word of any: nobody is there."""
    lasts_ns: int
    """So long after it was sent an order says something of how it is now."""

    def __post_init__(self) -> None:
        for field in structs.fields(self):
            value = getattr(self, field.name)
            if field.type is int and not (type(value) is int and value > 0):
                raise ValueError(f"{field.name}: found {value}, wanted a whole number above 0")
            if field.type is Decimal and not is_price(value):
                raise ValueError(f"{field.name}: found {value}, wanted a decimal above 0")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An order was sent: what it was decided on, and what the quote was then. None: not known.

    `reference_price` is what it was decided on; of a stop its own price, at which it is to trade.
    """

    name: str
    symbol: str
    side: Side
    quantity: Decimal
    decided_at: int
    at: int
    reference_price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    rests: bool = False
    """It is meant to wait for its price (a stop, a target): not to be filled is no fault."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The venue took it."""

    name: str
    symbol: str
    at: int


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """So much of it was executed."""

    name: str
    symbol: str
    quantity: Decimal
    price: Decimal
    at: int


class End(Enum):
    """How an order came to an end without being filled completely; unknown may be taken back."""

    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """It was unknown, and the venue was asked until it was given up."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """It is over, or nobody knows what came of it."""

    name: str
    symbol: str
    how: End
    at: int


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """It was never sent after all, so it says nothing of the way there."""

    name: str
    symbol: str


Outcome: TypeAlias = Accepted | Filled | Ended | Withheld
Event: TypeAlias = Sent | Outcome


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one order that was sent."""

    sent: Sent
    accepted_at: int | None = None
    filled_at: int | None = None
    """Its first execution."""
    filled_quantity: Decimal = ZERO
    value: Decimal = ZERO
    """What the executions cost or brought (USD)."""
    ends: frozenset[End] = frozenset()
    """All that was said; unknown stays, since it was."""
    heard_at: int | None = None
    """The last word of the venue."""

    @property
    def is_filled(self) -> bool:
        """Completely."""
        return self.filled_quantity >= self.sent.quantity

    @property
    def was_to_be_filled(self) -> bool:
        """It is over, the venue had it, and it was meant to trade at once."""
        is_over = self.is_filled or bool(self.ends & {End.CANCELED, End.EXPIRED})
        return is_over and not self.sent.rests and End.REJECTED not in self.ends

    @property
    def is_answered(self) -> bool:
        """Something is known of what came of it, if only that it is not known."""
        return self.heard_at is not None or bool(self.ends)


class QualityState(msgspec.Struct, frozen=True, kw_only=True):
    """The last orders by symbol, the oldest first."""

    orders: Mapping[str, tuple[Execution, ...]] = {}
    early: Mapping[str, tuple[Outcome, ...]] = {}
    """By name: what came of orders of whose sending nothing is known yet, or is not any more."""

    @property
    def unmatched(self) -> int:
        """Events of orders that are not remembered, the newest of them."""
        return sum(map(len, self.early.values()))


class Slippage(msgspec.Struct, frozen=True, kw_only=True):
    """What executions cost more than a price that was known before. Below zero: less."""

    orders: int
    """Of which both prices are known."""
    cost: Decimal
    """USD, exactly."""
    notional: Decimal
    """What was executed, at the price known before."""

    @property
    def bps(self) -> Decimal | None:
        """Basis points, rounded up (worse) to a hundredth; None if nothing was measured."""
        if not self.notional > 0:
            return None
        share = _UP.divide(multiply(self.cost, _IN_BPS), self.notional)
        return share.quantize(_BPS_STEP, context=_UP)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Times from one step to the next, in ns. One that would be below zero is not measured."""

    orders: int
    total: int
    most: int | None
    median: int | None
    """The upper one of two."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and statistics of the orders remembered."""

    orders: int
    answered: int
    filled: int
    partial: int
    """Over, or not, with a part executed."""
    rejected: int
    canceled: int
    """Or expired, and not filled completely."""
    unknown: int
    """Of which was unknown, for some time at least, what came of them."""
    failed: int
    """Rejected or unknown, or both in turn."""
    ordered_quantity: Decimal
    """Of orders that are over, and were to be filled at once."""
    filled_quantity: Decimal
    from_reference: Slippage
    """Against the price that was decided on."""
    from_quote: Slippage
    """Against the side of the quote that was there when it was sent: the ask for a buy."""
    to_send: Latency
    """From the decision."""
    to_accept: Latency
    """From the sending."""
    to_fill: Latency
    """From the sending to the first execution."""

    @property
    def fill_rate(self) -> Decimal | None:
        """From 0 to 1; None if there is nothing to say."""
        if not self.ordered_quantity:
            return None
        return _DOWN.divide(self.filled_quantity, self.ordered_quantity)

    @property
    def reject_rate(self) -> Decimal | None:
        """From 0 to 1; None if there is nothing to say."""
        if not self.answered:
            return None
        return _UP.divide(Decimal(self.rejected), Decimal(self.answered))


class RouterState(Enum):
    """What the way of orders is worth."""

    GOOD = "good"
    UNTRIED = "untried"
    """Too few orders to say. It is no alarm: nothing else ever would be."""
    DEGRADED = "degraded"
    IDLE = "idle"
    """Orders are out, and nothing is heard."""


def after(state: QualityState, event: Event, terms: QualityTerms) -> QualityState:
    """The state once this has happened."""
    known = state.orders.get(event.symbol, ())
    if isinstance(event, Sent):
        if _place_of(event.name, known) is not None:
            return state
        kept = (*known, Execution(sent=event))[-terms.orders_max :]
        early = dict(state.early)
        came_before = early.pop(event.name, ())
        state = QualityState(orders=_with(state.orders, event.symbol, kept, terms), early=early)
        for outcome in came_before:
            state = after(state, outcome, terms)
        return state
    place = _place_of(event.name, known)
    if place is not None:
        told = () if isinstance(event, Withheld) else (_told(known[place], event),)
        kept = (*known[:place], *told, *known[place + 1 :])
        return QualityState(orders={**state.orders, event.symbol: kept}, early=state.early)
    early = {**state.early, event.name: (*state.early.get(event.name, ()), event)}
    return structs.replace(state, early=dict(tuple(early.items())[-EARLY_MAX:]))


def quality(executions: Sequence[Execution]) -> Quality:
    """Counts and statistics of these orders."""
    answered = [each for each in executions if each.is_answered]
    live = [each for each in answered if End.REJECTED not in each.ends]
    due = [each for each in live if each.was_to_be_filled]
    return Quality(
        orders=len(executions),
        answered=len(answered),
        filled=sum(each.is_filled for each in live),
        partial=sum(0 < each.filled_quantity < each.sent.quantity for each in live),
        rejected=len(answered) - len(live),
        canceled=sum(
            not each.is_filled and bool(each.ends & {End.CANCELED, End.EXPIRED}) for each in live
        ),
        unknown=sum(End.UNKNOWN in each.ends for each in answered),
        failed=sum(bool(each.ends & {End.REJECTED, End.UNKNOWN}) for each in answered),
        ordered_quantity=total(each.sent.quantity for each in due),
        filled_quantity=total(min(each.filled_quantity, each.sent.quantity) for each in due),
        from_reference=_slippage((each, each.sent.reference_price) for each in executions),
        from_quote=_slippage((each, _touch(each.sent)) for each in executions),
        to_send=_latency((each.sent.decided_at, each.sent.at) for each in executions),
        to_accept=_latency((each.sent.at, each.accepted_at) for each in executions),
        to_fill=_latency((each.sent.at, each.filled_at) for each in executions),
    )


def executions_of(state: QualityState, symbol: str | None = None) -> tuple[Execution, ...]:
    """The orders remembered of one symbol; None: of all."""
    if symbol is not None:
        return state.orders.get(symbol, ())
    return tuple(each for kept in state.orders.values() for each in kept)


def recent(executions: Iterable[Execution], terms: QualityTerms, at: int) -> tuple[Execution, ...]:
    """Those that still say something at this time."""
    return tuple(each for each in executions if at - each.sent.at <= terms.lasts_ns)


def score(found: Quality, terms: QualityTerms) -> Decimal | None:
    """From 0 to 1, see the module; None while too few orders were answered."""
    if found.answered < terms.orders_min:
        return None
    failed = _UP.divide(Decimal(found.failed), Decimal(found.answered))
    factors = [_DOWN.subtract(ONE, failed)]
    if found.fill_rate is not None:
        factors.append(add(_HALF, multiply(_HALF, found.fill_rate)))
    slippages = [each.bps for each in (found.from_reference, found.from_quote)]
    worst = max((each for each in slippages if each is not None), default=None)
    if worst is not None:
        factors.append(_halved_at(terms.slippage_bps_half, worst))
    if found.to_accept.median is not None:
        half = Decimal(terms.latency_ns_half)
        factors.append(_halved_at(half, Decimal(found.to_accept.median)))
    whole = ONE
    for factor in factors:
        whole = _DOWN.multiply(whole, factor)
    return whole.quantize(_SCORE_STEP, context=_DOWN)


def router_state(executions: Iterable[Execution], terms: QualityTerms, at: int) -> RouterState:
    """What it is worth at the time `at`. A score below a half is degraded (C8)."""
    executions = recent(executions, terms, at)
    if _is_idle(executions, terms, at):
        return RouterState.IDLE
    found = score(quality(executions), terms)
    if found is None:
        return RouterState.UNTRIED
    return RouterState.GOOD if found >= DEGRADED_BELOW else RouterState.DEGRADED


def _is_idle(executions: Sequence[Execution], terms: QualityTerms, at: int) -> bool:
    """Of an order that was sent long ago nothing was heard, nor of any other since."""
    unheard = [each.sent.at for each in executions if each.heard_at is None]
    if not unheard:
        return False
    heard = max((each.heard_at for each in executions if each.heard_at is not None), default=None)
    waiting_since = min(unheard) if heard is None else max(min(unheard), heard)
    return at - waiting_since > terms.idle_ns


def _place_of(name: str, executions: Sequence[Execution]) -> int | None:
    """Where among these the order of this name is; most that is told is of the newest ones."""
    for place in reversed(range(len(executions))):
        if executions[place].sent.name == name:
            return place
    return None


def _told(execution: Execution, event: Accepted | Filled | Ended) -> Execution:
    heard = event.at if execution.heard_at is None else max(execution.heard_at, event.at)
    match event:
        case Accepted():
            accepted_at = _earlier(execution.accepted_at, event.at)
            return structs.replace(execution, accepted_at=accepted_at, heard_at=heard)
        case Filled():
            return structs.replace(
                execution,
                filled_at=_earlier(execution.filled_at, event.at),
                filled_quantity=add(execution.filled_quantity, event.quantity),
                value=add(execution.value, value_of(event.symbol, event.quantity, event.price)),
                heard_at=heard,
            )
        case Ended():
            ends = execution.ends | {event.how}
            # That nothing is known is our own word, not the venue's.
            if event.how is End.UNKNOWN:
                return structs.replace(execution, ends=ends)
            return structs.replace(execution, ends=ends, heard_at=heard)
        case _:
            assert_never(event)


def _with(
    orders: Mapping[str, tuple[Execution, ...]],
    symbol: str,
    kept: tuple[Execution, ...],
    terms: QualityTerms,
) -> dict[str, tuple[Execution, ...]]:
    """With these of the symbol, which was sent in last; the symbol before all others is dropped."""
    by_symbol = dict(orders)
    by_symbol.pop(symbol, None)
    by_symbol[symbol] = kept
    while len(by_symbol) > terms.symbols_max:
        del by_symbol[next(iter(by_symbol))]
    return by_symbol


def _touch(sent: Sent) -> Decimal | None:
    """The price at which it could have traded by the quote; None if that was none."""
    if sent.bid is None or sent.ask is None or not (is_price(sent.bid) and is_price(sent.ask)):
        return None
    if not sent.bid < sent.ask:
        return None
    return sent.ask if sent.side is Side.BUY else sent.bid


def _slippage(priced: Iterable[tuple[Execution, Decimal | None]]) -> Slippage:
    orders, cost, notional = 0, ZERO, ZERO
    for execution, price in priced:
        if price is None or not is_price(price) or not execution.filled_quantity > 0:
            continue
        expected = value_of(execution.sent.symbol, execution.filled_quantity, price)
        sign = Decimal(execution.sent.side.sign)
        cost = add(cost, multiply(subtract(execution.value, expected), sign))
        notional = add(notional, expected)
        orders += 1
    return Slippage(orders=orders, cost=cost, notional=notional)


def _latency(steps: Iterable[tuple[int, int | None]]) -> Latency:
    times = sorted(then - since for since, then in steps if then is not None and then >= since)
    return Latency(
        orders=len(times),
        total=sum(times),
        most=times[-1] if times else None,
        median=times[len(times) // 2] if times else None,
    )


def _earlier(known: int | None, at: int) -> int:
    return at if known is None else min(known, at)


def _halved_at(half: Decimal, found: Decimal) -> Decimal:
    """1 for nothing, a half where it is `half`, ever less beyond."""
    return _DOWN.divide(half, add(half, max(found, ZERO)))
