"""Where an engine keeps its files, whether they are all there, and what becomes of old ones."""

import os
import re
import shutil
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.crash_points import reached
from hydra.store.engine_lock import Holder, forget_account, last_holder, living_holder
from hydra.store.journal_files import files_of
from hydra.store.private_files import make_private_folder

FORGETFUL_VENUE = "embedded"
"""The venue that forgets everything at its end; only its record may be set aside."""

LIVES_KEPT = 20
_NUMBERED = re.compile(r"[0-9]{6}", re.ASCII)


class NamesClash(ValueError):
    """Two of the engine's files would be one; each would overwrite the other."""


class RecordGone(Exception):
    """The ledger is missing, but other files say that there was one. Nothing new was made.

    An engine that began anew would not know its own orders and positions. Put the ledger or a
    backup back; or, if a new life is meant, move what is left of the old one away.
    """


class OtherVenuesRecord(Exception):
    """The folder holds the record of a venue that does not forget; it must not be set aside."""


class EngineFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one venue's engine. Each venue has its own ledger and journal."""

    ledger: Path
    journal: Path
    lock: Path
    journal_lock: Path
    halt_marker: Path
    debug_socket: Path
    control_socket: Path
    venue_log: Path
    """What the embedded venue was asked in virtual time, and so what it is."""
    venue_account: Path
    """The same of the embedded venue that a process of its own serves."""
    carried_halts: Path
    """Halts on their way from a record that is set aside to the next one."""
    backups: Path
    cache: Path
    ended: Path
    kill_switch: Path
    """The operator's, not of any life: the engine reads it only, and never moves it."""
    signals: Path
    """A folder: what was done with an outside strategy's signals."""
    signals_kill: Path
    """The signal bridge's own kill file: the operator's, as `kill_switch` is."""
    configurations: Path
    """What was in force, as files, for `config rollback`. It is of the venue, and of no life."""
    runs: Path
    """A bundle for each session, for people; nothing is ever read from there."""
    surfaces: Path
    """A folder: how the engine is, for any program. It is of no life."""
    track_record: Path
    """A folder: a snapshot of each day, for people. It is of no life."""
    canary: Path
    """A folder: what the looks at the broker's contract have found. It is of no life."""
    alerts: Path
    """A folder: what `watch` has told, and to whom. It is of no life, and no engine reads it."""
    dashboard: Path
    """A folder: where the dashboard is served, and its key. It is of no life."""
    certificates: Path
    """A folder: which bots of other distributions are fit. It is of every venue, and of no life."""

    @classmethod
    def under(
        cls,
        state_dir: Path,
        log_dir: Path,
        ledger_name: str,
        journal_name: str,
        *,
        runs: Path | None = None,
        certificates: Path | None = None,
        canary: Path | None = None,
    ) -> "EngineFiles":
        """Directly in the two folders; `runs`, `certificates` and `canary` are beside the ledger if
        they are not named.

        Raises `NamesClash` if two of them would be one file.
        """
        files = cls(
            ledger=state_dir / ledger_name,
            journal=log_dir / journal_name,
            lock=state_dir / "engine.lock",
            journal_lock=log_dir / "journal.lock",
            halt_marker=state_dir / "halt.marker",
            debug_socket=state_dir / "debug.sock",
            control_socket=state_dir / "control.sock",
            venue_log=state_dir / "venue" / "requests.jsonl",
            venue_account=state_dir / "venue" / "account.jsonl",
            carried_halts=state_dir / "carried.halts",
            backups=state_dir / "backups",
            cache=state_dir / "cache",
            ended=state_dir / "ended",
            kill_switch=state_dir / "kill_switch",
            signals=state_dir / "signals",
            signals_kill=state_dir / "signals_kill_switch",
            configurations=state_dir / "configurations",
            runs=runs or state_dir / "runs",
            surfaces=state_dir / "surfaces",
            track_record=state_dir / "track_record",
            canary=canary or state_dir / "canary",
            alerts=state_dir / "alerts",
            dashboard=state_dir / "dashboard",
            certificates=certificates or state_dir / "certificates",
        )
        names = [path.name for path in structs.astuple(files)]
        for name in names:
            if names.count(name) > 1:
                raise NamesClash(
                    f"found two files named {name}; wanted a name of its own for each; "
                    "change system.state_db_path or system.log_path in settings.yaml"
                )
        return files

    @property
    def has_venue(self) -> bool:
        """Whether an embedded venue was ever asked anything in this life."""
        return self.venue_log.exists() or self.venue_account.exists()


