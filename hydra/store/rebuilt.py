"""The tables of a ledger, built anew from its events and beside it, however long the record is.

They stand in a temporary database of SQLite's own, which has no name, is seen by nobody else, and
is gone with its connection. In memory is what was used last, as in the ledger's owner.
"""

from itertools import chain
from types import TracebackType
from typing import Any, Self

import apsw

from hydra.store.chain import SqlRow
from hydra.store.events import decoded
from hydra.store.projections import booked
from hydra.store.schema import MIGRATIONS
from hydra.store.tables import ORDERS, TABLES, Key, Table
from hydra.store.unit_of_work import StoredAlready, UnitOfWork, write

CACHE_KIB = 16 * 1024
"""Of the rebuilt tables so much is in memory; the rest is in the temporary file."""


class NoRoomToReplay(OSError):
    """The temporary file could not be written: nothing is known of the ledger by that."""


class Rebuilt:
    """Takes up event after event, each with what its commit says of the state after it."""

    def __init__(self, ledger: apsw.Connection) -> None:
        """Nothing is built yet. The ledger's schema is of this version."""
        self._ledger = ledger
        self._tables = apsw.Connection("")
        self._unit = UnitOfWork(self._look_up)
        try:
            for name, value in SETTINGS.items():
                self._tables.pragma(name, value)
            for statement in chain.from_iterable(MIGRATIONS):
                self._tables.execute(statement)
            self._tables.execute("BEGIN")
        except apsw.Error as error:
            raise _no_room(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tables.close(True)

    def book(self, seq: int, at: int, body: bytes) -> None:
        """Take up the next event; raises, as `booked` does, if it cannot follow."""
        booked(self._unit, seq, at, decoded(body), body)

    def commit(self) -> bytes:
        """What was taken up stands in the tables now; gives the name of their state.

        Raises `StoredAlready` for what no ledger can hold, and `NoRoomToReplay`.
        """
        parts, state = self._unit.written()
        try:
            write(self._tables, parts)
        except (apsw.ConstraintError, OverflowError) as error:
            raise StoredAlready(f"{type(error).__name__}: {error}") from error
        except apsw.Error as error:
            raise _no_room(error) from error
        self._unit.forget_what_is_stored()
        return state

    def row(self, table: Table[Any], key: Key) -> SqlRow | None:
        """The row of this key as it follows from the events."""
        return row_in(self._tables, table, key)

    def keys(self, table: Table[Any]) -> apsw.Cursor:
        """All keys that follow from them, in order."""
        columns = ", ".join(table.key)
        return self._tables.execute(f"SELECT {columns} FROM {table.name} ORDER BY {columns}")

    def _look_up(self, table: Table[Any], key: Key) -> Any:
        try:
            row = self.row(table, key)
        except apsw.Error as error:
            raise _no_room(error) from error
        if row is None:
            return None
        if table is ORDERS:
            row = (*row, *next(self._ledger.execute(_BODY, (row[_INTENDED_AT],))))
        return table.decode(row)


def row_in(connection: apsw.Connection, table: Table[Any], key: Key) -> SqlRow | None:
    """The row of this key as it is stored, if there is one."""
    row: SqlRow | None = connection.execute(_FIND[table.name], key).fetchone()
    return row


def _no_room(error: apsw.Error) -> NoRoomToReplay:
    return NoRoomToReplay(
        f"the events cannot be replayed: SQLite's temporary file fails"
        f" ({type(error).__name__}: {error}); make room for it, or name another folder for such"
        " files in SQLITE_TMPDIR"
    )


SETTINGS: dict[str, str | int] = {
    "journal_mode": "off",  # what fails is thrown away whole
    "synchronous": 0,
    "foreign_keys": 0,  # the events stay where they are
    "cache_size": -CACHE_KIB,
}
_FIND = {table.name: f"{table.select_rows} WHERE {table.of_a_key}" for table in TABLES}
_BODY = "SELECT body FROM events WHERE seq = ?"
_INTENDED_AT = ORDERS.columns.index("intended_seq")
"""Where a row of an order says which event has the rest of it."""
