"""A run's end is on record within the time of a stop, and nothing keeps the process after that."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.ops.ending import LAST_RESORT, LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.played import Played, played
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from tests.engine.scenery import shipped_settings
from tests.store.orders import AT

STOP_WITHIN_S = 0.2
ROOT = Path(__file__).resolve().parents[2]

ASKED_WHILE = """
import signal, sys
from pathlib import Path
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.played import Played, played
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from tests.engine.scenery import shipped_settings
from tests.store.orders import AT

files = EngineFiles.under(Path(sys.argv[1]), Path(sys.argv[1], "logs"), "ledger.db", "app.jsonl")
owner = Owner(venue="paper", account="PA-1", version="1", configuration="c", at=AT)
record = EngineRecord.open(files, owner)
last_resort = LastResort()

def play():
    if sys.argv[2] == "it begins":
        signal.raise_signal(signal.SIGTERM)
    return Played(code=ExitCode.CLEAN, at=AT)

def ending(*said):
    signal.raise_signal(signal.SIGTERM)
    end(*said)

if sys.argv[2] == "its end is recorded":
    end, record.end = record.end, ending
code = played(record, shipped_settings(), AT, play, last_resort)
sys.exit(int(code) if last_resort.is_armed else "nothing would end it if it hung")
"""


@pytest.fixture
def record(tmp_path: Path) -> Iterator[EngineRecord]:
    files = EngineFiles.under(tmp_path, tmp_path / "logs", "ledger.db", "app.jsonl")
    owner = Owner(venue="paper", account="PA-1", version="1", configuration="c", at=AT)
    record = EngineRecord.open(files, owner)
    yield record
    record.close()


@pytest.fixture(autouse=True)
def of_others() -> frozenset[threading.Thread]:
    """Threads that other tests have left."""
    return frozenset(threading.enumerate())


def wait_for_last_resorts(of_others: frozenset[threading.Thread]) -> None:
    for thread in threading.enumerate():
        if thread.name == LAST_RESORT and thread not in of_others:
            thread.join(timeout=10)


@pytest.mark.parametrize(("is_asked", "ends"), [(True, [int(ExitCode.RESTART_ASKED)]), (False, [])])
def test_what_follows_a_stop_may_take_what_is_left_of_its_time_and_then_ends_with_the_runs_code_i76(
    record: EngineRecord, of_others: frozenset[threading.Thread], is_asked: bool, ends: list[int]
) -> None:
    ended: list[int] = []
    last_resort = LastResort(STOP_WITHIN_S, ended.append)

    def play() -> Played:
        if is_asked:
            last_resort.arm()
        return Played(code=ExitCode.RESTART_ASKED, at=AT)

    code = played(record, shipped_settings(), AT, play, last_resort)
    wait_for_last_resorts(of_others)

    assert (code, ended) == (ExitCode.RESTART_ASKED, ends)


def test_a_run_that_raises_has_no_last_resort_to_fear_afterwards(
    record: EngineRecord, of_others: frozenset[threading.Thread]
) -> None:
    ended: list[int] = []
    last_resort = LastResort(STOP_WITHIN_S, ended.append)

    def play() -> Played:
        last_resort.arm()
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError, match="nobody foresaw this"):
        played(record, shipped_settings(), AT, play, last_resort)
    wait_for_last_resorts(of_others)

    assert ended == []


@pytest.mark.parametrize("when", ["it begins", "its end is recorded"])
def test_a_run_that_is_asked_to_stop_outside_of_its_session_ends_in_order_i76(
    tmp_path: Path, when: str
) -> None:
    """As while the market is being opened: killed there, it would have ended as in a crash."""
    ended = subprocess.run(
        [sys.executable, "-c", ASKED_WHILE, str(tmp_path), when],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )

    files = EngineFiles.under(tmp_path, tmp_path / "logs", "ledger.db", "app.jsonl")
    owner = Owner(venue="paper", account="PA-1", version="1", configuration="c", at=AT)
    again = EngineRecord.open(files, owner)
    again.close()
    assert (ended.returncode, ended.stderr, again.ended_unclean) == (0, "", False)
