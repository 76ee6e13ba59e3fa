"""The offline check of a record: ledger, journal and halt marker, and whether they go together.

Nothing is changed, an engine may run meanwhile, and everything is looked at whatever was found
before: at a bad moment somebody wants to know all of it.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from hydra.store import projections
from hydra.store.agreement import disagreement
from hydra.store.backup import proven
from hydra.store.checking import (
    UNREPLAYABLE,
    Head,
    LedgerDamaged,
    chain_head,
    first_difference,
    require_replay,
    state_of_tables,
)
from hydra.store.engine_files import EngineFiles, RecordGone, is_first_start
from hydra.store.engine_lock import living_holder
from hydra.store.halt_marker import Clear, Halted, Unreadable, read_halt_marker
from hydra.store.journal_check import JournalRead, Progress, journal_read
from hydra.store.journal_files import BEGIN_ANEW, files_of
from hydra.store.ledger_facts import NOTHING_YET, LedgerFacts, NoLedger, facts_of, last_mark
from hydra.store.looking import looked_at
from hydra.store.private_files import RightsTooOpen, require_private_file, require_private_folder
from hydra.store.reading import Records
from hydra.store.rebuilt import NoRoomToReplay
from hydra.store.schema import MIGRATIONS, NewerThanThisHydra, NotALedger, require_ours

T = TypeVar("T")

UNREADABLE = (apsw.Error, *UNREPLAYABLE)
FINDINGS_SHOWN = 20
HALT_MARKER = "halt marker"
"""The check of it: what it finds counts as a halt, which an operator can resume."""

KEEP_LEDGER = (
    "keep the files as they are, find out what changed them, start from the newest proven backup"
)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `wanted`, `where` and `advice` are empty where it is well."""

    name: str
    is_well: bool
    found: str
    wanted: str = ""
    where: str = ""
    advice: str = ""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """All that was looked at, in order, and what is known of it."""

    checks: tuple[Check, ...]
    ledger: LedgerFacts | None
    """None if there is none that can be read."""
    journal: JournalRead | None = None
    is_newer: bool = False
    """A later Hydra wrote it, so this one cannot judge it."""
    newest_proven_backup: Path | None = None
    """Looked for only if the ledger is not well."""

    @property
    def is_well(self) -> bool:
        """Nothing is wrong."""
        return all(check.is_well for check in self.checks)


def verify_file(path: Path, progress: Progress) -> Verification:
    """Check a ledger or a backup by itself. Raises NoLedger if there is no such file."""
    if not path.exists():
        raise NoLedger(f"{path}: found no file, wanted a ledger or a backup of one")
    examination = _Examination(progress)
    examination.look_at_rights((), (path,))
    examination.look_into(path, path.with_name("engine.lock"), lambda _connection: None)
    return examination.result(None)


def verify_record(files: EngineFiles, venue: str, progress: Progress) -> Verification:
    """Check everything that an engine of `venue` keeps. Raises NoLedger if it never had a ledger.

    Ledger first, then journal: while an engine runs, each line that the ledger speaks of was in the
    journal before. A mark in the journal that is newer is looked up in the ledger as it is then.
    """
    examination = _Examination(progress)
    backups: Path | None = files.backups
    try:
        if is_first_start(files):
            raise NoLedger(
                f"{files.ledger}: found no ledger, and nothing that says there ever was one; run"
                " the engine once, or say where its state is with --state-dir or --venue"
            )
    except RecordGone as gone:
        examination.is_bad("ledger", str(gone), where=files.ledger)
    else:
        journal = _files_of_journal(files.journal)
        folders = (files.ledger.parent, files.journal.parent)
        examination.look_at_rights(folders, (files.ledger, _wal_of(files.ledger), *journal))
        examination.look_into(
            files.ledger, files.lock, lambda connection: examination.compare(connection, files)
        )
        examination.look_at_the_owner(files, venue)
        if examination.ledger_is_well:
            backups = None
    examination.look_at_the_journal_alone(files.journal)
    examination.look_at_the_marker(files)
    return examination.result(backups)


def as_plain(verification: Verification) -> dict[str, Any]:
    """For programs: the same in words, numbers, lists and mappings."""
    ledger, journal, backup = (
        verification.ledger,
        verification.journal,
        verification.newest_proven_backup,
    )
    checks = [msgspec.to_builtins(check) for check in verification.checks]
    return {
        "ok": verification.is_well,
        "checks": [{"ok": check.pop("is_well"), **check} for check in checks],
        "ledger": msgspec.to_builtins(ledger),
        "journal": msgspec.to_builtins(journal, enc_hook=str),
        "newest_proven_backup": None if backup is None else str(backup),
    }


