"""A minute of fuzzing for each target: no crash, no hang, no growth, nothing wrong in silence."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import NAMES

SECONDS = 60
WITHIN_S = 400
"""The minute, what is begun with, a look at its growth, and a machine that others use."""


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + 30)
@pytest.mark.parametrize("name", NAMES)
def test_a_minute_of_any_input_finds_nothing_i46_i47_i80_i85(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", name, f"--seconds={SECONDS}"]
    command.append(f"--failures={tmp_path}")

    ended = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)

    print(ended.stdout)  # noqa: T201 (what a run shows with -s, and with a failure)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == []
