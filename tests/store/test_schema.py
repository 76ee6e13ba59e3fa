import apsw
import pytest

from hydra.store.schema import MIGRATIONS, NewerThanThisHydra, migrate

TABLES = {"events", "intents", "attempts", "orders", "fills", "kv"}


def tables(connection: apsw.Connection) -> set[str]:
    return {
        str(row[0])
        for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    }


def test_an_empty_database_gets_all_tables() -> None:
    connection = apsw.Connection(":memory:")

    migrate(connection)

    assert tables(connection) == TABLES
    assert connection.pragma("user_version") == len(MIGRATIONS)


def test_migrating_twice_does_nothing() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection)
    changes = connection.total_changes()

    migrate(connection)

    assert connection.total_changes() == changes


def test_only_the_missing_steps_are_taken() -> None:
    connection = apsw.Connection(":memory:")
    first, second = ("CREATE TABLE one (a)",), ("CREATE TABLE two (b)", "CREATE TABLE three (c)")
    migrate(connection, (first,))

    migrate(connection, (first, second))

    assert tables(connection) == {"one", "two", "three"}
    assert connection.pragma("user_version") == 2


def test_a_migration_that_fails_leaves_nothing_behind() -> None:
    connection = apsw.Connection(":memory:")
    first, broken = ("CREATE TABLE one (a)",), ("CREATE TABLE two (b)", "CREATE TABLE two (b)")

    with pytest.raises(apsw.SQLError, match="already exists"):
        migrate(connection, (first, broken))

    assert tables(connection) == set()
    assert connection.pragma("user_version") == 0


@pytest.mark.parametrize("version", [len(MIGRATIONS) + 1, 1_000_000, -1])
def test_a_schema_that_this_hydra_does_not_know_is_refused(version: int) -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("user_version", version)

    with pytest.raises(NewerThanThisHydra, match=f"schema version {version}, this Hydra knows 0"):
        migrate(connection)

    assert tables(connection) == set()


def test_all_tables_hold_only_the_types_they_say() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection)

    strict = {
        str(name): is_strict
        for _, name, _, _, _, is_strict in connection.execute("PRAGMA table_list")
        if not str(name).startswith("sqlite_")
    }
    assert strict == dict.fromkeys(TABLES, 1)
