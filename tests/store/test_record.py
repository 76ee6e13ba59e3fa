"""Ledger, journal and marker as one: what each loses, another one tells (I54)."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from msgspec import structs

from hydra.ports import LedgerMark
from hydra.store.agreement import RecordsDisagree, disagreement
from hydra.store.backup_folder import back_up_to_folder
from hydra.store.checking import LedgerDamaged
from hydra.store.engine_files import EngineFiles, RecordGone
from hydra.store.engine_lock import HeldByAnother, last_holder
from hydra.store.halt_marker import UNREADABLE, Halted, read_halt_marker
from hydra.store.journal_opening import journal_end
from hydra.store.kill_file import read_kill_file
from hydra.store.ledger import Ledger, LedgerFailed, WrongOwner
from hydra.store.ledger_guard import OpenedByHand
from hydra.store.medium import NotLasting
from hydra.store.private_files import make_private_folder
from hydra.store.record import EngineRecord, Owner
from hydra.store.schema import NewerThanThisHydra
from hydra.trading.kill_switch import Unreadable
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.faults.quota import no_descriptor_to_spare
from tests.store.orders import AT, approved, decision

OWNER = Owner(venue="paper", account="PA-1", version="1.0.0", configuration="digest", at=AT)
KILL = Cause(
    code="kill",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=AT,
    detail="asked to",
)


@pytest.fixture
def files(tmp_path: Path) -> EngineFiles:
    return EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")


def with_orders(files: EngineFiles, first: int, count: int) -> None:
    """One life of an engine that traded, with its lines in the journal, and ended in order."""
    record = EngineRecord.open(files, OWNER)
    trade(record, first, count)
    record.end("done", AT)
    record.close()


def open_files() -> list[str]:
    """What this process has open, by name; of what has none only that there is one."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list open files")
    targets = [str(path.readlink()) for path in descriptors.iterdir() if path.exists()]
    return sorted(target for target in targets if target.startswith("/"))


def trade(record: EngineRecord, first: int, count: int) -> None:
    for signal in range(first, first + count):
        record.ledger.record_intent(approved(decision(signal=signal)), AT)
        mark = record.ledger.commit()
        record.journal.append(
            {"ts": AT, "event": "test", "ledger_seq": mark.seq, "ledger_chain": mark.chain}
        )


def content(files: EngineFiles) -> dict[Path, bytes]:
    parts = [files.ledger, files.ledger.with_name("ledger.db-wal"), files.journal]
    return {path: path.read_bytes() for path in parts if path.exists()}


def put_back(kept: dict[Path, bytes]) -> None:
    for path, before in kept.items():
        path.unlink()
        path.write_bytes(before)
        path.chmod(0o600)


def test_where_no_file_can_be_opened_a_halt_is_on_record_and_the_kill_file_counts_i03_i07_i64(
    files: EngineFiles,
) -> None:
    record = EngineRecord.open(files, OWNER)
    trade(record, 1, 1)  # what is opened at the first commit is open

    with no_descriptor_to_spare():
        trade(record, 2, 2)
        record.ledger.latch_halt(KILL, AT)
        record.ledger.commit()
        record.halt_marker.halt(KILL)
        kill_switch = read_kill_file(files.kill_switch)
    record.close()

    assert kill_switch == Unreadable(
        f"is in a folder that cannot be read (Too many open files), wanted"
        f" {files.kill_switch.parent} to be ours"
    )
    again = EngineRecord.open(files, OWNER)
    assert again.standing == (KILL,)
    assert [order.intent.decision.signal for order in again.ledger.orders()] == [1, 2, 3]
    again.close()


def test_a_record_goes_on_where_it_ended_i55(files: EngineFiles) -> None:
    with_orders(files, 1, 3)

    record = EngineRecord.open(files, OWNER)

    assert len(record.ledger.orders()) == 3
    assert record.ledger.journal_seq > 0
    assert record.standing == ()
    record.close()


def test_only_one_can_have_it_i57(files: EngineFiles) -> None:
    record = EngineRecord.open(files, OWNER)

    with pytest.raises(HeldByAnother):
        EngineRecord.open(files, OWNER)

    record.close()
    EngineRecord.open(files, OWNER).close()


