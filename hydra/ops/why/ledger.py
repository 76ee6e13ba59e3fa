"""What the ledger knows of an order: how it began, what became of it, what that did to money."""

from collections.abc import Iterator
from decimal import Decimal

import apsw
import msgspec

from hydra.ops.why.fees import CoinsKept, coins_kept, fees_of, orders_of
from hydra.store.events import (
    EngineStarted,
    FeeAccrued,
    FeeBooked,
    FeesObserved,
    HaltLatched,
    LedgerEvent,
    OrderAdopted,
    OrderAttempted,
    OrderIntended,
    PositionAssigned,
    decoded,
)
from hydra.store.ledger_facts import require_current
from hydra.store.operator_acts import as_if_executed
from hydra.store.reading import Records
from hydra.store.tables import OrderRecord
from hydra.trading.fees import USD, Fee
from hydra.trading.instruments import value_of
from hydra.trading.inventory import ClosedLot, FifoInventory
from hydra.trading.orders import Fill
from hydra.trading.sub_ledgers import SubLedger
from hydra.trading.trading_state import Cause
from messages.orders import Outcome, client_order_id_of

CANDIDATES_MAX = 1_000
"""So many names that begin alike are told apart; nobody reads more."""


class Entry(msgspec.Struct, frozen=True):
    """One event of the ledger. `at` is when it was recorded (market time, UTC ns)."""

    seq: int
    at: int
    event: LedgerEvent


class FillOnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, and what it did to the bot's position in the symbol and to its money (USD)."""

    fill: Fill
    seq: int
    position_before: Decimal
    position_after: Decimal
    cash: Decimal
    realised: Decimal
    closed: tuple[ClosedLot, ...]
    fee: Fee | None
    """What the venue kept of it, as it is known now; it is taken off the figures above."""


class OrderOnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that one moment of the ledger knows of an order. `engine` made it, if that is known.

    `position` is what the bot holds of the symbol at that moment, `money` all that it has.
    """

    record: OrderRecord
    entries: tuple[Entry, ...]
    fills: tuple[FillOnRecord, ...]
    engine: EngineStarted | None
    position: Decimal
    money: SubLedger


def readable(connection: apsw.Connection) -> Records:
    """The records of a ledger as this Hydra writes it. Raises NoLedger, NotALedger and the like."""
    require_current(connection)
    return Records(connection)


def orders_named(connection: apsw.Connection, text: str) -> tuple[OrderRecord, ...]:
    """The order of this name, ours or the venue's; else every order whose name begins so."""
    records = readable(connection)
    found = records.orders_named([text])
    if found:
        return found
    whole = "SELECT client_order_id FROM orders WHERE venue_order_id = ? LIMIT ?"
    names = [row[0] for row in connection.execute(whole, (text, CANDIDATES_MAX))]
    if not names:
        beginning = (
            "SELECT client_order_id FROM orders WHERE substr(client_order_id, 1, ?1) = ?2"
            " OR substr(venue_order_id, 1, ?1) = ?2 ORDER BY intended_seq LIMIT ?3"
        )
        bound = (len(text), text, CANDIDATES_MAX)
        names = [row[0] for row in connection.execute(beginning, bound)]
    return records.orders_named(names)


def order_on_record(connection: apsw.Connection, record: OrderRecord) -> OrderOnRecord:
    """Everything of one order. Raises what decoding a ledger raises."""
    records = readable(connection)
    decision = record.intent.decision
    held = [
        each.inventory.position
        for each in records.inventories()
        if (each.bot, each.inventory.symbol) == (decision.bot, decision.symbol)
    ]
    money = [each for each in records.sub_ledgers() if each.bot == decision.bot]
    return OrderOnRecord(
        record=record,
        entries=tuple(_entries_of(connection, record)),
        fills=tuple(_fills_of(connection, records, record)),
        engine=_engine_before(connection, record.seq),
        position=held[0] if held else Decimal(0),
        money=money[0] if money else SubLedger(bot=decision.bot),
    )


