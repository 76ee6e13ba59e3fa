"""The run and the replay of real bars in the README say what they say there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.transcript import README, ROOT
from tests.trading.market_data import MARKET_DATA

BARS = MARKET_DATA / "equity_1m" / "AAPL_1m_2016-04-15_2016-05-04.csv.gz"
LEFT_OUT = "…"
RUN, REPLAY = "make run", "hydra-trader replay"
MODULES = {RUN: "hydra.main", REPLAY: "hydra.cli"}
WITHIN_S = 120


def shown(command: str) -> tuple[str, list[str]]:
    """The one command of this kind that is given this file, and the lines under it."""
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n\$ (.*?)^```", text, re.DOTALL | re.MULTILINE)
    of_it = [block.splitlines() for block in blocks if block.startswith(f"{command} ")]
    ((line, *lines),) = [block for block in of_it if BARS.name in block[0]]
    return line, [each for each in lines if each != LEFT_OUT]


def words_of(line: str) -> list[str]:
    """What is said behind the program's name; `make` gives what stands in ARGS."""
    words = shlex.split(line)
    if words[0] == "make":
        return shlex.split(words[2].removeprefix("ARGS="))
    return words[1:]


def said(command: str, line: str, folder: Path) -> list[str]:
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copy(BARS, folder)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA_", "ALPACA_"))}
    done = subprocess.run(
        [sys.executable, "-m", MODULES[command], *words_of(line)],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(not BARS.exists(), reason=f"needs {BARS.name} in ../shared/market-data")
@pytest.mark.parametrize("command", [RUN, REPLAY])
def test_each_line_of_the_example_is_said_and_in_this_order(command: str, tmp_path: Path) -> None:
    line, lines = shown(command)

    out = iter(said(command, line, tmp_path))

    assert [each for each in lines if each not in out] == []


@pytest.mark.parametrize(("command", "lines_min"), [(RUN, 14), (REPLAY, 6)])
def test_there_is_an_example_to_look_at(command: str, lines_min: int) -> None:
    _, lines = shown(command)

    assert len(lines) >= lines_min
