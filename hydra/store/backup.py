"""Copies of the ledger that are worth something: consistent, checked, and replayed (I66)."""

from pathlib import Path

import apsw

from hydra.crash_points import reached
from hydra.store.checking import Head, LedgerDamaged, chain_head, require_replay, require_state
from hydra.store.connection import connected_to_read
from hydra.store.private_files import FILE_RIGHTS, make_private_folder
from hydra.store.schema import MIGRATIONS, require_ours
from hydra.store.syncing import sync_folder, sync_path

PARTIAL = ".partial"


def back_up(source: apsw.Connection, target: Path) -> Head:
    """Copy the database to `target`, which is there only once the copy has been proven.

    The copy is one moment of the ledger, made by SQLite's own facility while the owner goes on
    working, and it is a single file. Killed at any moment, nothing but a `.partial` is left.
    Gives the copy's head. Raises LedgerDamaged if what was copied is not whole.
    """
    make_private_folder(target.parent)
    partial = target.with_name(target.name + PARTIAL)
    partial.unlink(missing_ok=True)
    reached("backup.started")
    copy_to(source, partial)
    sync_path(partial)
    reached("backup.copied")
    head = proven(partial)
    reached("backup.proven")
    partial.replace(target)
    sync_folder(target.parent)
    reached("backup.renamed")
    return head


def back_up_before(connection: apsw.Connection, path: Path, version: int) -> None:
    """A proven copy of what the next migration is going to change (I67)."""
    back_up(connection, path.parent / "backups" / f"{path.stem}-schema-{version}.db")


def copy_to(source: apsw.Connection, target: Path) -> None:
    """Copy the database to the file, as it is in one moment. Nothing of it is proven, or synced."""
    copy = apsw.Connection(str(target.absolute()))
    try:
        target.chmod(FILE_RIGHTS)
        with copy.backup("main", source, "main") as facility:
            facility.step(-1)  # in one step it cannot see two moments
        copy.pragma("journal_mode", "delete")
    finally:
        copy.close()


def proven(path: Path) -> Head:
    """The head of a copy, once it was opened, checked, and replayed to the state it claims.

    A copy made before a migration has the tables of its time; SQLite's own check has to do there.
    Raises LedgerDamaged.
    """
    connection = connected_to_read(path)
    try:
        version = require_ours(connection)
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise LedgerDamaged(f"{path}: SQLite finds {'; '.join(map(str, found[:3]))}")
        if version < len(MIGRATIONS):
            return Head(0, b"", b"")
        head = chain_head(connection)
        require_state(connection, head)
        require_replay(connection, lambda _seq: None)
        return head
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise LedgerDamaged(f"{path}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
