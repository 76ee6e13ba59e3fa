"""The record of one engine: lock, ledger, journal and halt marker, opened and closed as one.

Ledger and journal are witnesses for each other (I54): each holds how far the other had come when it
was last on the disk. What either of them has lost, the other one tells at the next start.
"""

from contextlib import ExitStack

import msgspec

from hydra.crash_points import reached
from hydra.ports import LedgerMark
from hydra.store.agreement import RecordsDisagree, require_agreement
from hydra.store.checking import LedgerDamaged
from hydra.store.connection import DurabilityRefused
from hydra.store.engine_files import (
    FORGETFUL_VENUE,
    EngineFiles,
    OtherVenuesRecord,
    RecordGone,
    is_first_start,
    newest_backup,
)
from hydra.store.engine_lock import EngineLock, LockOf
from hydra.store.halt_marker import HaltMarker, HaltMarkerFailed
from hydra.store.journal import FILE_BYTES_MAX, JournalFile
from hydra.store.journal_files import JournalDamaged, JournalFailed
from hydra.store.journal_opening import journal_end
from hydra.store.ledger import Ledger, LedgerFailed, WrongOwner
from hydra.store.ledger_guard import guard_ledger
from hydra.store.lives import (
    CarriedHaltsUnreadable,
    GoesOn,
    SetAside,
    end_life_unless,
    take_over_carried,
    unclean_starts,
)
from hydra.store.medium import NotLasting, require_lasting
from hydra.store.private_files import RightsTooOpen, make_private_file
from hydra.store.redaction import Redactor
from hydra.store.schema import NotALedger
from hydra.trading.restarts import cause_after_unclean_end
from hydra.trading.trading_state import Cause, CauseClass

