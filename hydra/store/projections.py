"""What follows from the ledger's events: orders, fills, lots, money, counters, budgets, halts.

`booked` is the whole rule, the same when an event is recorded and when the ledger is replayed. It
reads and changes a unit of work, and nothing else; its caller has judged the event.
"""

import hashlib
from decimal import Decimal

from msgspec import structs

from hydra.store.events import (
    AccountBound,
    AccountOpened,
    BudgetGranted,
    CashAdjusted,
    DifferenceExcluded,
    EngineStarted,
    EngineStopped,
    HaltCleared,
    HaltLatched,
    JournalMarked,
    LedgerBegun,
    LedgerEvent,
    OrderAdopted,
    OrderAttempted,
    OrderIntended,
    PositionAssigned,
    ValuePut,
)
from hydra.store.tables import (
    BUDGETS,
    COUNTERS,
    EXCLUSIONS,
    FACTS,
    FILLS,
    HALTS,
    INVENTORIES,
    KV,
    ORDERS,
    SUB_LEDGERS,
    FillRecord,
    OrderRecord,
)
from hydra.store.unit_of_work import UnitOfWork
from hydra.trading.differences import DifferenceKind
from hydra.trading.exact import multiply
from hydra.trading.inventory import FifoInventory
from hydra.trading.order_life import Attempted, OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey, Fill, Side
from hydra.trading.sub_ledgers import UNATTRIBUTED, BotInventory, SessionCounters, SubLedger
from messages.order_events import event_of
from messages.orders import OrderFilled, Outcome, client_order_id_of
from messages.positions import Exclusion

VENUE = "venue"
ACCOUNT = "account"
ENGINE = "engine"
CONFIGURATION = "configuration"
RUNNING = "running"
JOURNAL = "journal_seq"
OPENING_CASH = "opening_cash"
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
            _attempted(unit, at, event.client_order_id)
        case OrderAdopted():
            _intended(unit, seq, event, body)
            _attempted(unit, at, event.order.client_order_id)
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
        case AccountOpened():
            _put_fact(unit, OPENING_CASH, str(event.cash))
        case CashAdjusted():
            adjusted = _sub_ledger(unit, UNATTRIBUTED).adjusted(event.amount)
            unit.put(SUB_LEDGERS, adjusted, UNATTRIBUTED)
        case PositionAssigned():
            _assigned(unit, seq, at, event)
        case DifferenceExcluded():
            _excluded(unit, event)
        case _:
            _reported(unit, seq, event)


def content_hash(body: bytes) -> str:
    """Names the content of an `OrderIntended` by its stored form."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _intended(unit: UnitOfWork, seq: int, event: OrderIntended | OrderAdopted, body: bytes) -> None:
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


def _attempted(unit: UnitOfWork, at: int, client_order_id: str) -> None:
    record = _order(unit, client_order_id)
    state = after(record.state, Attempted())
    record = structs.replace(record, state=state, attempted_at=at)
    unit.put(ORDERS, record, client_order_id)
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
    inventory, closed = _inventory(unit, bot, symbol).apply(fill)
    sub_ledger = _sub_ledger(unit, bot).after(fill, closed)
    counters = _counters(unit, decision).filled(closed, is_flat=not inventory.lots)
    unit.put(FILLS, FillRecord(fill, bot, seq), fill.client_order_id, fill.execution_id)
    unit.put(INVENTORIES, BotInventory(bot, inventory), bot, symbol)
    unit.put(SUB_LEDGERS, sub_ledger, bot)
    _put_counters(unit, counters)


def _assigned(unit: UnitOfWork, seq: int, at: int, event: PositionAssigned) -> None:
    """The bot's lots and money are as if it had traded; the account has traded nothing."""
    side = Side.BUY if event.quantity > 0 else Side.SELL
    as_if = Fill(
        execution_id=f"assigned:{seq}",
        client_order_id="",
        symbol=event.symbol,
        side=side,
        quantity=multiply(event.quantity, Decimal(side.sign)),
        price=event.price,
        at=at,
    )
    inventory, closed = _inventory(unit, event.bot, event.symbol).apply(as_if)
    sub_ledger = _sub_ledger(unit, event.bot).after(as_if, closed)
    other_side = _sub_ledger(unit, UNATTRIBUTED).adjusted(multiply(event.quantity, event.price))
    unit.put(INVENTORIES, BotInventory(event.bot, inventory), event.bot, event.symbol)
    unit.put(SUB_LEDGERS, sub_ledger, event.bot)
    unit.put(SUB_LEDGERS, other_side, UNATTRIBUTED)


def _excluded(unit: UnitOfWork, event: DifferenceExcluded) -> None:
    kind, subject = event.kind, event.subject
    is_position = kind is DifferenceKind.POSITION
    is_taken_back = is_position if event.quantity is None else event.quantity == 0
    if is_taken_back:
        unit.delete(EXCLUSIONS, kind.value, subject)
        return
    excluded = Exclusion(
        kind=kind,
        subject=subject,
        quantity=event.quantity,
        reason=event.reason,
        operator=event.operator,
    )
    unit.put(EXCLUSIONS, excluded, kind.value, subject)


def _inventory(unit: UnitOfWork, bot: str, symbol: str) -> FifoInventory:
    held = unit.get(INVENTORIES, bot, symbol)
    return FifoInventory(symbol) if held is None else held.inventory


def _sub_ledger(unit: UnitOfWork, bot: str) -> SubLedger:
    return unit.get(SUB_LEDGERS, bot) or SubLedger(bot=bot)


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
