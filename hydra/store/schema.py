"""The tables of the ledger, as numbered steps that are never edited, only followed by new ones."""

import apsw

from hydra.store.transaction import transaction

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE intents (
            client_order_id TEXT PRIMARY KEY,
            bot TEXT NOT NULL,
            symbol TEXT NOT NULL,
            session TEXT NOT NULL,
            signal INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('entry', 'exit')),
            content_hash TEXT NOT NULL,
            body BLOB NOT NULL,
            stored_seq INTEGER NOT NULL,
            UNIQUE (bot, symbol, session, signal, role)
        ) STRICT
        """,
        """
        CREATE TABLE attempts (
            client_order_id TEXT PRIMARY KEY REFERENCES intents,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE orders (
            client_order_id TEXT PRIMARY KEY REFERENCES attempts,
            status TEXT NOT NULL CHECK (status IN (
                'attempted', 'withheld', 'unknown', 'accepted', 'partially_filled',
                'rejected', 'expired', 'canceled', 'filled'
            )),
            reason TEXT NOT NULL,
            venue_order_id TEXT,
            filled_quantity TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE fills (
            client_order_id TEXT NOT NULL REFERENCES attempts,
            execution_id TEXT NOT NULL,
            symbol TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
            quantity TEXT NOT NULL,
            price TEXT NOT NULL,
            at INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            PRIMARY KEY (client_order_id, execution_id)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE kv (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        # What was once written stays as it was: these four only ever grow.
        """
        CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TRIGGER intents_are_not_changed BEFORE UPDATE ON intents
        BEGIN SELECT RAISE(ABORT, 'intents are append-only'); END
        """,
        """
        CREATE TRIGGER intents_are_not_deleted BEFORE DELETE ON intents
        BEGIN SELECT RAISE(ABORT, 'intents are append-only'); END
        """,
        """
        CREATE TRIGGER attempts_are_not_changed BEFORE UPDATE ON attempts
        BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END
        """,
        """
        CREATE TRIGGER attempts_are_not_deleted BEFORE DELETE ON attempts
        BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END
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
)
"""Step n takes a database from version n to n + 1. Decimals are TEXT, times are UTC ns."""


class NewerThanThisHydra(Exception):
    """The database was written by a later version; running on it could lose data."""


def migrate(
    connection: apsw.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
) -> None:
    """Bring the database to this version, all steps or none; refuse one that is ahead of us."""
    with transaction(connection):
        version: int = connection.pragma("user_version")
        if not 0 <= version <= len(migrations):
            raise NewerThanThisHydra(
                f"{connection.filename or 'the database'} has schema version {version}, this Hydra"
                f" knows 0 to {len(migrations)}; run the Hydra that wrote it, or a later one"
            )
        if version == len(migrations):
            return
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.pragma("user_version", len(migrations))
