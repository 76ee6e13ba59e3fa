"""A run's end is on record within the time of a stop, and nothing keeps the process after that."""

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
