"""The tables of the ledger, as numbered steps that are never edited, only followed by new ones."""

from collections.abc import Callable
from contextlib import closing
from itertools import chain

import apsw

from hydra.crash_points import reached
from hydra.store.transaction import transaction

APPLICATION_ID = 0x48594C31
"""Says in the file's header that it is a ledger of Hydra ("HYL1")."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body BLOB NOT NULL,
            state BLOB,
            link BLOB NOT NULL
        ) STRICT
        """,
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
        """
        CREATE TABLE orders (
            client_order_id TEXT PRIMARY KEY,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            session TEXT NOT NULL,
            signal INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('entry', 'exit')),
            content_hash TEXT NOT NULL,
            intended_seq INTEGER NOT NULL REFERENCES events,
            attempted_at INTEGER,
            status TEXT NOT NULL CHECK (status IN (
                'intended', 'attempted', 'withheld', 'unknown', 'accepted', 'partially_filled',
                'rejected', 'expired', 'canceled', 'filled'
            )),
            reason TEXT NOT NULL,
            venue_order_id TEXT,
            filled_quantity TEXT NOT NULL,
            UNIQUE (bot, symbol, session, signal, role)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE fills (
            client_order_id TEXT NOT NULL REFERENCES orders,
            execution_id TEXT NOT NULL,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
            quantity TEXT NOT NULL,
            price TEXT NOT NULL,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL REFERENCES events,
            PRIMARY KEY (client_order_id, execution_id)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE inventories (
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            position TEXT NOT NULL,
            lots BLOB NOT NULL,
            PRIMARY KEY (bot, symbol)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE sub_ledgers (
            bot TEXT PRIMARY KEY,
            cash TEXT NOT NULL,
            realised TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE counters (
            bot TEXT NOT NULL,
            session TEXT NOT NULL,
            entries INTEGER NOT NULL,
            exits INTEGER NOT NULL,
            rejections INTEGER NOT NULL,
            fills INTEGER NOT NULL,
            round_trips INTEGER NOT NULL,
            realised TEXT NOT NULL,
            PRIMARY KEY (bot, session)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE budgets (
            bot TEXT NOT NULL,
            session TEXT NOT NULL,
            amount TEXT NOT NULL,
            PRIMARY KEY (bot, session)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE halts (
            code TEXT PRIMARY KEY,
            cause_class TEXT NOT NULL,
            state TEXT NOT NULL,
            since INTEGER NOT NULL,
            detail TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
        # What was once written stays as it was: events and fills only ever grow, and an order
        # keeps its name, its decision and its content.
        """
        CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TRIGGER orders_keep_their_content BEFORE UPDATE OF
            client_order_id, bot, symbol, session, signal, role, content_hash, intended_seq
        ON orders
        BEGIN SELECT RAISE(ABORT, 'an order keeps its content'); END
        """,
        """
        CREATE TRIGGER orders_are_not_deleted BEFORE DELETE ON orders
        BEGIN SELECT RAISE(ABORT, 'orders are not deleted'); END
        """,
        """
        CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
        """
        CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
    ),
    (
        # Orders can be replaced, absent and of an operator's flatten. SQLite cannot widen a CHECK,
        # so their table is written anew, and that of the fills with it, which refers to it.
        """
        CREATE TABLE orders_2 (
            client_order_id TEXT PRIMARY KEY,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            session TEXT NOT NULL,
            signal INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('entry', 'exit', 'flatten')),
            content_hash TEXT NOT NULL,
            intended_seq INTEGER NOT NULL REFERENCES events,
            attempted_at INTEGER,
            status TEXT NOT NULL CHECK (status IN (
                'intended', 'attempted', 'withheld', 'unknown', 'absent', 'accepted',
                'partially_filled', 'rejected', 'expired', 'canceled', 'replaced', 'filled'
            )),
            reason TEXT NOT NULL,
            venue_order_id TEXT,
            filled_quantity TEXT NOT NULL,
            UNIQUE (session, bot, symbol, signal, role)
        ) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO orders_2 SELECT * FROM orders",
        """
        CREATE TABLE fills_2 (
            client_order_id TEXT NOT NULL REFERENCES orders_2,
            execution_id TEXT NOT NULL,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
            quantity TEXT NOT NULL,
            price TEXT NOT NULL,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL REFERENCES events,
            PRIMARY KEY (client_order_id, execution_id)
        ) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO fills_2 SELECT * FROM fills",
        "DROP TABLE fills",
        "DROP TABLE orders",
        "ALTER TABLE orders_2 RENAME TO orders",
        "ALTER TABLE fills_2 RENAME TO fills",
        """
        CREATE TRIGGER orders_keep_their_content BEFORE UPDATE OF
            client_order_id, bot, symbol, session, signal, role, content_hash, intended_seq
        ON orders
        BEGIN SELECT RAISE(ABORT, 'an order keeps its content'); END
        """,
        """
        CREATE TRIGGER orders_are_not_deleted BEFORE DELETE ON orders
        BEGIN SELECT RAISE(ABORT, 'orders are not deleted'); END
        """,
        """
        CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
        """
        CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
        # What a start asks for must not take longer with every order that there ever was: the open
        # ones, those of a session (they come first in the key of decisions), the starts.
        """
        CREATE INDEX open_orders ON orders (intended_seq)
        WHERE status IN ('attempted', 'unknown', 'accepted', 'partially_filled')
        """,
        "CREATE INDEX fills_by_execution ON fills (execution_id)",
        "CREATE INDEX counters_by_session ON counters (session)",
        "CREATE INDEX budgets_by_session ON budgets (session)",
        "CREATE INDEX engine_starts ON events (seq) WHERE kind = 'EngineStarted'",
        "ALTER TABLE halts ADD COLUMN bot TEXT",
        "ALTER TABLE halts ADD COLUMN symbol TEXT",
        """
        CREATE TABLE exclusions (
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            quantity TEXT,
            reason TEXT NOT NULL,
            operator TEXT NOT NULL,
            PRIMARY KEY (kind, subject)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        # What the venue keeps: of each execution, with no order of the account itself; and which
        # of its activities have said so.
        """
        CREATE TABLE fees (
            client_order_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            asset TEXT NOT NULL,
            most TEXT NOT NULL,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL REFERENCES events,
            basis TEXT NOT NULL CHECK (basis IN ('accrued', 'observed', 'booked')),
            amount TEXT NOT NULL,
            booked TEXT NOT NULL,
            PRIMARY KEY (client_order_id, execution_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX open_fees ON fees (basis, seq) WHERE basis <> 'booked'",
        """
        CREATE TABLE fee_bookings (
            activity_id TEXT NOT NULL,
            asset TEXT NOT NULL,
            symbol TEXT NOT NULL,
            amount TEXT NOT NULL,
            at INTEGER NOT NULL,
            is_of_coins INTEGER NOT NULL CHECK (is_of_coins IN (0, 1)),
            seq INTEGER NOT NULL REFERENCES events,
            PRIMARY KEY (activity_id, asset)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TRIGGER fees_keep_their_content BEFORE UPDATE OF
            client_order_id, execution_id, bot, symbol, asset, most, at, seq
        ON fees
        BEGIN SELECT RAISE(ABORT, 'a fee keeps whose it is, and its bound'); END
        """,
        """
        CREATE TRIGGER fees_are_not_deleted BEFORE DELETE ON fees
        BEGIN SELECT RAISE(ABORT, 'fees are not deleted'); END
        """,
        """
        CREATE TRIGGER fee_bookings_are_not_changed BEFORE UPDATE ON fee_bookings
        BEGIN SELECT RAISE(ABORT, 'fee bookings are append-only'); END
        """,
        """
        CREATE TRIGGER fee_bookings_are_not_deleted BEFORE DELETE ON fee_bookings
        BEGIN SELECT RAISE(ABORT, 'fee bookings are append-only'); END
        """,
    ),
    (
        # An order can be one that protects: the table of orders, and that of the fills, anew.
        """
        CREATE TABLE orders_4 (
            client_order_id TEXT PRIMARY KEY,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            session TEXT NOT NULL,
            signal INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('entry', 'exit', 'protect', 'flatten')),
            content_hash TEXT NOT NULL,
            intended_seq INTEGER NOT NULL REFERENCES events,
            attempted_at INTEGER,
            status TEXT NOT NULL CHECK (status IN (
                'intended', 'attempted', 'withheld', 'unknown', 'absent', 'accepted',
                'partially_filled', 'rejected', 'expired', 'canceled', 'replaced', 'filled'
            )),
            reason TEXT NOT NULL,
            venue_order_id TEXT,
            filled_quantity TEXT NOT NULL,
            UNIQUE (session, bot, symbol, signal, role)
        ) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO orders_4 SELECT * FROM orders",
        """
        CREATE TABLE fills_4 (
            client_order_id TEXT NOT NULL REFERENCES orders_4,
            execution_id TEXT NOT NULL,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
            quantity TEXT NOT NULL,
            price TEXT NOT NULL,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL REFERENCES events,
            PRIMARY KEY (client_order_id, execution_id)
        ) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO fills_4 SELECT * FROM fills",
        "DROP TABLE fills",
        "DROP TABLE orders",
        "ALTER TABLE orders_4 RENAME TO orders",
        "ALTER TABLE fills_4 RENAME TO fills",
        """
        CREATE TRIGGER orders_keep_their_content BEFORE UPDATE OF
            client_order_id, bot, symbol, session, signal, role, content_hash, intended_seq
        ON orders
        BEGIN SELECT RAISE(ABORT, 'an order keeps its content'); END
        """,
        """
        CREATE TRIGGER orders_are_not_deleted BEFORE DELETE ON orders
        BEGIN SELECT RAISE(ABORT, 'orders are not deleted'); END
        """,
        """
        CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
        """
        CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
        BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END
        """,
        """
        CREATE INDEX open_orders ON orders (intended_seq)
        WHERE status IN ('attempted', 'unknown', 'accepted', 'partially_filled')
        """,
        "CREATE INDEX fills_by_execution ON fills (execution_id)",
    ),
    (
        # An outside signal's number is for ever: what it led to is found however old it is. No
        # other order has a number like that, so none pays for it.
        """
        CREATE INDEX orders_of_signals ON orders (bot, signal)
        WHERE signal >= 140737488355328
        """,
    ),
)
"""Step n takes a database from version n to n + 1. Decimals are TEXT, times are UTC ns.

A step stays as it was written, for a ledger of any version comes by all that follow it: what two of
them do alike stands in both.

A column that is added goes to the end of its table and may be NULL, which is what it is in the rows
that were there before: see `chain.row_hash`.
"""


