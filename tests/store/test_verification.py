"""The offline check: what is whole passes, each kind of damage is named, nothing is changed."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from hydra.ports import LedgerMark
from hydra.store.backup_folder import back_up_to_folder
from hydra.store.chain import link_of
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import JournalFile
from hydra.store.journal_files import segments_of
from hydra.store.ledger import Ledger
from hydra.store.ledger_facts import Counts, NoLedger
from hydra.store.looking import looked_at
from hydra.store.verification import Verification, as_plain, verify_file, verify_record
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.faults.damage import committed_frames, with_bit_flipped, with_byte_changed
from tests.store.orders import AT
from tests.store.records import (
    VENUE,
    Life,
    at_work,
    contents,
    files_in,
    killed,
    line_with,
    lived,
)

ORDERS = 6
EVENTS = 3 + ORDERS * 6 + 2 - 1
"""Begun, bound, started; six an order, but the first time nothing of the journal is marked; two."""


@pytest.fixture(scope="module")
def ended_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ended")
    lived(files_in(folder), orders=ORDERS)
    return folder


@pytest.fixture(scope="module")
def killed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    killed(files_in(folder), orders=ORDERS)
    return folder


@pytest.fixture
def ended(ended_once: Path, tmp_path: Path) -> EngineFiles:
    """The record of an engine that ended in order; its journal has many files."""
    return copied(ended_once, tmp_path / "ended")


@pytest.fixture
def left(killed_once: Path, tmp_path: Path) -> EngineFiles:
    """The record of an engine that was killed; all of the ledger is in SQLite's log."""
    return copied(killed_once, tmp_path / "left")


def copied(folder: Path, to: Path) -> EngineFiles:
    shutil.copytree(folder, to)
    return files_in(to)


def verify(files: EngineFiles, venue: str = VENUE) -> Verification:
    """Also requires that looking changed nothing."""
    before = contents(files)
    found = verify_record(files, venue, lambda _doing, _done, _total: None)
    assert contents(files) == before
    return found


def bad(found: Verification) -> list[str]:
    return [f"{check.name}: {check.found}" for check in found.checks if not check.is_well]


def said(found: Verification, name: str) -> str:
    (text,) = [check.found for check in found.checks if check.name == name]
    return text


# What is whole.


def test_a_record_that_ended_in_order_is_well_and_stays_as_it_was_to_the_byte_i54_i55(
    ended: EngineFiles,
) -> None:
    before = contents(ended, without="nothing")

    found = verify(ended)

    assert bad(found) == []
    assert contents(ended, without="nothing") == before
    assert [check.name for check in found.checks] == [
        "rights", "sqlite", "schema", "chain", "tables", "replay", "journal", "marks", "owner",
        "last engine", "halt marker",
    ]  # fmt: skip
    assert said(found, "last engine") == "stopped in order: done"
    assert found.ledger is not None and found.journal is not None
    assert found.ledger.counts == Counts(
        events=EVENTS, commits=3 + 3 * ORDERS, orders=ORDERS, fills=ORDERS, bots=1
    )
    assert found.journal.files > 5
    assert found.journal.marks == 2 + 3 * ORDERS
    ledger = Ledger.open(ended.ledger, venue=VENUE, at=AT)
    assert (found.ledger.mark, found.ledger.state_hash) == (ledger.mark, ledger.state_hash())
    ledger.close()


def test_a_record_left_by_kill_9_is_well_and_its_log_is_not_touched_i54_i55(
    left: EngineFiles,
) -> None:
    assert left.ledger.with_name("ledger.db-wal").stat().st_size > 50_000

    found = verify(left)

    assert bad(found) == []
    assert "did not say that it stopped" in said(found, "last engine")
    assert found.ledger is not None
    assert found.ledger.ended_in_order is False
    assert found.ledger.counts.orders == ORDERS
    assert left.ledger.with_name("ledger.db-wal").stat().st_size > 50_000


def test_the_record_of_a_running_engine_is_well_however_often_one_looks_i54_i55(
    tmp_path: Path,
) -> None:
    files = files_in(tmp_path)
    seqs: list[int] = []

    with at_work(files) as trade:
        while len(set(seqs)) < 5:  # it goes on meanwhile
            trade(3)
            found = verify_record(files, VENUE, lambda _doing, _done, _total: None)
            assert bad(found) == []
            assert found.ledger is not None
            seqs.append(found.ledger.mark.seq)

    assert seqs == sorted(seqs)


