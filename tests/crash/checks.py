"""What must be in a record after all its processes have died or ended, by what they said."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import apsw
import msgspec

from hydra.ports import LedgerMark
from hydra.store import projections
from hydra.store.agreement import disagreement
from hydra.store.backup import proven
from hydra.store.checking import Head, LedgerDamaged, chain_head, require_replay, require_state
from hydra.store.connection import IN_MEMORY, connected_to_read
from hydra.store.engine_files import EngineFiles
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
    decoded,
)
from hydra.store.journal_files import JournalDamaged
from hydra.store.journal_reading import findings_in, read_journal
from hydra.store.ledger import Ledger
from hydra.store.reading import Records
from hydra.store.tables import FillRecord, OrderRecord
from hydra.trading.fees import ALPACA_FEES, NO_FEES, FeeSchedule
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trading_state import Cause
from messages.orders import OrderApproved
from tests.crash.known import Known, halts_after
from tests.crash.said import Item
from tests.crash.worker import SESSION


class Contents(msgspec.Struct, frozen=True):
    """Everything that trading put into a ledger, and nothing of who had it when."""

    orders: tuple[OrderRecord, ...]
    fills: tuple[FillRecord, ...]
    inventories: tuple[BotInventory, ...]
    sub_ledgers: tuple[SubLedger, ...]
    counters: tuple[SessionCounters, ...]
    budgets: dict[str, Decimal]
    halts: tuple[Cause, ...]
    values: dict[str, str]


def contents_of(ledger: Path) -> Contents:
    """As it lies there. Raises LedgerDamaged if it is not whole."""
    connection = connected_to_read(ledger)
    try:
        whole_head(connection)
        records = Records(connection)
        return Contents(
            orders=records.orders(),
            fills=records.fills(),
            inventories=records.inventories(),
            sub_ledgers=records.sub_ledgers(),
            counters=records.counters(),
            budgets=records.budgets(SESSION),
            halts=records.halts(),
            values=records.values(),
        )
    finally:
        connection.close()


def faults_in_record(files: EngineFiles, known: Known) -> Iterator[str]:
    """Everything that is missing, there twice, or not what was acknowledged. All is closed."""
    connection = connected_to_read(files.ledger)
    try:
        try:
            head = whole_head(connection)
            yield from _faults_in_ledger(connection, head, known)
            yield from _faults_in_journal(files.journal, known)
            yield from _faults_in_backups(files.backups, Records(connection).link_at, known)
            yield from _disagreement(connection, head, files.journal)
        except (LedgerDamaged, JournalDamaged) as damaged:
            yield str(damaged)
    finally:
        connection.close()


def faults_left_by_death(files: EngineFiles) -> Iterator[str]:
    """What a process that was killed may not leave: damage that the next start cannot make good."""
    if files.journal.parent.is_dir() and list(files.journal.parent.glob("*.jsonl")):
        for finding in findings_in(files.journal):
            if not finding.is_left_by_a_crash:
                yield f"after the kill, {finding.path.name}: {finding.reason}"


def whole_head(connection: apsw.Connection) -> Head:
    """The ledger's head, if its chain is whole and its tables are what its events say.

    Raises LedgerDamaged.
    """
    head = chain_head(connection)
    require_state(connection, head)
    require_replay(connection, lambda _seq: None)
    return head


def never_killed(connection: apsw.Connection) -> LedgerMark:
    """The mark of a ledger into which one process without an accident records the same events."""
    (first_at, first, _), *rows = connection.execute(
        "SELECT at, body, state FROM events ORDER BY seq"
    )
    begun = decoded(first)
    assert isinstance(begun, LedgerBegun), "so every ledger begins"
    ledger = Ledger.open(IN_MEMORY, venue=begun.venue, at=first_at)
    try:
        events = [decoded(body) for _, body, _ in rows]
        for (at, _, state), event, following in zip(rows, events, [*events[1:], None], strict=True):
            fees = ALPACA_FEES if isinstance(following, FeeAccrued) else NO_FEES
            _record(ledger, event, at, fees)
            if state is not None:
                ledger.commit()
        return ledger.mark
    finally:
        ledger.close()


def _record(ledger: Ledger, event: LedgerEvent, at: int, fees: FeeSchedule) -> None:
    match event:
        case AccountBound(account=account):
            ledger.bind_account(account, at)
        case EngineStarted(version=version, configuration=configuration, wall_at=wall_at):
            ledger.engine_started(version, configuration, at, wall_at)
        case EngineStopped(reason=reason):
            ledger.engine_stopped(reason, at)
        case OrderIntended(intent=intent, order=order):
            approved = OrderApproved(intent=intent, order=order, epoch=1, expires_at=1)
            ledger.record_intent(approved, at)
        case OrderAttempted():
            pass  # the intent recorded it
        case HaltLatched(cause=cause):
            ledger.latch_halt(cause, at)
        case HaltCleared(code=code, reason=reason):
            ledger.clear_halt(code, reason, at)
        case BudgetGranted(bot=bot, session=session, amount=amount):
            ledger.grant_budget(bot, session, amount, at)
        case ValuePut(key=key, value=value):
            ledger.put(key, value, at)
        case JournalMarked(seq=seq):
            ledger.mark_journal(seq, at)
        case (
            AccountOpened()
            | CashAdjusted()
            | PositionAssigned()
            | DifferenceExcluded()
            | OrderAdopted()
        ):
            _record_act(ledger, event, at)
        case FeeAccrued():
            pass  # the execution recorded it
        case FeesObserved(observation=act) | FeeBooked(booking=act):
            ledger.record_fees(act, at)
        case LedgerBegun():
            raise AssertionError("a ledger begins once")
        case _:
            ledger.record_report(event, at, fees)


def _record_act(
    ledger: Ledger,
    act: AccountOpened | CashAdjusted | PositionAssigned | DifferenceExcluded | OrderAdopted,
    at: int,
) -> None:
    match act:
        case AccountOpened(cash=cash):
            ledger.open_account(cash, at)
        case CashAdjusted(amount=amount):
            ledger.adjust_cash(amount, reason=act.reason, operator=act.operator, at=at)
        case PositionAssigned():
            ledger.assign_position(
                act.bot,
                act.symbol,
                act.quantity,
                price=act.price,
                reason=act.reason,
                operator=act.operator,
                at=at,
            )
        case DifferenceExcluded():
            ledger.exclude_difference(
                act.kind,
                act.subject,
                act.quantity,
                reason=act.reason,
                operator=act.operator,
                at=at,
            )
        case OrderAdopted():
            ledger.adopt_order(
                act.intent, act.order, reason=act.reason, operator=act.operator, at=at
            )


def _faults_in_ledger(connection: apsw.Connection, head: Head, known: Known) -> Iterator[str]:
    records = Records(connection)
    states = dict(connection.execute("SELECT seq, hex(state) FROM events WHERE state NOT NULL"))
    for mark, state in known.states.items():
        if records.link_at(mark.seq) != mark.chain:
            yield f"event {mark.seq} was acknowledged, and is not there or another one"
        elif states.get(mark.seq, "").lower() != state:
            yield f"the state at event {mark.seq} is another one than was acknowledged"
    if never_killed(connection).chain != head.link.hex():
        yield "a run that was never killed, with the same events, gives another ledger"

    groups = _groups_in(records)
    for group in known.committed - groups.keys():
        yield f"{group} was acknowledged and is not there: {known.tried[group]}"
    for group, items in groups.items():
        if known.tried.get(group) != items:
            yield f"{group} is {items}, wanted {known.tried.get(group)}"
    yield from _faults_in_tables(connection, records, groups, known.taken_over)


def _faults_in_tables(
    connection: apsw.Connection,
    records: Records,
    groups: dict[str, tuple[Item, ...]],
    taken_over: set[str],
) -> Iterator[str]:
    """The tables hold what the groups that are there name, once, and nothing else."""
    items = [item for group in groups.values() for item in group]
    orders = {record.state.order.client_order_id: record for record in records.orders()}
    fills = [record.fill for record in records.fills()]
    values = records.values()
    found: dict[str, list[Item]] = {
        "order": [("order", name) for name in orders],
        "accepted": [
            ("accepted", name)
            for name, record in orders.items()
            if record.state.venue_order_id == f"at-{name}"
        ],
        "fill": [("fill", fill.client_order_id, fill.execution_id) for fill in fills],
        "value": [("value", k, text) for k, text in values.items() if k.startswith("value ")],
    }
    for kind, there in found.items():
        wanted = [item for item in items if item[0] == kind]
        yield from _differences(kind, wanted, there)
    yield from _differences(
        "halt",
        [("halt", code) for code in halts_after((), items)],
        [
            ("halt", cause.code)
            for cause in records.halts()
            if cause.code not in taken_over  # which were held against the marker
        ],
    )
    granted = {item[1]: item[2] for item in items if item[0] == "budget"}
    budgets = {bot: str(amount) for bot, amount in records.budgets(SESSION).items()}
    yield from _differences("budget", list(granted.items()), list(budgets.items()))
    yield from _differences(
        "event",
        [item for item in items if item[0] in ("order", "fill")],
        list(_orders_and_fills_in_events(connection)),
    )


def _orders_and_fills_in_events(connection: apsw.Connection) -> Iterator[Item]:
    """What the tables could not show twice, because their keys forbid it."""
    for name, attempts in connection.execute(
        "SELECT json_extract(body, '$.order.client_order_id'), 0 FROM events"
        " WHERE kind = 'OrderIntended' UNION ALL"
        " SELECT json_extract(body, '$.client_order_id'), 1 FROM events"
        " WHERE kind = 'OrderAttempted' GROUP BY body HAVING count(*) > 1"
    ):
        yield ("attempted twice", name) if attempts else ("order", name)
    for name, execution_id in connection.execute(
        "SELECT json_extract(body, '$.fill.client_order_id'),"
        " json_extract(body, '$.fill.execution_id') FROM events WHERE kind = 'OrderFilled'"
    ):
        yield ("fill", name, execution_id)


def _faults_in_journal(path: Path, known: Known) -> Iterator[str]:
    """Every line that was acknowledged and not pruned is there, once; the reader proves the rest:
    that the sequence is whole, and that nothing is gone but by pruning.
    """
    lines = {int(str(record["seq"])): record.get("number") for record in read_journal(path)}
    first = min(lines, default=1)
    for seq, number in known.lines.items():
        if seq >= first and lines.get(seq) != number:
            yield f"line {seq} of the journal is {lines.get(seq)!r}, {number!r} was acknowledged"
    numbers = Counter(number for number in lines.values() if number is not None)
    yield from (
        f"line {each!r} is there {times} times" for each, times in numbers.items() if times > 1
    )


def _faults_in_backups(
    folder: Path, link_at: Callable[[int], str | None], known: Known
) -> Iterator[str]:
    """Each file that bears a backup's name is proven, and a moment of this ledger."""
    heads: dict[str, LedgerMark] = {}
    for path in sorted(folder.glob("*.db")):
        head = proven(path)
        heads[path.name] = LedgerMark(head.seq, head.link.hex())
        if link_at(head.seq) != head.link.hex():
            yield f"{path.name} ends with event {head.seq}, which is not the ledger's"
    for name, mark in known.backups.items():
        if heads.get(name) != mark:
            yield f"{name} was acknowledged with {mark}, found {heads.get(name)}"


