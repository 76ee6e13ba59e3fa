"""The whole state of a ledger as plain tables, for other programs: every value as it is recorded.

A table is named for what is in it, with columns in the field's words. What each cell holds is text,
an integer, a decimal, or nothing; a time has two columns, ISO 8601 in UTC and nanoseconds.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

import apsw
import msgspec

from hydra.ports import LedgerMark
from hydra.store.checking import chain_head, require_state
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.store.journal_line import timestamp
from hydra.store.ledger_facts import NoLedger
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.store.schema import MIGRATIONS, require_ours
from hydra.store.tables import BUDGETS

Cell: TypeAlias = str | int | Decimal | None


class ExportTable(msgspec.Struct, frozen=True):
    """Rows of one kind, in a fixed order."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a ledger: which one, and all that stands in it."""

    schema: int
    mark: LedgerMark
    state_hash: str
    tables: tuple[ExportTable, ...]


def exported(files: EngineFiles) -> Export:
    """What stands in the ledger, all of one moment and checked, while its engine may go on.

    Raises NoLedger, RecordGone, LedgerDamaged, NotALedger, NewerThanThisHydra, and what apsw
    raises.
    """
    if is_first_start(files):
        raise NoLedger(
            f"{files.ledger}: found no ledger, so there is nothing to export; say where the state"
            " is with --state-dir or --venue"
        )
    return looked_at(files.ledger, files.lock, _exported)


def _exported(connection: apsw.Connection) -> Export:
    version = require_ours(connection)
    if version == 0:
        raise NoLedger(f"{connection.filename}: found an empty ledger; there is nothing to export")
    if version < len(MIGRATIONS):
        raise NoLedger(
            f"{connection.filename}: found schema version {version}, wanted {len(MIGRATIONS)};"
            " start the engine once, which brings it up to date, or export with the Hydra that"
            " wrote it"
        )
    head = chain_head(connection)
    require_state(connection, head)
    records = Records(connection)
    return Export(
        schema=version,
        mark=LedgerMark(head.seq, head.link.hex()),
        state_hash=head.state.hex(),
        tables=(
            _orders(records),
            _fills(records),
            _positions(records),
            _lots(records),
            _bots(records),
            _counters(records),
            _table("budgets", "bot session amount", _budgets(connection)),
            _halts(records),
            _exclusions(records),
            _fees(records),
            _fee_bookings(records),
            _table("values", "key value", records.values().items()),
            _table("facts", "name value", records.facts().items()),
        ),
    )


def _orders(records: Records) -> ExportTable:
    columns = (
        "seq client_order_id venue_order_id bot symbol session signal role side quantity order_type"
        " time_in_force limit_price stop_price intent_reason reference_price decided_at"
        " decided_at_ns attempted_at attempted_at_ns status status_reason filled_quantity"
        " content_hash protective_stop replaces"
    )
    return _table(
        "orders",
        columns,
        (
            (
                record.seq,
                order.client_order_id,
                record.state.venue_order_id,
                decision.bot,
                decision.symbol,
                decision.session,
                decision.signal,
                decision.role.value,
                order.side.value,
                order.quantity,
                order.order_type.value,
                order.time_in_force.value,
                order.limit_price,
                order.stop_price,
                record.intent.reason,
                record.intent.reference_price,
                *_time(record.intent.decided_at),
                *_time(record.attempted_at),
                record.state.status.value,
                record.state.reason,
                record.state.filled_quantity,
                record.content_hash,
                record.intent.protective_stop,
                order.replaces,
            )
            for record in records.each_order()
            for order, decision in [(record.state.order, record.intent.decision)]
        ),
    )


def _fills(records: Records) -> ExportTable:
    columns = "seq execution_id client_order_id bot symbol side quantity price at at_ns"
    return _table(
        "fills",
        columns,
        (
            (
                record.seq,
                fill.execution_id,
                fill.client_order_id,
                record.bot,
                fill.symbol,
                fill.side.value,
                fill.quantity,
                fill.price,
                *_time(fill.at),
            )
            for record in records.each_fill()
            for fill in [record.fill]
        ),
    )


def _positions(records: Records) -> ExportTable:
    return _table(
        "positions",
        "bot symbol position cost_basis lots",
        (
            (
                held.bot,
                inventory.symbol,
                inventory.position,
                inventory.cost_basis,
                len(inventory.lots),
            )
            for held in records.inventories()
            for inventory in [held.inventory]
        ),
    )


def _lots(records: Records) -> ExportTable:
    return _table(
        "lots",
        "bot symbol lot side quantity price opened_at opened_at_ns execution_id",
        (
            (
                held.bot,
                held.inventory.symbol,
                number,
                lot.side.value,
                lot.quantity,
                lot.price,
                *_time(lot.opened_at),
                lot.execution_id,
            )
            for held in records.inventories()
            for number, lot in enumerate(held.inventory.lots, 1)
        ),
    )


def _bots(records: Records) -> ExportTable:
    rows = ((each.bot, each.cash, each.realised) for each in records.sub_ledgers())
    return _table("bots", "bot cash realised", rows)


def _counters(records: Records) -> ExportTable:
    return _table(
        "counters",
        "bot session entries exits rejections fills round_trips realised",
        (
            (
                each.bot,
                each.session,
                each.entries,
                each.exits,
                each.rejections,
                each.fills,
                each.round_trips,
                each.realised,
            )
            for each in records.counters()
        ),
    )


def _budgets(connection: apsw.Connection) -> Iterable[tuple[Cell, ...]]:
    for bot, session, amount in connection.execute(f"{BUDGETS.select_rows} ORDER BY session, bot"):
        yield bot, session, Decimal(amount)


def _halts(records: Records) -> ExportTable:
    return _table(
        "halts",
        "code class state since since_ns detail bot symbol",
        (
            (
                cause.code,
                cause.cause_class.value,
                cause.state.value,
                *_time(cause.since),
                cause.detail,
                cause.bot,
                cause.symbol,
            )
            for cause in records.halts()
        ),
    )


def _exclusions(records: Records) -> ExportTable:
    return _table(
        "exclusions",
        "kind subject quantity reason operator",
        (
            (each.kind.value, each.subject, each.quantity, each.reason, each.operator)
            for each in records.exclusions()
        ),
    )


def _fees(records: Records) -> ExportTable:
    columns = "seq client_order_id execution_id bot symbol asset amount most booked basis at at_ns"
    return _table(
        "fees",
        columns,
        (
            (
                record.seq,
                fee.client_order_id,
                fee.execution_id,
                fee.bot,
                fee.symbol,
                fee.asset,
                fee.amount,
                fee.most,
                fee.booked,
                fee.basis.value,
                *_time(fee.at),
            )
            for record in records.each_fee()
            for fee in [record.fee]
        ),
    )


def _fee_bookings(records: Records) -> ExportTable:
    return _table(
        "fee_bookings",
        "seq activity_id asset symbol amount is_of_coins at at_ns",
        (
            (
                record.seq,
                charge.activity_id,
                charge.asset,
                charge.symbol,
                charge.amount,
                int(charge.is_of_coins),
                *_time(charge.at),
            )
            for record in records.fee_bookings()
            for charge in [record.charge]
        ),
    )


def _table(name: str, columns: str, rows: Iterable[tuple[Cell, ...]]) -> ExportTable:
    return ExportTable(name, tuple(columns.split()), tuple(rows))


def _time(ns: int | None) -> tuple[str | None, int | None]:
    return (None, None) if ns is None else (timestamp(ns), ns)