def test_a_ledger_that_was_only_begun_is_well(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    Ledger.open(files.ledger, venue=VENUE, at=AT).close()

    found = verify(files)

    assert bad(found) == []
    assert said(found, "journal") == said(found, "halt marker") == "there is none yet"


def test_a_database_whose_engine_ended_before_its_first_event_is_well(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.ledger.parent.mkdir(mode=0o700)
    connection = apsw.Connection(str(files.ledger))
    files.ledger.chmod(0o600)
    connection.pragma("journal_mode", "wal")
    connection.close()

    found = verify(files)

    assert bad(found) == []
    assert found.ledger is not None and found.ledger.counts == Counts()


def test_a_torn_last_line_is_said_and_is_well_i63(left: EngineFiles) -> None:
    with left.journal.open("ab") as file:
        file.write(b'{"ts":"2024-01-02T14:3')

    found = verify(left)

    assert bad(found) == []
    assert "torn at its end, which the next start makes good" in said(found, "journal")


def test_a_halt_in_the_marker_is_said_and_is_well_i02(ended: EngineFiles) -> None:
    marker = HaltMarker.open(ended.halt_marker, at=AT, first_start=False)
    marker.halt(
        Cause(
            code="disk_full",
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=AT,
            detail="no room",
        )
    )
    marker.close()

    found = verify(ended)

    assert bad(found) == []
    assert said(found, "halt marker") == "a halt stands, HALTED: disk_full: no room"


def test_a_folder_without_a_ledger_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoLedger, match=r"ledger\.db: found no ledger, and nothing that says"):
        verify_record(files_in(tmp_path), VENUE, lambda _doing, _done, _total: None)

    assert list(tmp_path.iterdir()) == []


# The write-ahead log (F35, F36): SQLite calls what is left of it "ok", the journal knows better.


@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_a_bit_flipped_in_the_log_is_named_i54(left: EngineFiles, where: float) -> None:
    wal = wal_of(left)
    frames = committed_frames(wal.read_bytes())
    frame = frames[round(where * (len(frames) - 1))]
    overwrite(wal, with_bit_flipped(wal.read_bytes(), 8 * (frame.start + len(frame) // 2)))

    assert any("events of the ledger were lost" in text for text in bad(verify(left)))


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7])
def test_a_log_cut_short_is_named_i54(left: EngineFiles, kept: float) -> None:
    wal = wal_of(left)
    overwrite(wal, wal.read_bytes()[: int(kept * wal.stat().st_size)])

    assert any("events of the ledger were lost" in text for text in bad(verify(left)))


def test_a_log_taken_away_is_named_i54(left: EngineFiles) -> None:
    wal_of(left).unlink()

    assert any("events of the ledger were lost" in text for text in bad(verify(left)))


def test_the_log_of_another_database_is_named_i54(left: EngineFiles, tmp_path: Path) -> None:
    other = killed(files_in(tmp_path / "other"), orders=2)
    overwrite(wal_of(left), wal_of(other).read_bytes())

    assert any("events of the ledger were lost" in text for text in bad(verify(left)))


# The database itself (F37 to F39, F49).


def test_a_byte_changed_in_an_event_is_named_where_sqlite_finds_nothing_i54(
    ended: EngineFiles,
) -> None:
    overwrite(ended.ledger, ended.ledger.read_bytes().replace(b"crossed up", b"crossed_up"))

    found = verify(ended)

    assert any("is not what was written" in text for text in bad(found))
    assert said(found, "sqlite") == "its own check finds nothing"


def test_a_byte_changed_in_a_table_is_named_where_sqlite_finds_nothing_i54(
    ended: EngineFiles,
) -> None:
    content = ended.ledger.read_bytes()
    row = content.index(b"momentum-11238.00")  # the sub-ledger: bot and cash
    overwrite(ended.ledger, with_byte_changed(content, row + len(b"momentum-"), 0x01))

    found = verify(ended)

    assert bad(found) == [
        "tables: sub_ledgers momentum: found cash '-01238.00', wanted '-11238.00'"
    ]
    assert said(found, "sqlite") == "its own check finds nothing"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "UPDATE orders SET status = 'canceled' WHERE intended_seq = 4",
            "found status 'canceled', wanted 'filled'",
        ),
        (
            "INSERT INTO kv VALUES ('mode', 'live')",
            "tables: kv mode: found a row that follows from no event",
        ),
        ("DELETE FROM sub_ledgers", "tables: sub_ledgers momentum: found no such row, wanted one"),
        ("DELETE FROM events WHERE seq = 17", "chain: {}: event 17 is missing, before event 18"),
        ("UPDATE events SET at = at + 1 WHERE seq = 17", "event 17 is not what was written"),
        ("UPDATE events SET state = NULL WHERE seq = 8", "event 8 is not what was written"),
        ("DELETE FROM fills", "tables: fills hy1-"),
    ],
)
def test_a_change_by_hand_is_named_with_its_place_i54(
    ended: EngineFiles, change: str, named: str
) -> None:
    by_hand(ended.ledger, change)

    assert any(named.format(ended.ledger) in text for text in bad(verify(ended)))


