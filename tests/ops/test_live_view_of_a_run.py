"""The live view of a real run on a real terminal, and what a terminal that is closed does to it."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0

pytestmark = pytest.mark.slow


@contextmanager
def run_on_a_terminal(folder: Path, *words: str) -> Iterator[tuple[int, int]]:
    """The engine in a session of its own on a new terminal: its process id and our end of it."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(PROJECT)
        os.environ["TERM"] = "xterm"
        engine = [sys.executable, "-m", "hydra.main", "--state-dir", str(folder / "state"),
                  "--log-dir", str(folder / "logs"), *words]  # fmt: skip
        os.execv(sys.executable, engine)  # that there is no shell is the point
    try:
        yield process, terminal
    finally:
        subprocess.run(["/bin/kill", "-9", str(process)], check=False, stderr=subprocess.DEVNULL)


def read_until(terminal: int, wanted: str) -> str:
    """All that was shown up to there."""
    shown, deadline = "", time.monotonic() + WITHIN_S
    while wanted not in shown:
        assert time.monotonic() < deadline, shown[-2000:]
        shown += os.read(terminal, 65536).decode(errors="replace")
    return shown


def exit_code_of(process: int) -> int:
    statuses: list[int] = []

    def has_ended() -> bool:
        found, status = os.waitpid(process, os.WNOHANG)
        statuses.extend([status] if found else [])
        return bool(found)

    assert eventually(has_ended, WITHIN_S)
    return os.waitstatus_to_exitcode(statuses[0])


def last_event(folder: Path) -> str:
    return str(orjson.loads((folder / "logs" / "app.jsonl").read_bytes().splitlines()[-1])["event"])


def test_a_run_on_a_terminal_shows_how_it_is_and_then_what_it_said(tmp_path: Path) -> None:
    with run_on_a_terminal(tmp_path) as (process, terminal):
        screen = read_until(terminal, "may pass")
        screen += read_until(terminal, "round the clock")
        os.kill(process, signal.SIGINT)
        said = read_until(terminal, "report: ")

        assert "\x1b[?1049h" in screen  # a screen of its own
        assert "trading is ACTIVE: orders may pass" in screen
        assert said.index("\x1b[?1049l") < said.index("record: ")
        assert exit_code_of(process) == 0


def test_plain_says_it_line_by_line(tmp_path: Path) -> None:
    with run_on_a_terminal(tmp_path, "--plain", "--once") as (process, terminal):
        said = read_until(terminal, "report: ")

        assert "\x1b" not in said
        assert "bots: mom_AAPL" in said
        assert exit_code_of(process) == 0


def test_a_terminal_that_is_closed_asks_for_a_stop_in_order_i76(tmp_path: Path) -> None:
    with run_on_a_terminal(tmp_path) as (process, terminal):
        read_until(terminal, "round the clock")
        os.close(terminal)  # the kernel says so by SIGHUP

        assert exit_code_of(process) == 0
    assert last_event(tmp_path) == "engine_stopped"
