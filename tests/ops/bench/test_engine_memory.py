"""What an idle engine holds, once and as small as it goes; never how much that is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.ops.bench.engine_memory import take_engine_memory
from hydra.ops.bench.memory_probe import resident_kib, resident_kib_of
from hydra.ops.bench.recovery import compiled_in
from hydra.ops.bench.rows import Effort

TINY = Effort(rounds=1, scale=0.001)
CONFIG = Path(__file__).resolve().parents[3] / "config"
LARGEST_PID = 2**22
"""Linux gives none beyond, and macOS none near it."""


@pytest.mark.slow
def test_an_idle_engine_holds_more_than_an_interpreter_and_leaves_nothing(tmp_path: Path) -> None:
    (engine,) = take_engine_memory(TINY, CONFIG, tmp_path)

    assert 0 < engine.bound_value < engine.value < 1_000
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_told_to_leave_no_bytecode_still_finds_what_a_measurement_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "of_test.py").write_text("")

    surroundings = {**compiled_in(tmp_path / "bytecode"), "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import of_test"], env=surroundings, check=True)

    assert list((tmp_path / "bytecode").rglob("of_test.*.pyc"))
    assert not (tmp_path / "__pycache__").exists()


def test_memory_is_read_of_any_process_that_is_there() -> None:
    assert resident_kib_of(os.getpid()) == pytest.approx(resident_kib(), rel=0.5)
    with pytest.raises((OSError, ValueError)):
        resident_kib_of(LARGEST_PID + 1)