RECORD_REFUSED = (
    CarriedHaltsUnreadable,
    DurabilityRefused,
    HaltMarkerFailed,
    JournalDamaged,
    JournalFailed,
    LedgerDamaged,
    LedgerFailed,
    NotALedger,
    NotLasting,
    OtherVenuesRecord,
    RecordGone,
    RecordsDisagree,
    RightsTooOpen,
    WrongOwner,
)
"""What `EngineRecord.open` raises when nothing durable can be had here, each with one clear line.

Besides these: `HeldByAnother` and `NewerThanThisHydra`, which have exit codes of their own.
"""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose record it is, and which code and settings go on with it.

    `at` is market time; `wall_at` the machine's clock (UTC ns), 0 if it is not to be written down.
    """

    venue: str
    account: str | None
    version: str
    configuration: str
    at: int
    wall_at: int = 0


class EngineRecord:
    """Everything that the engine knows and never loses. One process has it, for its whole life."""

    def __init__(
        self,
        ledger: Ledger,
        journal: JournalFile,
        halt_marker: HaltMarker,
        lock: EngineLock,
        held: ExitStack,
        *,
        ended_unclean: bool,
        set_aside: SetAside | None,
    ) -> None:
        """Take over what `open` has opened; `held` closes it."""
        self.ledger = ledger
        self.journal = journal
        self.halt_marker = halt_marker
        self.ended_unclean = ended_unclean
        """The process before this one did not say that it stopped: it crashed, or was killed."""
        self.set_aside = set_aside
        """The account before this one, if it is over and had something left."""
        self._after_unclean_end: Cause | msgspec.UnsetType | None = msgspec.UNSET
        self._lock = lock
        self._held = held

    @classmethod
    def open(
        cls,
        files: EngineFiles,
        owner: Owner,
        redactor: Redactor | None = None,
        *,
        goes_on: GoesOn | None = None,
        journal_bytes_max: int = FILE_BYTES_MAX,
        command: str | None = None,
    ) -> "EngineRecord":
        """Take the locks, open and check everything, and write down that a process went on.

        `goes_on` is asked of the embedded venue's record; None: its account is always over.
        `command`: the verb that takes the record up where no engine runs.

        Killed at any moment it can be called again (I59). Raises what its parts raise, and
        `RecordsDisagree`; then nothing is left open.
        """
        with ExitStack() as opened:
            lock = EngineLock(files.lock, command=command)
            opened.callback(lock.release)
            journal_lock = EngineLock(files.journal_lock, LockOf.JOURNAL, command=command)
            opened.callback(journal_lock.release)
            reached("recovery.locked")
            set_aside = None
            if owner.venue == FORGETFUL_VENUE:
                set_aside = end_life_unless(files, owner.venue, owner.at, owner.wall_at, goes_on)
            else:
                require_lasting(files.ledger.parent)
                require_lasting(files.journal.parent)
            if is_first_start(files) and not files.ledger.exists():
                make_private_file(files.ledger)
            opened.callback(guard_ledger(files.ledger))
            ledger = _opened_ledger(files, owner)
            opened.callback(ledger.abandon)
            # Before the journal is opened, which may write a line in the place of one that is gone.
            require_agreement(ledger, journal_end(files.journal))
            reached("recovery.crosschecked")
            journal = JournalFile.open(
                files.journal,
                at=owner.at,
                file_bytes_max=journal_bytes_max,
                redactor=redactor,
            )
            opened.callback(journal.close)
            never_started, ended_unclean = ledger.engine is None, ledger.unclean_end
            # Before the ledger says that an engine started: from then on a marker that is missing
            # is one that somebody took away.
            halt_marker = HaltMarker.open(files.halt_marker, at=owner.at, first_start=never_started)
            opened.callback(halt_marker.close)
            if owner.account is not None:
                ledger.bind_account(owner.account, owner.at)
            take_over_carried(files, ledger, owner.at)
            marked = halt_marker.standing
            for cause in halt_marker.causes:
                # The marker is for when the ledger cannot be written. Here it can, so that what
                # stands is in one place, and whoever clears it there has cleared it.
                ledger.latch_halt(cause, owner.at)
            ledger.engine_started(owner.version, owner.configuration, owner.at, owner.wall_at)
            mark = ledger.commit()
            if marked is not None:
                halt_marker.clear()
            lock.name(venue=owner.venue, account=owner.account)
            journal.append(
                {
                    "ts": owner.at,
                    "event": "engine_started",
                    "source": "record",
                    "version": owner.version,
                    "configuration": owner.configuration,
                    "venue": owner.venue,
                    **fields_of_mark(mark),
                }
            )
            journal.sync()
            reached("recovery.done")
            return cls(
                ledger,
                journal,
                halt_marker,
                lock,
                opened.pop_all(),
                ended_unclean=ended_unclean,
                set_aside=set_aside,
            )
        raise AssertionError("an ExitStack lets every exception through")

    @property
    def standing(self) -> tuple[Cause, ...]:
        """Every halt on record that nobody has cleared (I02)."""
        return self.ledger.halts()

    def after_unclean_end(self, *, needs_person: bool, at: int) -> Cause | None:
        """What stands because the process before did not end in order; None: it did.

        What only a person clears is on record with the first call: this process may end in order
        before anybody has looked, and the next one must find it all the same (I03).
        """
        if self._after_unclean_end is msgspec.UNSET:
            cause = cause_after_unclean_end(
                ended_unclean=self.ended_unclean,
                standing=[cause for cause in self.standing if cause.is_global],
                since=at,
                needs_person=needs_person,
            )
            if cause is not None and cause.cause_class is not CauseClass.START:
                self.ledger.latch_halt(cause, at)
                self.ledger.commit()
            self._after_unclean_end = cause
        return self._after_unclean_end

    def unclean_starts(self, since_wall: int) -> tuple[int, ...]:
        """When engines were started here after an unclean end, whichever accounts it was for; see
        `Ledger.unclean_starts`.
        """
        return unclean_starts(self.ledger, since_wall)

    def bind(self, venue: str, account: str, at: int) -> None:
        """From here on it is this account's, on record. Raises `WrongOwner` if it is another's."""
        self.ledger.bind_account(account, at)
        self.ledger.commit()
        self._lock.name(venue=venue, account=account)

    def end(self, reason: str, at: int) -> None:
        """Write down that the engine stopped in order, each side with the other's last mark.

        Without this the next start knows that the process ended in some other way.
        """
        self.journal.sync()
        self.ledger.mark_journal(self.journal.synced_seq, at)
        self.ledger.engine_stopped(reason, at)
        mark = self.ledger.commit()
        self.journal.append(
            {
                "ts": at,
                "event": "engine_stopped",
                "source": "record",
                "reason": reason,
                **fields_of_mark(mark),
            }
        )

    def close(self) -> None:
        """Give everything back, the locks last. Closing twice does nothing."""
        with self._held:
            self.ledger.close()


def _opened_ledger(files: EngineFiles, owner: Owner) -> Ledger:
    try:
        return Ledger.open(files.ledger, venue=owner.venue, at=owner.at)
    except LedgerDamaged as damaged:
        raise LedgerDamaged(f"{damaged}; {newest_backup(files)}") from damaged


def fields_of_mark(mark: LedgerMark) -> dict[str, object]:
    """A mark of the ledger as a line of the journal has it."""
    return {"ledger_seq": mark.seq, "ledger_chain": mark.chain}
