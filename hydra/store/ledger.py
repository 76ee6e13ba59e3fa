"""The ledger: what the engine meant to do and what became of it, durable before anyone is told.

One owner (the state persister), one connection. What is recorded is durable when `commit` has
returned, all of it together; until then nobody may be told of it, and reading does not show it.
Nothing in here tells the time: `at` is market time (UTC ns), by the caller.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any

import apsw
import msgspec

from hydra.crash_points import reached
from hydra.ports import IntentRecorded, LedgerMark, ReportRecorded
from hydra.store import projections
from hydra.store.backup import back_up
from hydra.store.chain import SqlRow, link_of
from hydra.store.checking import (
    Head,
    LedgerDamaged,
    chain_head,
    require_state,
    state_of_tables,
)
from hydra.store.connection import (
    BUSY_TIMEOUT_MS,
    connected,
    make_durable,
    require_sqlite,
)
from hydra.store.events import (
    RECORD_VERSION,
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
    encoded,
    kind_of,
)
from hydra.store.order_reports import event_of
from hydra.store.projections import booked, content_hash
from hydra.store.reading import Records
from hydra.store.schema import NewerThanThisHydra, migrate
from hydra.store.tables import FACTS, FILLS, ORDERS, TABLES, BotInventory, Key, OrderRecord, Table
from hydra.store.transaction import transaction
from hydra.store.unit_of_work import UnitOfWork, write
from hydra.trading.order_life import ImpossibleReport, OrderState, after
from hydra.trading.orders import DecisionKey, Fill
from hydra.trading.sub_ledgers import SessionCounters, SubLedger
from hydra.trading.trading_state import Cause
from messages.orders import OrderApproved, OrderFilled, Outcome, client_order_id_of
from messages.positions import BookRecovered, RecordedOrder

CHECKPOINT_PAGES = 4_000
"""From so many on, the write-ahead log is taken over into the database after a commit."""
SESSIONS_KNOWN = 4
"""Whose decisions are kept in memory: the one that is traded, and some that reports speak of."""


class LedgerFailed(Exception):
    """The ledger cannot be read or written. Trading stops; only a restart may try it again."""


class ForeignWrite(Exception):
    """Another connection changed the database; what stands in it is not only what we wrote."""


class ContentChanged(Exception):
    """A decision or an order's name came back with other content; it names one order for ever."""


class UnknownOrder(Exception):
    """A report speaks of an order that this ledger never intended."""


class WrongOwner(Exception):
    """The ledger is of another venue or account than the one that is to be traded."""


class UsedByTwo(Exception):
    """A thread called while another one was not done: one that hung, and whoever replaced it."""


REFUSALS = (
    ContentChanged,
    DecimalException,
    ImpossibleReport,
    NewerThanThisHydra,
    UnknownOrder,
    WrongOwner,
)
"""What is raised before anything was changed. After all else nobody knows what is recorded."""


