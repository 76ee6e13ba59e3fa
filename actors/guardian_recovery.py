"""What the guardian makes of the record when it starts: the same counts as if it had lived on."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from hydra.trading.account_day import AccountDay, trading_day
from hydra.trading.clearing import OperatorWord
from hydra.trading.desk_terms import DeskRecord
from hydra.trading.durations import MINUTE
from hydra.trading.exact import add, total
from hydra.trading.exposure import Holding
from hydra.trading.instruments import value_of
from hydra.trading.order_life import OrderStatus
from hydra.trading.rates import (
    OrderAttempt,
    RateEvent,
    RoundTrip,
    RoundTripsSeen,
    VenueAccepted,
    VenueRejected,
)
from hydra.trading.sessions import SessionTable
from hydra.trading.situation import Limits
from hydra.trading.trading_state import Cause
from hydra.trading.working_orders import WorkingOrder
from messages.control import (
    ACCOUNT_DAY,
    OPERATOR_RESUME,
    REJECTIONS_SEEN,
    ROUND_TRIPS_SEEN,
    RecordValue,
    Resume,
)
from messages.positions import GuardedOrder, GuardianRecord, RecoverGuardian, positions_left_alone

_DAY = msgspec.json.Decoder(AccountDay)
_RESUME = msgspec.json.Decoder(Resume)
_ROUND_TRIPS = msgspec.json.Decoder(RoundTripsSeen)
_NAMES = msgspec.json.Decoder(tuple[str, ...])


def question_at(at: int, sessions: SessionTable, limits: Limits) -> RecoverGuardian:
    """What is asked for at this market time: the day, and before it what its windows reach."""
    window = max(limits.notional_window_ns, limits.entry_gap_ns_min, MINUTE)
    return RecoverGuardian(session=trading_day(sessions, at), entries_since=at - window)


def desk_record(record: GuardianRecord, sessions: SessionTable) -> DeskRecord:
    """The record in the desk's terms. Raises msgspec.MsgspecError for a value that is none."""
    written = record.values.get(ACCOUNT_DAY, "")
    day = _DAY.decode(written) if written else AccountDay()
    orders = {order.state.order.client_order_id: order for order in record.open_orders}
    orders.update((order.state.order.client_order_id, order) for order in record.orders)
    return DeskRecord(
        holdings={
            (held.bot, held.inventory.symbol): Holding.of(held.inventory, record.stops)
            for held in record.inventories
        },
        orders=tuple(_working(order) for order in orders.values()),
        given_up=tuple(_working(order) for order in record.given_up),
        excluded=positions_left_alone(record.exclusions),
        happened=tuple(_happened(record, day, sessions)),
        realised=_made_in(day, record),
        granted=record.budgets if day.session == record.session else {},
        day=day,
        opening_cash=record.opening_cash,
        cash=total(sub_ledger.cash for sub_ledger in record.sub_ledgers),
    )


def _made_in(day: AccountDay, record: GuardianRecord) -> dict[str, Decimal]:
    """What each bot has made in the day, also by orders of an earlier one."""
    made = {counters.bot: counters.realised for counters in record.counters}
    for bot, carried in day.carried.items() if day.session == record.session else ():
        made[bot] = add(made.get(bot, Decimal(0)), carried)
    return made


def rejections_seen(symbol: str, names: tuple[str, ...]) -> RecordValue:
    """What puts on record that a person has looked why these orders were rejected."""
    value = msgspec.json.encode(names).decode()
    return RecordValue(key=f"{REJECTIONS_SEEN}{symbol}", value=value)


def round_trips_seen(seen: RoundTripsSeen) -> RecordValue:
    """What puts on record that a person lets the bot go on."""
    value = msgspec.json.encode(seen).decode()
    return RecordValue(key=f"{ROUND_TRIPS_SEEN}{seen.bot}", value=value)


def word_on_record(record: GuardianRecord, found: Iterable[Cause], at: int) -> OperatorWord | None:
    """What an operator said while no engine ran: of what was found on record, as if just said.

    Of what is latched later the record has no word any more.

    Raises msgspec.MsgspecError if it is not a word.
    """
    text = record.values.get(OPERATOR_RESUME, "")
    if not text:
        return None
    said = _RESUME.decode(text)
    codes = frozenset(cause.code for cause in found)
    if said.codes:
        codes &= frozenset(said.codes)
    return OperatorWord(codes=codes, reason=said.reason, operator=said.operator, at=at)


def _working(order: GuardedOrder) -> WorkingOrder:
    return WorkingOrder(
        decision=order.intent.decision,
        state=order.state,
        reference_price=order.intent.reference_price,
        protective_stop=order.intent.protective_stop,
    )


def _happened(
    record: GuardianRecord, day: AccountDay, sessions: SessionTable
) -> Iterator[RateEvent]:
    seen = {
        name
        for key, value in record.values.items()
        if key.startswith(REJECTIONS_SEEN)
        for name in _NAMES.decode(value)
    }
    for order in record.earlier:
        yield from _attempt(order, sessions)
    for order in record.orders:
        yield from _attempt(order, sessions)
        if order.attempted_at is None:
            continue
        symbol = order.intent.decision.symbol
        if order.state.status is OrderStatus.REJECTED:
            if order.state.order.client_order_id not in seen:
                yield VenueRejected(symbol)
        elif order.state.status in _TAKEN:
            yield VenueAccepted(symbol)
    for bot, made in _round_trips(record, day).items():
        for _ in range(made):
            yield RoundTrip(bot, record.session)
    for key, value in record.values.items():
        if key.startswith(ROUND_TRIPS_SEEN):
            looked_into = _ROUND_TRIPS.decode(value)
            if looked_into.session == record.session:
                yield looked_into


def _round_trips(record: GuardianRecord, day: AccountDay) -> Counter[str]:
    """How many each bot has made in the day, also those that the ledger does not count for it."""
    made = Counter({counters.bot: counters.round_trips for counters in record.counters})
    if day.session == record.session:
        made.update(day.round_trips)
    return made


def _attempt(order: GuardedOrder, sessions: SessionTable) -> Iterator[OrderAttempt]:
    """None of one that was never attempted."""
    if order.attempted_at is None:
        return
    intent, decision = order.intent, order.intent.decision
    prices = (intent.reference_price, intent.limit_price, intent.stop_price)
    price = max((price for price in prices if price is not None), default=Decimal(0))
    yield OrderAttempt(
        at=order.attempted_at,
        session=trading_day(sessions, order.attempted_at),
        bot=decision.bot,
        symbol=decision.symbol,
        role=decision.role,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        notional=value_of(decision.symbol, intent.quantity, price),
    )


_TAKEN = (
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REPLACED,
)
"""Of these it is certain that the market had them. One that is accepted may be rejected yet."""
