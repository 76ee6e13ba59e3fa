"""The embedded venue as a process of the run: what it says, and what its death does."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.exit_codes import ExitCode
from hydra.ops.venue.pipe import (
    ClockTold,
    MarketOver,
    Ready,
    Step,
    Through,
    VenueTold,
    through_in,
    told_in,
)
from hydra.store.journal import read_journal
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0

TOLD = st.one_of(
    st.integers(1, 65_535).map(lambda port: Ready(f"http://127.0.0.1:{port}")),
    st.builds(
        ClockTold,
        market=st.integers(0, 2**63 - 1),
        machine=st.integers(0, 2**63 - 1),
        speed=st.floats(1e-6, 1e6) | st.sampled_from([0.0, 1e-6, 600.0, 1e6]),
        until=st.none() | st.integers(0, 2**63 - 1),
    ),
    st.builds(Step, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
    st.builds(MarketOver, st.integers(0, 2**63 - 1)),
)


@given(told=TOLD)
def test_what_one_says_the_other_hears(told: VenueTold) -> None:
    assert told_in(str(told)) == told


@given(number=st.integers(0, 2**63 - 1))
def test_what_the_engine_says_the_venue_hears(number: int) -> None:
    assert through_in(str(Through(number))) == Through(number)


@given(line=st.text())
def test_a_line_for_people_says_nothing_else(line: str) -> None:
    assert told_in(f"EMBEDDED VENUE, {line}") is None
    assert through_in(f"through {line}x") is None


def config_in(folder: Path, resume: str) -> Path:
    """The shipped configuration, but limits last an hour, and end so."""
    config = folder / "config"
    shutil.copytree(PROJECT / "config", config)
    for file, key, value in (
        ("settings.yaml", "resume", resume),
        ("settings.yaml", "global_cooldown_minutes", "60"),
        ("bots.yaml", "cooloff_minutes", "60"),
    ):
        text = (config / file).read_text()
        (line,) = [each for each in text.splitlines() if each.strip().startswith(f"{key}:")]
        (config / file).write_text(text.replace(line, f"{line.partition(':')[0]}: {value}"))
    return config


class Run:
    """A real one, of its own process."""

    def __init__(self, folder: Path, config: Path, speed: int) -> None:
        self.journal = folder / "logs" / "app.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "hydra.main", "--speed", str(speed), "--config", config,
             "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip

    def wait_for(self, event: bytes) -> None:
        def has_come() -> bool:
            return self.journal.exists() and event in self.journal.read_bytes()

        assert eventually(lambda: has_come() or self.process.poll() is not None, PATIENCE_S)
        assert has_come()

    def venue(self, *, other_than: int = 0) -> int:
        """The process number of the venue that serves it, waited for."""
        engine = psutil.Process(self.process.pid)

        def others() -> list[int]:
            return [child.pid for child in engine.children() if child.pid != other_than]

        assert eventually(others, PATIENCE_S), "nothing serves it"
        return others()[0]

    def records(self) -> list[dict[str, Any]]:
        return list(read_journal(self.journal))


@contextmanager
def run_of(folder: Path, config: Path, speed: int) -> Iterator[Run]:
    run = Run(folder, config, speed)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("resume", "trades_again"),
    [("operator", False), ("preflight", True)],
)
def test_a_killed_venue_halts_comes_again_and_is_clearable_i05_i44(
    resume: str, trades_again: bool, tmp_path: Path
) -> None:
    config = config_in(tmp_path, resume)

    with run_of(tmp_path, config, speed=3_000) as run:
        run.wait_for(b'"preflight_passed"')
        first = run.venue()
        os.kill(first, signal.SIGKILL)
        run.wait_for(b"the embedded venue ended with signal 9")
        assert run.venue(other_than=first) != first
        out, _ = run.process.communicate(timeout=2 * PATIENCE_S)

    assert run.process.returncode == ExitCode.CLEAN, out
    assert "trading is HALTED: the embedded venue ended with signal 9" in out
    records = run.records()
    ((halted_at, cause),) = [
        (number, record)
        for number, record in enumerate(records)
        if record["event"] == "halt_latched" and "signal 9" in record["cause"]["detail"]
    ]
    assert cause["cause"]["code"] == "api_failures"
    after = records[halted_at:]
    armed = [record["seq"] for record in after
             if record["event"] == "trading_state" and record["state"] == "ACTIVE"]  # fmt: skip
    approved = [record["seq"] for record in after if record["event"] == "order_approved"]
    assert bool(armed) is trades_again
    assert all(seq > armed[0] for seq in approved) if armed else approved == []
