"""A run with nothing around it: no environment, no home, no terminal, a plain locale."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.journal import read_journal
from tests.ops.sessions import HOME, shares_alone


def others_may_touch(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


@pytest.mark.slow
def test_it_trades_with_nothing_around_it_and_what_it_leaves_is_its_own_i84(
    tmp_path: Path,
) -> None:
    state, logs = tmp_path / "state", tmp_path / "logs"
    words = ["--config", str(shares_alone(tmp_path)), "--clock", "virtual"]
    words += ["--state-dir", str(state), "--log-dir", str(logs)]

    ran = subprocess.run(
        [sys.executable, "-m", "hydra.main", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(HOME), "LC_ALL": "C", "TMPDIR": "/nowhere"},
        umask=0,
        preexec_fn=lambda: os.close(0),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (ExitCode.CLEAN, b"")
    events = {line["event"] for line in read_journal(logs / "app.jsonl")}
    assert {"preflight_passed", "order_approved"} <= events
    made = [path for folder in (state, logs) for path in (folder, *folder.rglob("*"))]
    assert len(made) > len((state, logs))
    assert [path for path in made if others_may_touch(path)] == []