def is_first_start(files: EngineFiles) -> bool:
    """True if there never was a ledger here; False if it is there. To be called under the lock.

    A missing or empty ledger beside anything that comes into being after a ledger only is a ledger
    that is gone: SQLite would begin a new one without a word. Then it raises `RecordGone`, which
    names what was found. So these have to be made in this order: the ledger with its first event;
    then the lines of the journal, the halt marker, the names in the lock, the backups.
    """
    if _has_content(files.ledger):
        return False
    witnesses = _witnesses(files)
    if not witnesses:
        return True
    found = "an empty ledger" if files.ledger.exists() else "no ledger"
    stranger = _stranger_in(files)
    way_out = (
        f"{newest_backup(files)}; put the ledger back, or, to begin anew with an account that Hydra"
        " never traded, move these files away"
        if stranger is None
        else f"{stranger.named} writes that journal and has its ledger elsewhere: say where"
        " with --state-dir, and touch nothing here"
    )
    raise RecordGone(
        f"{files.ledger}: found {found}, but {'; '.join(witnesses)}; wanted the ledger that they"
        f" go with; {way_out}"
    )


def _stranger_in(files: EngineFiles) -> Holder | None:
    """Another process that has this journal, and by all that is known not this ledger."""
    writer, owner = living_holder(files.journal_lock), last_holder(files.lock)
    if writer is None or writer.pid == os.getpid() or (owner and owner.pid == writer.pid):
        return None
    return writer


def newest_backup(files: EngineFiles) -> str:
    """Which one it is, in words."""
    newest = max(_backups_in(files), key=lambda path: path.stat().st_mtime_ns, default=None)
    if newest is None:
        return "there is no backup"
    return f"the newest backup is {newest} (`hydra-trader restore` goes on from it)"


def end_previous_life(files: EngineFiles) -> Path | None:
    """Set the record of the last session aside; gives the folder, None if there was none.

    The in-process venue forgets everything at its end, so the next session is another account that
    happens to have the same name. What was recorded is kept, but must not be traded on. Only the
    newest `LIVES_KEPT` are. To be called under the engine's lock, and again if it was cut short.
    Raises `OtherVenuesRecord` if the lock names a venue that does not forget.
    """
    holder = last_holder(files.lock)
    if holder is not None and holder.venue not in (None, FORGETFUL_VENUE):
        raise OtherVenuesRecord(
            f"{files.ledger.parent}: found the record of the {holder.venue} venue; wanted one of"
            f" the {FORGETFUL_VENUE} venue, or none; use another --state-dir"
        )
    left = [path for path in _of_this_life(files) if path.exists()]
    folder = _set_aside(left, files) if left else None
    forget_account(files.lock)
    return folder


def _set_aside(left: list[Path], files: EngineFiles) -> Path:
    ended = files.ended
    make_private_folder(ended)
    numbers = _numbers(files)
    if not is_being_set_aside(files):
        numbers.append(numbers[-1] + 1 if numbers else 1)
    folder = ended / f"{numbers[-1]:06d}"
    make_private_folder(folder)
    for path in left:
        shutil.move(path, folder / path.name)  # logs are often on another disk
        reached("recovery.set_aside")
    for number in numbers[:-LIVES_KEPT]:
        shutil.rmtree(ended / f"{number:06d}")
    return folder


def is_being_set_aside(files: EngineFiles) -> bool:
    """A process ended while it set this record aside: a part of it is in the newest folder there,
    and the ledger, which goes last, is not yet.

    Its log must not be parted from it: what was committed last is in there.
    """
    numbers = _numbers(files)
    if not numbers:
        return False
    folder = files.ended / f"{numbers[-1]:06d}"
    left = (path.name for path in _of_this_life(files) if path.exists())
    return not any((folder / name).exists() for name in (files.ledger.name, *left))


def _numbers(files: EngineFiles) -> list[int]:
    """Of the lives that were set aside, the newest last."""
    if not files.ended.is_dir():
        return []
    return sorted(
        int(path.name) for path in files.ended.iterdir() if _NUMBERED.fullmatch(path.name)
    )


def _of_this_life(files: EngineFiles) -> list[Path]:
    """All that belongs to the account, the ledger last: it is what the others go with."""
    wal, shared_memory = _beside(files.ledger, "-wal"), _beside(files.ledger, "-shm")
    return [
        *_journal_in(files),
        files.venue_log,
        files.venue_account,
        files.signals,
        files.halt_marker,
        files.backups,
        shared_memory,
        wal,
        files.ledger,
    ]


def _witnesses(files: EngineFiles) -> list[str]:
    """What speaks of a ledger, each with its words."""
    witnesses = [
        f"{path} has {path.stat().st_size} bytes"
        for path in (_beside(files.ledger, "-wal"), *_journal_in(files))
        if _has_content(path)
    ]
    if files.halt_marker.exists():
        witnesses.append(f"there is {files.halt_marker}")
    holder = last_holder(files.lock)
    if holder is not None and (holder.venue is not None or holder.account is not None):
        witnesses.append(f"{files.lock} names {holder}")
    backups = _backups_in(files)
    if backups:
        witnesses.append(f"{files.backups} has {len(backups)} backups")
    return witnesses


def _journal_in(files: EngineFiles) -> list[Path]:
    return files_of(files.journal) if files.journal.parent.is_dir() else []


def _backups_in(files: EngineFiles) -> list[Path]:
    """Proven backups; one that was never finished bears another ending."""
    return list(files.backups.glob("*.db"))


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
