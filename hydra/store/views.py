"""What the ledger answers to those that start or compare, put together from what is durable."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from hydra.store import projections
from hydra.store.reading import Records
from hydra.store.tables import OrderRecord
from hydra.trading import exact
from hydra.trading.durations import DAY
from hydra.trading.fees import FeeBasis, FeeRecord, regulatory_most
from hydra.trading.hit_stops import HIT_STOPS
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import RecordedOrder
from hydra.trading.reconciliation import RecordView
from hydra.trading.resting_stop import asked_out_key
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trail import trail_key
from hydra.trading.venue_view import VenueSnapshot
from messages.positions import (
    BookRecovered,
    GuardedOrder,
    GuardianRecord,
    orders_left_alone,
    positions_left_alone,
)


def book_of(records: Records, bot: str | None) -> BookRecovered:
    """What is held, of one bot or of all, and the orders and fills that may matter yet."""
    sub_ledgers = records.sub_ledgers(bot)
    held = tuple(each for each in records.inventories(bot) if each.inventory.lots)
    lots = (lot.execution_id for each in held for lot in each.inventory.lots)
    names = records.names_that_matter(bot, lots)
    fills = sorted(records.fills_of(names), key=lambda record: record.seq)
    values = {} if bot is None else records.values()
    return BookRecovered(
        orders=tuple(
            RecordedOrder(
                decision=record.intent.decision,
                order=record.state.order,
                is_open=record.state.status.is_open,
                filled_quantity=record.state.filled_quantity,
                protective_stop=record.intent.protective_stop,
                is_withheld=record.state.status is OrderStatus.WITHHELD,
                is_absent=record.state.status is OrderStatus.ABSENT,
                reason=record.intent.reason,
            )
            for record in records.orders_named(names)
        ),
        fills=tuple(record.fill for record in fills),
        held=held,
        realised=exact.total(sub_ledger.realised for sub_ledger in sub_ledgers),
        trail="" if bot is None else values.get(trail_key(bot), ""),
        hit_stops=values.get(HIT_STOPS, ""),
        asked_out="" if bot is None else values.get(asked_out_key(bot), ""),
    )


def guardian_record_of(
    records: Records, session: str, entries_since: int | None = None
) -> GuardianRecord:
    """Everything that the guardian needs to know; of orders that are over and of another day only
    what was given up, and the entries since then (market time), which may count in its windows.
    """
    earlier = () if entries_since is None else records.entries_before(session, entries_since)
    inventories = records.inventories()
    return GuardianRecord(
        session=session,
        inventories=inventories,
        stops=records.stops_of(
            lot.execution_id for held in inventories for lot in held.inventory.lots
        ),
        open_orders=_guarded(records.open_orders()),
        orders=_guarded(records.orders_in(session)),
        earlier=_guarded(earlier),
        given_up=_guarded(records.given_up_outside(session)),
        sub_ledgers=records.sub_ledgers(),
        counters=records.counters(session),
        budgets=records.budgets(session),
        halts=records.halts(),
        values=records.values(),
        opening_cash=opening_cash_in(records.facts().get(projections.OPENING_CASH)),
        exclusions=records.exclusions(),
    )


class RecordViews:
    """Our side of each comparison. What is asked again, and nothing committed since, is not read
    again: record and venue are compared all day, and most of it nothing happens.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._seq = 0
        self._named: frozenset[str] = frozenset()
        self._view: RecordView | None = None

    def of(self, snapshot: VenueSnapshot, seq: int) -> RecordView:
        """What is to be compared with the snapshot: all orders that either side takes for open.

        `seq` is the number of the last durable event.
        """
        listed = (each.order.client_order_id for each in snapshot.orders)
        named = frozenset((*listed, *(fill.client_order_id for fill in snapshot.fills)))
        if self._view is None or (seq, named) != (self._seq, self._named):
            self._view = _record_view_of(self._records, named)
            self._seq, self._named = seq, named
        return self._view


def _record_view_of(records: Records, named: Iterable[str]) -> RecordView:
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
        excluded_orders=orders_left_alone(exclusions),
        excluded_positions=positions_left_alone(exclusions),
    )


def fee_record_of(records: Records, snapshot: VenueSnapshot) -> FeeRecord:
    """What is known of fees, as far as a comparison with the snapshot needs it."""
    told = [(each.activity_id, each.asset) for each in snapshot.fees]
    booked = frozenset(each for each in told if records.has_booked(*each))
    news = [each for each in snapshot.fees if (each.activity_id, each.asset) not in booked]
    bases = (FeeBasis.ACCRUED, FeeBasis.OBSERVED) if news else (FeeBasis.ACCRUED,)
    fees = tuple(record.fee for record in records.open_fees(*bases))
    if not (fees or news):
        return FeeRecord(booked=booked)
    heard = {(fill.client_order_id, fill.execution_id) for fill in snapshot.fills}
    return FeeRecord(
        fees=fees,
        booked=booked,
        held={
            (each.bot, each.inventory.symbol): each.inventory.position
            for each in records.inventories()
        },
        excluded=positions_left_alone(records.exclusions()),
        regulatory_room=(
            Decimal(0)
            if all(each.is_of_coins for each in news)
            else _regulatory_room(records, snapshot.at - REGULATORY_WINDOW)
        ),
        unheard=frozenset(
            fee.symbol
            for fee in fees
            if fee.basis is FeeBasis.ACCRUED
            and fee.at > snapshot.since  # what is older may be left out of it
            and (fee.client_order_id, fee.execution_id) not in heard
        ),
    )


REGULATORY_WINDOW = 7 * DAY
"""What is charged for a day is booked some days after it at the latest."""


def _regulatory_room(records: Records, since: int) -> Decimal:
    """How much more may be charged for what was traded since then than has been."""
    most = regulatory_most(record.fill for record in records.fills_from(since))
    charged = exact.total(
        record.fee.amount for record in records.fees_of_orders([""]) if record.fee.at >= since
    )
    return exact.subtract(most, charged)


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