def test_a_row_that_refers_to_nothing_is_named(ended: EngineFiles) -> None:
    by_hand(ended.ledger, "DELETE FROM orders WHERE intended_seq = 4")

    assert any("1 row of fills refer to what is not there" in text for text in bad(verify(ended)))


def test_a_history_that_replays_to_another_state_is_named_i55(ended: EngineFiles) -> None:
    def elsewhere(seq: int, state: bytes | None) -> bytes | None:
        return bytes(32) if state is not None and seq == 8 else state

    forge(ended.ledger, elsewhere)

    texts = bad(verify(ended))
    assert any("replayed up to event 8, the state is another one" in text for text in texts)
    assert not any(text.startswith(("chain", "tables", "sqlite")) for text in texts)
    assert any("two different histories" in text for text in texts), "the journal knew the old one"


def test_an_event_that_cannot_follow_is_named_i55(ended: EngineFiles) -> None:
    by_hand(
        ended.ledger,
        "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'hy1-', 'hy2-') AS BLOB)"
        " WHERE seq = 5",
    )
    forge(ended.ledger, lambda _seq, state: state)

    texts = bad(verify(ended))
    assert any("event 5 cannot be replayed: an event of order hy2-" in text for text in texts)


def test_a_damaged_header_is_named_with_the_newest_proven_backup_i51_i66(
    ended: EngineFiles,
) -> None:
    back_up_to_folder(ended, ended.backups, keep=3)
    life = Life(ended)
    life.trade(100, 1)
    life.end()
    newest = back_up_to_folder(ended, ended.backups, keep=3).path
    rotten = newest.with_name("ledger-000000999999.db")
    shutil.copy(newest, rotten)
    overwrite(rotten, rotten.read_bytes().replace(b"crossed up", b"crossed_up"))
    overwrite(ended.ledger, b"\0" * 100 + ended.ledger.read_bytes()[100:])

    found = verify(ended)

    assert any(text.startswith("ledger: NotADBError") for text in bad(found))
    assert found.newest_proven_backup == newest
    assert said(found, "journal").startswith("lines 1 to"), "the rest is looked at all the same"


def test_a_damaged_page_of_an_index_is_named_i51(ended: EngineFiles) -> None:
    connection = apsw.Connection(str(ended.ledger))
    root, size = connection.execute(
        "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema"
        " WHERE name = 'sqlite_autoindex_orders_2'"
    ).fetchone() or (0, 0)
    connection.close()
    content = bytearray(ended.ledger.read_bytes())
    content[(root - 1) * size + 3 : (root - 1) * size + 5] = b"\0\0"  # it has no entries any more
    overwrite(ended.ledger, bytes(content))

    assert any(text.startswith("sqlite: ") for text in bad(verify(ended)))


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_a_ledger_that_is_not_there_any_more_is_named_i54_i58(ended: EngineFiles, how: str) -> None:
    back_up_to_folder(ended, ended.backups, keep=3)
    if how == "empty":
        overwrite(ended.ledger, b"")
    else:
        ended.ledger.unlink()

    found = verify(ended)

    (text,) = bad(found)
    assert f"found {'an empty ledger' if how == 'empty' else 'no ledger'}, but" in text
    assert found.newest_proven_backup == ended.backups / f"ledger-{EVENTS:012d}.db"
    assert said(found, "journal").startswith("lines 1 to")


