"""What an operator's word does where no engine runs: it is put on record, and the next start obeys.

The engine's lock is held meanwhile, so that no engine starts halfway. Nothing here says that a
process went on with the ledger: how the last engine ended stays known (I03).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from hydra.ops.debug.halting import operator_cause, words_of
from hydra.store.agreement import require_agreement
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.store.engine_lock import EngineLock, LockOf, last_holder
from hydra.store.halt_marker import (
    UNREADABLE,
    Clear,
    Halted,
    HaltMarker,
    Unreadable,
    read_halt_marker,
)
from hydra.store.journal import JournalFile
from hydra.store.journal_opening import journal_end
from hydra.store.ledger import Ledger, WrongOwner
from hydra.store.ledger_facts import NoLedger
from hydra.store.ledger_guard import guard_ledger
from hydra.store.private_files import make_private_file
from hydra.store.record import RECORD_REFUSED
from hydra.store.schema import NewerThanThisHydra
from hydra.trading.flatten import FlattenState
from hydra.trading.flatten_events import Withdrawn
from hydra.trading.flatten_record import RecordedFlatten
from hydra.trading.trading_state import Cause
from messages.control import FLATTEN_STATE, OPERATOR_RESUME, Resume

SOURCE = "control"

UNFIT = (*RECORD_REFUSED, NewerThanThisHydra)
"""What a record can be that nothing must be written to; then the marker has to do."""

NOT_WRITTEN = (*RECORD_REFUSED, OSError)
"""What keeps a halt from going anywhere, ledger or marker."""


class NotStanding(Exception):
    """An operator speaks of a halt that does not stand."""


class NoFlatten(Exception):
    """An operator withdraws what nobody asked for, or what has ended."""


class Latched(msgspec.Struct, frozen=True, kw_only=True):
    """A halt that the next start finds. `fault`: why it is not in the ledger; "" if it is.

    `was_new`: no engine ever had this record. `withdrawn`: an operator's resume that had been kept
    for the next start is not carried out.
    """

    cause: Cause
    where: str
    fault: str = ""
    was_new: bool = False
    withdrawn: bool = False


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A resume that waits for the next start: of these causes. `replaces`: there was one before."""

    codes: tuple[str, ...]
    replaces: bool = False


class RecordAtRest(msgspec.Struct, frozen=True):
    """Ledger and journal of an engine that does not run."""

    ledger: Ledger
    journal: JournalFile

    def commit(self, line: dict[str, object]) -> None:
        """Make durable what was recorded, and say so in the journal."""
        mark = self.ledger.commit()
        self.journal.append({**line, "ledger_seq": mark.seq, "ledger_chain": mark.chain})
        self.journal.sync()


@contextmanager
def record_at_rest(files: EngineFiles, venue: str, at: int, command: str) -> Iterator[RecordAtRest]:
    """The record, under the engine's lock and checked as at a start. `command` is the verb.

    Raises `HeldByAnother` while an engine has it, and what `EngineRecord.open` raises.
    """
    with ExitStack() as opened:
        opened.callback(EngineLock(files.lock, command=command).release)
        journal_lock = EngineLock(files.journal_lock, LockOf.JOURNAL, command=command)
        opened.callback(journal_lock.release)
        if is_first_start(files) and not files.ledger.exists():
            make_private_file(files.ledger)
        opened.callback(guard_ledger(files.ledger))
        ledger = Ledger.open(files.ledger, venue=venue, at=at)
        opened.callback(ledger.abandon)
        require_agreement(ledger, journal_end(files.journal))
        journal = JournalFile.open(files.journal, at=at)
        opened.callback(journal.close)
        yield RecordAtRest(ledger, journal)
        ledger.close()


def halt_at_rest(
    files: EngineFiles, venue: str, reason: str, by: str, at: int, *, close_only: bool
) -> Latched:
    """Put a halt on record: in the ledger, or else in the halt marker (I03).

    `at` is UTC ns. Raises `HeldByAnother` while an engine has the record, `WrongOwner` if it is of
    another venue, and `HaltMarkerFailed`, `RightsTooOpen` or `OSError` if nothing can be written.
    """
    cause = operator_cause(reason, f"while no engine ran, {by}", at, close_only=close_only)
    try:
        with record_at_rest(files, venue, at, "halt") as record:
            ledger = record.ledger
            latched = Latched(
                cause=cause,
                where=str(files.ledger),
                was_new=ledger.engine is None,
                withdrawn=bool(ledger.get(OPERATOR_RESUME)),
            )
            ledger.latch_halt(cause, at)
            if latched.withdrawn:  # it was said of an older halt, maybe under the same code
                ledger.put(OPERATOR_RESUME, "", at)
            record.commit(
                {
                    "ts": at,
                    "event": "control_halt",
                    "source": SOURCE,
                    "reason": words_of(reason),
                    "by": by,
                    "state": cause.state.name,
                }
            )
        return latched
    except WrongOwner:
        raise
    except UNFIT as refused:
        _mark(files, cause, at)
        return Latched(cause=cause, where=str(files.halt_marker), fault=str(refused))


