"""`--once` and `--loops N`: a run that ends by itself, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest

from hydra.main import main
from hydra.ops import run_broker
from hydra.ops.exit_codes import ExitCode
from hydra.ops.session import RunOptions
from hydra.store.ledger import Ledger
from messages.loops import LOOPS_ON_RECORD
from tests.ops.sessions import HOME, command, shares_alone, typed
from tests.waiting import eventually

PASSES_WITHIN_S = 40.0


def run(folder: Path, *arguments: str, config: Path = HOME / "config") -> int:
    where = ["--config", str(config), "--state-dir", str(folder / "state")]
    return main([*where, "--log-dir", str(folder / "logs"), *arguments])


def bars_in(output: str) -> int:
    (bars,) = re.findall(r"^(\d+) bars, \d+ orders", output, re.MULTILINE)
    return int(bars)


def loops_on_record(folder: Path) -> int:
    ledger = Ledger.open(folder / "state" / "trading_state.db", venue="embedded", at=0)
    try:
        return int(ledger.get(LOOPS_ON_RECORD) or 0)
    finally:
        ledger.close()


@pytest.mark.parametrize(
    ("arguments", "loops"), [(("--once",), 1), (("--loops", "1"), 1), (("--loops", "5"), 5)]
)
def test_a_run_of_so_many_loops_stops_clean_after_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], loops: int
) -> None:
    config = shares_alone(tmp_path)

    assert run(tmp_path, "--clock", "virtual", *arguments, config=config) == ExitCode.CLEAN

    # In virtual time there is one loop from bar to bar, the first of them in the first bar.
    assert bars_in(capsys.readouterr().out) == loops - 1


def test_the_next_run_goes_on_where_it_stopped_and_numbers_its_loops_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "--clock", "virtual", "--loops", "7")
    before = loops_on_record(tmp_path)
    capsys.readouterr()

    assert run(tmp_path, "--clock", "virtual", "--loops", "4") == ExitCode.CLEAN

    assert loops_on_record(tmp_path) >= before + 4


def test_where_preflight_does_not_pass_the_code_is_14(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "--clock", "virtual", "--once")
    code, _, errors = command(tmp_path)("halt", "--reason", "a drill")
    assert code == 0, errors
    capsys.readouterr()

    assert run(tmp_path, "--clock", "virtual", "--once") == ExitCode.PREFLIGHT_FAILED
    lines = capsys.readouterr().out.splitlines()
    (first,) = [n for n, line in enumerate(lines) if line.startswith("preflight did not pass: ")]
    assert "operator-halt: a drill" in lines[first]
    assert lines[first + 1 : first + 3] == [
        "  operator-halt: resume when its reason is gone",
        typed(
            tmp_path,
            'when that is done: `hydra-trader resume --reason "…"`, then start it again',
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--loops", "0"), "found 0, wanted a whole number of loops from 1 to 1000000"),
        (("--loops", "-1"), "found -1, wanted a whole number"),
        (("--loops", "1.5"), "found 1.5, wanted a whole number"),
        (("--once", "--loops", "2"), "not allowed with argument"),
    ],
)
def test_what_is_no_number_of_loops_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, *arguments)

    assert ended.value.code == ExitCode.USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("loops", "gives_up"), [(None, False), (1, True)])
def test_a_broker_that_does_not_answer_is_not_waited_for_where_loops_are_counted(
    monkeypatch: pytest.MonkeyPatch, loops: int | None, gives_up: bool
) -> None:
    monkeypatch.setattr(run_broker, "REACHED_WITHIN_S", 0.01)
    options = RunOptions(seed=0, speed=1.0, dry_run=False, loops=loops)
    stopping = threading.Event()

    with run_broker.given_up(options, stopping):
        assert stopping.wait(5.0 if gives_up else 0.05) is gives_up


@pytest.mark.slow
def test_on_the_served_venue_a_loop_is_machine_time_and_preflight_tells_of_it(
    tmp_path: Path,
) -> None:
    words = ["--config", str(HOME / "config"), "--state-dir", str(tmp_path / "state")]
    words += ["--log-dir", str(tmp_path / "logs"), "--loops", "3", "--speed", "60"]
    engine = subprocess.Popen(
        [sys.executable, "-m", "hydra.main", *words],
        cwd=HOME,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        checks = preflight_of(tmp_path)
        output, _ = engine.communicate(timeout=90)
    finally:
        if engine.poll() is None:
            engine.send_signal(signal.SIGKILL)
            engine.wait()

    assert engine.returncode == ExitCode.CLEAN, output
    assert {"loops", "budgets", "coverage"} <= checks.keys()
    # Three loops of five seconds at sixty times the speed: some fifteen minutes of the market.
    assert 5 <= bars_in(output) <= 90


def preflight_of(folder: Path) -> dict[str, bool]:
    """What each check says, once all of them pass; or at last, however that is."""
    ask = command(folder)
    checks: dict[str, bool] = {}

    def all_pass() -> bool:
        code, answer, _ = ask("preflight", "--json")
        if answer.strip():
            checks.update({each["check"]: each["passed"] for each in orjson.loads(answer)})
        return code == 0 and "loops" in checks

    eventually(all_pass, PASSES_WITHIN_S)
    return checks
