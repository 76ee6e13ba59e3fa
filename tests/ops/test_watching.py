"""What a live run does when its record is taken from under it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hydra.ops.watching import halt_for_good, keep_pruned, watch_over
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.watch import RecordWatch
from hydra.trading.trading_state import CauseClass, TradingState
from messages.journal import PruneJournal
from messages.message import Message
from messages.record import JournalSynced

OWNER = Owner(venue="paper", account="PA-1", version="1.0.0", configuration="digest", at=0)


class Life(msgspec.Struct, frozen=True):
    """One live engine's record under watch; nothing of it runs by itself."""

    files: EngineFiles
    record: EngineRecord
    runtime: ThreadRuntime
    watch: RecordWatch
    said: list[str]

    @property
    def codes(self) -> list[str]:
        return [cause.code for cause in self.runtime.gate.standing() if cause.code != "start"]


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    files = EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")
    record = EngineRecord.open(files, OWNER)
    runtime = ThreadRuntime()
    said: list[str] = []
    yield Life(files, record, runtime, watch_over(record, files, runtime, said.append), said)
    runtime.close()
    record.close()


def test_a_record_that_is_well_halts_nothing_i58(life: Life) -> None:
    life.watch.look_once()
    life.watch.sync_once()

    assert life.codes == []
    assert life.record.halt_marker.standing is None


@pytest.mark.parametrize(
    ("name", "code"), [("ledger", "ledger_replaced"), ("journal", "journal_replaced")]
)
def test_a_file_that_was_moved_away_halts_for_good_i58_i03(
    life: Life, name: str, code: str
) -> None:
    path: Path = getattr(life.files, name)
    moved = path.with_name("elsewhere")

    path.rename(moved)
    life.watch.look_once()

    assert life.codes == [code]
    assert life.runtime.gate.state is TradingState.HALTED
    moved.rename(path)
    life.record.close()
    again = EngineRecord.open(life.files, OWNER)
    (standing,) = again.standing
    assert (standing.code, standing.cause_class) == (code, CauseClass.INTEGRITY)
    again.close()


def test_a_ledger_restored_over_a_running_engine_halts_i58(life: Life) -> None:
    backup = life.files.ledger.with_name("backup")
    backup.write_bytes(b"another ledger")

    backup.replace(life.files.ledger)
    life.watch.look_once()

    assert life.codes == ["ledger_replaced"]


def said_to_nobody(life: Life) -> list[Message]:
    return [dead.envelope.message for dead in life.runtime.dead_letters.ring]


def test_the_persister_is_told_what_is_on_the_disk_i54(life: Life) -> None:
    seq = life.record.journal.append({"ts": 0, "event": "test"})

    life.watch.sync_once()
    life.watch.sync_once()

    assert said_to_nobody(life) == [JournalSynced(seq=seq)]


def test_an_alarm_is_said_and_halts_nothing_i65(life: Life) -> None:
    log = life.files.ledger.with_name("ledger.db-wal")
    # By another program: here nobody but SQLite may open it.
    subprocess.run(["truncate", "--size=300M", log], check=True, timeout=10)

    life.watch.look_once()

    (alarm,) = [line for line in life.said if "-wal" in line]
    assert alarm.startswith(f"ALARM: {log}: found 300 MiB")
    assert life.codes == []


def test_the_journal_is_pruned_at_once(life: Life) -> None:
    keep_pruned(life.runtime)

    assert [type(message) for message in said_to_nobody(life)] == [PruneJournal]


def test_a_halt_that_was_cleared_is_not_found_again_at_the_next_start_i03(life: Life) -> None:
    for code in ("disk_failed", "disk_hard"):
        halt_for_good(life.record, life.runtime, code, "no space left on device")
    gate = life.runtime.gate
    left = [cause for cause in gate.standing() if cause.code == "disk_failed"]

    gate.arm(tuple(left), "an operator has looked, and preflight has passed", gate.epoch)
    life.record.journal.append({"ts": 0, "event": "halt_cleared"})
    life.watch.sync_once()

    assert life.record.halt_marker.causes == tuple(left)


def test_a_halt_outlives_the_ledger_that_could_not_take_it_i03(life: Life) -> None:
    halt_for_good(life.record, life.runtime, "disk_failed", "no space left on device")
    life.record.close()

    again = EngineRecord.open(life.files, OWNER)

    assert [cause.code for cause in again.standing] == ["disk_failed"]
    again.close()