def test_yesterdays_backup_in_the_place_of_the_ledger_is_named_i15_i54(ended: EngineFiles) -> None:
    backup = back_up_to_folder(ended, ended.backups, keep=3).path
    life = Life(ended)
    life.trade(100, 2)
    life.end()
    shutil.copy(backup, ended.ledger)

    (text,) = bad(verify(ended))

    assert text.startswith(
        f"marks: the ledger ends at event {EVENTS}, and the journal saw event {EVENTS + 15}"
        " made durable: 15 events of the ledger were lost"
    )


def test_an_emptied_ledger_beside_its_journal_is_named_i54(ended: EngineFiles) -> None:
    ended.ledger.unlink()
    connection = apsw.Connection(str(ended.ledger))
    ended.ledger.chmod(0o600)
    connection.pragma("journal_mode", "wal")  # valid, and with nothing in it
    connection.close()

    texts = bad(verify(ended))

    assert any("the ledger ends at event 0" in text for text in texts)


# Ledger and journal together (F60).


def test_a_journal_cut_back_is_named_by_the_ledger_i54(tmp_path: Path) -> None:
    files = lived(files_in(tmp_path), orders=ORDERS, size=2**20)
    lines = files.journal.read_bytes().splitlines(keepends=True)
    overwrite(files.journal, b"".join(lines[:7]))

    (text,) = bad(verify(files))

    assert text == (
        f"marks: the journal ends at line 7, and the ledger saw line {len(lines) - 1} on the disk:"
        f" {len(lines) - 8} lines of the journal were lost"
    )


def test_a_journal_taken_away_is_named_i54(ended: EngineFiles) -> None:
    shutil.rmtree(ended.journal.parent)

    assert bad(verify(ended)) == ["journal: there is no journal"]


def test_the_journal_of_another_history_is_named_i54(ended: EngineFiles, tmp_path: Path) -> None:
    other = lived(files_in(tmp_path / "other"), first=50, orders=ORDERS)
    shutil.rmtree(ended.journal.parent)
    shutil.copytree(other.journal.parent, ended.journal.parent)

    texts = bad(verify(ended))

    # Its first mark, of the start, is the same: only from the first order on they differ.
    assert len(texts) == 1
    assert texts[0] == (
        "marks: event 5 of the ledger is not the one that the journal saw: they are of two"
        " different histories (line 2 of the journal)"
    )


def test_the_first_mark_that_differs_is_named_even_if_newer_ones_fit_i54(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    life = Life(files)
    life.trade(1, 2)
    for seq in (4, 5):
        life.journal.append(line_with(LedgerMark(seq, "ab" * 32)))
    life.trade(3, 2)
    life.end()

    (text,) = bad(verify(files))

    assert text.startswith("marks: event 4 of the ledger is not the one that the journal saw")
    assert text.endswith("(line 8 of the journal)")


def test_marks_written_while_it_is_read_are_held_against_the_ledger_of_then_i54(
    ended: EngineFiles,
) -> None:
    lives: list[Life] = []

    def trade_at_first_replay(doing: str, _done: int, _total: int | None) -> None:
        if doing == "journal" and not lives:
            lives.append(Life(ended))
            lives[0].trade(100, 2)
            lives[0].journal.append(line_with(LedgerMark(EVENTS + 2, "cd" * 32)))

    # With a log beside it, it is read as the database of a running engine.
    wal_of(ended).touch(mode=0o600)
    found = verify_record(ended, VENUE, trade_at_first_replay)
    lives[0].close()

    (text,) = bad(found)
    assert text.startswith(f"marks: event {EVENTS + 2} of the ledger is not the one")


# The journal by itself (F54, F55).


def changed_line(content: bytes) -> bytes:
    return content.replace(b"ledger_committed", b"ledger_commited_", 1)


def glued(content: bytes) -> bytes:
    return content.replace(b"\n", b"", 1)


def without_a_line(content: bytes) -> bytes:
    first, _, *rest = content.splitlines(keepends=True)
    return first + b"".join(rest)


def with_a_line_twice(content: bytes) -> bytes:
    first, second, *rest = content.splitlines(keepends=True)
    return first + second + second + b"".join(rest)


def with_zeros(content: bytes) -> bytes:
    first, second, *rest = content.splitlines(keepends=True)
    return first + b"\0" * (len(second) - 1) + b"\n" + b"".join(rest)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (changed_line, "changed: its checksum does not fit"),
        (glued, "glued: "),
        (without_a_line, "missing: it has seq"),
        (with_a_line_twice, "repeated: it has seq"),
        (with_zeros, "bytes, all of them zero"),
    ],
)
def test_damage_in_the_middle_of_the_journal_is_named_with_its_place_i63(
    ended: EngineFiles, damage: Callable[[bytes], bytes], named: str
) -> None:
    segment = segments_of(ended.journal)[2]
    overwrite(segment, damage(segment.read_bytes()))

    found = verify(ended)

    checks = [check for check in found.checks if not check.is_well]
    assert {check.name for check in checks} == {"journal"}
    assert any(named in check.found for check in checks)
    assert all(check.where.startswith(f"{segment}, line ") for check in checks)
    assert found.newest_proven_backup is None, "the ledger is well"


