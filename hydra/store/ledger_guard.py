"""Nothing in this process opens the ledger's files but SQLite (I58).

The system drops all of a process's locks on a file as soon as the process closes any descriptor of
it. So whoever opens the ledger by hand, only to look, takes SQLite's lock away, and a second writer
could damage it. A second SQLite, as Python's own is beside apsw's, is no better. Python reports
every file it opens; this listens, and refuses.

SQLite's opens are C and are not reported. Other processes are not seen; nor is a hard or symbolic
link to the ledger that has another name.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_ENDINGS = ("", "-wal", "-shm")
_EVENTS = frozenset({"open", "os.truncate", "sqlite3.connect"})


class OpenedByHand(Exception):
    """Our code opened a file of a ledger that is in use, which breaks SQLite's locks: a bug."""


def guard_ledger(path: Path) -> Callable[[], None]:
    """From now on refuse to open the ledger `path` and its companions; gives what ends that.

    To be called before SQLite opens it, and ended after SQLite has closed it; calling the end twice
    does nothing. Guards of one ledger count up: it is free when all of them have ended.
    """
    resolved = path.resolve()
    files = [resolved.with_name(resolved.name + ending) for ending in _ENDINGS]
    ended = threading.Event()

    def end() -> None:
        with _changing:
            if not ended.is_set():
                ended.set()
                _guarded.subtract(files)
                _publish()

    with _changing:
        _guarded.update(files)
        _publish()
        _listen()
    return end


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """`guard_ledger` for as long as the block lasts."""
    end = guard_ledger(path)
    try:
        yield
    finally:
        end()


_changing = threading.Lock()
_guarded: Counter[Path] = Counter()
_names: frozenset[str] = frozenset()
_listening = False


def _publish() -> None:
    """The names as one value, so that the hook, which takes no lock, never sees half of them."""
    global _names  # noqa: PLW0603 (the hook is the process's, so is what it goes by)
    _names = frozenset(path.name for path, guards in _guarded.items() if guards > 0)


def _listen() -> None:
    """Once: what Python was told to report to is told for the rest of the process's life."""
    global _listening  # noqa: PLW0603 (see above)
    if not _listening:
        _listening = True
        sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    """Every event of the interpreter comes by here, so the first line ends nearly all of them."""
    if event not in _EVENTS or not _names:
        return
    opened = arguments[0]
    if isinstance(opened, os.PathLike):
        opened = os.fspath(opened)
    if isinstance(opened, bytes):
        opened = os.fsdecode(opened)
    if not isinstance(opened, str):  # a descriptor: it was heard of when it was opened
        return
    if event == "sqlite3.connect":
        opened = opened.removeprefix("file:").partition("?")[0]
    if opened.rpartition("/")[2] not in _names:
        return
    resolved = Path(opened).resolve()
    if _guarded[resolved] > 0:
        raise OpenedByHand(
            f"{resolved}: opened ({event}) beside SQLite, whose locks on it that would drop;"
            " read the ledger through SQLite"
        )
