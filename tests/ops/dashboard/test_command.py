"""`hydra-trader dashboard`, as an operator starts it: a process of its own beside an engine."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.ops.dashboard.link import Link, put, read
from hydra.ops.exit_codes import ExitCode
from hydra.store.private_files import RightsTooOpen
from hydra.trading.trading_state import TradingState
from tests.ops.control.command_line import HOME, places, says
from tests.ops.control.engines import controlled
from tests.ops.control.lives import lived
from tests.ops.test_health import make_well
from tests.waiting import eventually


class Dashboard:
    """The process, and all that it has said."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._out = folder / "dashboard.out"
        self.folder = folder
        command = [sys.executable, "-m", "hydra.cli", "dashboard", *places(folder), *words]
        environ = {**os.environ, "PYTHONPATH": str(HOME)}
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, env=environ, cwd=folder
            )

    @property
    def said(self) -> str:
        return self._out.read_text()

    @property
    def link(self) -> Link:
        return read(self.folder / "state" / "dashboard")

    def ask(self, method: str, path: str, said: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """The status and the answer."""
        link = self.link
        connection = HTTPConnection("127.0.0.1", link.port, timeout=30)
        headers = {"Authorization": f"Bearer {link.key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, orjson.dumps(said) if said else None, headers)
            answer = connection.getresponse()
            return answer.status, orjson.loads(answer.read())
        finally:
            connection.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Dashboard]:
    dashboard = Dashboard(folder, "--port", "0", *words)
    try:
        assert eventually(lambda: "dashboard: http" in dashboard.said, 20), dashboard.said
        yield dashboard
    finally:
        dashboard.process.kill()
        dashboard.process.wait()


def test_an_engine_is_seen_and_halted_and_the_dashboard_stops_when_it_is_told_to(
    tmp_path: Path,
) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        status, picture = dashboard.ask("GET", "/api/look")
        assert (status, picture["told"]["trading_state"]) == (200, "ACTIVE")

        status, told = dashboard.ask("POST", "/api/halt", {"reason": "a drill"})

        assert (status, told["is_done"]) == (200, True)
        assert told["words"][0] == "HALTED: no order passes, by the control socket"
        assert engine.gate.state is TradingState.HALTED
        (cause,) = engine.gate.standing()
        assert cause.detail.startswith("a drill (from the dashboard) (control socket, ")
        folder = dashboard.folder / "state" / "dashboard"
        key = dashboard.link.key
        assert stat.S_IMODE((folder / "link.json").stat().st_mode) == 0o600
        assert dashboard.stop() == ExitCode.CLEAN
    assert key not in dashboard.said
    assert list(folder.iterdir()) == []


def test_where_no_engine_runs_the_next_start_is_halted(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard:
        status, told = dashboard.ask("POST", "/api/halt", {"close_only": True})

    assert (status, told["is_done"]) == (200, True)
    assert told["words"][0].endswith("the next one that starts there will be CLOSE_ONLY")


def test_where_nothing_can_be_halted_that_is_said(tmp_path: Path) -> None:
    lived(tmp_path)
    (tmp_path / "state").chmod(0o755)
    with served(tmp_path) as dashboard:
        status, told = dashboard.ask("POST", "/api/halt", {"reason": "a drill"})

    assert (status, told["is_done"]) == (200, False)
    assert "chmod 700" in "\n".join(told["words"])


def test_its_link_is_for_whoever_may_read_the_engine_s_files(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard:
        shown = says(tmp_path, "dashboard", "--link")
        second = says(tmp_path, "dashboard", "--port", "0")

        assert shown.stdout == f"{dashboard.link.whole}\n"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#[\w-]{43}\n", shown.stdout)
        assert second.exit_code == ExitCode.HELD_BY_ANOTHER
        assert "found another dashboard at work" in second.stderr
    # It was killed: its link leads nowhere now.
    gone = says(tmp_path, "dashboard", "--link")
    assert (gone.exit_code, gone.stdout) == (ExitCode.USAGE, "")
    assert gone.stderr.startswith("no dashboard is served for this engine; start one: ")


def test_each_start_has_another_key_i86(tmp_path: Path) -> None:
    lived(tmp_path)
    keys = list[str]()
    for _ in range(2):
        with served(tmp_path) as dashboard:
            keys.append(dashboard.link.key)
    assert keys[0] != keys[1]


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard:
        (tmp_path / "other").mkdir()
        lived(tmp_path / "other")
        refused = says(tmp_path / "other", "dashboard", "--port", str(dashboard.link.port))

    assert refused.exit_code == ExitCode.USAGE
    assert refused.stderr.startswith(f"port {dashboard.link.port}: ")
    assert refused.stderr.endswith("choose another with --port, 0 for any that is free\n")


def test_a_link_that_others_could_read_is_not_gone_by(tmp_path: Path) -> None:
    put(tmp_path, Link(8484, "a key"))
    assert read(tmp_path) == Link(8484, "a key")

    (tmp_path / "link.json").chmod(0o644)

    with pytest.raises(RightsTooOpen):
        read(tmp_path)
