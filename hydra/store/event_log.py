"""The chain of events and the tables that follow from it: collected in memory, written together.

What is recorded is seen by `get` at once, and by nobody else before it is committed. Nothing here
tells a refusal from a failure; that is its owner's part.
"""

from typing import Any, TypeVar

import apsw

from hydra.crash_points import reached
from hydra.store.chain import SqlRow, link_of
from hydra.store.checking import Head
from hydra.store.events import RECORD_VERSION, LedgerEvent, encoded, kind_of
from hydra.store.projections import booked
from hydra.store.tables import TABLES, Key, Table
from hydra.store.transaction import transaction
from hydra.store.unit_of_work import UnitOfWork, write

E = TypeVar("E")

CHECKPOINT_PAGES = 4_000
"""From so many on, the write-ahead log is taken over into the database after a commit."""


class ForeignWrite(Exception):
    """Another connection changed the database; what stands in it is not only what we wrote."""


class EventLog:
    """The one writer of events. After an exception from `commit` nobody knows what is durable."""

    def __init__(self, connection: apsw.Connection, head: Head) -> None:
        """Go on from a head that is proven, and whose tables are."""
        self._connection = connection
        self._unit = UnitOfWork(self._look_up, head.state)
        self._head = head
        self._pending: list[tuple[int, str, bytes]] = []
        self._log_pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES
        connection.set_wal_hook(self._log_has_grown)
        self._data_version: int = connection.pragma("data_version")
        """SQLite's own count of what others committed."""

    @property
    def head(self) -> Head:
        """The last event that is durable."""
        return self._head

    def get(self, table: Table[E], *key: str) -> E | None:
        """The entity of this key as it is by now, what is not yet committed included."""
        return self._unit.get(table, *key)

    def append(self, event: LedgerEvent, at: int, body: bytes | None = None) -> None:
        """Take it up, for the next commit. Raises, and takes nothing up, if it cannot follow.

        `body` is the event as it is stored, if the caller has it already.
        """
        body = encoded(event) if body is None else body
        booked(self._unit, self._head.seq + len(self._pending) + 1, at, event, body)
        self._pending.append((at, kind_of(event), body))

    def commit(self) -> bool:
        """Make all that was recorded durable, in one transaction; whether there was anything."""
        if not self._pending:
            return False
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
        self._unit.forget_what_is_stored()
        if self._log_pages >= self._checkpoint_at:
            # SQLite's own would keep its errors to itself. A reader may stand in the way of this
            # one; then the log grows, and the next try is when it has grown as much again.
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._checkpoint_at = self._log_pages + CHECKPOINT_PAGES
        return True

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


_FIND = {table.name: table.find for table in TABLES}
_INSERT_EVENT = (
    "INSERT INTO events (seq, at, version, kind, body, state, link) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
