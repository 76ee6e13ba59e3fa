"""Whether a ledger is what was written: its chain whole, its tables what the events say (I54, I55).

SQLite drops the end of a damaged log without a word and calls the rest "ok". So every start checks
each link of the chain and the name of the state; the offline check replays the events as well.
"""

from collections.abc import Callable
from decimal import DecimalException
from typing import Any

import apsw
import msgspec

from hydra.store.chain import NO_LINK, SqlRow, StateSum, link_of, row_hash
from hydra.store.events import KINDS, RECORD_VERSION
from hydra.store.projections import NoSuchFee, NoSuchOrder
from hydra.store.rebuilt import Rebuilt, row_in
from hydra.store.schema import NewerThanThisHydra
from hydra.store.tables import TABLES, Table
from hydra.store.unit_of_work import StoredAlready
from hydra.trading.inventory import BadFill
from hydra.trading.order_life import ImpossibleReport

UNREPLAYABLE = (
    BadFill,
    DecimalException,
    ImpossibleReport,
    NoSuchFee,
    NoSuchOrder,
    StoredAlready,
    msgspec.MsgspecError,
)
"""What booking an event raises that does not go with those before it."""

_ALL_EVENTS = "SELECT seq, at, body, state FROM events ORDER BY seq"
EVENT_COLUMNS = "seq, at, version, kind, body, state, link"


class LedgerDamaged(Exception):
    """The ledger is not what was written. Keep the files; start from the newest proven backup."""


class Head(msgspec.Struct, frozen=True):
    """The last event: its number, its link, and the name of the state after it."""

    seq: int
    link: bytes
    state: bytes


NOTHING = Head(0, NO_LINK, StateSum().digest)
"""The head of a ledger in which nothing has happened yet."""


def chain_head(connection: apsw.Connection) -> Head:
    """Go along the whole chain; raises LedgerDamaged at the first event that is not as written.

    Raises NewerThanThisHydra for a kind or version of record that this Hydra cannot read.
    """
    # The chain says nothing of indexes, free pages and the header.
    for (found,) in connection.execute("PRAGMA integrity_check(1)"):
        if found != "ok":
            raise _damaged(connection, str(found))
    before, last_seq, last_state = NO_LINK, 0, NOTHING.state
    for row in connection.execute(f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq"):
        seq, at, version, kind, body, state, link = row
        if seq != last_seq + 1:
            raise _damaged(connection, f"event {last_seq + 1} is missing, before event {seq}")
        if link != link_of(before, seq, at, version, kind, body, state):
            raise _damaged(connection, f"event {seq} is not what was written")
        if version > RECORD_VERSION or kind not in KINDS:
            raise NewerThanThisHydra(
                f"{connection.filename}: event {seq} is a {kind} of record version {version}; this"
                f" Hydra reads versions up to {RECORD_VERSION}; run the Hydra that wrote it"
            )
        before, last_seq, last_state = link, seq, state
    if last_state is None:
        raise _damaged(connection, f"event {last_seq} is not the last one of its commit")
    return Head(last_seq, before, last_state)


def require_state(connection: apsw.Connection, head: Head) -> None:
    """Refuse tables that are not those the head was written with."""
    if state_of_tables(connection).digest != head.state:
        raise _damaged(connection, "its tables are not those that were written with its last event")


def state_of_tables(connection: apsw.Connection) -> StateSum:
    """The name of what stands in all tables."""
    total = StateSum()
    for table in TABLES:
        for row in connection.execute(table.select_rows):
            total.add(row_hash(table.name, row))
    return total


def require_replay(connection: apsw.Connection, on_commit: Callable[[int], None]) -> None:
    """Replay all events; after each commit the state must be the one that was written with it.

    `on_commit` is told each commit's last event. The chain must have been checked.
    """
    with Rebuilt(connection) as rebuilt:
        for seq, at, body, state in connection.execute(_ALL_EVENTS):
            replayed = None
            try:
                rebuilt.book(seq, at, body)
                if state is not None:
                    replayed = rebuilt.commit()
            except UNREPLAYABLE as error:
                raise _damaged(connection, f"event {seq} cannot be replayed: {error}") from error
            if replayed != state:
                raise _damaged(connection, f"replayed up to event {seq}, the state is another one")
            if state is not None:
                on_commit(seq)


def first_difference(connection: apsw.Connection) -> str | None:
    """Which row is not the one that follows from the events; None if all are. Both must replay.

    In words for people, and not quick: for when it is known that something is wrong.
    """
    with Rebuilt(connection) as rebuilt:
        for seq, at, body, state in connection.execute(_ALL_EVENTS):
            rebuilt.book(seq, at, body)
            if state is not None:
                rebuilt.commit()
        return next(
            filter(None, (_difference_in(each, connection, rebuilt) for each in TABLES)), None
        )


def _difference_in(table: Table[Any], connection: apsw.Connection, rebuilt: Rebuilt) -> str | None:
    length = len(table.key)
    for row in connection.execute(f"{table.select_rows} ORDER BY {', '.join(table.key)}"):
        name = f"{table.name} {', '.join(map(str, row[:length]))}"
        wanted = rebuilt.row(table, row[:length])
        if wanted is None:
            return f"{name}: found a row that follows from no event"
        if wanted != row:
            return f"{name}: {_first_column(table, row, wanted)}"
    for key in rebuilt.keys(table):
        if row_in(connection, table, key) is None:
            return f"{table.name} {', '.join(map(str, key))}: found no such row, wanted one"
    return None


def _first_column(table: Table[Any], found: SqlRow, wanted: SqlRow) -> str:
    pairs = zip(table.columns, found, wanted, strict=True)
    return next(f"found {name} {f!r}, wanted {w!r}" for name, f, w in pairs if f != w)


def _damaged(connection: apsw.Connection, what: str) -> LedgerDamaged:
    return LedgerDamaged(
        f"{connection.filename or 'the ledger'}: {what}; keep the files as they are, and start from"
        " the newest proven backup"
    )
