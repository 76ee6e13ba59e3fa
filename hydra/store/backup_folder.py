"""Backups by number: each named for the last event in it, proven, and the newest of them kept."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from hydra.ports import LedgerMark
from hydra.store.backup import PARTIAL, back_up, proven
from hydra.store.checking import Head
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.store.folder_lock import held_alone
from hydra.store.journal_files import JournalDamaged, JournalFailed, files_of
from hydra.store.journal_tail import tail_of
from hydra.store.ledger_facts import LedgerFacts, NoLedger, facts_of, last_mark
from hydra.store.looking import looked_at, one_moment_of
from hydra.store.private_files import make_private_folder
from hydra.store.reading import Records
from hydra.store.schema import require_ours

KEPT = 30


class BackupRefused(Exception):
    """No backup was made: it would not be one of this ledger, or would take another one's place."""


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was proven just now, and what became of the folder it lies in."""

    path: Path
    size_bytes: int
    is_new: bool
    """False if the very same was there already, and was proven again."""
    is_replayed: bool
    """False of a ledger that waits for a migration: only SQLite's own check could be made."""
    ledger: LedgerFacts
    removed: tuple[Path, ...] = ()
    """Older ones, all of whose events are in this one too."""
    left_alone: tuple[Path, ...] = ()
    """Those in the folder that are not of this ledger's history, or cannot be read."""


def back_up_to_file(files: EngineFiles, target: Path) -> BackedUp:
    """A proven backup at `target`, while the engine may go on. What is there stays as it is.

    Raises NoLedger, RecordGone, LedgerDamaged, NotALedger, NewerThanThisHydra, BackupRefused,
    FolderInUse, RightsTooOpen, OSError, and what apsw raises.
    """
    if target.exists() and files.ledger.exists() and target.samefile(files.ledger):
        raise BackupRefused(f"{target}: found the ledger itself; wanted a new file, or a folder")
    make_private_folder(target.parent)
    with held_alone(target.parent, "backup"):
        return _backed_up(files, lambda _seq: target)


def back_up_to_folder(files: EngineFiles, folder: Path, keep: int) -> BackedUp:
    """A proven backup in `folder`, of which the newest `keep` stay. Raises as `back_up_to_file`.

    Only those are removed all of whose events are in the new one; a backup that the engine made
    before a migration has another name, and stays, as it is the way back to an older Hydra.
    """
    stem = files.ledger.stem
    make_private_folder(folder)
    with held_alone(folder, "backup"):
        _remove_what_was_not_finished(folder, stem)
        made = _backed_up(files, lambda seq: folder / f"{stem}-{seq:012d}.db")
        with one_moment_of(connected_to_read(made.path)) as connection:
            superseded, left_alone = _others(folder, stem, made.path, connection)
        removed = superseded[: max(0, len(superseded) + 1 - keep)]
        for path in removed:
            path.unlink()
    return msgspec.structs.replace(made, removed=tuple(removed), left_alone=tuple(left_alone))


def _backed_up(files: EngineFiles, target_of: Callable[[int], Path]) -> BackedUp:
    if is_first_start(files):
        raise NoLedger(
            f"{files.ledger}: found no ledger, so there is nothing to back up; say where the state"
            " is with --state-dir or --venue"
        )
    witnessed = _mark_in_journal(files.journal)

    def back_up_this(connection: apsw.Connection) -> BackedUp:
        version = require_ours(connection)
        if version == 0:
            raise NoLedger(f"{files.ledger}: found an empty ledger; there is nothing to back up")
        mark = last_mark(connection)
        _require_nothing_lost(files, Records(connection), mark, witnessed)
        target = target_of(mark.seq)
        is_new = not os.path.lexists(target)
        head = back_up(connection, target) if is_new else _proven_to_be(target, mark)
        return BackedUp(
            path=target,
            size_bytes=target.stat().st_size,
            is_new=is_new,
            is_replayed=head.link != b"",  # of the copy, which may be older than the migration
            ledger=facts_of(connection, version, head.state.hex()),
        )

    return looked_at(files.ledger, files.lock, back_up_this)


def _proven_to_be(path: Path, mark: LedgerMark) -> Head:
    """Prove a backup that is there already, and refuse another one than that of this mark."""
    head, found = proven(path), _mark_of(path)
    if found is None or found.chain != mark.chain:
        seq = 0 if found is None else found.seq
        raise BackupRefused(
            f"{path}: found a backup that ends at event {seq}, and the ledger ends at another"
            f" event {mark.seq}; wanted no file there, or this very backup; move it away, or name"
            " another file or folder with --to"
        )
    return head


def _mark_in_journal(path: Path) -> LedgerMark | None:
    """The newest at the journal's end; None if it cannot be had, which is `verify`'s to tell."""
    files = files_of(path) if path.parent.is_dir() else []
    if not files:
        return None
    try:
        descriptor = os.open(files[-1], os.O_RDONLY | os.O_CLOEXEC)
        try:
            return tail_of(files[-1], descriptor).mark
        finally:
            os.close(descriptor)
    except (JournalDamaged, JournalFailed, OSError):
        return None


def _require_nothing_lost(
    files: EngineFiles, records: Records, mark: LedgerMark, witnessed: LedgerMark | None
) -> None:
    """A ledger that lost its end is whole by itself; its backup would pass for a good one."""
    if witnessed is None or records.link_at(witnessed.seq) == witnessed.chain:
        return
    raise BackupRefused(
        f"{files.ledger}: found it at event {mark.seq}, and the journal {files.journal} saw event"
        f" {witnessed.seq}, which is not in it; wanted a ledger that has lost nothing; no backup"
        " was made; `hydra-trader verify` says more"
    )


def _others(
    folder: Path, stem: str, newest: Path, connection: apsw.Connection
) -> tuple[list[Path], list[Path]]:
    """The numbered backups but the newest: those that it contains, oldest first, and the rest."""
    records = Records(connection)
    contained: list[Path] = []
    rest: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path == newest or _numbered(stem).fullmatch(path.name) is None:
            continue
        mark = _mark_of(path)
        is_contained = mark is not None and records.link_at(mark.seq) == mark.chain
        (contained if is_contained else rest).append(path)
    return contained, rest


def _mark_of(path: Path) -> LedgerMark | None:
    try:
        with one_moment_of(connected_to_read(path)) as connection:
            return last_mark(connection)
    except apsw.Error:
        return None


def _remove_what_was_not_finished(folder: Path, stem: str) -> None:
    """A backup that was killed leaves a copy that nobody proved, and SQLite's journal of it."""
    for path in list(folder.iterdir()):
        name = path.name.removesuffix("-journal")
        if name.endswith(PARTIAL) and _numbered(stem).fullmatch(name.removesuffix(PARTIAL)):
            path.unlink()


def _numbered(stem: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(stem)}-[0-9]{{12,}}\.db", re.ASCII)
