"""A backup put in the ledger's place: what was there is kept, and nothing is traded unseen."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.store.agreement import RecordsDisagree
from hydra.store.backup_folder import back_up_to_folder
from hydra.store.checking import LedgerDamaged
from hydra.store.engine_files import EngineFiles, RecordGone
from hydra.store.engine_lock import HeldByAnother
from hydra.store.ledger import WrongOwner
from hydra.store.record import EngineRecord, Owner
from hydra.store.restoring import RestoreRefused, restore
from hydra.store.verification import verify_record
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.control import OPERATOR_RESUME
from tests.store.orders import AT, approved, decision

OWNER = Owner(venue="paper", account="PA-1", version="1.0.0", configuration="digest", at=AT)
LOOK_FIRST = Cause(
    code="operator-halt",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=AT,
    detail="the record was restored",
)


@pytest.fixture
def files(tmp_path: Path) -> EngineFiles:
    return EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")


def lived(files: EngineFiles, first: int, count: int) -> None:
    """An engine that traded, and ended in order."""
    record = EngineRecord.open(files, OWNER)
    for signal in range(first, first + count):
        record.ledger.record_intent(approved(decision(signal=signal)), AT)
        mark = record.ledger.commit()
        line = {"ts": AT, "event": "test", "ledger_seq": mark.seq, "ledger_chain": mark.chain}
        record.journal.append(line)
    record.end("done", AT)
    record.close()


@pytest.fixture
def backup(files: EngineFiles) -> Path:
    """Of a record that then went on."""
    lived(files, 1, 2)
    made = back_up_to_folder(files, files.backups, keep=3).path
    lived(files, 3, 2)
    return made


def signals_in(files: EngineFiles) -> list[int]:
    record = EngineRecord.open(files, OWNER)
    signals = [order.intent.decision.signal for order in record.ledger.orders()]
    record.end("looked", AT)
    record.close()
    return signals


def lose_the_ledger(files: EngineFiles) -> None:
    files.ledger.unlink()


def damage_the_ledger(files: EngineFiles) -> None:
    files.ledger.write_bytes(files.ledger.read_bytes().replace(b"crossed", b"crosseD"))


def lose_the_journal(files: EngineFiles) -> None:
    shutil.rmtree(files.journal.parent)


def put_the_backup_there(files: EngineFiles) -> None:
    shutil.copyfile(next(files.backups.glob("*.db")), files.ledger)


@pytest.mark.parametrize(
    "break_it", [lose_the_ledger, damage_the_ledger, lose_the_journal, put_the_backup_there]
)
def test_a_record_on_which_no_engine_starts_goes_on_from_a_backup_halted_i54_i66(
    files: EngineFiles, backup: Path, break_it: Callable[[EngineFiles], None]
) -> None:
    break_it(files)
    with pytest.raises((RecordGone, LedgerDamaged, RecordsDisagree)):
        EngineRecord.open(files, OWNER)

    restored = restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)

    assert verify_record(files, "paper", lambda _name, _done, _of: None).is_well
    record = EngineRecord.open(files, OWNER)
    assert record.standing == (LOOK_FIRST,)
    assert [order.intent.decision.signal for order in record.ledger.orders()] == [1, 2]
    record.end("done", AT)
    record.close()
    assert restored.mark.seq < restored.went_on_with.seq
    assert (signals_in(files), restored.orders) == ([1, 2], 2)


def test_what_was_there_is_kept_to_the_last_byte_i66(files: EngineFiles, backup: Path) -> None:
    before = {path.name: path.read_bytes() for path in (files.ledger, files.journal)}

    restored = restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)
    again = restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)

    kept = {path.name: path.read_bytes() for path in restored.kept}
    assert kept == before
    assert not set(restored.kept) & set(again.kept)
    assert backup.exists()


def test_a_word_that_waits_in_the_backup_lets_nothing_of_it_go_i04(files: EngineFiles) -> None:
    record = EngineRecord.open(files, OWNER)
    record.ledger.put(OPERATOR_RESUME, "go on", AT)
    record.ledger.commit()
    record.end("done", AT)
    record.close()
    backup = back_up_to_folder(files, files.backups, keep=3).path

    restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)

    record = EngineRecord.open(files, OWNER)
    assert (record.standing, record.ledger.get(OPERATOR_RESUME)) == ((LOOK_FIRST,), "")
    record.close()


def test_nothing_is_touched_for_what_is_no_backup_of_this_record_i66_i82(
    files: EngineFiles, backup: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in (files.ledger, files.journal)}
    bad = tmp_path / "bad.db"
    bad.write_bytes(backup.read_bytes().replace(b"crossed", b"crosseD"))

    with pytest.raises(LedgerDamaged):
        restore(files, "paper", bad, LOOK_FIRST, by="pat", at=AT)
    with pytest.raises(WrongOwner):
        restore(files, "live", backup, LOOK_FIRST, by="pat", at=AT)
    with pytest.raises(RestoreRefused, match="found the ledger itself"):
        restore(files, "paper", files.ledger, LOOK_FIRST, by="pat", at=AT)
    with pytest.raises(RestoreRefused, match="found no such file"):
        restore(files, "paper", tmp_path / "none.db", LOOK_FIRST, by="pat", at=AT)

    assert {path: path.read_bytes() for path in (files.ledger, files.journal)} == before
    assert not list(files.ledger.parent.glob("*.restored*"))


def test_a_record_that_an_engine_has_is_left_alone_i57(files: EngineFiles, backup: Path) -> None:
    record = EngineRecord.open(files, OWNER)

    with pytest.raises(HeldByAnother):
        restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)

    assert len(record.ledger.orders()) == 4
    record.close()


class Cut(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("number", range(1, 6))
def test_cut_short_anywhere_no_engine_starts_and_it_can_be_said_again_i59(
    files: EngineFiles, backup: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[str] = []

    def reached(name: str) -> None:
        passed.append(name)
        if len(passed) == number:
            raise Cut

    monkeypatch.setattr("hydra.store.restoring.reached", reached)
    with pytest.raises(Cut):
        restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)
    monkeypatch.undo()
    whole = passed[-1] in ("restore.proven", "restore.done")
    if not whole:  # else it is the record of before, or all of the new one
        with pytest.raises((RecordGone, RecordsDisagree)):
            EngineRecord.open(files, OWNER)

    restore(files, "paper", backup, LOOK_FIRST, by="pat", at=AT)

    assert signals_in(files) == [1, 2]
