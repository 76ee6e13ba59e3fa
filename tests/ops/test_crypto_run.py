"""The crypto bot in a whole run: engine, adapter, served venue, real minutes of two coins."""

import csv
import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.ledger import Ledger
from hydra.testkit.judge.evidence import lives_in
from hydra.testkit.judge.venue_evidence import Markets
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.orders import Side
from hydra.venues.simulated.market_data import from_path
from tests.ops.sessions import HOME
from tests.venues.market.markets import real_path

FILES = {
    "BTC/USD": "crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz",
    "ETH/USD": "crypto_1m/ETHUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz",
}
FIRST, LAST = "2024-01-03T10:00:00Z", "2024-01-03T14:00:00Z"
"""At noon Bitcoin fell by a tenth within minutes."""


def some_hours(folder: Path) -> Path:
    """A manifest of these hours of both coins."""
    lines = ["bars:"]
    for symbol, file in FILES.items():
        path = folder / f"{symbol[:3]}USDT_1m.csv"
        with gzip.open(real_path(file), "rt") as found, path.open("w", newline="") as kept:
            reader = csv.reader(found)
            writer = csv.writer(kept)
            writer.writerow(next(reader))
            writer.writerows(row for row in reader if FIRST <= row[0] < LAST)
        lines += [f"  - file: {path.name}", f"    symbol: {symbol}"]
    manifest = folder / "coins.yaml"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_real_coins_on_the_served_venue_leave_the_same_coins_and_money_there_and_on_record_i29_i60(
    tmp_path: Path,
) -> None:
    """Also where the fee was less than was accrued: a limit that rested pays as a maker."""
    manifest = some_hours(tmp_path)
    files = EngineFiles.under(tmp_path / "s", tmp_path / "l", "trading_state.db", "app.jsonl")

    code = main(
        ["--config", str(HOME / "config"), "--data", str(manifest), "--speed", "400",
         "--state-dir", str(tmp_path / "s"), "--log-dir", str(tmp_path / "l")]
    )  # fmt: skip

    data = from_path(manifest, files.cache)
    (life,) = lives_in(files)
    assert code == ExitCode.CLEAN
    assert violations_in(files, (data,)) == ()
    told: Iterable[dict[str, Any]] = read_journal(files.journal)
    halts = [line["cause"]["code"] for line in told if line["event"] == "halt_latched"]
    assert halts == ["stopping"]
    assert {fill.symbol for fill in life.fills} == set(FILES)
    assert {fill.side for fill in life.fills} == {Side.BUY, Side.SELL}
    assert life.venue is not None
    account = life.venue.played(Markets(data=(data,), cache=files.cache)).snapshot
    assert {each.symbol: each.quantity for each in account.positions} == life.positions
    assert account.account.cash == life.cash
    ledger = Ledger.open(files.ledger, venue="embedded", at=0)
    try:
        assert {each.bot for each in ledger.sub_ledgers()} == {"crypto_core"}
        assert len(ledger.fees()) == len(life.fills)
    finally:
        ledger.close()