def test_a_file_of_the_journal_that_was_taken_away_is_named_i54(ended: EngineFiles) -> None:
    segments_of(ended.journal)[2].unlink()

    assert any("file missing: " in text for text in bad(verify(ended)))


def test_of_very_many_findings_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    files = lived(files_in(tmp_path), size=2**20)
    journal = JournalFile.open(files.journal, at=AT)
    for _ in range(40):
        journal.append({"ts": AT, "event": "more"})
    journal.close()
    content = files.journal.read_bytes()
    overwrite(files.journal, content.replace(b'"event":"more"', b'"event":"less"'))

    texts = bad(verify(files))

    assert sum("changed: " in text for text in texts) == 20
    assert "journal: 20 more of such" in texts


# Marker, rights, versions, owner.


@pytest.mark.parametrize("how", ["gone", "torn"])
def test_a_marker_that_cannot_be_read_is_named_i03(ended: EngineFiles, how: str) -> None:
    if how == "gone":
        ended.halt_marker.unlink()
    else:
        overwrite(ended.halt_marker, ended.halt_marker.read_bytes()[:5000])

    (text,) = bad(verify(ended))

    assert text.startswith("halt marker: ")


def test_rights_that_are_too_open_are_named_with_what_to_do_i84(ended: EngineFiles) -> None:
    ended.ledger.chmod(0o644)
    ended.journal.parent.chmod(0o755)

    logs = ended.journal.parent
    assert bad(verify(ended)) == [
        f"rights: {logs} has rights 0755, wanted 0700: chmod 700 {logs}",
        f"rights: {ended.ledger} has rights 0644, wanted 0600: chmod 600 {ended.ledger}",
    ]


def test_a_pipe_in_the_place_of_the_ledger_is_named_and_not_waited_for(ended: EngineFiles) -> None:
    kept = ended.ledger.rename(ended.ledger.with_name("kept"))
    os.mkfifo(ended.ledger, mode=0o600)

    found = verify_record(ended, VENUE, lambda _doing, _done, _total: None)

    assert kept.exists()
    assert any("found an empty ledger" in text for text in bad(found))


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 99",
        "UPDATE events SET kind = 'OrderSplit' WHERE seq = 12",
        "UPDATE events SET version = 7 WHERE seq = 12",
    ],
)
def test_what_a_later_hydra_wrote_is_not_judged_i67(ended: EngineFiles, change: str) -> None:
    by_hand(ended.ledger, change)
    if change.startswith("UPDATE"):
        forge(ended.ledger, lambda _seq, state: state)

    found = verify(ended)

    assert found.is_newer
    assert not found.is_well
    assert found.newest_proven_backup is None


def test_a_database_of_somebody_else_is_named_i67(ended: EngineFiles) -> None:
    by_hand(ended.ledger, "PRAGMA application_id = 7")

    assert any("wanted a ledger of Hydra" in text for text in bad(verify(ended)))