class Ledger:
    """The record of everything that was meant, sent, filled, granted and halted.

    After the first failure it answers nothing but `LedgerFailed`: what was not proven durable then
    is never tried a second time on the same connection.
    """

    def __init__(self, connection: apsw.Connection, head: Head) -> None:
        """Take over a connection that is proven, migrated and checked; others use `open`."""
        self._connection = connection
        self._records = Records(connection)
        self._unit = UnitOfWork(self._look_up, head.state)
        self._head = head
        self._pending: list[tuple[int, str, bytes]] = []
        self._pending_decisions: list[tuple[DecisionKey, str]] = []
        self._taken: dict[str, dict[DecisionKey | str, str]] = {}
        self._failure: str | None = None
        self._process = os.getpid()
        self._in_use = threading.Lock()
        self._log_pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES
        connection.set_wal_hook(self._log_has_grown)
        self._data_version: int = connection.pragma("data_version")
        """SQLite's own count of what others committed."""

    @classmethod
    def open(
        cls, path: Path | str, *, venue: str, at: int, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> "Ledger":
        """Open or create the ledger of a venue: settings proven, schema current, content checked.

        ":memory:" keeps nothing. Raises DurabilityRefused, LedgerDamaged, NewerThanThisHydra,
        NotALedger, WrongOwner, RightsTooOpen, or LedgerFailed if it cannot be opened at all.
        Killed at any moment, it can be called again (I59).
        """
        require_sqlite(apsw.sqlite_lib_version())
        try:
            connection = connected(path)
        except (apsw.Error, OSError) as error:
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        reached("ledger.open.created")
        try:
            make_durable(connection, path, busy_timeout_ms)
            migrate(connection, lambda version: back_up_before(connection, Path(path), version))
            reached("ledger.open.proven")
            head = chain_head(connection)
            require_state(connection, head)
            reached("ledger.open.verified")
            ledger = cls(connection, head)
            ledger._belong_to(venue, at)
            return ledger
        except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
            _let_go(connection)
            raise LedgerDamaged(
                f"{path}: {_words(error)}; keep the files as they are, and start from the newest"
                " proven backup"
            ) from error
        except (apsw.Error, msgspec.MsgspecError) as error:
            _let_go(connection)
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        except BaseException:
            _let_go(connection)
            raise

    @property
    def mark(self) -> LedgerMark:
        """What is durable: the number of the last event, and the link that names all of them."""
        return LedgerMark(self._head.seq, self._head.link.hex())

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """Record intent and attempt; once they are committed the order may be sent, not before.

        A duplicate was recorded before, by this very decision: it must not be sent again.
        Raises ContentChanged if the decision, or the order's name in its session, is taken by
        another content. (A name out of another session fails at the commit.)
        """
        event = OrderIntended(intent=approved.intent, order=approved.order)
        name = approved.order.client_order_id
        with self._translated("record an intent"):
            body = encoded(event)
            duplicate = self._is_on_record(event, body)
            if not duplicate:
                self._record(event, at, body)
                self._record(OrderAttempted(client_order_id=name), at)
                self._take(event.intent.decision, name)
        return IntentRecorded(client_order_id=name, duplicate=duplicate)

    def record_report(self, report: Outcome, at: int) -> ReportRecorded:
        """Record an outcome; once it is committed others may act on it, not before.

        Nothing in a duplicate is new: nothing was recorded, and nobody needs to be told.
        Raises UnknownOrder for an order that nobody intended, ImpossibleReport for one that
        contradicts what is on record.
        """
        name = client_order_id_of(report)
        with self._translated("record a report"):
            order = self._unit.get(ORDERS, name)
            if order is None:
                raise UnknownOrder(
                    f"{type(report).__name__} for {name}, which this ledger never meant to send:"
                    " it is foreign, or this is not the ledger it was sent from"
                )
            is_news = self._is_news(order.state, report)
            if is_news:
                self._record(report, at)
        return ReportRecorded(decision=order.intent.decision, duplicate=not is_news)

    def bind_account(self, account: str, at: int) -> None:
        """The ledger is of this account from here on. Raises WrongOwner if it is of another."""
        with self._translated("bind the account"):
            if not self._is_bound(projections.ACCOUNT, account):
                self._record(AccountBound(account=account), at)

    def engine_started(self, version: str, configuration: str, at: int) -> None:
        """A process goes on with this ledger. Raises NewerThanThisHydra if a later one had it."""
        with self._translated("record a start"):
            before = self._fact(projections.ENGINE)
            if before is not None and _version(before) > _version(version):
                raise NewerThanThisHydra(
                    f"the ledger was last used by Hydra {before}, this is {version}; run that one,"
                    " or a later one"
                )
            self._record(EngineStarted(version=version, configuration=configuration), at)

    def engine_stopped(self, reason: str, at: int) -> None:
        """The process ends in order."""
        with self._translated("record a stop"):
            self._record(EngineStopped(reason=reason), at)

    def latch_halt(self, cause: Cause, at: int) -> None:
        """Record that a cause stands; the newest one of a code replaces the one before."""
        with self._translated("record a halt"):
            self._record(HaltLatched(cause=cause), at)

    def clear_halt(self, code: str, reason: str, at: int) -> None:
        """Record that a cause is gone, and on what evidence."""
        with self._translated("clear a halt"):
            self._record(HaltCleared(code=code, reason=reason), at)

    def grant_budget(self, bot: str, session: str, amount: Decimal, at: int) -> None:
        """Record what a bot may risk in a session; it replaces what it had."""
        with self._translated("grant a budget"):
            self._record(BudgetGranted(bot=bot, session=session, amount=amount), at)

    def put(self, key: str, value: str, at: int) -> None:
        """Set a small named value."""
        with self._translated("put a value"):
            self._record(ValuePut(key=key, value=value), at)

    def mark_journal(self, seq: int, at: int) -> None:
        """The journal is on the disk up to this line (I54); marking an earlier one does nothing."""
        with self._translated("mark the journal"):
            if seq > self._journal_seq():
                self._record(JournalMarked(seq=seq), at)

    def commit(self) -> LedgerMark:
        """Make all that was recorded durable, in one transaction; gives the new mark."""
        with self._translated("commit", refusals=()):
            if self._pending:
                self._write()
        return self.mark

    @property
    def engine(self) -> str | None:
        """The version of the engine that used this ledger last; None if none ever did."""
        with self._translated("read the engine"):
            return self._fact(projections.ENGINE)

    @property
    def unclean_end(self) -> bool:
        """The process before did not say that it stopped (I03)."""
        with self._translated("read how it ended"):
            return self._fact(projections.RUNNING) == "yes"

    @property
    def journal_seq(self) -> int:
        """The journal line last marked; 0 if none was."""
        with self._translated("read the journal's mark"):
            return self._journal_seq()

    def chain_at(self, seq: int) -> str | None:
        """The link of a durable event, in hex; None if there is none of this number."""
        with self._translated("read the chain"):
            return self._records.link_at(seq)

    def decision_of(self, client_order_id: str) -> DecisionKey | None:
        """Whose order this is, or None if it is not one of ours."""
        with self._translated("look up a decision"):
            return self._records.decision_of(client_order_id)

    def orders(self) -> tuple[OrderRecord, ...]:
        """Every order, in the order they were recorded."""
        with self._translated("read the orders"):
            return self._records.orders()

    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Every order that may be, or come to life, at the venue, in the order of recording."""
        with self._translated("read the open orders"):
            return self._records.open_orders()

    def fills(self) -> tuple[Fill, ...]:
        """Every execution counted, in the order they were recorded."""
        with self._translated("read the fills"):
            return tuple(record.fill for record in self._records.fills())

    def inventories(self) -> tuple[BotInventory, ...]:
        """What every bot holds, and what it held once, by bot and symbol."""
        with self._translated("read the lots"):
            return self._records.inventories()

    def sub_ledgers(self) -> tuple[SubLedger, ...]:
        """Every bot's money, by bot."""
        with self._translated("read the sub-ledgers"):
            return self._records.sub_ledgers()

    def counters(self, session: str) -> tuple[SessionCounters, ...]:
        """What every bot has done in this session, by bot."""
        with self._translated("read the counters"):
            return self._records.counters(session)

    def budgets(self, session: str) -> dict[str, Decimal]:
        """What every bot was granted for this session."""
        with self._translated("read the budgets"):
            return self._records.budgets(session)

    def halts(self) -> tuple[Cause, ...]:
        """Every cause that stands, the oldest first."""
        with self._translated("read the halts"):
            return self._records.halts()

    def get(self, key: str) -> str | None:
        """The value last put under this key."""
        with self._translated("get a value"):
            return self._records.values().get(key)

    def book(self, bot: str | None) -> BookRecovered:
        """Every order and every fill, of one bot or of all, for an actor that has just started."""
        records = [record for record in self.orders() if bot in (None, record.intent.decision.bot)]
        names = frozenset(record.state.order.client_order_id for record in records)
        return BookRecovered(
            orders=tuple(
                RecordedOrder(
                    decision=record.intent.decision,
                    order=record.state.order,
                    is_open=record.state.status.is_open,
                    filled_quantity=record.state.filled_quantity,
                )
                for record in records
            ),
            fills=tuple(fill for fill in self.fills() if fill.client_order_id in names),
        )

    def state_hash(self) -> str:
        """Names the whole state: the same events give the same one, live, replayed or restored."""
        with self._translated("hash the state"):
            return state_of_tables(self._connection).digest.hex()

    def close(self) -> None:
        """Give the database back, whole; what was not committed is gone. Twice does nothing.

        After a failure its files stay as they are, for whoever finds out why.
        """
        self._close(tidy=self._failure is None)

    def abandon(self) -> None:
        """Give the database back and leave its files as they are. Twice does nothing."""
        self._close(tidy=False)

    def _close(self, *, tidy: bool) -> None:
        self._require_own_process("close")
        if self._failure is None:
            self._failure = "it is closed"
        try:
            if tidy:
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            self._connection.close()
        except apsw.Error as error:
            raise self._failed("close", error) from error

    def _belong_to(self, venue: str, at: int) -> None:
        if not self._is_bound(projections.VENUE, venue):
            self._record(LedgerBegun(venue=venue), at)
            self._write()

    def _is_bound(self, fact: str, wanted: str) -> bool:
        found = self._fact(fact)
        if found not in (None, wanted):
            raise WrongOwner(
                f"{self._connection.filename or 'the ledger'} is of {fact} {found}, and this is"
                f" {wanted}; use the state folder of {wanted}"
            )
        return found is not None

    def _fact(self, name: str) -> str | None:
        row = self._unit.get(FACTS, name)
        return None if row is None else str(row[1])

    def _journal_seq(self) -> int:
        return int(self._fact(projections.JOURNAL) or 0)

    def _is_on_record(self, event: OrderIntended, body: bytes) -> bool:
        decision, name = event.intent.decision, event.order.client_order_id
        taken = self._taken_in(decision.session)
        if decision not in taken and name not in taken:
            return False
        record = self._unit.get(ORDERS, name)
        if record is not None and record.content_hash == content_hash(body):
            return True
        raise ContentChanged(
            f"order {name} of {decision} is on record with other content, as"
            f" {taken.get(decision, name)}; nothing was written or sent"
        )

    def _taken_in(self, session: str) -> dict[DecisionKey | str, str]:
        """Each decision of a session and each order's name, with the name that it leads to.

        Known as a whole, so that a new decision, which most are, needs no look into the database.
        """
        if session not in self._taken:
            if len(self._taken) >= SESSIONS_KNOWN:
                self._taken.clear()
            taken = self._records.taken_in(session)
            for decision, name in self._pending_decisions:
                if decision.session == session:
                    taken[name] = taken[decision] = name
            self._taken[session] = taken
        return self._taken[session]

    def _take(self, decision: DecisionKey, name: str) -> None:
        taken = self._taken_in(decision.session)
        taken[decision] = taken[name] = name
        self._pending_decisions.append((decision, name))

    def _is_news(self, state: OrderState, report: Outcome) -> bool:
        counted = None
        if isinstance(report, OrderFilled):
            fill = report.fill
            counted = self._unit.get(FILLS, fill.client_order_id, fill.execution_id)
        stored = None if counted is None else counted.fill
        return after(state, event_of(report), stored) != state

    def _record(self, event: LedgerEvent, at: int, body: bytes | None = None) -> None:
        body = encoded(event) if body is None else body
        booked(self._unit, self._head.seq + len(self._pending) + 1, at, event, body)
        self._pending.append((at, kind_of(event), body))

    def _write(self) -> None:
        parts, state = self._unit.written()
        events, head = self._linked(state)
        reached("ledger.commit.before")
        with transaction(self._connection):
            if self._connection.pragma("data_version") != self._data_version:
                raise ForeignWrite("somebody else wrote to the database while it was ours")
            self._connection.executemany(_INSERT_EVENT, events)
            reached("ledger.commit.events_written")
            write(self._connection, parts)
            reached("ledger.commit.tables_written")
        reached("ledger.commit.after")
        self._head = head
        self._pending.clear()
        self._pending_decisions.clear()
        self._unit.forget_what_is_stored()
        if self._log_pages >= self._checkpoint_at:
            # SQLite's own would keep its errors to itself. A reader may stand in the way of this
            # one; then the log grows, and the next try is when it has grown as much again.
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._checkpoint_at = self._log_pages + CHECKPOINT_PAGES

    def _log_has_grown(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._log_pages:  # it was taken over whole, and began anew
            self._checkpoint_at = CHECKPOINT_PAGES
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _linked(self, state: bytes) -> tuple[list[SqlRow], Head]:
        """The pending events as rows, each linked to the one before; the last bears the state."""
        link = self._head.link
        rows: list[SqlRow] = []
        last = self._head.seq + len(self._pending)
        for seq, (at, kind, body) in enumerate(self._pending, self._head.seq + 1):
            state_here = state if seq == last else None
            link = link_of(link, seq, at, RECORD_VERSION, kind, body, state_here)
            rows.append((seq, at, RECORD_VERSION, kind, body, state_here, link))
        return rows, Head(last, link, state)

    def _look_up(self, table: Table[Any], key: Key) -> Any:
        row = self._connection.execute(_FIND[table.name], key).fetchone()
        return None if row is None else table.decode(row)

    @contextmanager
    def _translated(
        self, doing: str, refusals: tuple[type[Exception], ...] = REFUSALS
    ) -> Iterator[None]:
        if self._failure is not None:
            raise LedgerFailed(f"cannot {doing}: the ledger failed before: {self._failure}")
        self._require_own_process(doing)
        if not self._in_use.acquire(blocking=False):
            raise self._failed(doing, UsedByTwo("another thread is still at work in it"))
        try:
            yield
        except refusals:
            raise
        except Exception as error:
            raise self._failed(doing, error) from error
        except BaseException as error:
            self._failed(doing, error)
            raise
        finally:
            self._in_use.release()

    def _require_own_process(self, doing: str) -> None:
        if os.getpid() != self._process:
            raise LedgerFailed(f"cannot {doing}: the ledger belongs to process {self._process}")

    def _failed(self, doing: str, error: BaseException) -> LedgerFailed:
        self._failure = f"cannot {doing}: {_words(error)}"
        return LedgerFailed(self._failure)


def back_up_before(connection: apsw.Connection, path: Path, version: int) -> None:
    """A proven copy of what the next migration is going to change (I67)."""
    back_up(connection, path.parent / "backups" / f"{path.stem}-schema-{version}.db")


def _let_go(connection: apsw.Connection) -> None:
    # The first error is the one that is seen.
    with suppress(apsw.Error):
        connection.close(True)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


_FIND = {table.name: table.find for table in TABLES}
_INSERT_EVENT = (
    "INSERT INTO events (seq, at, version, kind, body, state, link) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
