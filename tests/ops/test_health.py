"""`hydra-trader health` as a person and as a service manager meet it."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Never

import pytest

from hydra.ops import health
from hydra.ops.debug.client import NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.surfaces.writer import SurfaceWriter
from hydra.runtime.clock import machine_time
from hydra.trading.causes import OPERATOR_HALT
from tests.ops.control.command_line import asks, places, says
from tests.ops.control.engines import FACTS, ControlledEngine, controlled, files_in
from tests.ops.control.lives import AT, begun, lived
from tests.ops.sessions import files_in as contents_of
from tests.waiting import Timed

HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")
NEVER_S = 30.0


def make_well(engine: ControlledEngine) -> None:
    """Everybody says what those of an engine say that is well."""
    now = machine_time()
    components = ("ledger", "journal", "guardian", "gateway", "feed")
    well: Mapping[str, Mapping[str, Any]] = {
        "risk_guardian": {
            "open_orders": 0,
            "unknown_orders": 0,
            "cancels_overdue": [],
            "budgets_granted": True,
            "budgets_wanted": False,
            "coverage_pct": "100",
        },
        "health_monitor": {
            "loop": 7,
            "passed": True,
            "overruns": 0,
            "loop_interval": 1000 * 10**9,
            "heard_at": now,
            "heard": [{"component": c, "is_well": True, "detail": "fine"} for c in components],
        },
        "broker_gateway": {
            "agrees": True,
            "last_comparison": "0 differences",
            "compared_at": now,
            "reconcile_every": 1000 * 10**9,
            "blind": "",
        },
    }
    engine.told.shown = dict(well)
    engine.open_gate()
    engine.gate.renew_lease(now + 1000 * 10**9)
    SurfaceWriter(engine.runtime, FACTS, engine.files.surfaces).write_once()


def test_of_an_engine_that_is_well_each_check_is_a_line_and_the_code_is_0(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        page, told = says(tmp_path, "health"), asks(tmp_path, "health")

    assert (page.exit_code, page.stderr) == (ExitCode.CLEAN, "")
    names = [line.partition(": ")[0] for line in page.stdout.splitlines()]
    assert names == [f"pass  {each['check']}" for each in told]
    assert {each["passed"] for each in told} == {True}
    assert told[0] == {
        "check": "engine",
        "passed": True,
        "line": "it runs and answers; venue embedded",
    }


def test_of_one_that_is_halted_the_line_says_why_and_the_code_is_1_i10(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        engine.gate.arm((HALTED,), "a test", engine.gate.epoch)
        result = says(tmp_path, "health")

    failed = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert (result.exit_code, failed) == (
        health.NOT_WELL,
        [f"FAIL  trading: it is HALTED: operator-halt: a drill ({OPERATOR_HALT.remedy})"],
    )


def test_an_answer_that_is_not_understood_is_one_line_and_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_asked", lambda *_: {"state": "running"})
    with controlled(tmp_path):
        result = says(tmp_path, "health")

    assert (result.exit_code, result.stdout.count("\n")) == (health.NOT_WELL, 1)
    assert "FAIL  engine: its answer to `status` is not understood (KeyError" in result.stdout


def test_an_engine_of_which_every_actor_hangs_is_told_within_two_seconds_i73(
    tmp_path: Path,
) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        engine.make_everybody_hang()
        with Timed() as timed:
            result = says(tmp_path, "health")

    failed = {line.split()[1] for line in result.stdout.splitlines() if line.startswith("FAIL")}
    assert (result.exit_code, timed.took_s < 2.0) == (health.NOT_WELL, True)
    assert failed == {
        "loops:", "guardian:", "feed:", "stream:", "comparison:", "orders:", "record:",
        "budgets:", "coverage:",
    }  # fmt: skip


def test_an_engine_that_takes_the_question_and_never_answers_is_code_11_in_time_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hang(*_: object) -> Never:
        """As what no timeout of a socket reaches."""
        released.wait(NEVER_S)
        raise NoEngine("nobody waits for this")

    monkeypatch.setattr(health, "EngineClient", hang)
    record = begun(lived(tmp_path))
    try:
        with Timed() as timed:
            result = says(tmp_path, "health")
    finally:
        released.set()
        record.close()

    assert (result.exit_code, timed.took_s < 2.0) == (ExitCode.HELD_BY_ANOTHER, True)
    assert result.stdout.startswith("FAIL  engine: one (process ")
    assert "does not answer: no answer from " in result.stdout


def test_an_engine_that_has_the_record_and_no_socket_is_code_11(tmp_path: Path) -> None:
    record = begun(lived(tmp_path))
    try:
        result, told = says(tmp_path, "health"), asks(tmp_path, "health")
    finally:
        record.close()

    assert result.exit_code == ExitCode.HELD_BY_ANOTHER
    assert [(each["check"], each["passed"]) for each in told] == [("engine", False)]
    assert "it starts, stops or hangs" in result.stdout


def test_a_command_at_work_on_the_record_is_not_called_an_engine_that_hangs(tmp_path: Path) -> None:
    record = begun(lived(tmp_path), command="flatten")
    try:
        result = says(tmp_path, "health")
    finally:
        record.close()

    assert result.exit_code == ExitCode.HELD_BY_ANOTHER
    assert result.stdout.startswith("FAIL  engine: none runs: the command `flatten` (process ")
    assert result.stdout.endswith(") works on this record; wait until it is done\n")


@pytest.mark.parametrize("was_one", [True, False])
def test_where_no_engine_runs_the_code_is_3_and_nothing_is_written(
    tmp_path: Path, was_one: bool
) -> None:
    if was_one:
        lived(tmp_path)
    before = contents_of(tmp_path)

    result = says(tmp_path, "health")

    assert (result.exit_code, result.stderr) == (health.NO_ENGINE, "")
    assert result.stdout.startswith("FAIL  engine: none runs: no engine has made a socket at ")
    assert contents_of(tmp_path) == before


def test_its_own_codes_are_none_of_those_an_engine_ends_with() -> None:
    assert {health.NOT_WELL, health.NO_ENGINE}.isdisjoint(set(ExitCode))


def test_it_reaches_an_engine_whose_settings_have_become_unfit(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    words = ["--config", str(tmp_path / "config"), *places(tmp_path)[2:]]
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        result = says(tmp_path, "health", *words)

    assert files_in(tmp_path).control_socket.parent == tmp_path / "state"
    assert result.exit_code == ExitCode.CLEAN
