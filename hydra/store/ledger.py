"""The ledger: what the engine meant to do and what became of it, durable before anyone is told.

One owner (the state persister), one connection. Every method either has written, durably, when it
returns, or it raises. Nothing in here tells the time: `at` is market time (UTC ns), by the caller.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import msgspec

from hydra.ports import IntentRecorded, ReportRecorded
from hydra.store import projections
from hydra.store.events import (
    LedgerEvent,
    OrderAttempted,
    OrderIntended,
    ValuePut,
    encoded,
    kind_of,
)
from hydra.store.order_state import OrderState, after, require_same_execution
from hydra.store.private_files import FILE_RIGHTS, make_private_folder, require_private_file
from hydra.store.projections import OrderRecord
from hydra.store.schema import migrate
from hydra.store.transaction import transaction
from hydra.trading.orders import DecisionKey, Fill
from messages.orders import OrderApproved, OrderFilled, Outcome, client_order_id_of
from messages.positions import BookRecovered, RecordedOrder

IN_MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 1_000
OLDEST_SQLITE = (3, 51, 3)


class LedgerFailed(Exception):
    """The ledger cannot be read or written. Trading stops; only a restart may try it again."""


class DurabilityRefused(Exception):
    """The database would not keep what it is given through a power cut; it must not be used."""


class ContentChanged(Exception):
    """A decision or an order's name came back with other content; it names one order for ever."""


class UnknownOrder(Exception):
    """A report speaks of an order that this ledger never intended."""


class Ledger:
    """The database of intents, attempts, orders, fills and a few named values.

    After the first failure it answers nothing but `LedgerFailed`: what was not proven durable then
    is never tried a second time on the same connection.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        """Take over a connection that is proven and migrated; everybody else uses `open`."""
        self._connection = connection
        self._failure: str | None = None

    @classmethod
    def open(cls, path: Path | str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> "Ledger":
        """Open or create the ledger, its settings proven and its schema brought up to date.

        ":memory:" keeps nothing. Raises DurabilityRefused, NewerThanThisHydra, RightsTooOpen, or
        LedgerFailed if it cannot be opened at all.
        """
        require_sqlite(apsw.sqlite_lib_version())
        try:
            connection = _connected(path)
        except (apsw.Error, OSError) as error:
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        try:
            _make_durable(connection, path, busy_timeout_ms)
            migrate(connection)
        except apsw.Error as error:
            connection.close(True)
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        except BaseException:
            connection.close(True)
            raise
        return cls(connection)

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """Make intent and attempt durable, in one transaction. Only then may the order be sent.

        A duplicate was recorded before, by this very decision: it must not be sent again.
        Raises ContentChanged if the decision or the order's name is taken by another content.
        """
        event = OrderIntended(intent=approved.intent, order=approved.order)
        client_order_id = approved.order.client_order_id
        with self._transaction("record an intent"):
            duplicate = self._is_on_record(event)
            if not duplicate:
                attempt = OrderAttempted(client_order_id=client_order_id)
                projections.store_intent(self._connection, self._append(event, at), event)
                projections.store_attempt(self._connection, self._append(attempt, at), at, attempt)
        return IntentRecorded(client_order_id=client_order_id, duplicate=duplicate)

    def record_report(self, report: Outcome, at: int) -> ReportRecorded:
        """Make an outcome durable; only then may anyone act on it.

        Nothing in a duplicate is new: nothing was written, and nobody needs to be told.
        Raises UnknownOrder for an order that nobody intended, ImpossibleReport for one that
        contradicts what is on record.
        """
        client_order_id = client_order_id_of(report)
        with self._transaction("record a report"):
            record = projections.order_named(self._connection, client_order_id)
            if record is None:
                raise UnknownOrder(
                    f"{type(report).__name__} for {client_order_id}, which this ledger never"
                    " meant to send: it is foreign, or this is not the ledger it was sent from"
                )
            news = self._news_of(record, report)
            if news is not None:
                seq = self._append(report, at)
                if isinstance(report, OrderFilled):
                    projections.store_fill(self._connection, seq, report.fill)
                projections.store_order_state(self._connection, news)
        return ReportRecorded(decision=record.intent.decision, duplicate=news is None)

    def decision_of(self, client_order_id: str) -> DecisionKey | None:
        """Whose order this is, or None if it is not one of ours."""
        with self._translated("look up a decision"):
            return projections.decision_named(self._connection, client_order_id)

    def orders(self) -> tuple[OrderRecord, ...]:
        """Every order, in the order they were stored."""
        with self._translated("read the orders"):
            return tuple(projections.order_records(self._connection))

    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Every order that may be, or come to life, at the venue, in the order they were stored."""
        with self._translated("read the open orders"):
            return tuple(projections.open_order_records(self._connection))

    def fills(self) -> tuple[Fill, ...]:
        """Every execution counted, in the order they were stored."""
        with self._translated("read the fills"):
            return tuple(projections.fills_counted(self._connection))

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

    def put(self, key: str, value: str, at: int) -> None:
        """Set a small named value, durably."""
        with self._transaction("put a value"):
            event = ValuePut(key=key, value=value)
            self._append(event, at)
            projections.store_value(self._connection, event)

    def get(self, key: str) -> str | None:
        """The value last put under this key."""
        with self._translated("get a value"):
            row = self._connection.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def state_hash(self) -> str:
        """Names the whole state: two runs with the same events have the same one."""
        with self._translated("hash the state"):
            return projections.hash_of_state(self._connection)

    def close(self) -> None:
        """Give the database back, whole. Closing twice does nothing."""
        try:
            self._connection.close()
        except apsw.Error as error:
            raise self._failed("close", error) from error

    def _is_on_record(self, event: OrderIntended) -> bool:
        decision, order = event.intent.decision, event.order
        rows = self._connection.execute(
            "SELECT client_order_id, content_hash FROM intents WHERE client_order_id = ?1"
            " OR (bot = ?2 AND symbol = ?3 AND session = ?4 AND signal = ?5 AND role = ?6)",
            (
                order.client_order_id,
                decision.bot,
                decision.symbol,
                decision.session,
                decision.signal,
                decision.role.value,
            ),
        ).fetchall()
        if not rows:
            return False
        if rows == [(order.client_order_id, projections.content_hash(event))]:
            return True
        raise ContentChanged(
            f"order {order.client_order_id} of {decision} is on record with other content, as"
            f" {' and '.join(str(row[0]) for row in rows)}; nothing was written or sent"
        )

    def _news_of(self, record: OrderRecord, report: Outcome) -> OrderState | None:
        if isinstance(report, OrderFilled):
            stored = projections.fill_named(
                self._connection, report.fill.client_order_id, report.fill.execution_id
            )
            if stored is not None:
                require_same_execution(stored, report.fill)
                return None
        state = after(record.state, report)
        return None if state == record.state else state

    def _append(self, event: LedgerEvent, at: int) -> int:
        self._connection.execute(
            "INSERT INTO events (at, kind, body) VALUES (?, ?, ?)",
            (at, kind_of(event), encoded(event)),
        )
        return self._connection.last_insert_rowid()

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[None]:
        # In this order a commit that fails is translated like any other error.
        with self._translated(doing), transaction(self._connection):
            yield

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        if self._failure is not None:
            raise LedgerFailed(f"cannot {doing}: the ledger failed before: {self._failure}")
        try:
            yield
        except (apsw.Error, msgspec.MsgspecError) as error:
            raise self._failed(doing, error) from error

    def _failed(self, doing: str, error: Exception) -> LedgerFailed:
        self._failure = f"cannot {doing}: {_words(error)}"
        return LedgerFailed(self._failure)