def cause_on_record(connection: apsw.Connection, code: str, until: int) -> Cause | None:
    """The newest cause of this code that was latched up to then (market time)."""
    readable(connection)
    latched = "SELECT body FROM events WHERE kind = ? AND at <= ? ORDER BY seq DESC"
    for (body,) in connection.execute(latched, (HaltLatched.__name__, until)):
        event = decoded(body)
        if isinstance(event, HaltLatched) and event.cause.code == code:
            return event.cause
    return None


def _entries_of(connection: apsw.Connection, record: OrderRecord) -> Iterator[Entry]:
    name = record.state.order.client_order_id
    speaking = "SELECT seq, at, body FROM events WHERE seq >= ? AND instr(body, ?) ORDER BY seq"
    text = msgspec.json.encode(name)
    for seq, at, body in connection.execute(speaking, (record.seq, text)):
        event = decoded(body)
        if name in names_in(event):
            yield Entry(seq, at, event)


def names_in(event: LedgerEvent) -> frozenset[str]:
    """Which orders the event is about."""
    match event:
        case OrderIntended() | OrderAdopted():
            return frozenset((event.order.client_order_id,))
        case OrderAttempted():
            return frozenset((event.client_order_id,))
        case FeeAccrued() | FeesObserved() | FeeBooked():
            return orders_of(event)
        case _ if isinstance(event, Outcome):
            return frozenset((client_order_id_of(event),))
        case _:
            return frozenset()


def _fills_of(
    connection: apsw.Connection, records: Records, record: OrderRecord
) -> Iterator[FillOnRecord]:
    """Each execution of the order, with the bot's lots as they were before it: all is replayed."""
    decision, name = record.intent.decision, record.state.order.client_order_id
    kept = list(coins_kept(connection, decision.bot, decision.symbol))
    accrued = {(k.fee.client_order_id, k.fee.execution_id): k for k in kept if k.accrued}
    changed = [(each.seq, each) for each in kept if not each.accrued]
    booked = _booked_for(connection, records, decision.bot, decision.symbol)
    fees, inventory = fees_of(records, name), FifoInventory(decision.symbol)
    for seq, item in sorted([*booked, *changed], key=lambda each: each[0]):
        if isinstance(item, CoinsKept):
            inventory = item.taken_from(inventory)
            continue
        before = inventory
        inventory, closed = inventory.apply(item)
        with_it = accrued.get((item.client_order_id, item.execution_id))
        if with_it is not None:
            inventory = with_it.taken_from(inventory)
        if item.client_order_id != name:
            continue
        fee = fees.get(item.execution_id)
        money = _less(SubLedger(bot=decision.bot).after(item, closed), item, fee)
        yield FillOnRecord(
            fill=item,
            seq=seq,
            position_before=before.position,
            position_after=inventory.position,
            cash=money.cash,
            realised=money.realised,
            closed=closed,
            fee=fee,
        )


def _less(money: SubLedger, fill: Fill, fee: Fee | None) -> SubLedger:
    """What is left of it after the fee."""
    if fee is None:
        return money
    if fee.asset == USD:
        paid = fee.amount.copy_negate()
        return money.adjusted(paid).made(paid)
    return money.made(value_of(fill.symbol, fee.amount, fill.price).copy_negate())


def _booked_for(
    connection: apsw.Connection, records: Records, bot: str, symbol: str
) -> list[tuple[int, Fill | CoinsKept]]:
    """What was booked to the bot in the symbol: what was executed, and what was assigned to it."""
    booked: list[tuple[int, Fill | CoinsKept]] = [
        (each.seq, each.fill) for each in records.fills(bot) if each.fill.symbol == symbol
    ]
    assigned = "SELECT seq, at, body FROM events WHERE kind = ?"
    for seq, at, body in connection.execute(assigned, (PositionAssigned.__name__,)):
        event = decoded(body)
        if isinstance(event, PositionAssigned) and (event.bot, event.symbol) == (bot, symbol):
            booked.append((seq, as_if_executed(event, seq, at)))
    return booked


def _engine_before(connection: apsw.Connection, seq: int) -> EngineStarted | None:
    started = "SELECT body FROM events WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT 1"
    for (body,) in connection.execute(started, (EngineStarted.__name__, seq)):
        event = decoded(body)
        return event if isinstance(event, EngineStarted) else None
    return None
