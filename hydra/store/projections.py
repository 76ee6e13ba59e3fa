"""What follows from the ledger's events: orders, fills, fees, lots, money, counters, halts.

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
    FeeAccrued,
    FeeBooked,
    FeesObserved,
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
from hydra.store.operator_acts import as_if_executed
from hydra.store.tables import (
    BUDGETS,
    COUNTERS,
    EXCLUSIONS,
    FACTS,
    FEE_BOOKINGS,
    FEES,
    FILLS,
    HALTS,
    INVENTORIES,
    KV,
    ORDERS,
    SUB_LEDGERS,
    BookingOnRecord,
    FeeOnRecord,
    FillRecord,
    OrderRecord,
)
from hydra.store.unit_of_work import UnitOfWork
from hydra.trading.differences import DifferenceKind
from hydra.trading.exact import add, subtract
from hydra.trading.fees import USD, Fee, FeeBasis, FeeBooking, FeeChange, booked_more, seen
from hydra.trading.instruments import value_of
from hydra.trading.inventory import FifoInventory, fee_lot
from hydra.trading.order_life import Attempted, OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey, Fill
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


FEES_THEMSELVES = "fees"
"""Who leaves coins out of the comparison that fees have left over."""


class NoSuchOrder(Exception):
    """An event speaks of an order that was never intended."""


class NoSuchFee(Exception):
    """An event speaks of a fee that was never accrued."""


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
        case FeeAccrued():
            _fee_accrued(unit, seq, event.fee)
        case FeesObserved():
            for change in event.observation.changes:
                _fee_observed(unit, change)
        case FeeBooked():
            _fee_booked(unit, seq, event.booking)
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
    as_if = as_if_executed(event, seq, at)
    inventory, closed = _inventory(unit, event.bot, event.symbol).apply(as_if)
    sub_ledger = _sub_ledger(unit, event.bot).after(as_if, closed)
    value = value_of(event.symbol, event.quantity, event.price)
    other_side = _sub_ledger(unit, UNATTRIBUTED).adjusted(value)
    unit.put(INVENTORIES, BotInventory(event.bot, inventory), event.bot, event.symbol)
    unit.put(SUB_LEDGERS, sub_ledger, event.bot)
    unit.put(SUB_LEDGERS, other_side, UNATTRIBUTED)


def _fee_accrued(unit: UnitOfWork, seq: int, fee: Fee) -> None:
    _order(unit, fee.client_order_id)
    name = (fee.client_order_id, fee.execution_id)
    unit.add(FEES, FeeOnRecord(fee, seq), *name)
    _pay(unit, fee, fee.amount)


def _fee_observed(unit: UnitOfWork, change: FeeChange) -> None:
    record = _fee(unit, change.client_order_id, change.execution_id)
    before, after = record.fee, seen(record.fee, change.amount)
    unit.put(FEES, FeeOnRecord(after, record.seq), before.client_order_id, before.execution_id)
    # What is dust is taken from what nobody has, not from the bot.
    _pay(unit, before, add(subtract(after.amount, before.amount), change.dust))
    if change.dust:
        _leave_out(unit, before.symbol, change.dust)


def _fee_booked(unit: UnitOfWork, seq: int, booking: FeeBooking) -> None:
    charge = booking.charge
    unit.add(FEE_BOOKINGS, BookingOnRecord(charge, seq), charge.activity_id, charge.asset)
    for part in booking.parts:
        record = _fee(unit, part.client_order_id, part.execution_id)
        after = FeeOnRecord(booked_more(record.fee, part.amount), record.seq)
        unit.put(FEES, after, part.client_order_id, part.execution_id)
    own = booking.of_the_account
    if own:
        fee = Fee(
            client_order_id="",
            execution_id=charge.activity_id,
            bot=UNATTRIBUTED,
            symbol=charge.symbol,
            asset=charge.asset,
            amount=own,
            most=own,
            at=charge.at,
            booked=own,
            basis=FeeBasis.BOOKED,
        )
        unit.add(FEES, FeeOnRecord(fee, seq), "", charge.activity_id)
        adjusted = _sub_ledger(unit, UNATTRIBUTED).adjusted(own.copy_negate())
        unit.put(SUB_LEDGERS, adjusted, UNATTRIBUTED)


def _pay(unit: UnitOfWork, fee: Fee, amount: Decimal) -> None:
    """So much more of the fee's asset (below zero: less) is taken from its bot."""
    if not amount:
        return
    bot, symbol, sub_ledger = fee.bot, fee.symbol, _sub_ledger(unit, fee.bot)
    if fee.asset == USD:
        made = amount.copy_negate()
        sub_ledger = sub_ledger.adjusted(made)
    else:
        inventory, lot = _inventory(unit, bot, symbol), fee_lot(fee.execution_id)
        if amount > 0:
            inventory, made = inventory.charged(amount, fee.at, lot)
        else:
            inventory, made = inventory.credited(amount.copy_negate(), fee.at, lot)
        unit.put(INVENTORIES, BotInventory(bot, inventory), bot, symbol)
    decision = _order(unit, fee.client_order_id).intent.decision
    unit.put(SUB_LEDGERS, sub_ledger.made(made), bot)
    _put_counters(unit, _counters(unit, decision).made(made))


def _leave_out(unit: UnitOfWork, symbol: str, dust: Decimal) -> None:
    """So many coins more (fewer) are at the account and no bot's."""
    kind = DifferenceKind.POSITION.value
    known = unit.get(EXCLUSIONS, kind, symbol)
    if known is None:
        known = Exclusion(
            kind=DifferenceKind.POSITION,
            subject=symbol,
            quantity=_NOTHING,
            reason="less than the fees that were accrued was kept, and no bot holds the coin",
            operator=FEES_THEMSELVES,
        )
    quantity = add(known.quantity or _NOTHING, dust)
    if quantity:
        unit.put(EXCLUSIONS, structs.replace(known, quantity=quantity), kind, symbol)
    else:
        unit.delete(EXCLUSIONS, kind, symbol)


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


def _fee(unit: UnitOfWork, client_order_id: str, execution_id: str) -> FeeOnRecord:
    record = unit.get(FEES, client_order_id, execution_id)
    if record is None:
        raise NoSuchFee(f"an event of the fee of {client_order_id}/{execution_id}, which has none")
    return record


def _counters(unit: UnitOfWork, decision: DecisionKey) -> SessionCounters:
    bot, session = decision.bot, decision.session
    return unit.get(COUNTERS, bot, session) or SessionCounters(bot=bot, session=session)


def _put_counters(unit: UnitOfWork, counters: SessionCounters) -> None:
    unit.put(COUNTERS, counters, counters.bot, counters.session)


def _put_fact(unit: UnitOfWork, name: str, value: str) -> None:
    unit.put(FACTS, (name, value), name)


_NOTHING = Decimal(0)
