"""A database whose writer was killed in the middle, before it kept a log to be read beside it."""

import shutil
from pathlib import Path

import apsw
import pytest

from hydra.store.looking import looked_at

ROWS = 2_000
"""More than is kept in memory: some of what is written is in the database before it is over."""


def rows_in(connection: apsw.Connection) -> list[tuple[int, bytes]]:
    return list(connection.execute("SELECT id, body FROM facts"))


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Pages of a transaction that never ended are in it, and how to undo them is beside it."""
    path, left = tmp_path / "ledger.db", tmp_path / "left"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = delete; PRAGMA cache_size = 10")
    connection.execute("CREATE TABLE facts (id INTEGER PRIMARY KEY, body BLOB)")
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?)", [(n, b"old" * 500) for n in range(ROWS)]
    )
    connection.execute("BEGIN IMMEDIATE; UPDATE facts SET body = zeroblob(1500)")
    left.mkdir()
    for ending in ("", "-journal"):
        shutil.copyfile(f"{path}{ending}", left / f"ledger.db{ending}")
    connection.close(True)
    return left / "ledger.db"


def test_what_never_ended_did_not_happen_and_nothing_is_changed_by_the_look(killed: Path) -> None:
    before = {each.name: each.read_bytes() for each in killed.parent.iterdir()}
    assert set(before) == {"ledger.db", "ledger.db-journal"}

    found = looked_at(killed, killed.with_name("lock"), rows_in)

    assert found == [(number, b"old" * 500) for number in range(ROWS)]
    assert {each.name: each.read_bytes() for each in killed.parent.iterdir()} == before
