"""The bridge of the real engine on the embedded venue: while it trades, and when all is over."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.ops.sessions import HOME
from tests.waiting import eventually

pytestmark = pytest.mark.slow

FILLED_WITHIN_S = 90.0
OVER_WITHIN_S = 180.0


class Run:
    """An engine in a process of its own, with shares, coins and options."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = ["--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"]
        with (folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hydra.main", "--speed", "1200", *self.places],
                cwd=HOME,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def fills(self) -> int:
        journal = self.folder / "logs" / "app.jsonl"
        return journal.read_bytes().count(b'"report":"OrderFilled"') if journal.exists() else 0

    def has_traded(self, fills: int) -> bool:
        assert not self.is_over, (self.folder / "said").read_text()
        return self.fills() >= fills

    def asked(self, verb: str, *words: str) -> tuple[int, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "hydra.cli", verb, "--json", *self.places, *words],
            cwd=HOME,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def files(self) -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "cache" not in path.parts
        }


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    if not run.is_over:
        run.process.send_signal(signal.SIGTERM)
    run.process.wait(timeout=20)


@pytest.mark.timeout(360)
def test_equity_is_explained_to_the_last_digit_while_it_trades_and_when_it_is_over(
    run: Run,
) -> None:
    for fills in (3, 10):
        assert eventually(partial(run.has_traded, fills), FILLED_WITHIN_S)
        code, told = run.asked("bridge")
        assert (code, told["bridge"]["unexplained"]) == (0, "0"), told

    code, added = run.asked("snapshot")
    assert (code, added["bridge"]) == (0, "0.00 unexplained")
    assert eventually(lambda: run.is_over, OVER_WITHIN_S)
    before = run.files()
    code, told = run.asked("bridge")

    assert (code, told["bridge"]["unexplained"]) == (0, "0"), told
    assert told["bridge"]["since"].startswith("the snapshot of ")
    assert {line["section"] for line in told["bridge"]["lines"]} >= {"realised P&L", "fees"}
    assert run.files() == before
