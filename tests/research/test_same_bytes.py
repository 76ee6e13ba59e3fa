"""A replay leaves the same bytes in any process, whatever the hash seed, and on another Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.ops.bench.replayed_bars import walk
from tests.ops.sessions import HOME
from tests.research.bar_files import written

pytestmark = pytest.mark.slow

OTHER = "HYDRA_OTHER_PYTHON"
"""Names another interpreter that has what is in requirements.lock, to be held against this one."""
WITHIN_S = 120.0


def left_by(python: str, hash_seed: int, bars: Path, folder: Path) -> dict[str, bytes]:
    """Everything that a replay in a process of its own leaves."""
    words = ("--window", "P3D", "--output-dir", str(folder), "--config", str(HOME / "config"))
    subprocess.run(
        [python, "-m", "hydra.cli", "replay", "--data", str(bars), *words],
        cwd=HOME,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(HOME)},
        stdout=subprocess.DEVNULL,
        timeout=WITHIN_S,
        check=True,
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("bars") / "AAPL_1m.csv", walk(("AAPL",), 3, seed=5).bars)


@pytest.mark.timeout(3 * WITHIN_S)
def test_whatever_the_hash_seed_is(bars: Path, tmp_path: Path) -> None:
    one = left_by(sys.executable, 1, bars, tmp_path / "one")
    other = left_by(sys.executable, 2, bars, tmp_path / "other")

    assert "0000-replay/tear_sheet.html" in one
    assert one == other


@pytest.mark.timeout(3 * WITHIN_S)
@pytest.mark.skipif(OTHER not in os.environ, reason=f"{OTHER} names no other interpreter")
def test_on_another_python(bars: Path, tmp_path: Path) -> None:
    here = left_by(sys.executable, 1, bars, tmp_path / "here")
    there = left_by(os.environ[OTHER], 2, bars, tmp_path / "there")

    assert here == there