def _disagreement(connection: apsw.Connection, head: Head, journal: Path) -> Iterator[str]:
    records = Records(connection)
    last, mark = 0, None
    for line in read_journal(journal):
        last = int(str(line["seq"]))
        if "ledger_seq" in line:
            mark = LedgerMark(int(str(line["ledger_seq"])), str(line["ledger_chain"]))
    journal_seen = int(records.facts().get(projections.JOURNAL, 0))
    here = LedgerMark(head.seq, head.link.hex())
    fault = disagreement(here, journal_seen, records.link_at, last, mark)
    if fault is not None:
        yield fault


def _groups_in(records: Records) -> dict[str, tuple[Item, ...]]:
    """In the order they were recorded."""
    groups = {
        key: msgspec.json.decode(text, type=tuple[Item, ...])
        for key, text in records.values().items()
        if key.startswith("group ")
    }
    return dict(sorted(groups.items(), key=lambda each: [int(n) for n in each[0].split()[1:]]))


def _differences(kind: str, wanted: list[Item], found: list[Item]) -> Iterator[str]:
    missing, surplus = Counter(wanted), Counter(found)
    for item in (missing - surplus).elements():
        yield f"{kind}: {item} is missing"
    for item in (surplus - missing).elements():
        yield f"{kind}: {item} is there without its group, or once too often"
