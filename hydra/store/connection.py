"""How SQLite is opened: by one owner, on settings that are proven to survive a power cut (I51)."""

from pathlib import Path

import apsw

from hydra.store.private_files import make_private_file, make_private_folder, require_private_file

IN_MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 1_000
OLDEST_SQLITE = (3, 51, 3)
_TO_WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


class DurabilityRefused(Exception):
    """The database would not keep what it is given through a power cut; it must not be used."""


def require_sqlite(version: str) -> None:
    """Refuse a SQLite library that can lose a committed transaction when it resets the WAL."""
    if tuple(int(number) for number in version.split(".")) < OLDEST_SQLITE:
        wanted = ".".join(str(number) for number in OLDEST_SQLITE)
        raise DurabilityRefused(f"SQLite is {version}, wanted {wanted} or later: upgrade apsw")


def connected(path: Path | str) -> apsw.Connection:
    """Open or create the database of the owner. Its settings are yet to be made and proven.

    Raises RightsTooOpen, OSError, or what apsw raises.
    """
    if path == IN_MEMORY:
        return _opened(IN_MEMORY)
    path = Path(path)
    make_private_folder(path.parent)
    is_new = not path.exists()
    if not is_new:
        require_private_file(path, path.stat())
    if is_new:
        # Before SQLite has it open: closing a descriptor of our own later would drop its locks. Its
        # companions (-wal, -shm) take their rights from it.
        make_private_file(path)
    connection = _opened(str(path.absolute()))
    # The log of a database that is damaged is kept; `Ledger.close` has it tidied away.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return connection


def connected_to_read(path: Path) -> apsw.Connection:
    """Open a database that may have an owner, in this moment or not; nothing of it is changed.

    Of a database that was left without an owner only the companion -shm may be made anew.
    """
    connection = _opened(str(path.absolute()), apsw.SQLITE_OPEN_READONLY)
    connection.pragma("busy_timeout", BUSY_TIMEOUT_MS)
    connection.pragma("query_only", 1)
    return connection


def _opened(name: str, flags: int = _TO_WRITE) -> apsw.Connection:
    connection = apsw.Connection(name, flags=flags)
    # A plan that holds for every value. SQLite would compile a statement about orders anew each
    # time, as the value might decide on an index of a part of them; it takes four times as long.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def make_durable(
    connection: apsw.Connection, path: Path | str, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> None:
    """Set what a power cut asks for, read it back, and refuse any difference."""
    if connection.readonly("main"):
        raise DurabilityRefused(f"the ledger {path} can only be read: make it writable")
    wanted = {
        "busy_timeout": busy_timeout_ms,
        "journal_mode": "memory" if path == IN_MEMORY else "wal",
        "synchronous": 2,  # FULL
        "fullfsync": 1,  # Without it macOS leaves what was synced in the drive's cache.
        "checkpoint_fullfsync": 1,
        "foreign_keys": 1,
    }
    for name, value in wanted.items():
        connection.pragma(name, value)
    for name, value in wanted.items():
        found = connection.pragma(name)
        if found != value:
            raise DurabilityRefused(
                f"the ledger {path} runs with {name}={found}, wanted {value}: put it on a local"
                " disk, and leave SQLite's settings alone"
            )
