"""A later Hydra, reduced to its migration, to be killed.

It opens a ledger as the engine does, and brings it to a schema of three steps more than this Hydra
has, or to the one that this Hydra has.
"""

from pathlib import Path

import apsw

from hydra.store.backup import back_up_before
from hydra.store.connection import connected, make_durable
from hydra.store.schema import MIGRATIONS, migrate

STEPS: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE kv ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
        "UPDATE kv SET origin = 'before'",
    ),
    (
        "CREATE TABLE notional (client_order_id TEXT PRIMARY KEY, amount TEXT NOT NULL) STRICT",
        "INSERT INTO notional SELECT client_order_id, filled_quantity FROM orders",
    ),
    (
        "CREATE INDEX fills_by_bot ON fills (bot)",
        "CREATE TABLE gone (name TEXT) STRICT",
        "DROP TABLE gone",
    ),
)
"""Everything that a real step may do: tables and their columns come, are filled, and go."""

STATEMENTS = sum(len(statements) for statements in STEPS)
NEWER = len(MIGRATIONS) + len(STEPS)


def whole_version(connection: apsw.Connection) -> int | None:
    """The schema's version, if all that is in the database is of that version; else None."""
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(kv)")}
    version = int(connection.pragma("user_version"))
    new = {"notional", "fills_by_bot"} & names | {"origin"} & columns
    match version - len(MIGRATIONS), len(new), "gone" in names:
        case (0, 0, False):
            return version
        case (3, 3, False):
            unfilled = connection.execute(
                "SELECT (SELECT count(*) FROM orders WHERE client_order_id NOT IN"
                " (SELECT client_order_id FROM notional)),"
                " (SELECT count(*) FROM kv WHERE origin <> 'before')"
            ).fetchone()
            return version if unfilled == (0, 0) else None
        case _:
            return None


def bring_up_to_date(ledger: Path, steps: tuple[tuple[str, ...], ...]) -> None:
    """As `Ledger.open` does it."""
    connection = connected(ledger)
    make_durable(connection, ledger)
    migrate(
        connection,
        lambda version: back_up_before(connection, ledger, version),
        steps,
    )
    connection.close()