def test_no_two_have_one_journal_i57(files: EngineFiles, tmp_path: Path) -> None:
    record = EngineRecord.open(files, OWNER)
    other = EngineFiles.under(tmp_path / "other", tmp_path / "logs", "ledger.db", "app.jsonl")

    with pytest.raises(HeldByAnother):
        EngineRecord.open(other, OWNER)

    record.close()


def test_whose_record_it_is_stands_in_the_lock_i57(files: EngineFiles) -> None:
    EngineRecord.open(files, OWNER).close()

    holder = last_holder(files.lock)

    assert holder is not None
    assert (holder.venue, holder.account) == ("paper", "PA-1")


def test_the_ledger_is_not_opened_by_hand_while_it_is_in_use_i58(files: EngineFiles) -> None:
    record = EngineRecord.open(files, OWNER)

    with pytest.raises(OpenedByHand):
        files.ledger.read_bytes()

    record.close()
    assert files.ledger.read_bytes()


def test_the_journal_says_at_once_how_far_the_ledger_is_i54(files: EngineFiles) -> None:
    record = EngineRecord.open(files, OWNER)
    begun = record.ledger.mark
    assert journal_end(files.journal).mark == begun
    assert record.journal.synced_seq == record.journal.last_seq

    record.end("done", AT)

    assert journal_end(files.journal).mark == record.ledger.mark != begun
    record.close()


def test_the_ledger_knows_at_the_end_how_far_the_journal_was_on_the_disk_i54(
    files: EngineFiles,
) -> None:
    record = EngineRecord.open(files, OWNER)
    last = record.journal.append({"ts": AT, "event": "test"})

    record.end("done", AT)

    assert record.ledger.journal_seq == last
    record.close()


def test_a_halt_marker_that_somebody_took_away_is_a_halt_i03(files: EngineFiles) -> None:
    with_orders(files, 1, 1)
    files.halt_marker.unlink()

    record = EngineRecord.open(files, OWNER)

    assert [cause.code for cause in record.standing] == [UNREADABLE]
    record.close()


def test_what_was_in_use_is_given_back_i59(files: EngineFiles) -> None:
    before = open_files()

    record = EngineRecord.open(files, OWNER)
    assert len(open_files()) > len(before)
    record.close()
    record.close()

    assert open_files() == before
    assert not files.ledger.with_name("ledger.db-wal").exists()


def test_a_start_that_is_refused_gives_back_all_that_it_had_opened_i59(files: EngineFiles) -> None:
    with_orders(files, 1, 1)
    before = open_files()
    older = Owner(venue="paper", account="PA-1", version="0.9.0", configuration="d", at=AT)

    with pytest.raises(NewerThanThisHydra):
        EngineRecord.open(files, older)

    assert open_files() == before


