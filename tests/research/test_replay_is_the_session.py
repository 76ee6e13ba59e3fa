"""The same bars through a replay and through the embedded venue, over REST and WebSocket: the same
trades, to the cent and to the minute.

The configuration is the shipped one: two bots on one symbol, stops that rest at the venue.

What bounds the difference: in both, what executes at a bar's open is told when the bar begins, and
the rest when it ends. An order that comes in between, from a loop or a person, gets the price of
its moment over sockets, and the open of its bar in a replay. Nothing of that is in these runs.
Options are not traded in virtual time at all.
"""

import csv
import gzip
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.main import main
from hydra.ops.artefacts.folder import bundles_in
from hydra.ops.exit_codes import ExitCode
from hydra.plugins import fault_in_signal
from hydra.research.replay_data import replay_data
from hydra.research.replay_run import ReplayPlan, run_replay
from hydra.research.window import window_of
from hydra.settings import load_settings
from hydra.venues.simulated.terms import VenueTerms
from tests.ops.sessions import HOME
from tests.research.bar_files import config_with

pytestmark = pytest.mark.slow

MARKET_DATA = HOME.parent / "shared" / "market-data"
SPEED = "6000"
ATTEMPTS = 3
COMPARED = (
    "bot", "symbol", "side", "quantity", "entry_price", "exit_price", "opened_at", "closed_at",
    "realised", "entry_reason", "exit_reason",
)  # fmt: skip
"""Columns of trades.csv: all but the names of orders, which are of an account."""
NUMBERS = ("quantity", "entry_price", "exit_price", "realised")
CROSS = "bot_id: mom_AAPL_cross\n    enabled: true"
ON_SPY = {
    f"{CROSS}\n    ticker: AAPL": f"{CROSS}\n    ticker: SPY",
    "optionsbot:\n  enabled: true": "optionsbot:\n  enabled: false",
}
"""The options bot is the only one that is shipped for SPY."""


def cut(file: Path, rows: int, folder: Path) -> Path:
    """The first rows of a real file, under its name."""
    with gzip.open(file, "rt") as whole:
        lines = [next(whole) for _ in range(rows + 1)]
    short = folder / file.name.removesuffix(".gz")
    short.write_text("".join(lines))
    return short


def trades_in(folder: Path) -> list[dict[str, object]]:
    """Prices by value: the broker's API leaves out the zeros at their end."""
    with (folder / "trades.csv").open() as file:
        return [
            {name: Decimal(row[name]) if name in NUMBERS else row[name] for name in COMPARED}
            for row in csv.DictReader(file)
        ]


def served(data: Path, config: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """The bundle of a run over sockets in which the market never went on without the engine."""
    for attempt in range(ATTEMPTS):
        where = folder / f"served {attempt}"
        places = ["--state-dir", str(where / "state"), "--log-dir", str(where / "logs")]
        these = ["--data", str(data), "--config", str(config), "--speed", SPEED, "--plain"]
        assert main([*places, *these]) == ExitCode.CLEAN
        if "TOO SLOW" not in capfd.readouterr().out:
            (bundle,) = bundles_in(where / "state" / "runs")
            return bundle
    pytest.fail(f"in {ATTEMPTS} runs the market went on without the engine")


def replayed(data: Path, config: Path, folder: Path) -> Path:
    found = replay_data([data], window_of(window="P365D"), cache_dir=folder / "cache")
    plan = ReplayPlan(
        settings=load_settings(config, signal_check=fault_in_signal),
        data=found,
        terms=VenueTerms(),
        seed=0,
        label="session",
        folder=folder / "replay",
        with_sheet=False,
    )
    run_replay(plan)
    return plan.folder


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("file", "rows", "changes"),
    [
        ("equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz", 5 * 390, {}),
        ("equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz", 2_500, ON_SPY),
        ("crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", 2 * 1_440, {}),
    ],
)
def test_a_replay_trades_as_the_embedded_session_does(
    file: str,
    rows: int,
    changes: Mapping[str, str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if not (MARKET_DATA / file).exists():
        pytest.skip(f"needs {file} in ../shared/market-data")
    data, config = cut(MARKET_DATA / file, rows, tmp_path), config_with(changes, tmp_path)

    session = trades_in(served(data, config, tmp_path, capfd))
    replay = trades_in(replayed(data, config, tmp_path))

    assert len(session) >= 5
    assert replay == session
