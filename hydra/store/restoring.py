"""A backup in the ledger's place: the way on for a record on which no engine would start.

The ledger begins again where the backup ends, the journal with a file of its own behind the last
line that the backup's ledger knew of. What was there is kept. What the account did since, only the
venue knows by now: so a halt goes on record with it, until a person has compared.
"""

from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from hydra.crash_points import reached
from hydra.ports import LedgerMark
from hydra.store.backup import copy_to, proven
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import FORGETFUL_VENUE, EngineFiles
from hydra.store.engine_lock import EngineLock, LockOf
from hydra.store.journal import JournalFile
from hydra.store.journal_files import files_of
from hydra.store.ledger import Ledger
from hydra.store.medium import require_lasting
from hydra.store.private_files import make_private_folder
from hydra.store.record import fields_of_mark
from hydra.store.syncing import sync_folder
from hydra.trading.trading_state import Cause
from messages.control import OPERATOR_RESUME

COMMAND = "restore"
"""Who has the record meanwhile, in the words of the lock."""
REPLACED = "replaced"
"""The folder, beside the ledger and beside the journal, of what a backup took the place of."""

RESTORED = ".restored"
_COMPANIONS = ("-wal", "-shm")


class RestoreRefused(Exception):
    """This cannot take the ledger's place. Nothing was changed."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """`mark` is the backup's last event, `went_on_with` the first of the record after it; `kept` is
    what was there before, each file where it lies now.
    """

    mark: LedgerMark
    went_on_with: LedgerMark
    orders: int
    kept: tuple[Path, ...]


def restore(
    files: EngineFiles, venue: str, backup: Path, halt: Cause, *, by: str, at: int
) -> Restored:
    """Go on from this backup, halted. `at` is UTC ns.

    Cut short at any moment it leaves the record as it was, or one that no engine starts on; said
    again, it goes through (I59). Raises RestoreRefused, HeldByAnother, and what a start raises of a
    ledger that cannot be gone on with; then nothing was moved.
    """
    _require_a_file_of_its_own(backup, files.ledger)
    with ExitStack() as held:
        held.callback(EngineLock(files.lock, command=COMMAND).release)
        held.callback(EngineLock(files.journal_lock, LockOf.JOURNAL, command=COMMAND).release)
        if venue != FORGETFUL_VENUE:
            require_lasting(files.ledger.parent)
            require_lasting(files.journal.parent)
        new = files.ledger.with_name(files.ledger.name + RESTORED)
        held.callback(_remove, new)
        proven(backup)
        _remove(new)
        with closing(connected_to_read(backup)) as source:
            copy_to(source, new)
        with closing(Ledger.open(new, venue=venue, at=at)) as ledger:
            mark, orders, lines = ledger.mark, ledger.order_count, ledger.journal_seq
            ledger.latch_halt(halt, at)
            if ledger.get(OPERATOR_RESUME):  # it was said of other halts than this one
                ledger.put(OPERATOR_RESUME, "", at)
            went_on_with = ledger.commit()
        reached("restore.proven")
        kept = _set_aside(files)
        new.replace(files.ledger)
        sync_folder(files.ledger.parent)
        reached("restore.placed")
        with closing(JournalFile.open(files.journal, at=at, first_seq=lines + 1)) as journal:
            journal.append(
                {
                    "ts": at,
                    "event": "record_restored",
                    "source": "record",
                    "backup": str(backup),
                    "backup_seq": mark.seq,
                    "by": by,
                    **fields_of_mark(went_on_with),
                }
            )
        reached("restore.done")
        return Restored(mark=mark, went_on_with=went_on_with, orders=orders, kept=kept)
    raise AssertionError("an ExitStack lets every exception through")


def _require_a_file_of_its_own(backup: Path, ledger: Path) -> None:
    if not backup.is_file():
        raise RestoreRefused(f"{backup}: found no such file, wanted a backup of the ledger")
    if ledger.exists() and backup.samefile(ledger):
        raise RestoreRefused(f"{backup}: found the ledger itself, wanted a backup of it")


def _set_aside(files: EngineFiles) -> tuple[Path, ...]:
    """Each beside where it lay, so that no other disk has to take it. The ledger goes first:
    without it no engine starts, whatever else is there still.
    """
    companions = [files.ledger.with_name(files.ledger.name + ending) for ending in _COMPANIONS]
    journal = files_of(files.journal) if files.journal.parent.is_dir() else []
    there = [path for path in (files.ledger, *companions, *journal) if path.exists()]
    number = 1 + max((_newest_in(path.parent / REPLACED) for path in there), default=0)
    kept = []
    for path in there:
        folder = path.parent / REPLACED / f"{number:06d}"
        make_private_folder(folder.parent)
        make_private_folder(folder)
        kept.append(path.rename(folder / path.name))
        sync_folder(folder)
        sync_folder(path.parent)
        reached("restore.set_aside")
    return tuple(kept)


def _newest_in(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    names = (path.name for path in folder.iterdir())
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


def _remove(path: Path) -> None:
    for ending in ("", *_COMPANIONS):
        path.with_name(path.name + ending).unlink(missing_ok=True)