@pytest.mark.parametrize("lost", ["state", "logs"])
def test_what_goes_with_the_power_is_no_place_for_a_record_i51(tmp_path: Path, lost: str) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir():
        pytest.skip("this system has no file system in memory at /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        folders = {"state": tmp_path, "logs": tmp_path, lost: Path(folder)}
        files = EngineFiles.under(
            folders["state"] / "state", folders["logs"] / "logs", "ledger.db", "app.jsonl"
        )

        with pytest.raises(NotLasting):
            EngineRecord.open(files, OWNER)


def test_the_embedded_venue_begins_each_session_anew(files: EngineFiles) -> None:
    owner = Owner(venue="embedded", account="PA-1", version="1.0.0", configuration="d", at=AT)
    for _ in range(2):
        record = EngineRecord.open(files, owner)
        assert record.ledger.orders() == ()
        trade(record, 1, 1)
        record.close()

    assert sorted(path.name for path in (files.ended / "000001").iterdir()) == [
        "app.jsonl",
        "halt.marker",
        "ledger.db",
    ]


EMBEDDED = Owner(venue="embedded", account="PA-1", version="1.0.0", configuration="d", at=AT)


def test_what_an_account_that_is_over_held_is_told(files: EngineFiles) -> None:
    record = EngineRecord.open(files, EMBEDDED)
    trade(record, 1, 2)
    first = record.set_aside
    orders = [each.state.order.client_order_id for each in record.ledger.open_orders()]
    record.close()

    second = EngineRecord.open(files, EMBEDDED)
    second.close()
    third = EngineRecord.open(files, EMBEDDED)
    third.close()

    assert first is None
    assert second.set_aside is not None
    assert second.set_aside.folder == files.ended / "000001"
    assert second.set_aside.words == (
        "another account begins here; PA-1 is over and set aside in"
        f" {files.ended / '000001'}, with order {orders[0]}, order {orders[1]}"
    )
    assert third.set_aside is None  # the second one had nothing


@pytest.mark.parametrize("kept_lines", [None, 0, 1, 4])
def test_an_account_whose_journal_was_cut_is_not_set_aside_but_refused_i54(
    files: EngineFiles, kept_lines: int | None
) -> None:
    record = EngineRecord.open(files, EMBEDDED)
    trade(record, 1, 5)
    record.end("a test", AT)
    record.close()
    lines = files.journal.read_bytes().splitlines(keepends=True)
    if kept_lines is None:
        files.journal.unlink()
    else:
        files.journal.write_bytes(b"".join(lines[:kept_lines]))

    for _ in range(2):
        with pytest.raises(RecordsDisagree, match="lines of the journal were lost"):
            EngineRecord.open(files, EMBEDDED)
    assert files.ledger.exists()


def test_an_account_that_was_being_set_aside_when_the_process_ended_is_so_at_the_next_start_i59(
    files: EngineFiles,
) -> None:
    record = EngineRecord.open(files, EMBEDDED)
    trade(record, 1, 5)
    record.end("a test", AT)
    record.close()
    folder = files.ended / "000001"
    make_private_folder(files.ended)
    make_private_folder(folder)
    files.journal.rename(folder / files.journal.name)

    record = EngineRecord.open(files, EMBEDDED)
    record.close()

    assert {path.name for path in folder.iterdir()} >= {"app.jsonl", "ledger.db"}


def test_what_cannot_be_opened_leaves_nothing_open_i57(files: EngineFiles) -> None:
    with_orders(files, 1, 1)
    other = Owner(venue="paper", account="PA-2", version="1.0.0", configuration="d", at=AT)

    with pytest.raises(WrongOwner):
        EngineRecord.open(files, other)

    EngineRecord.open(files, OWNER).close()


def test_yesterday_s_ledger_is_noticed_i54(files: EngineFiles) -> None:
    with_orders(files, 1, 2)
    yesterday = {files.ledger: content(files)[files.ledger]}
    with_orders(files, 3, 2)

    put_back(yesterday)

    with pytest.raises(RecordsDisagree, match=r"the journal saw event 16 made durable: 7 events"):
        EngineRecord.open(files, OWNER)


def test_yesterday_s_ledger_that_was_traded_on_is_noticed_i54(files: EngineFiles) -> None:
    with_orders(files, 1, 2)
    yesterday = content(files)
    with_orders(files, 3, 2)
    today = content(files)
    put_back(yesterday)
    with_orders(files, 5, 3)

    put_back({files.journal: today[files.journal]})

    with pytest.raises(RecordsDisagree, match=r"two different histories|lines of the journal"):
        EngineRecord.open(files, OWNER)


def test_a_ledger_without_its_wal_is_noticed_i54(files: EngineFiles, tmp_path: Path) -> None:
    record = EngineRecord.open(files, OWNER)
    trade(record, 1, 3)
    # What a crash leaves: nothing has gone from the log into the database yet. Another program
    # copies it; in this process nobody but SQLite may open it.
    copy = tmp_path / "copy.db"
    subprocess.run(["cp", files.ledger, copy], check=True, timeout=10)
    record.close()

    assert not files.ledger.with_name("ledger.db-wal").exists()
    copy.replace(files.ledger)

    with pytest.raises((RecordsDisagree, RecordGone, LedgerDamaged)):
        EngineRecord.open(files, OWNER)


def test_a_torn_line_that_the_ledger_saw_is_not_made_good_by_another_one_i54(
    files: EngineFiles,
) -> None:
    with_orders(files, 1, 3)
    record = EngineRecord.open(files, OWNER)
    record.ledger.mark_journal(record.journal.synced_seq, AT)
    record.ledger.commit()
    record.close()
    content = files.journal.read_bytes()

    files.journal.write_bytes(content[:-10])

    for _ in range(2):
        with pytest.raises(RecordsDisagree, match="1 lines of the journal were lost"):
            EngineRecord.open(files, OWNER)
    assert files.journal.read_bytes() == content[:-10]


@pytest.mark.parametrize("kept_lines", [0, 1, 2, 4])
def test_a_journal_that_was_cut_is_noticed_i54(files: EngineFiles, kept_lines: int) -> None:
    with_orders(files, 1, 5)

    lines = files.journal.read_bytes().splitlines(keepends=True)
    files.journal.write_bytes(b"".join(lines[:kept_lines]))

    with pytest.raises(RecordsDisagree, match="lines of the journal were lost"):
        EngineRecord.open(files, OWNER)


def test_a_journal_that_was_taken_away_is_noticed_i54(files: EngineFiles) -> None:
    with_orders(files, 1, 2)

    files.journal.unlink()

    with pytest.raises(RecordsDisagree, match="the journal ends at line 0"):
        EngineRecord.open(files, OWNER)


def test_a_ledger_that_was_taken_away_is_not_begun_anew_i54(files: EngineFiles) -> None:
    with_orders(files, 1, 2)

    files.ledger.unlink()

    with pytest.raises(RecordGone, match="found no ledger"):
        EngineRecord.open(files, OWNER)
    assert not files.ledger.exists()


def test_the_halts_on_record_stand_after_a_restart_i02_i03(files: EngineFiles) -> None:
    record = EngineRecord.open(files, OWNER)
    record.ledger.latch_halt(KILL, AT)
    record.ledger.commit()
    record.close()

    record = EngineRecord.open(files, OWNER)
    assert record.standing == (KILL,)
    record.ledger.clear_halt("kill", "an operator looked", AT)
    record.ledger.commit()
    record.halt_marker.halt(KILL)
    record.close()

    record = EngineRecord.open(files, OWNER)
    assert record.standing == (KILL,)
    record.close()


def test_a_halt_stays_in_the_marker_until_the_ledger_has_it_i03_i59(
    files: EngineFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = EngineRecord.open(files, OWNER)
    record.halt_marker.halt(KILL)
    record.close()

    def fails(_: Ledger) -> None:
        raise LedgerFailed("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "commit", fails)
        with pytest.raises(LedgerFailed):
            EngineRecord.open(files, OWNER)

    assert read_halt_marker(files.halt_marker) == Halted(KILL)


@pytest.mark.parametrize("ends", [True, False])
def test_an_end_that_was_not_in_order_is_known_at_the_next_start_i03(
    files: EngineFiles, ends: bool
) -> None:
    record = EngineRecord.open(files, OWNER)
    if ends:
        record.end("asked to", AT)
    record.close()

    record = EngineRecord.open(files, OWNER)

    assert record.ended_unclean is not ends
    record.close()


@pytest.mark.parametrize(
    ("standing", "needs_person", "left"),
    [
        ((), False, ()),
        ((), True, ("unclean_end",)),
        ((KILL,), False, ("kill", "unclean_end_when_stopped")),
    ],
)
def test_what_a_person_is_to_look_at_after_an_unclean_end_is_on_record_at_once_i03(
    files: EngineFiles, standing: tuple[Cause, ...], needs_person: bool, left: tuple[str, ...]
) -> None:
    record = EngineRecord.open(files, OWNER)
    for cause in standing:
        record.ledger.latch_halt(cause, AT)
    record.ledger.commit()
    record.close()

    record = EngineRecord.open(files, OWNER)
    first = record.after_unclean_end(needs_person=needs_person, at=AT + 1)
    again = record.after_unclean_end(needs_person=needs_person, at=AT + 2)
    found = tuple(sorted(cause.code for cause in record.standing))
    record.end("asked to", AT + 3)  # before anybody had looked
    record.close()
    record = EngineRecord.open(files, OWNER)
    after = record.after_unclean_end(needs_person=needs_person, at=AT + 4)
    still = tuple(sorted(cause.code for cause in record.standing))
    record.close()

    assert first is not None and again == first
    assert (found, still, after) == (left, left, None)


def test_starts_after_unclean_ends_are_told_with_the_machine_s_time_this_one_included_i75(
    files: EngineFiles,
) -> None:
    found: list[tuple[int, ...]] = []
    for number, ends in enumerate([False, False, True, False, False], 1):
        record = EngineRecord.open(files, structs.replace(OWNER, wall_at=AT + number))
        if ends:
            record.end("asked to", AT)
        found.append(record.unclean_starts(AT + 3))
        record.close()

    assert found == [(), (), (AT + 3,), (AT + 3,), (AT + 3, AT + 5)]


def test_the_ledger_of_a_later_version_is_refused_i67(files: EngineFiles) -> None:
    with_orders(files, 1, 1)
    older = Owner(venue="paper", account="PA-1", version="0.9.0", configuration="d", at=AT)

    with pytest.raises(NewerThanThisHydra, match=r"last used by Hydra 1\.0\.0, this is 0\.9\.0"):
        EngineRecord.open(files, older)


MARK = LedgerMark(5, "aa")


def chain(links: dict[int, str]) -> Callable[[int], str | None]:
    return links.get


@pytest.mark.parametrize(
    ("ledger", "journal_seen", "journal_seq", "ledger_seen", "words"),
    [
        (MARK, 0, 0, None, None),
        (MARK, 3, 3, MARK, None),
        (MARK, 3, 9, LedgerMark(4, "bb"), None),
        (MARK, 4, 3, MARK, "1 lines of the journal were lost"),
        (MARK, 4, 3, None, "1 lines of the journal were lost"),
        (MARK, 0, 9, LedgerMark(6, "cc"), "1 events of the ledger were lost"),
        (MARK, 0, 9, LedgerMark(5, "cc"), "two different histories"),
        (MARK, 0, 9, LedgerMark(4, "cc"), "two different histories"),
    ],
)
def test_each_side_tells_what_the_other_one_lost_i54(
    ledger: LedgerMark,
    journal_seen: int,
    journal_seq: int,
    ledger_seen: LedgerMark | None,
    words: str | None,
) -> None:
    found = disagreement(ledger, journal_seen, chain({4: "bb", 5: "aa"}), journal_seq, ledger_seen)

    assert (found is None) if words is None else (found is not None and words in found)


@pytest.mark.parametrize("has_backup", [True, False])
def test_a_start_on_a_damaged_ledger_names_the_newest_backup_i51_i66(
    files: EngineFiles, has_backup: bool
) -> None:
    with_orders(files, 1, 2)
    made = back_up_to_folder(files, files.backups, keep=3).path if has_backup else None
    damaged = bytearray(files.ledger.read_bytes())
    damaged[:16] = b"SQLite format 4\0"
    files.ledger.write_bytes(damaged)

    with pytest.raises(LedgerDamaged) as refused:
        EngineRecord.open(files, OWNER)

    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{files.ledger}: NotADBError")
    named = f"the newest backup is {made} (`hydra-trader restore` goes on from it)"
    words = named if has_backup else "there is no backup"
    assert line.endswith(f"start from the newest proven backup; {words}")
    assert files.ledger.read_bytes() == damaged


def test_a_change_behind_sqlite_s_back_is_noticed_at_start_i54(files: EngineFiles) -> None:
    with_orders(files, 1, 2)
    connection = apsw.Connection(str(files.ledger))
    connection.execute("UPDATE counters SET entries = 1")
    connection.close()

    with pytest.raises(LedgerDamaged, match="its tables are not those"):
        EngineRecord.open(files, OWNER)
