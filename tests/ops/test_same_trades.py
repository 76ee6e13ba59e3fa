"""The default run, as a newcomer has it but for its speed, again and again: with one seed it trades
the same each time, over sockets and threads, nothing halts it, and the gate finds it green.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hydra.ops.artefacts.folder import bundles_in
from hydra.ops.artefacts.reading import normalised, report_in
from hydra.ops.artefacts.rows import ORDERS, POSITIONS, TRADES
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME

pytestmark = pytest.mark.slow

SPEED = 3_000
"""Five times the default: market time waits for the engine, so that only the machine's own time,
that of loops and deadlines, is less.
"""
WITHIN_S = 90.0


@pytest.mark.timeout(4 * WITHIN_S)
def test_the_same_seed_trades_the_same_each_time_and_nothing_halts_it_i59(tmp_path: Path) -> None:
    first, *others = (played(tmp_path / str(number)) for number in range(3))

    bots = {row["bot"] for row in first[TRADES]}
    assert bots == {"mom_AAPL", "mom_AAPL_cross", "opt_core", "crypto_core"}
    assert others == [first, first]


@pytest.mark.timeout(4 * WITHIN_S)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_its_replay_gives_its_trades(seed: int, tmp_path: Path) -> None:
    played(tmp_path, "--seed", str(seed))

    gate = [sys.executable, "-m", "hydra.cli", "gate", "--state-dir", str(tmp_path / "state")]
    found = subprocess.run(
        [*gate, "--window-minutes", "600"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )

    assert found.returncode == ExitCode.CLEAN, found.stdout
    assert "0 of them differing, 0 on one side alone" in found.stdout


def played(folder: Path, *options: str) -> dict[str, Any]:
    """What one run ordered and traded, with its prices, moments and reasons."""
    where = ("--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs"))
    run = subprocess.run(
        [sys.executable, "-m", "hydra.main", "--speed", str(SPEED), *where, *options],
        cwd=HOME,
        stdout=subprocess.PIPE,
        timeout=WITHIN_S,
        check=False,
    )
    assert run.returncode == ExitCode.CLEAN, run.stdout.decode()
    (bundle,) = bundles_in(folder / "state" / "runs")
    assert report_in(bundle).halts == ()
    return {table: normalised(bundle)[table] for table in (ORDERS, TRADES, POSITIONS)}