def require_sqlite(version: str) -> None:
    """Refuse a SQLite library that can lose a committed transaction when it resets the WAL."""
    if tuple(int(number) for number in version.split(".")) < OLDEST_SQLITE:
        wanted = ".".join(str(number) for number in OLDEST_SQLITE)
        raise DurabilityRefused(f"SQLite is {version}, wanted {wanted} or later: upgrade apsw")


def _connected(path: Path | str) -> apsw.Connection:
    if path == IN_MEMORY:
        connection = apsw.Connection(IN_MEMORY)
    else:
        path = Path(path)
        make_private_folder(path.parent)
        is_new = not path.exists()
        if not is_new:
            require_private_file(path, path.stat())
        connection = apsw.Connection(str(path.absolute()))
        # By name, never by a descriptor of our own: closing one would drop SQLite's locks. The
        # file is still empty, and its companions (-wal, -shm) take their rights from it.
        if is_new:
            path.chmod(FILE_RIGHTS)
    return connection


def _make_durable(connection: apsw.Connection, path: Path | str, busy_timeout_ms: int) -> None:
    if connection.readonly("main"):
        raise DurabilityRefused(f"the ledger {path} can only be read: make it writable")
    wanted = {
        "busy_timeout": busy_timeout_ms,
        "journal_mode": "memory" if path == IN_MEMORY else "wal",
        "synchronous": 2,  # FULL
        "fullfsync": 1,  # Without it macOS leaves what was synced in the drive's cache.
        "checkpoint_fullfsync": 1,
        "foreign_keys": 1,
    }
    for name, value in wanted.items():
        connection.pragma(name, value)
    for name, value in wanted.items():
        found = connection.pragma(name)
        if found != value:
            raise DurabilityRefused(
                f"the ledger {path} runs with {name}={found}, wanted {value}: put it on a local"
                " disk, and leave SQLite's settings alone"
            )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
