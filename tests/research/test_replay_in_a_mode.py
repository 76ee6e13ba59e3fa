"""A configuration that selects a strategy mode is replayed in that mode, as the engine runs it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace as replaced
from typer.testing import CliRunner

from hydra.cli import app
from hydra.main import main
from hydra.ops.artefacts.folder import bundles_in
from hydra.ops.bench.replayed_bars import walk
from hydra.ops.exit_codes import ExitCode
from hydra.research.dataset import read_dataset
from hydra.trading.strategy_modes import StrategyMode
from tests.ops.sessions import HOME
from tests.research.bar_files import config_with, written
from tests.research.datasets import make_dataset

IN_A_MODE = {
    "  selected: none": "  selected: primary",
    "bar_minutes: 30 ": "bar_minutes: 2 ",
    "entry_minutes: 5  # and an entry": "entry_minutes: 1  # and an entry",
    "notional_pct: 100 ": "notional_pct: 50 ",
    "bots_off: []": "bots_off: [mom_AAPL_cross]",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path / "AAPL_1m.csv", walk(("AAPL",), 2, seed=5).bars)


def trades_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "trades.csv").open() as file:
        return list(csv.DictReader(file))


def replay(
    data: Path,
    config: Path,
    folder: Path,
    *words: str,
    window: Sequence[str] = ("--window", "P2D"),
) -> list[dict[str, str]]:
    where = ["--data", str(data), "--config", str(config), "--output-dir", str(folder)]
    done = CliRunner().invoke(
        app,
        ["replay", *window, "--no-tear-sheet", *where, *words],
        catch_exceptions=False,
    )
    assert done.exit_code == ExitCode.CLEAN, done.output
    return trades_in(folder / "0000-replay")


def test_it_trades_as_the_session_does(data: Path, tmp_path: Path) -> None:
    config = config_with(IN_A_MODE, tmp_path)
    places = ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path / "logs")]
    these = ["--data", str(data), "--config", str(config), "--clock", "virtual", "--plain"]

    assert main([*places, *these]) == ExitCode.CLEAN

    (bundle,) = bundles_in(tmp_path / "state" / "runs")
    session = trades_in(bundle)
    assert {row["bot"] for row in session} == {"mom_AAPL"}
    assert replay(data, config, tmp_path / "replays") == session
    assert replay(data, HOME / "config", tmp_path / "without") != session


def test_a_mode_that_is_set_counts_like_one_in_the_file(data: Path, tmp_path: Path) -> None:
    config = config_with(IN_A_MODE, tmp_path)

    in_files = replay(data, config, tmp_path / "replays")
    off = (f"{mode}.bots_off=[mom_AAPL_cross]" for mode in ("primary", "fallback", "conservative"))
    primary = (
        f"primary.{each}" for each in ("bar_minutes=2", "entry_minutes=1", "notional_pct=50")
    )
    words = [
        word for each in ("selected=primary", *primary, *off) for word in ("--set", f"modes.{each}")
    ]

    assert replay(data, HOME / "config", tmp_path / "set", *words) == in_files


def test_strategies_on_longer_bars_start_as_warm_as_the_data_let_them(tmp_path: Path) -> None:
    """An average of 150 bars of ten minutes each: of four sessions before the window, all count."""
    fallen = [110.0 - number / 156 for number in range(4 * 390)]
    risen = [100.0] * 60 + [112.0] * 330
    data = written(
        tmp_path / "AAPL_1m.csv",
        (
            replaced(bar, open=price, high=price, low=price, close=price)
            for bar, price in zip(walk(("AAPL",), 5, seed=5).bars, fallen + risen, strict=True)
        ),
    )
    signal = "momentum_bots.mom_AAPL_cross.signal"
    words = [f"{signal}.bar_minutes=10", f"{signal}.params.slow_bars=150"]
    set_ = [word for each in (*words, f"{signal}.params.fast_bars=2") for word in ("--set", each)]
    day = ("--start", "2015-01-09", "--end", "2015-01-10", "--bot", "mom_AAPL_cross")

    trades = replay(data, HOME / "config", tmp_path / "replays", *set_, window=day)

    assert [(row["bot"], row["entry_reason"]) for row in trades] == [
        ("mom_AAPL_cross", "moving_average_cross")
    ]


def test_a_data_set_that_selects_a_mode_is_played_in_it(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "coin")
    bots = folder / "bots.yaml"
    bold = read_dataset(folder).settings.cryptobot
    bots.write_text(bots.read_text() + MODES)

    held = read_dataset(folder).settings

    assert held.modes.selected is StrategyMode.CONSERVATIVE
    assert held.cryptobot.signal.bar_minutes == 60
    assert held.cryptobot.execution.default_notional_usd * 4 == bold.execution.default_notional_usd


AS_BOLD = "bar_minutes: 1, entry_minutes: 1, notional_pct: 100, max_trades_per_day: 6"
MODES = f"""
modes:
  selected: conservative
  step_down: false
  primary: {{{AS_BOLD}, bots_off: []}}
  fallback: {{{AS_BOLD}, bots_off: []}}
  conservative:
    {{bar_minutes: 60, entry_minutes: 1, notional_pct: 25, max_trades_per_day: 2, bots_off: []}}
"""
