"""An operator's verbs against the real engine, in another process, over its life and its death."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.journal import read_journal
from hydra.trading.causes import SYMBOL_UNREADY
from tests.ops.control.command_line import places
from tests.ops.debug.conftest import PROJECT
from tests.waiting import eventually

pytestmark = pytest.mark.slow

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the engine, slowly enough that its market is not over before the test is."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> "subprocess.Popen[bytes]":
        engine = subprocess.Popen(
            [sys.executable, "-m", "hydra.main", "--speed", "100", *places(tmp_path)],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
        )
        started.append(engine)
        return engine

    yield begin
    for engine in started:
        engine.kill()
        engine.wait(timeout=10)


def says(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hydra.cli", *words, *places(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def told(folder: Path, *words: str) -> Any:
    return json.loads(says(folder, *words, "--json").stdout)


def trades(folder: Path) -> bool:
    answer = says(folder, "status", "--json")
    return answer.returncode == 0 and json.loads(answer.stdout)["trading_state"] == "ACTIVE"


def codes(folder: Path) -> list[str]:
    """What stands; a share without a price before the open is nobody's to resume."""
    causes = [cause["code"] for cause in told(folder, "status")["causes"]]
    return [code for code in causes if not code.startswith(SYMBOL_UNREADY.code)]


def test_a_halt_outlives_kill_9_and_ends_by_a_word_and_a_clean_pass_only_i02_i04(
    tmp_path: Path, start: Start
) -> None:
    engine = start()
    assert eventually(lambda: trades(tmp_path), within_s=20)

    halted = told(tmp_path, "halt", "--reason", "a drill")
    engine.kill()
    engine.wait(timeout=10)

    assert (halted["state"], halted["on_record"]) == ("HALTED", "ledger")
    assert "operator-halt" in codes(tmp_path)

    assert start().wait(timeout=30) == ExitCode.PREFLIGHT_FAILED
    assert "operator-halt" in codes(tmp_path)

    assert "operator-halt" in told(tmp_path, "resume", "--reason", "it was one")["noted"]
    start()
    assert eventually(lambda: trades(tmp_path), within_s=20)
    assert codes(tmp_path) == []
    said = [
        line["event"]
        for line in read_journal(tmp_path / "logs" / "app.jsonl")
        if str(line["event"]).startswith("control_")
    ]
    assert said == ["control_halt", "control_resume"]


def test_a_halt_of_an_engine_that_does_not_run_is_obeyed_by_the_next_one_i02(
    tmp_path: Path, start: Start
) -> None:
    assert says(tmp_path, "halt", "--reason", "not today").returncode == ExitCode.CLEAN

    assert start().wait(timeout=30) == ExitCode.PREFLIGHT_FAILED
    assert codes(tmp_path) == ["operator-halt"]


def test_flatten_reconcile_and_resume_go_through_the_whole_engine(
    tmp_path: Path, start: Start
) -> None:
    start()
    assert eventually(lambda: trades(tmp_path), within_s=20)

    reconciled = told(tmp_path, "reconcile")
    flattened = says(tmp_path, "flatten", "--reason", "enough", "--yes", "--json")
    paused = codes(tmp_path)
    resumed = says(tmp_path, "resume", "--reason", "all is well")

    assert (reconciled["checked"], reconciled["rows"]) == (True, [])
    steps = [json.loads(line) for line in flattened.stdout.splitlines()]
    assert (flattened.returncode, steps[-1]["phase"]) == (ExitCode.CLEAN, "flat")
    assert paused == ["flatten"]
    said = resumed.stdout.splitlines()
    assert (resumed.returncode, said[:2]) == (
        ExitCode.CLEAN,
        ["cleared: flatten", "trading is ACTIVE"],
    )
    # Coins trade before the exchange opens; what still stands is of shares that wait for it.
    assert all(SYMBOL_UNREADY.code in line for line in said[2:]), said
