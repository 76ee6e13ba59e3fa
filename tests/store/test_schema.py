import apsw
import pytest

from hydra.store.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    NewerThanThisHydra,
    NotALedger,
    migrate,
)
from hydra.store.tables import TABLES as PROJECTIONS

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
