from collections.abc import Callable
from typing import Any

import apsw
import pytest

from hydra.store.reading import Records
from hydra.store.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    NewerThanThisHydra,
    NotALedger,
    migrate,
)
from hydra.store.tables import TABLES as PROJECTIONS
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Role
from hydra.trading.trade_signals import number_of

TABLES = {"events", *(table.name for table in PROJECTIONS)}
OURS = f"PRAGMA application_id = {APPLICATION_ID}"


def no_backup(version: int) -> None:
    raise AssertionError(f"nothing to lose in version {version}")


def tables(connection: apsw.Connection) -> set[str]:
    return {
        str(row[0])
        for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    }


def test_an_empty_database_gets_all_tables() -> None:
    connection = apsw.Connection(":memory:")

    migrate(connection, no_backup)

    assert tables(connection) == TABLES
    assert connection.pragma("user_version") == len(MIGRATIONS)


def test_migrating_twice_does_nothing() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, no_backup)
    changes = connection.total_changes()

    migrate(connection, no_backup)

    assert connection.total_changes() == changes


def test_only_the_missing_steps_are_taken() -> None:
    connection = apsw.Connection(":memory:")
    first = (OURS, "CREATE TABLE one (a)")
    second = ("CREATE TABLE two (b)", "CREATE TABLE three (c)")
    migrate(connection, no_backup, (first,))
    backed_up: list[int] = []

    migrate(connection, backed_up.append, (first, second))

    assert tables(connection) == {"one", "two", "three"}
    assert connection.pragma("user_version") == 2
    assert backed_up == [1]


def test_without_a_backup_there_is_no_migration_i67() -> None:
    connection = apsw.Connection(":memory:")
    first, second = (OURS, "CREATE TABLE one (a)"), ("CREATE TABLE two (b)",)
    migrate(connection, no_backup, (first,))

    with pytest.raises(AssertionError, match="nothing to lose in version 1"):
        migrate(connection, no_backup, (first, second))

    assert tables(connection) == {"one"}


def test_a_migration_that_fails_leaves_nothing_behind() -> None:
    connection = apsw.Connection(":memory:")
    first = (OURS, "CREATE TABLE one (a)")
    broken = ("CREATE TABLE two (b)", "CREATE TABLE two (b)")

    with pytest.raises(apsw.SQLError, match="already exists"):
        migrate(connection, no_backup, (first, broken))

    assert tables(connection) == set()
    assert connection.pragma("user_version") == 0


@pytest.mark.parametrize("version", [len(MIGRATIONS) + 1, 1_000_000])
def test_a_schema_that_this_hydra_does_not_know_is_refused_i67(version: int) -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("user_version", version)

    with pytest.raises(NewerThanThisHydra, match=f"schema version {version}, this Hydra knows 0"):
        migrate(connection, no_backup)

    assert tables(connection) == set()


@pytest.mark.parametrize(
    "statements",
    [
        ["PRAGMA user_version = -1"],
        ["PRAGMA user_version = 1"],
        ["PRAGMA application_id = 77"],
        ["CREATE TABLE theirs (a)"],
        ["CREATE TABLE theirs (a)", "PRAGMA user_version = 1"],
        ["CREATE TABLE theirs (a)", OURS],
    ],
)
def test_a_database_that_is_not_ours_is_refused_i67(statements: list[str]) -> None:
    connection = apsw.Connection(":memory:")
    for statement in statements:
        connection.execute(statement)
    before = tables(connection)

    with pytest.raises(NotALedger, match="wanted a ledger of Hydra"):
        migrate(connection, no_backup)

    assert tables(connection) == before


def test_all_tables_hold_only_the_types_they_say() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, no_backup)

    strict = {
        str(name): is_strict
        for _, name, _, _, _, is_strict in connection.execute("PRAGMA table_list")
        if not str(name).startswith("sqlite_")
    }
    assert strict == dict.fromkeys(TABLES, 1)


def test_every_status_and_role_of_an_order_can_be_stored_and_no_other() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, no_backup)

    def is_taken(role: str, status: str) -> bool:
        row = ("name", "bot", "AAPL", "2024-01-02", 1, role, "hash", 1, None, status, "", None, "0")
        try:
            connection.execute(f"INSERT INTO orders VALUES ({', '.join('?' * len(row))})", row)
        except apsw.ConstraintError:
            return False
        connection.execute("DROP TRIGGER IF EXISTS orders_are_not_deleted")
        connection.execute("DELETE FROM orders")
        return True

    assert all(is_taken(role.value, status.value) for role in Role for status in OrderStatus)
    assert not is_taken("hedge", "filled")
    assert not is_taken("entry", "stuck")


LOOKS: dict[str, Callable[[Records], object]] = {
    "open_orders": lambda records: records.open_orders(),
    "orders_in": lambda records: records.orders_in("2024-01-02"),
    "entries_before": lambda records: records.entries_before("2024-01-02", 0),
    "orders_named": lambda records: records.orders_named(["name"]),
    "fills_of": lambda records: records.fills_of(["name"]),
    "counters": lambda records: records.counters("2024-01-02"),
    "budgets": lambda records: records.budgets("2024-01-02"),
    "unclean_starts": lambda records: records.unclean_starts(0),
    "taken_in": lambda records: records.taken_in("2024-01-02"),
    "decisions_of_signals": lambda records: records.decisions_of_signals(
        "signal_bot", [number_of("s-1")]
    ),
}


OF_FEW_ROWS = ("open_orders", "engine_starts")
"""Indexes of just the rows that are wanted, so all of one may be read."""


@pytest.mark.parametrize("look", LOOKS)
def test_what_a_start_asks_for_is_found_without_reading_all_there_ever_was(look: str) -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, no_backup)
    asked: list[tuple[str, Any]] = []

    def remember(_cursor: apsw.Cursor, statement: str, values: Any) -> bool:
        asked.append((statement, values))
        return True

    connection.exec_trace = remember
    LOOKS[look](Records(connection))
    connection.exec_trace = None

    ((statement, values),) = asked
    plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    scans = [step for step in plan if step.startswith("SCAN")]
    assert [step for step in scans if not step.endswith(OF_FEW_ROWS)] == []
    assert len(plan) > 0