def test_a_ledger_of_another_venue_is_named_i82(ended: EngineFiles) -> None:
    assert bad(verify(ended, "live")) == [f"owner: a ledger of venue {VENUE}"]


# By itself, and where SQLite cannot open it as it would.


def test_a_ledger_or_backup_is_checked_by_itself_i66(ended: EngineFiles, tmp_path: Path) -> None:
    backup = back_up_to_folder(ended, ended.backups, keep=3).path

    found = verify_file(backup, lambda _doing, _done, _total: None)

    assert [check.name for check in found.checks] == [
        "rights", "sqlite", "schema", "chain", "tables", "replay",
    ]  # fmt: skip
    assert found.is_well
    by_hand(backup, "UPDATE sub_ledgers SET cash = '0'")
    assert not verify_file(backup, lambda _doing, _done, _total: None).is_well
    with pytest.raises(NoLedger, match="found no file"):
        verify_file(tmp_path / "none.db", lambda _doing, _done, _total: None)


def test_where_sqlite_can_make_no_shared_memory_a_copy_is_looked_at(left: EngineFiles) -> None:
    with no_shared_memory(left):
        found = verify(left)

    assert bad(found) == []
    assert found.ledger is not None and found.ledger.counts.orders == ORDERS


def test_no_copy_is_made_while_an_engine_holds_the_lock(left: EngineFiles) -> None:
    with no_shared_memory(left), left.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(apsw.CantOpenError):
            looked_at(left.ledger, left.lock, lambda _connection: None)


def test_what_was_found_while_an_engine_took_the_ledger_up_does_not_count(
    ended: EngineFiles,
) -> None:
    lives: list[Life] = []

    def orders_in(connection: apsw.Connection) -> list[tuple[int]]:
        if not lives:
            lives.append(Life(ended))
            lives[0].trade(100, 1)
        return list(connection.execute("SELECT count(*) FROM orders"))

    found = looked_at(ended.ledger, ended.lock, orders_in)
    lives[0].close()

    assert found == [(ORDERS + 1,)]


def test_for_programs_it_is_plain_values(ended: EngineFiles) -> None:
    plain = as_plain(verify(ended))

    assert plain["ok"] is True
    assert plain["ledger"]["counts"]["orders"] == ORDERS
    assert plain["checks"][0] == {
        "ok": True,
        "name": "rights",
        "found": "nobody else can read or change the files",
        "wanted": "",
        "where": "",
        "advice": "",
    }


def wal_of(files: EngineFiles) -> Path:
    return files.ledger.with_name(files.ledger.name + "-wal")


def overwrite(path: Path, content: bytes) -> None:
    """In place, so that its rights stay as they were."""
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(content)


def by_hand(path: Path, *statements: str) -> None:
    """As somebody does who knows SQL and means well; the triggers do not stop that one."""
    connection = apsw.Connection(str(path))
    for (name,) in list(connection.execute("SELECT name FROM sqlite_schema WHERE type='trigger'")):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.pragma("journal_mode", "delete")
    connection.pragma("journal_mode", "wal")
    connection.close()


def forge(path: Path, state_of: Callable[[int, bytes | None], bytes | None]) -> None:
    """Link all events anew, so that the chain fits whatever was changed in them."""
    by_hand(path)
    connection = apsw.Connection(str(path))
    before = bytes(32)
    select = "SELECT seq, at, version, kind, body, state FROM events ORDER BY seq"
    for seq, at, version, kind, body, found in list(connection.execute(select)):
        state = state_of(seq, found)
        before = link_of(before, seq, at, version, kind, body, state)
        connection.execute(
            "UPDATE events SET state = ?, link = ? WHERE seq = ?", (state, before, seq)
        )
    connection.close()


@contextmanager
def no_shared_memory(files: EngineFiles) -> Iterator[None]:
    """SQLite follows no link here, so it can neither open nor make what its processes share."""
    shared = files.ledger.with_name(files.ledger.name + "-shm")
    shared.unlink(missing_ok=True)
    shared.symlink_to("nowhere")
    yield
    shared.unlink()