class NothingHere(Exception):
    """Nothing says that an engine ever ran here, so that there is no marker to halt in."""


def mark_at_rest(
    files: EngineFiles, reason: str, by: str, at: int, fault: str, *, close_only: bool
) -> Latched:
    """Put a halt in the halt marker alone: it lies beside the lock under a name of its own, so that
    nothing has to be known of the settings; the next start takes it over. `fault` is what is wrong
    with them. Raises as `halt_at_rest` does, and `NothingHere`: a marker in a folder without a
    ledger would speak of one that is gone.
    """
    holder = last_holder(files.lock)
    if not files.halt_marker.exists() and (holder is None or holder.venue is None):
        raise NothingHere
    cause = operator_cause(reason, f"while no engine ran, {by}", at, close_only=close_only)
    _mark(files, cause, at)
    return Latched(cause=cause, where=str(files.halt_marker), fault=fault)


def _mark(files: EngineFiles, cause: Cause, at: int) -> None:
    with ExitStack() as opened:
        opened.callback(EngineLock(files.lock, command="halt").release)
        marker = HaltMarker.open(files.halt_marker, at=at, first_start=False)
        opened.callback(marker.close)
        marker.halt(cause)


def resume_at_rest(
    files: EngineFiles, venue: str, reason: str, by: str, at: int, codes: tuple[str, ...]
) -> Word | None:
    """Keep an operator's resume for the next start, which carries it out once all is clean (I04).

    `codes`: the causes meant; none: all that stand. It is about what stands now, and nothing that
    comes later. None: nothing stands. Raises `NotStanding`, `NoLedger`, and what `record_at_rest`
    raises.
    """
    if is_first_start(files):
        raise NoLedger(f"{files.ledger}: found no ledger, so no halt that could be let go")
    with record_at_rest(files, venue, at, "resume") as record:
        ledger = record.ledger
        on_record = [cause.code for cause in ledger.halts()]
        marked = _marked(files, had_an_engine=ledger.engine is not None)
        standing = list(dict.fromkeys([*on_record, *marked]))
        strange = [code for code in codes if code not in standing]
        if strange:
            there_are = ", ".join(standing) or "none"
            raise NotStanding(f"no halt {strange[0]} stands; those that stand: {there_are}")
        if not standing:
            return None
        meant = codes or tuple(standing)
        replaces = bool(ledger.get(OPERATOR_RESUME))
        if ledger.engine is not None:
            _take_over_marked(files, ledger, at)
        ledger.put(OPERATOR_RESUME, _written(reason, by, at, meant), at)
        record.commit(
            {
                "ts": at,
                "event": "control_resume",
                "source": SOURCE,
                "reason": reason,
                "by": by,
                "codes": meant,
            }
        )
        return Word(codes=meant, replaces=replaces)


def withdraw_flatten_at_rest(
    files: EngineFiles, venue: str, reason: str, by: str, at: int
) -> FlattenState:
    """Have the next start not go on with the flatten that is under way; gives how it ended.

    Its pause stays. Raises `NoFlatten`, `NoLedger`, and what `record_at_rest` raises.
    """
    if is_first_start(files):
        raise NoLedger(f"{files.ledger}: found no ledger, so no flatten that could be withdrawn")
    with record_at_rest(files, venue, at, "flatten --withdraw") as record:
        ledger = record.ledger
        try:
            flatten = RecordedFlatten.from_record(ledger.get(FLATTEN_STATE) or "")
        except msgspec.MsgspecError as error:
            raise NoFlatten(f"the flatten on record cannot be read: {error}") from error
        to_record = flatten.happened(Withdrawn(reason=reason, operator=by))
        if to_record is None:
            raise NoFlatten("no flatten is under way on record")
        ledger.put(FLATTEN_STATE, to_record, at)
        record.commit(
            {
                "ts": at,
                "event": "control_flatten_withdrawn",
                "source": SOURCE,
                "reason": words_of(reason),
                "by": by,
            }
        )
        return flatten.state


def _marked(files: EngineFiles, *, had_an_engine: bool) -> list[str]:
    """The codes of the halts that a start would find in the marker."""
    match read_halt_marker(files.halt_marker):
        case Clear():
            return []
        case Halted() as halted:
            return [cause.code for cause in halted.causes]
        case Unreadable():
            return [UNREADABLE] if had_an_engine else []


def _take_over_marked(files: EngineFiles, ledger: Ledger, at: int) -> None:
    """As a start does it, but that the marker stays: so a start knows the halts in it again, and
    one that the marker gets meanwhile is another, of which nothing was said (I04).
    """
    marker = HaltMarker.open(files.halt_marker, at=at, first_start=False)
    try:
        for cause in marker.causes:
            ledger.latch_halt(cause, at)
    finally:
        marker.close()


def _written(reason: str, by: str, at: int, codes: tuple[str, ...]) -> str:
    word = msgspec.to_builtins(Resume(reason=reason, operator=by, codes=codes))
    return msgspec.json.encode({**word, "at": at}).decode()