class _Examination:
    """Goes through the checks and writes down what was found."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._checks: list[Check] = []
        self._facts: LedgerFacts | None = None
        self._journal: JournalRead | None = None
        self._is_newer = False
        self._has_seen_the_journal = False
        self.ledger_is_well = False

    def is_well(self, name: str, found: str) -> None:
        """This is as it should be."""
        self._checks.append(Check(name=name, is_well=True, found=found))

    def is_bad(
        self, name: str, found: str, *, where: Path | str, wanted: str = "", advice: str = ""
    ) -> None:
        """This is not."""
        check = Check(
            name=name, is_well=False, found=found, wanted=wanted, where=str(where), advice=advice
        )
        self._checks.append(check)

    def result(self, backups: Path | None) -> Verification:
        """All of it. `backups`: the folder of them, if one is needed."""
        return Verification(
            checks=tuple(self._checks),
            ledger=self._facts,
            journal=self._journal,
            is_newer=self._is_newer,
            newest_proven_backup=(
                None if backups is None or self._is_newer else _newest_proven(backups)
            ),
        )

    def look_at_rights(self, folders: tuple[Path, ...], files: tuple[Path, ...]) -> None:
        """Nobody else may read or change any of it (I84)."""
        before = len(self._checks)
        for folder in folders:
            if folder.is_dir():
                self._tried("rights", folder, partial(require_private_folder, folder))
        for path in files:
            self._tried("rights", path, partial(_require_private_if_there, path))
        if len(self._checks) == before:
            self.is_well("rights", "nobody else can read or change the files")

    def look_into(self, path: Path, lock: Path, then: Callable[[apsw.Connection], object]) -> None:
        """The ledger itself; `then` is called with the same moment of it."""
        if not path.is_file():
            return  # a pipe would never end; its rights were found to be wrong
        before = len(self._checks)

        def look(connection: apsw.Connection) -> None:
            del self._checks[before:]  # this may be a second look, and the first did not count
            self._facts, self._is_newer = None, False
            self._look_at_ledger(connection, path)
            self.ledger_is_well = all(check.is_well for check in self._checks[before:])
            then(connection)

        self._tried("ledger", path, lambda: looked_at(path, lock, look))

    def _look_at_ledger(self, connection: apsw.Connection, path: Path) -> None:
        self._progress("sqlite", 0, None)
        self._tried("sqlite", path, lambda: self._look_at_sqlite(connection, path))
        version = self._tried("schema", path, lambda: require_ours(connection))
        if version is None:
            return
        if version == 0:
            self.is_well("schema", "an empty database: the engine ended before its first event")
            self._facts = NOTHING_YET
            return
        if version < len(MIGRATIONS):
            text = f"version {version}, this Hydra has {len(MIGRATIONS)}: the next start migrates"
            self.is_well("schema", f"{text}; SQLite's own check has to do")
            return
        self.is_well("schema", f"a ledger of Hydra, version {version}")
        self._progress("chain", 0, None)
        head = self._tried("chain", path, lambda: self._look_at_chain(connection))
        if self._is_newer:
            return
        state = self._tried("tables", path, lambda: self._look_at_tables(connection, path, head))
        if head is not None:
            self._tried("replay", path, lambda: self._replay(connection, head))
        self._facts = self._tried(
            "facts", path, lambda: facts_of(connection, version, state or "unknown")
        )

    def _look_at_sqlite(self, connection: apsw.Connection, path: Path) -> None:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        if found != ["ok"]:
            self.is_bad("sqlite", "; ".join(found), wanted="ok", where=path, advice=KEEP_LEDGER)
            return
        loose = list(connection.execute("PRAGMA foreign_key_check"))
        if loose:
            text = f"{_number(len(loose), 'row')} of {loose[0][0]} refer to what is not there"
            self.is_bad("sqlite", text, wanted="none", where=path, advice=KEEP_LEDGER)
            return
        self.is_well("sqlite", "its own check finds nothing")

    def _look_at_chain(self, connection: apsw.Connection) -> Head:
        head = chain_head(connection)
        last = f"the last is {head.link.hex()[:16]}…"
        self.is_well("chain", f"{_number(head.seq, 'event')}, every link fits; {last}")
        return head

    def _look_at_tables(self, connection: apsw.Connection, path: Path, head: Head | None) -> str:
        state = state_of_tables(connection).digest
        if head is None:
            return state.hex()  # there is no event to be trusted that says what it should be
        if state == head.state:
            self.is_well("tables", f"as they were written with event {head.seq:,}")
            return state.hex()
        try:
            difference = first_difference(connection)
        except UNREPLAYABLE:
            difference = None
        except NoRoomToReplay:
            difference = None  # that they differ is known without it
        self.is_bad(
            "tables",
            difference or "another state than the one that the last event names",
            wanted=f"the tables that were written with event {head.seq:,}",
            where=path,
            advice=KEEP_LEDGER,
        )
        return state.hex()

    def _replay(self, connection: apsw.Connection, head: Head) -> None:
        commits = 0

        def on_commit(seq: int) -> None:
            nonlocal commits
            commits += 1
            self._progress("replay", seq, head.seq)

        require_replay(connection, on_commit)
        counted = f"{_number(head.seq, 'event')} in {_number(commits, 'commit')}"
        self.is_well("replay", f"{counted}, the state fits after each")

    def compare(self, connection: apsw.Connection, files: EngineFiles) -> None:
        """The journal, and how it and the ledger go together."""
        records = Records(connection)

        def link_at(seq: int) -> str | None:
            try:
                return records.link_at(seq)
            except apsw.Error:
                return None

        journal = self._look_at_the_journal(files.journal, link_at)
        facts = self._facts
        if journal is not None and facts is not None:
            connection.execute("COMMIT")  # from here on it is the ledger of now
            look = partial(self._look_at_marks, connection, journal, facts, files)
            self._tried("marks", files.ledger, look)

    def look_at_the_journal_alone(self, path: Path) -> None:
        """If there was no ledger to look at it with."""
        if not self._has_seen_the_journal:
            self._look_at_the_journal(path, _no_link_at)

    def _look_at_the_journal(
        self, path: Path, link_at: Callable[[int], str | None]
    ) -> JournalRead | None:
        self._has_seen_the_journal, self._journal = True, None
        if _files_of_journal(path):
            self._progress("journal", 0, None)
            read = partial(journal_read, path, link_at, self._progress)
            self._journal = self._tried("journal", path, read)
            if self._journal is not None:
                self._say_of_the_journal(self._journal, path)
        elif self._facts is not None and not self._facts.had_an_engine:
            self.is_well("journal", "there is none yet")
        else:
            self.is_bad(
                "journal",
                "there is no journal",
                wanted="the one of the engine that had this ledger",
                where=path,
                advice=f"put it back: it is the ledger's witness; {BEGIN_ANEW}",
            )
        return self._journal

    def _say_of_the_journal(self, read: JournalRead, path: Path) -> None:
        for finding in read.damage[:FINDINGS_SHOWN]:
            self.is_bad(
                "journal",
                f"{finding.fault.value}: {finding.reason}",
                where=f"{finding.path}, line {finding.line_number} (byte {finding.offset})",
                advice=BEGIN_ANEW,
            )
        unsaid = len(read.damage) - FINDINGS_SHOWN
        if unsaid > 0:
            self.is_bad("journal", f"{unsaid:,} more of such", where=path)
        if read.damage:
            return
        lines = f"lines {read.first_seq:,} to {read.last_seq:,}" if read.lines else "no line yet"
        text = f"{lines} in {_number(read.files, 'file')}, each whole and in its place"
        for finding in read.findings:
            text += f"; {finding.fault.value} at its end, which the next start makes good"
        self.is_well("journal", text)

    def _look_at_marks(
        self,
        connection: apsw.Connection,
        journal: JournalRead,
        facts: LedgerFacts,
        files: EngineFiles,
    ) -> None:
        is_empty = facts is NOTHING_YET
        ledger = facts.mark if is_empty else last_mark(connection)
        link_at = _no_link_at if is_empty else Records(connection).link_at
        differing = journal.differing or next(
            (
                each  # was written while we read; what is not there yet is lost
                for each in journal.beyond
                if each.mark.seq <= ledger.seq and link_at(each.mark.seq) != each.mark.chain
            ),
            None,
        )
        newest = journal.newest
        lost = newest if newest is not None and newest.mark.seq > ledger.seq else None
        short = disagreement(ledger, facts.journal_seq, link_at, journal.last_seq, None)
        faults = [short]
        for each in (lost, differing):
            if each is not None:
                fault = disagreement(ledger, 0, link_at, journal.last_seq, each.mark)
                faults.append(f"{fault} (line {each.line:,} of the journal)")
        for fault in filter(None, faults):
            self.is_bad(
                "marks",
                fault,
                where=f"{files.ledger} and {files.journal}",
                advice="keep both, find out what replaced or cut them; no engine starts on it"
                if fault is not short
                else BEGIN_ANEW,
            )
        if not any(faults):
            saw = f"the ledger saw its line {facts.journal_seq:,} on the disk"
            self.is_well(
                "marks",
                f"{_number(journal.marks, 'mark')} in the journal, all of this ledger's chain;"
                f" {saw if facts.journal_seq else 'the ledger has seen none of its lines'}",
            )

    def look_at_the_owner(self, files: EngineFiles, venue: str) -> None:
        """Whose ledger it is, and how its last engine ended."""
        if self._facts is None:
            return
        found = self._facts.facts.get(projections.VENUE)
        if found not in (None, venue):
            self.is_bad(
                "owner",
                f"a ledger of venue {found}",
                wanted=f"one of venue {venue}",
                where=files.ledger,
                advice=f"say --venue {found}, or where the state of {venue} is",
            )
        elif found is not None:
            account = self._facts.facts.get(projections.ACCOUNT, "not known yet")
            self.is_well("owner", f"venue {found}, account {account}")
        end = self._facts.end
        if self._facts.ended_in_order is False:
            holder = living_holder(files.lock)
            if holder is None:
                end = f"{end}; the next start finds out more"
            elif holder.command is None:
                end = f"it runs: {holder}"
            else:
                end = f"{holder.named} works on it"
        self.is_well("last engine", end)

    def look_at_the_marker(self, files: EngineFiles) -> None:
        """Whether a halt stands in the marker, and whether it can be read at all."""
        match read_halt_marker(files.halt_marker):
            case Clear():
                self.is_well(HALT_MARKER, "clear")
            case Halted() as halted:
                what = "; ".join(
                    f"{each.state.name}: {each.code}: {each.detail}" for each in halted.causes
                )
                self.is_well(HALT_MARKER, f"a halt stands, {what}")
            case Unreadable(reason):
                is_early = self._facts is not None and not self._facts.had_an_engine
                if is_early and not files.halt_marker.exists():
                    self.is_well(HALT_MARKER, "there is none yet")
                    return
                self.is_bad(
                    HALT_MARKER,
                    reason,
                    wanted="a marker that says whether a halt stands",
                    where=files.halt_marker,
                    advice="it counts as a halt; the next start makes it anew, halted",
                )

    def _tried(self, name: str, path: Path, look: Callable[[], T]) -> T | None:
        """What `look` gives; a fault of the files is written down, and gives None."""
        try:
            return look()
        except NewerThanThisHydra as newer:
            self._is_newer = True
            self.is_bad(name, str(newer), where=path)
        except (LedgerDamaged, NotALedger, RightsTooOpen) as bad:
            self.is_bad(name, str(bad), where=path)
        except UNREADABLE as bad:
            text = f"{type(bad).__name__}: {bad}"
            self.is_bad(name, text, wanted="a whole ledger", where=path, advice=KEEP_LEDGER)
        except NoRoomToReplay as bad:
            self.is_bad(name, str(bad), wanted="a replay of all events", where=path)
        except OSError as bad:
            where = str(bad.filename or path)
            self.is_bad(name, bad.strerror or str(bad), wanted="a file to be read", where=where)
        return None


def _no_link_at(_seq: int) -> None:
    return None


def _require_private_if_there(path: Path) -> None:
    with suppress(FileNotFoundError):  # an engine may rename or prune it at any moment
        require_private_file(path, path.stat())


def _newest_proven(backups: Path) -> Path | None:
    """The one that was changed last and passes; each is tried."""
    for path in sorted(backups.glob("*.db"), key=_changed_at, reverse=True):
        try:
            proven(path)
        except (LedgerDamaged, NewerThanThisHydra, NotALedger, apsw.Error, OSError):
            continue
        return path
    return None


def _changed_at(path: Path) -> int:
    return path.stat().st_mtime_ns


def _wal_of(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + "-wal")


def _files_of_journal(path: Path) -> tuple[Path, ...]:
    return tuple(files_of(path)) if path.parent.is_dir() else ()


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
