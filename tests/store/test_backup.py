"""Backups: proven before they count, whatever the engine does, and wherever they are cut."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from hydra.crash_points import CRASH_POINTS, VARIABLE
from hydra.ports import LedgerMark
from hydra.store.backup import back_up, proven
from hydra.store.backup_folder import (
    BackedUp,
    BackupRefused,
    back_up_to_file,
    back_up_to_folder,
)
from hydra.store.checking import LedgerDamaged
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import EngineFiles, RecordGone
from hydra.store.folder_lock import FolderInUse
from hydra.store.ledger import Ledger
from hydra.store.ledger_facts import NoLedger
from hydra.store.private_files import RightsTooOpen
from hydra.store.schema import MIGRATIONS, migrate
from hydra.store.verification import verify_file
from tests.store.kept import VERSION_1_CHAIN, ledger_of_version_1
from tests.store.orders import AT
from tests.store.records import ROOT, VENUE, Life, at_work, contents, files_in, killed, lived
from tests.store.test_verification import forge

BACKS_UP = """
import os, sys
from pathlib import Path
from hydra.crash_points import arm_from
from hydra.store.backup_folder import back_up_to_folder
from tests.store.records import files_in

arm_from(os.environ)
files = files_in(Path(sys.argv[1]))
back_up_to_folder(files, files.backups, 30)
"""


@pytest.fixture
def files(tmp_path: Path) -> EngineFiles:
    return lived(files_in(tmp_path), orders=3)


def go_on(files: EngineFiles, first: int) -> None:
    life = Life(files)
    life.trade(first, 1)
    life.end()


def backed_up(files: EngineFiles, keep: int = 30) -> BackedUp:
    return back_up_to_folder(files, files.backups, keep)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def require_whole(path: Path) -> None:
    found = verify_file(path, lambda _doing, _done, _total: None)
    assert [check for check in found.checks if not check.is_well] == []


# What a backup is.


def test_a_backup_is_one_file_named_by_its_last_event_and_is_the_ledger_of_then_i66(
    files: EngineFiles,
) -> None:
    ledger = Ledger.open(files.ledger, venue=VENUE, at=AT)
    mark, state, orders = ledger.mark, ledger.state_hash(), ledger.orders()
    ledger.close()

    made = backed_up(files)

    assert made.path == files.backups / f"ledger-{mark.seq:012d}.db"
    assert (made.is_new, made.is_replayed, made.removed, made.left_alone) == (True, True, (), ())
    assert (made.ledger.mark, made.ledger.state_hash) == (mark, state)
    assert made.size_bytes == made.path.stat().st_size
    assert names_in(files.backups) == [made.path.name]
    assert made.path.stat().st_mode & 0o777 == 0o600
    restored = Ledger.open(made.path, venue=VENUE, at=AT)
    assert (restored.mark, restored.state_hash(), restored.orders()) == (mark, state, orders)
    restored.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_ledger_that_waits_for_its_migration_is_backed_up_again_and_again_i66_i67(
    tmp_path: Path, version: int
) -> None:
    files = files_in(tmp_path)
    old = apsw.Connection(str(ledger_of_version_1(files.ledger)))
    migrate(old, lambda _version: None, MIGRATIONS[:version])
    old.close()

    first, second = backed_up(files), backed_up(files)

    assert (first.is_new, second.is_new) == (True, False)
    assert (first.is_replayed, second.is_replayed) == (False, False)
    assert first.ledger == second.ledger
    assert first.ledger.schema == version
    assert first.ledger.mark == LedgerMark(37, VERSION_1_CHAIN)
    assert names_in(files.backups) == ["ledger-000000000037.db"]


def test_the_ledger_is_left_as_it_was_i66(files: EngineFiles) -> None:
    before = contents(files, without="nothing")

    made = backed_up(files)

    after = contents(files, without="nothing")
    del after[made.path]
    assert after == before


def test_what_lies_only_in_the_log_of_a_killed_engine_is_in_the_backup_i66(tmp_path: Path) -> None:
    files = killed(files_in(tmp_path), orders=4)
    before = contents(files)

    made = backed_up(files)

    assert made.ledger.counts.orders == 4
    assert made.ledger.ended_in_order is False
    assert {path: content for path, content in contents(files).items() if path != made.path} == (
        before
    )


@pytest.mark.timeout(120)
def test_backups_of_an_engine_at_work_all_pass_replay_i66(tmp_path: Path) -> None:
    backups_under_load(tmp_path, 10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_backups_of_engines_at_work_all_pass_replay_i66(tmp_path: Path) -> None:
    for number in range(20):
        backups_under_load(tmp_path / str(number), 50)


def backups_under_load(folder: Path, count: int) -> None:
    files = files_in(folder)
    made = []
    with at_work(files) as trade:
        for number in range(count):
            trade(3)
            made.append(back_up_to_file(files, folder / "copies" / f"{number}.db"))

    seqs = [each.ledger.mark.seq for each in made]
    assert seqs == sorted(seqs)
    assert len(set(seqs)) > 1, "the engine was at work"
    for each in made:
        head = proven(each.path)
        assert (head.seq, head.link.hex()) == (each.ledger.mark.seq, each.ledger.mark.chain)
        assert head.state.hex() == each.ledger.state_hash
    with_open = Ledger.open(files.ledger, venue=VENUE, at=AT)
    assert all(with_open.chain_at(each.ledger.mark.seq) == each.ledger.mark.chain for each in made)
    with_open.close()


# What is no backup.


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sub_ledgers SET cash = '0'",
        "UPDATE events SET at = at + 1 WHERE seq = 7",
        "DELETE FROM events WHERE seq = 7",
    ],
)
def test_a_ledger_that_is_not_whole_gives_no_backup_i66(files: EngineFiles, damage: str) -> None:
    connection = apsw.Connection(str(files.ledger))
    connection.execute("DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted")
    connection.execute(damage)
    connection.close()

    with pytest.raises(LedgerDamaged):
        backed_up(files)

    assert list(files.backups.glob("*.db")) == []


def test_a_ledger_whose_events_give_another_state_gives_no_backup_i55_i66(
    files: EngineFiles,
) -> None:
    """Chain and tables are whole: only to replay it shows that it is not what happened."""

    def elsewhere(seq: int, state: bytes | None) -> bytes | None:
        return bytes(32) if state is not None and seq == 8 else state

    forge(files.ledger, elsewhere)

    with pytest.raises(LedgerDamaged, match="replayed up to event 8, the state is another one"):
        proven(files.ledger)


def test_a_ledger_that_lost_its_end_gives_no_backup_that_would_pass_for_one_i54_i66(
    tmp_path: Path,
) -> None:
    files = killed(files_in(tmp_path), orders=4)
    wal = files.ledger.with_name("ledger.db-wal")
    content = wal.read_bytes()
    wal.write_bytes(content[: len(content) // 2])

    with pytest.raises(BackupRefused, match=r"the journal .* saw event 26, which is not in it"):
        backed_up(files)

    assert names_in(files.backups) == []


def test_a_journal_that_cannot_be_read_does_not_keep_from_a_backup_i66(files: EngineFiles) -> None:
    files.journal.write_bytes(b"nonsense\n")

    assert backed_up(files).is_new


@pytest.mark.parametrize("how", ["none", "begun"])
def test_where_there_is_nothing_yet_there_is_nothing_to_back_up(tmp_path: Path, how: str) -> None:
    files = files_in(tmp_path)
    if how == "begun":
        files.ledger.parent.mkdir(mode=0o700)
        connection = apsw.Connection(str(files.ledger))
        connection.pragma("journal_mode", "wal")
        connection.close()

    with pytest.raises(NoLedger):
        backed_up(files)

    assert not files.backups.exists() or names_in(files.backups) == []


def test_a_ledger_that_is_gone_is_not_backed_up_as_a_new_one_i58(files: EngineFiles) -> None:
    files.ledger.write_bytes(b"")

    with pytest.raises(RecordGone):
        backed_up(files)


# Nothing that is there is lost.


def test_the_same_backup_is_proven_again_and_not_made_again(files: EngineFiles) -> None:
    first = backed_up(files)
    before = first.path.read_bytes(), first.path.stat().st_ino

    again = backed_up(files)

    assert (again.path, again.is_new) == (first.path, False)
    assert (again.path.read_bytes(), again.path.stat().st_ino) == before


def test_a_rotten_backup_of_the_same_name_is_named_and_left_as_it_is_i66(
    files: EngineFiles,
) -> None:
    made = backed_up(files)
    rotten = made.path.read_bytes().replace(b"crossed up", b"crossed_up")
    made.path.write_bytes(rotten)

    with pytest.raises(LedgerDamaged, match=made.path.name):
        backed_up(files)

    assert made.path.read_bytes() == rotten


def test_another_backup_is_never_overwritten_i66(files: EngineFiles, tmp_path: Path) -> None:
    target = tmp_path / "mine" / "copy.db"
    back_up_to_file(files, target)
    before = target.read_bytes()
    go_on(files, 50)

    with pytest.raises(BackupRefused, match=r"copy\.db: found a backup that ends at event 22"):
        back_up_to_file(files, target)

    assert target.read_bytes() == before


def test_the_ledger_itself_is_no_place_for_a_backup(files: EngineFiles) -> None:
    with pytest.raises(BackupRefused, match="found the ledger itself"):
        back_up_to_file(files, files.ledger)


def test_a_folder_that_others_can_read_is_refused_i84(files: EngineFiles, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open" / "something").touch()

    with pytest.raises(RightsTooOpen):
        back_up_to_folder(files, tmp_path / "open", 3)


def test_of_two_at_a_time_the_second_is_refused(files: EngineFiles) -> None:
    files.backups.mkdir(mode=0o700)
    descriptor = os.open(files.backups, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(FolderInUse, match="found another backup at work"):
            backed_up(files)
    finally:
        os.close(descriptor)


# Which are kept.


def test_the_newest_are_kept_and_only_those_go_that_are_contained_in_the_new_one_i66(
    files: EngineFiles, tmp_path: Path
) -> None:
    made = [backed_up(files, keep=3)]
    for first in range(50, 54):
        go_on(files, first)
        made.append(backed_up(files, keep=3))
    other = lived(files_in(tmp_path / "other"), first=90, orders=1)
    (foreign,) = (back_up_to_folder(other, other.backups, 3).path,)
    foreign = foreign.rename(files.backups / foreign.name)
    rotten = files.backups / "ledger-000000000002.db"
    rotten.write_bytes(b"rotten")
    before_migration = files.backups / "ledger-schema-1.db"
    back_up(connected_to_read(files.ledger), before_migration)
    unrelated = files.backups / "ledger-copy-of-monday.db"
    unrelated.write_bytes(b"somebody's own")
    go_on(files, 54)

    last = backed_up(files, keep=2)

    assert [each.removed for each in made] == [(), (), (), (made[0].path,), (made[1].path,)]
    assert last.removed == (made[2].path, made[3].path)
    assert set(last.left_alone) == {foreign, rotten}
    assert set(files.backups.iterdir()) == {
        made[4].path, last.path, foreign, rotten, before_migration, unrelated,
    }  # fmt: skip


# Cut short (F18).


@pytest.mark.parametrize("point", sorted(name for name in CRASH_POINTS if name[:7] == "backup."))
def test_a_backup_that_is_killed_leaves_the_ledger_as_it_was_and_nothing_unproven_i66(
    files: EngineFiles, point: str
) -> None:
    before = contents(files)

    ended = subprocess.run(
        [sys.executable, "-c", BACKS_UP, str(files.ledger.parent.parent)],
        cwd=ROOT,
        env={**os.environ, VARIABLE: point},
        timeout=50,
        check=False,
    )

    assert ended.returncode == -signal.SIGKILL
    left = {path for path in contents(files) if path.parent == files.backups}
    assert {path: content for path, content in contents(files).items() if path not in left} == (
        before
    )
    is_done = point == "backup.renamed"
    endings = {"backup.started": [], "backup.renamed": [".db"]}.get(point, [".partial"])
    assert [path.suffix for path in left] == endings
    for path in files.backups.glob("*.db"):
        require_whole(path)

    go_on(files, 50)
    made = backed_up(files)

    assert made.is_new
    assert sorted(files.backups.glob("*.partial*")) == []
    assert len(names_in(files.backups)) == (2 if is_done else 1)
    require_whole(made.path)


def test_what_the_engine_has_not_finished_before_a_migration_is_left_to_it(
    files: EngineFiles,
) -> None:
    files.backups.mkdir(mode=0o700)
    partial = files.backups / "ledger-schema-1.db.partial"
    partial.touch(mode=0o600)

    backed_up(files)

    assert partial.exists()
