"""The engine under a real supervisord, with the file that is shipped: its life, death and end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.ops.health import NO_ENGINE, NOT_WELL
from hydra.store.journal import read_journal
from tests.deploy.shipped import INSTALLED, ROOT, SUPERVISORD
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ENGINE, WATCHDOG = "hydra-paper", "hydra-watchdog-paper"
SPEED = 50
"""A session lasts eight minutes at this."""
STARTS_WITHIN_S = 60.0
HANGS_FOR_S = 4

MANAGER = """
[supervisord]
nodaemon=true
logfile={home}/supervisord.log
pidfile={home}/supervisord.pid
[unix_http_server]
file={home}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{home}/supervisor.sock
"""


class Supervised:
    """A supervisord in a folder of its own, and the shipped programs with this machine's paths."""

    def __init__(self, home: Path, config: Path) -> None:
        self.home = home
        self._config = config
        self.conf = home / "supervisord.conf"
        self.conf.write_text(MANAGER.format(home=home) + self._programs())
        self._daemon = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.conf)],
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert eventually((home / "supervisor.sock").exists, STARTS_WITHIN_S)

    def _programs(self) -> str:
        text = SUPERVISORD.read_text()
        for found, here in (
            ("user=hydra\n", ""),
            (f"{INSTALLED}/.venv/bin/hydra-trader", f"{sys.executable} -m hydra.cli"),
            (f"{INSTALLED}/.venv/bin/python", sys.executable),
            ("/etc/hydra-trader/config", str(self._config)),
            ("--venue paper", f"--venue embedded --speed {SPEED}"),
            ("/var/lib/hydra-trader/paper", str(self.home)),
            ("/var/log/hydra-trader", str(self.home)),
            ("--within 30", f"--within {HANGS_FOR_S}"),
        ):
            assert found in text
            text = text.replace(found, here)
        return text

    def ctl(self, *words: str) -> str:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.conf), *words]
        told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return told.stdout

    def state(self, program: str = ENGINE) -> str:
        return self.ctl("status", program).split()[1]

    @property
    def pid(self) -> int:
        return int(self.ctl("pid", ENGINE))

    @property
    def starts(self) -> int:
        """How often supervisord has started the engine."""
        return len(re.findall(f"spawned: '{ENGINE}'", (self.home / "supervisord.log").read_text()))

    def asks(self, verb: str) -> tuple[int, Any]:
        """The exit code of a verb, and what it told."""
        command = [sys.executable, "-m", "hydra.cli", verb, "--venue", "embedded", "--json"]
        told = subprocess.run(
            [*command, "--config", str(self._config)],
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=30,
            check=False,
        )
        return told.returncode, orjson.loads(told.stdout or b"null")

    def is_well(self) -> bool:
        return self.asks("health")[0] == 0

    def answers(self) -> bool:
        return self.asks("health")[0] in (0, NOT_WELL)

    def events(self, name: str) -> list[Any]:
        """The journal's lines of this name."""
        lines = read_journal(self.home / "logs" / "embedded" / "app.jsonl")
        return [line for line in lines if line["event"] == name]

    def began_halted_by_the_unclean_end(self) -> bool:
        return ["start", "unclean_end"] in [
            line["causes"] for line in self.events("trading_state") if line["state"] == "HALTED"
        ]

    def has_cleared_the_unclean_end(self) -> bool:
        return "unclean_end" in [line["code"] for line in self.events("halt_cleared")]

    def end(self) -> None:
        self._daemon.terminate()
        self._daemon.wait(timeout=60)


Start = Callable[..., Supervised]


@pytest.fixture
def supervise() -> Iterator[Start]:
    """Starts one; its folder's name is short, as names of sockets have to be."""
    home = Path(tempfile.mkdtemp(prefix="hydra-"))
    started: list[Supervised] = []

    def begin(config: Path = ROOT / "config") -> Supervised:
        started.append(Supervised(home, config))
        return started[-1]

    yield begin
    for each in started:
        each.end()
    shutil.rmtree(home)


def test_it_runs_is_started_again_after_kill_9_and_stops_in_order_i01_i75(
    supervise: Start,
) -> None:
    manager = supervise()
    assert eventually(manager.is_well, STARTS_WITHIN_S)
    first = manager.pid

    os.kill(first, signal.SIGKILL)

    assert eventually(lambda: manager.starts == 2 and manager.answers(), STARTS_WITHIN_S)
    assert manager.pid != first
    assert manager.began_halted_by_the_unclean_end()
    # trading was open, and all is clean
    assert eventually(manager.has_cleared_the_unclean_end, STARTS_WITHIN_S)

    began = time.monotonic()
    stopped = manager.ctl("stop", ENGINE)
    took_s = time.monotonic() - began

    assert (stopped, manager.state()) == (f"{ENGINE}: stopped\n", "STOPPED")
    assert took_s < 15
    assert f"stopped: {ENGINE} (exit status 0)" in (manager.home / "supervisord.log").read_text()
    code, told = manager.asks("status")
    assert (code, told["state"], told["ended"], told["ended_in_order"]) == (
        ExitCode.CLEAN,
        "stopped",
        "stopped in order: exit code 0",
        True,
    )
    assert manager.asks("health")[0] == NO_ENGINE


def test_settings_that_are_refused_are_not_tried_again(supervise: Start, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    settings = config / "settings.yaml"
    settings.write_text(settings.read_text().replace("fail_closed: true", "fail_closed: false"))

    manager = supervise(config)

    assert eventually(lambda: manager.state() == "EXITED", STARTS_WITHIN_S)
    time.sleep(3)  # a restart would come within a second
    assert (manager.state(), manager.starts) == ("EXITED", 1)
    log = (manager.home / "supervisord.log").read_text()
    assert f"exited: {ENGINE} (exit status {ExitCode.CONFIGURATION_REFUSED:d}; expected)" in log
    assert "safety.fail_closed" in (manager.home / "paper.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="the watchdog needs Linux")
def test_one_that_hangs_is_killed_by_the_watchdog_and_started_again_halted_i77(
    supervise: Start,
) -> None:
    manager = supervise()
    hanging, watchdog_said = manager.pid, manager.home / "watchdog-paper.log"
    assert eventually(
        lambda: f"process {hanging}: alive, and watched" in watchdog_said.read_text(),
        STARTS_WITHIN_S,
    )
    assert eventually(manager.is_well, STARTS_WITHIN_S)

    os.kill(hanging, signal.SIGSTOP)
    code, _ = manager.asks("health")

    assert code == ExitCode.HELD_BY_ANOTHER
    assert eventually(lambda: manager.starts == 2 and manager.answers(), STARTS_WITHIN_S)
    killed = f"process {hanging}: no sign of life for {HANGS_FOR_S} s; killed\n"
    assert killed in watchdog_said.read_text()
    assert manager.began_halted_by_the_unclean_end()
