"""What the ledger knows of an order: how it began, what became of it, what that did to money."""

from collections.abc import Iterator
from decimal import Decimal

import apsw
import msgspec

from hydra.store.events import (
    EngineStarted,
    HaltLatched,
    LedgerEvent,
    OrderAdopted,
    OrderAttempted,
    OrderIntended,
    PositionAssigned,
    decoded,
)
from hydra.store.ledger_facts import NoLedger
from hydra.store.reading import Records
from hydra.store.schema import MIGRATIONS, require_ours
from hydra.store.tables import OrderRecord
from hydra.trading.exact import multiply
from hydra.trading.inventory import ClosedLot, FifoInventory
from hydra.trading.orders import Fill, Side
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
    version = require_ours(connection)
    if version < len(MIGRATIONS):
        raise NoLedger(
            f"{connection.filename}: found schema version {version}, wanted {len(MIGRATIONS)}; the"
            " next start of the engine migrates it"
        )
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
        if name_in(event) == name:
            yield Entry(seq, at, event)


def name_in(event: LedgerEvent) -> str | None:
    """Which order the event is about; None if it is about none."""
    match event:
        case OrderIntended() | OrderAdopted():
            return event.order.client_order_id
        case OrderAttempted():
            return event.client_order_id
        case _:
            return client_order_id_of(event) if isinstance(event, Outcome) else None


def _fills_of(
    connection: apsw.Connection, records: Records, record: OrderRecord
) -> Iterator[FillOnRecord]:
    """Each execution of the order, with the bot's lots as they were before it: all is replayed."""
    decision, name = record.intent.decision, record.state.order.client_order_id
    inventory = FifoInventory(decision.symbol)
    for seq, fill in _booked_for(connection, records, decision.bot, decision.symbol):
        before = inventory
        inventory, closed = inventory.apply(fill)
        if fill.client_order_id != name:
            continue
        money = SubLedger(bot=decision.bot).after(fill, closed)
        yield FillOnRecord(
            fill=fill,
            seq=seq,
            position_before=before.position,
            position_after=inventory.position,
            cash=money.cash,
            realised=money.realised,
            closed=closed,
        )


def _booked_for(
    connection: apsw.Connection, records: Records, bot: str, symbol: str
) -> list[tuple[int, Fill]]:
    """What was booked to the bot in the symbol: what was executed, and what was assigned to it."""
    booked = [(each.seq, each.fill) for each in records.fills(bot) if each.fill.symbol == symbol]
    assigned = "SELECT seq, at, body FROM events WHERE kind = ?"
    for seq, at, body in connection.execute(assigned, (PositionAssigned.__name__,)):
        event = decoded(body)
        if isinstance(event, PositionAssigned) and (event.bot, event.symbol) == (bot, symbol):
            booked.append((seq, _as_if_executed(seq, at, event)))
    return sorted(booked, key=lambda each: each[0])


def _as_if_executed(seq: int, at: int, event: PositionAssigned) -> Fill:
    side = Side.BUY if event.quantity > 0 else Side.SELL
    return Fill(
        execution_id=f"assigned:{seq}",
        client_order_id="",
        symbol=event.symbol,
        side=side,
        quantity=multiply(event.quantity, Decimal(side.sign)),
        price=event.price,
        at=at,
    )


def _engine_before(connection: apsw.Connection, seq: int) -> EngineStarted | None:
    started = "SELECT body FROM events WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT 1"
    for (body,) in connection.execute(started, (EngineStarted.__name__, seq)):
        event = decoded(body)
        return event if isinstance(event, EngineStarted) else None
    return None
