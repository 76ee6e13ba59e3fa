"""Looking at a ledger, with or without an engine on it, and leaving it as it was, to the byte."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

import apsw

from hydra.store.connection import BUSY_TIMEOUT_MS, connected_to_read

T = TypeVar("T")
AtRest: TypeAlias = tuple[int, int, int, int]

ATTEMPTS = 5
LOGS = ("-wal", "-journal")
"""What lies beside a database that is written to, or whose writer was killed."""


def looked_at(path: Path, lock: Path, look: Callable[[apsw.Connection], T]) -> T:
    """What `look` finds in one moment of the ledger `path`; nothing is changed.

    `look` gets a connection in a read transaction, and may be called again: a ledger at rest, with
    no log beside it, is read as it lies there, with no lock, so what was found while an engine
    took it up does not count. One with a log is read as its owner's other processes do it, for
    which SQLite may make the companion -shm. Where that cannot be made, as on a medium that is
    read-only, or a write that was killed would have to be undone, a private copy is looked at,
    unless an engine holds `lock`. Raises what apsw raises.
    """
    for _ in range(ATTEMPTS):
        before = _at_rest(path)
        if before is None:
            return _looked_at_with_its_log(path, lock, look)
        with suppress(_TakenUp):
            return _looked_at_rest(path, before, look)
    return _looked_at_with_its_log(path, lock, look)


@contextmanager
def one_moment_of(connection: apsw.Connection) -> Iterator[apsw.Connection]:
    """In a read transaction, so that everything is read of one moment; closed at the end."""
    try:
        connection.execute("BEGIN")
        # Only the first look fixes the moment.
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        yield connection
    finally:
        connection.close(True)


class _TakenUp(Exception):
    """Somebody began to write to the database while it was looked at."""


def _looked_at_rest(path: Path, before: AtRest, look: Callable[[apsw.Connection], T]) -> T:
    try:
        with one_moment_of(_connected_at_rest(path)) as connection:
            found = look(connection)
    except Exception as error:
        if _at_rest(path) != before:
            raise _TakenUp from error
        raise
    if _at_rest(path) != before:
        raise _TakenUp
    return found


def _looked_at_with_its_log(path: Path, lock: Path, look: Callable[[apsw.Connection], T]) -> T:
    try:
        with one_moment_of(connected_to_read(path)) as connection:
            return look(connection)
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if not path.exists():
            raise
        with _nobody_holds(lock) as is_free:
            if not is_free:
                raise
            with _private_copy(path) as copy, one_moment_of(_connected_to_copy(copy)) as connection:
                return look(connection)


def _at_rest(path: Path) -> AtRest | None:
    """Names the content of a database that nobody writes to; None if it may have a writer."""
    if any(path.with_name(path.name + ending).exists() for ending in LOGS):
        return None
    facts = path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _connected_at_rest(path: Path) -> apsw.Connection:
    """SQLite reads this one file and nothing beside it, and makes none."""
    connection = apsw.Connection(
        f"{path.absolute().as_uri()}?immutable=1",
        flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
    )
    connection.pragma("busy_timeout", BUSY_TIMEOUT_MS)
    return connection


def _connected_to_copy(copy: Path) -> apsw.Connection:
    """It may be written to, or SQLite could not undo in it what a kill left half done."""
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.pragma("query_only", 1)
    return connection


@contextmanager
def _nobody_holds(lock: Path) -> Iterator[bool]:
    """Whether no engine holds the lock; while the block lasts none can take it."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def _private_copy(path: Path) -> Iterator[Path]:
    """The files as they are, in a folder that nobody else can read, for as long as the block."""
    with tempfile.TemporaryDirectory(prefix="hydra-") as folder:  # made with rights 0700
        for ending in ("", *LOGS):
            beside = path.with_name(path.name + ending)
            if beside.exists():
                shutil.copyfile(beside, Path(folder) / beside.name)
        yield Path(folder) / path.name
