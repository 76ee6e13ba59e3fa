"""What the ledger answers to those that start or compare, put together from what is durable."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from hydra.store import projections
from hydra.store.reading import Records
from hydra.store.tables import OrderRecord
from hydra.trading import exact
from hydra.trading.differences import DifferenceKind
from hydra.trading.reconciliation import RecordView
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.venue_view import VenueSnapshot
from messages.positions import BookRecovered, GuardedOrder, GuardianRecord, RecordedOrder


def book_of(records: Records, bot: str | None) -> BookRecovered:
    """Every order, every fill, and what is held, of one bot or of all."""
    sub_ledgers = records.sub_ledgers(bot)
    return BookRecovered(
        orders=tuple(
            RecordedOrder(
                decision=record.intent.decision,
                order=record.state.order,
                is_open=record.state.status.is_open,
                filled_quantity=record.state.filled_quantity,
            )
            for record in records.orders(bot)
        ),
        fills=tuple(record.fill for record in records.fills(bot)),
        held=tuple(each for each in records.inventories(bot) if each.inventory.lots),
        realised=exact.total(sub_ledger.realised for sub_ledger in sub_ledgers),
    )


def guardian_record_of(records: Records, session: str) -> GuardianRecord:
    """Everything that the guardian needs to know, and no order that is over and of another day."""
    inventories = records.inventories()
    return GuardianRecord(
        session=session,
        inventories=inventories,
        stops=records.stops_of(
            lot.execution_id for held in inventories for lot in held.inventory.lots
        ),
        open_orders=_guarded(records.open_orders()),
        orders=_guarded(records.orders_in(session)),
        sub_ledgers=records.sub_ledgers(),
        counters=records.counters(session),
        budgets=records.budgets(session),
        halts=records.halts(),
        values=records.values(),
        opening_cash=opening_cash_in(records.facts().get(projections.OPENING_CASH)),
        exclusions=records.exclusions(),
    )


def record_view_of(records: Records, snapshot: VenueSnapshot) -> RecordView:
    """What is to be compared with the snapshot: all orders that either side takes for open."""
    named = {each.order.client_order_id for each in snapshot.orders}
    named |= {fill.client_order_id for fill in snapshot.fills}
    found = {
        record.state.order.client_order_id: record.state
        for record in (*records.open_orders(), *records.orders_named(sorted(named)))
    }
    facts, exclusions = records.facts(), records.exclusions()
    return RecordView(
        account=facts.get(projections.ACCOUNT),
        opening_cash=opening_cash_in(facts.get(projections.OPENING_CASH)),
        cash=exact.total(each.cash for each in records.sub_ledgers()),
        orders=found,
        fills=tuple(record.fill for record in records.fills_of(found)),
        positions=_positions(records.inventories()),
        excluded_orders=frozenset(
            each.subject for each in exclusions if each.kind is not DifferenceKind.POSITION
        ),
        excluded_positions={
            each.subject: each.quantity for each in exclusions if each.quantity is not None
        },
    )


def opening_cash_in(fact: str | None) -> Decimal | None:
    """What the fact says."""
    return None if fact is None else Decimal(fact)


def _guarded(orders: Iterable[OrderRecord]) -> tuple[GuardedOrder, ...]:
    return tuple(
        GuardedOrder(intent=each.intent, state=each.state, attempted_at=each.attempted_at)
        for each in orders
    )


def _positions(inventories: Iterable[BotInventory]) -> dict[str, Decimal]:
    """What all bots together hold of each symbol, as far as it is anything."""
    positions: dict[str, Decimal] = defaultdict(Decimal)
    for held in inventories:
        symbol, position = held.inventory.symbol, held.inventory.position
        positions[symbol] = exact.add(positions[symbol], position)
    return {symbol: position for symbol, position in positions.items() if position}