class NewerThanThisHydra(Exception):
    """The database was written by a later version; running on it could lose data."""


class NotALedger(Exception):
    """The file is a database, but not one of these."""


def require_not_newer(before: str | None, version: str) -> None:
    """Raise NewerThanThisHydra if a later version of the engine used the ledger before."""
    if before is not None and _parts(before) > _parts(version):
        raise NewerThanThisHydra(
            f"the ledger was last used by Hydra {before}, this is {version}; run that one,"
            " or a later one"
        )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def require_ours(
    connection: apsw.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
) -> int:
    """The schema version of a ledger, 0 for an empty database.

    Raises NotALedger or NewerThanThisHydra.
    """
    steps = len(migrations)
    where = connection.filename or "the database"
    version: int = connection.pragma("user_version")
    application: int = connection.pragma("application_id")
    if version > steps:
        raise NewerThanThisHydra(
            f"{where} has schema version {version}, this Hydra knows 0 to {steps}; run the Hydra"
            " that wrote it, or a later one"
        )
    is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if version < 0 or (application, version > 0) != (
        (0, False) if is_empty else (APPLICATION_ID, True)
    ):
        raise NotALedger(
            f"{where} is a database with application id {application:#x} and version {version},"
            f" wanted a ledger of Hydra ({APPLICATION_ID:#x}); move it away and start again"
        )
    if 0 < version < steps:
        _require_tables_of(connection, version, migrations)
    return version


