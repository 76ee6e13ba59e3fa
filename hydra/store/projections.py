"""What follows from the ledger's events: orders, fills, lots, money, counters, budgets, halts.

`booked` is the whole rule, the same when an event is recorded and when the ledger is replayed. It
reads and changes a unit of work, and nothing else; its caller has judged the event.
"""

import hashlib

from msgspec import structs

from hydra.store.events import (
    AccountBound,
    BudgetGranted,
    EngineStarted,
    EngineStopped,
    HaltCleared,
    HaltLatched,
    JournalMarked,
    LedgerBegun,
    LedgerEvent,
    OrderAttempted,
    OrderIntended,
    ValuePut,
)
from hydra.store.order_reports import event_of
from hydra.store.tables import (
    BUDGETS,
    COUNTERS,
    FACTS,
    FILLS,
    HALTS,
    INVENTORIES,
    KV,
    ORDERS,
    SUB_LEDGERS,
    BotInventory,
    FillRecord,
    OrderRecord,
)
from hydra.store.unit_of_work import UnitOfWork
from hydra.trading.inventory import FifoInventory
from hydra.trading.order_life import Attempted, OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey, Fill
from hydra.trading.sub_ledgers import SessionCounters, SubLedger
from messages.orders import OrderFilled, Outcome, client_order_id_of

VENUE = "venue"
ACCOUNT = "account"
ENGINE = "engine"
CONFIGURATION = "configuration"
RUNNING = "running"
JOURNAL = "journal_seq"
"""The names in the table of facts."""


class NoSuchOrder(Exception):
    """An event speaks of an order that was never intended."""


def booked(unit: UnitOfWork, seq: int, at: int, event: LedgerEvent, body: bytes) -> None:
    """What becomes of everything by this event; raises, and changes nothing, if it cannot be.

    `body` is the event as it is stored.
    """
    match event:
        case OrderIntended():
            _intended(unit, seq, event, body)
        case OrderAttempted():
            _attempted(unit, at, event)
        case HaltLatched():
            unit.put(HALTS, event.cause, event.cause.code)
        case HaltCleared():
            unit.delete(HALTS, event.code)
        case BudgetGranted():
            row = (event.bot, event.session, str(event.amount))
            unit.put(BUDGETS, row, event.bot, event.session)
        case ValuePut():
            unit.put(KV, (event.key, event.value), event.key)
        case JournalMarked():
            _put_fact(unit, JOURNAL, str(event.seq))
        case LedgerBegun():
            _put_fact(unit, VENUE, event.venue)
        case AccountBound():
            _put_fact(unit, ACCOUNT, event.account)
        case EngineStarted():
            _put_fact(unit, ENGINE, event.version)
            _put_fact(unit, CONFIGURATION, event.configuration)
            _put_fact(unit, RUNNING, "yes")
        case EngineStopped():
            _put_fact(unit, RUNNING, "no")
        case _:
            _reported(unit, seq, event)


def content_hash(body: bytes) -> str:
    """Names the content of an `OrderIntended` by its stored form."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _intended(unit: UnitOfWork, seq: int, event: OrderIntended, body: bytes) -> None:
    name = event.order.client_order_id
    record = OrderRecord(
        seq=seq,
        intent=event.intent,
        state=OrderState(order=event.order),
        attempted_at=None,
        content_hash=content_hash(body),
    )
    unit.add(ORDERS, record, name)
    unit.nothing_stored_under(FILLS, name)


def _attempted(unit: UnitOfWork, at: int, event: OrderAttempted) -> None:
    record = _order(unit, event.client_order_id)
    state = after(record.state, Attempted())
    record = structs.replace(record, state=state, attempted_at=at)
    unit.put(ORDERS, record, event.client_order_id)
    decision = record.intent.decision
    _put_counters(unit, _counters(unit, decision).attempted(decision.role))


def _reported(unit: UnitOfWork, seq: int, report: Outcome) -> None:
    name = client_order_id_of(report)
    record = _order(unit, name)
    state = after(record.state, event_of(report))
    decision = record.intent.decision
    if isinstance(report, OrderFilled):
        _filled(unit, seq, decision, report.fill)
    elif state.status is OrderStatus.REJECTED and record.state.status is not OrderStatus.REJECTED:
        _put_counters(unit, _counters(unit, decision).rejected())
    unit.put(ORDERS, structs.replace(record, state=state), name)


def _filled(unit: UnitOfWork, seq: int, decision: DecisionKey, fill: Fill) -> None:
    bot, symbol = decision.bot, fill.symbol
    held = unit.get(INVENTORIES, bot, symbol)
    inventory = FifoInventory(symbol) if held is None else held.inventory
    inventory, closed = inventory.apply(fill)
    sub_ledger = (unit.get(SUB_LEDGERS, bot) or SubLedger(bot=bot)).after(fill, closed)
    counters = _counters(unit, decision).filled(closed, is_flat=not inventory.lots)
    unit.put(FILLS, FillRecord(fill, bot, seq), fill.client_order_id, fill.execution_id)
    unit.put(INVENTORIES, BotInventory(bot, inventory), bot, symbol)
    unit.put(SUB_LEDGERS, sub_ledger, bot)
    _put_counters(unit, counters)


def _order(unit: UnitOfWork, client_order_id: str) -> OrderRecord:
    record = unit.get(ORDERS, client_order_id)
    if record is None:
        raise NoSuchOrder(f"an event of order {client_order_id}, which nobody intended")
    return record


def _counters(unit: UnitOfWork, decision: DecisionKey) -> SessionCounters:
    bot, session = decision.bot, decision.session
    return unit.get(COUNTERS, bot, session) or SessionCounters(bot=bot, session=session)


def _put_counters(unit: UnitOfWork, counters: SessionCounters) -> None:
    unit.put(COUNTERS, counters, counters.bot, counters.session)


def _put_fact(unit: UnitOfWork, name: str, value: str) -> None:
    unit.put(FACTS, (name, value), name)
