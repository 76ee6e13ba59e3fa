"""The installed engine with its files edited under it: what it says, what it does, how it ends."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra.ops.debug.client import EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME
from tests.waiting import eventually

pytestmark = pytest.mark.slow

PATIENCE_S = 40.0


class Process:
    """One engine on the embedded venue, its folder and its control socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        if not self.config.exists():
            shutil.copytree(HOME / "config", self.config)
        self._out = (folder / "out.txt").open("ab")
        command = (
            *(sys.executable, "-m", "hydra.main", "--speed", "60"),
            *("--config", "config", "--state-dir", "state", "--log-dir", "logs"),
        )
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=self._out,
            stderr=self._out,
            env={**os.environ, "PYTHONPATH": str(HOME)},
        )

    @property
    def said(self) -> str:
        return (self.folder / "out.txt").read_text()

    def edit(self, old: str, new: str) -> None:
        """Save it as an editor does: another file, in the place of the old one."""
        file = self.config / "settings.yaml"
        text = file.read_text()
        assert old in text
        beside = file.with_name("new.yaml")
        beside.write_text(text.replace(old, new, 1))
        beside.replace(file)

    def asked(self, command: str, **arguments: Any) -> dict[str, Any]:
        with EngineClient(self.folder / "state" / "control.sock") as client:
            return client.call(command, **arguments)

    def configuration(self) -> dict[str, Any]:
        told = self.asked("status")["configuration"]
        assert isinstance(told, dict)
        return told

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it."""

        def is_so() -> bool:
            try:
                return holds()
            except NoEngine:
                return False

        assert eventually(is_so, PATIENCE_S), f"it did not come to be so:\n{self.said}"

    def end(self) -> int:
        """Its exit code, once it has one."""
        code = self.process.wait(PATIENCE_S)
        self._out.close()
        return code


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Process]:
    engine = Process(tmp_path)
    yield engine
    if engine.process.poll() is None:
        engine.process.terminate()
        engine.end()


def test_an_engine_follows_its_files_and_ends_with_16_for_what_only_a_restart_brings_i41_i79(
    engine: Process, tmp_path: Path
) -> None:
    history = tmp_path / "state" / "configurations"
    engine.until((history / "000001").exists)
    at_start = engine.configuration()["in_force"]

    engine.edit("max_orders_per_minute: 10", "max_orders_per_minute: 5")
    engine.until(lambda: engine.configuration()["in_force"] != at_start)
    tighter = engine.configuration()["in_force"]
    engine.until((history / "000002").exists)

    engine.edit("\nrisk:", "\nrsik:")
    engine.until(lambda: engine.configuration()["refused"] is not None)
    assert engine.asked("status")["trading_state"] in ("CLOSE_ONLY", "HALTED")
    engine.edit("\nrsik:", "\nrisk:")
    engine.until(lambda: engine.configuration()["refused"] is None)

    engine.edit("max_orders_per_minute: 5", "max_orders_per_minute: 6")
    engine.until(lambda: engine.configuration()["pending"] is not None)
    assert engine.configuration()["in_force"] == tighter
    assert engine.process.poll() is None  # what is looser never ends it

    engine.edit("max_orders_per_minute: 6", "max_orders_per_minute: 5")
    engine.until(lambda: engine.configuration()["pending"] is None)
    engine.asked("mode", mode="flat", reason="so that nothing is held")
    engine.edit("loop_interval_seconds: 5", "loop_interval_seconds: 4")

    assert engine.end() == ExitCode.RESTART_ASKED
    assert "start it again, it is to be restarted: runner.loop_interval_seconds" in engine.said

    again = Process(tmp_path)
    try:
        again.until(lambda: again.configuration()["mode"] == "flat")
        assert again.configuration()["mode_why"] == "so that nothing is held"
    finally:
        again.process.terminate()
        assert again.end() == ExitCode.CLEAN