def _require_tables_of(
    connection: apsw.Connection, version: int, migrations: tuple[tuple[str, ...], ...]
) -> None:
    """Refuse a number that was changed: the next steps were written for other tables."""
    with closing(apsw.Connection(":memory:")) as empty:
        for statement in chain.from_iterable(migrations[:version]):
            empty.execute(statement)
        wanted = _names_in(empty)
    found = _names_in(connection)
    if found != wanted:
        differ = ", ".join(sorted(found ^ wanted))
        raise NotALedger(
            f"{connection.filename} says that it is of schema version {version}, and has other"
            f" tables than that ({differ}); wanted those of that version; keep the file, find out"
            " what changed it, and go on from a backup: `hydra-trader restore`"
        )


def _names_in(connection: apsw.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE sql NOT NULL")
    return {str(name) for (name,) in rows}


def migrate(
    connection: apsw.Connection,
    back_up: Callable[[int], None],
    migrations: tuple[tuple[str, ...], ...] = MIGRATIONS,
) -> None:
    """Bring the database to this version, all steps or none; refuse one that is ahead of us.

    A database that has something to lose is backed up first: `back_up` is told its version.
    Killed at any moment it is as it was, or whole; the next start goes on from there (I67).
    """
    version = require_ours(connection, migrations)
    if version == len(migrations):
        return
    if version:
        back_up(version)
        reached("ledger.migrate.backed_up")
    with transaction(connection):
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
                reached("ledger.migrate.step")
        connection.pragma("user_version", len(migrations))
        reached("ledger.migrate.before_commit")
    reached("ledger.migrate.after")
