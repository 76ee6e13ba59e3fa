"""The options bot in a whole run: engine, adapter and served venue, over REST and WebSocket."""

import csv
import gzip
import re
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
from hydra.testkit.judge.evidence import lives_in
from hydra.testkit.judge.venue_evidence import Markets
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.option_symbols import parsed
from hydra.trading.orders import Fill, Role, Side
from hydra.venues.simulated.market_data import MarketData, from_file, generated
from tests.ops.sessions import HOME

SPY = HOME.parent / "shared/market-data/equity_1m/SPY_1m_2011-03-01_2011-03-11.csv.gz"
DAY = "2011-03-01"
"""SPY lost 1.6 % on it."""


def options_alone(folder: Path) -> Path:
    """The shipped configuration with the options bot on SPY as the only one that trades."""
    config = folder / "config"
    config.mkdir()
    (config / "settings.yaml").write_bytes((HOME / "config" / "settings.yaml").read_bytes())
    text = (HOME / "config" / "bots.yaml").read_text("utf-8")
    sections = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)
    changed = [
        each.replace("enabled: true", "enabled: false")
        if each.startswith(("momentum_bots:", "cryptobot:"))
        else each.replace("tickers: [SPY, QQQ]", "tickers: [SPY]")
        for each in sections
    ]
    (config / "bots.yaml").write_text("".join(changed))
    return config


def one_day(folder: Path) -> Path:
    """The real minutes of that day."""
    path = folder / f"SPY_1m_{DAY}.csv"
    with gzip.open(SPY, "rt") as found, path.open("w", newline="") as kept:
        reader = csv.reader(found)
        writer = csv.writer(kept)
        writer.writerow(next(reader))
        writer.writerows(row for row in reader if row[0].startswith(DAY))
    return path


def made_by(fills: list[Fill]) -> Decimal:
    """By the executions alone: a contract is for a hundred shares."""
    return sum((fill.price * fill.quantity * 100 * -fill.side.sign for fill in fills), Decimal(0))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("source", ["generated", "real"])
def test_it_enters_exits_and_ends_flat_with_the_same_money_at_the_venue_and_on_record_i29_i60(
    source: str, tmp_path: Path
) -> None:
    if source == "real" and not SPY.exists():
        pytest.skip(f"needs {SPY.name} in ../shared/market-data")
    words, market = ["--seed", "0"], _generated
    if source == "real":
        path = one_day(tmp_path)
        words, market = ["--data", str(path)], lambda folder: from_file(path, folder)
    files = EngineFiles.under(tmp_path / "s", tmp_path / "l", "trading_state.db", "app.jsonl")

    code = main(
        ["--config", str(options_alone(tmp_path)), "--speed", "600", *words,
         "--state-dir", str(tmp_path / "s"), "--log-dir", str(tmp_path / "l")]
    )  # fmt: skip

    data = market(files.cache)
    (life,) = lives_in(files)
    fills = list(life.fills)
    assert code == ExitCode.CLEAN
    assert violations_in(files, (data,)) == ()
    options = [parsed(fill.symbol) for fill in fills]
    assert {option.root for option in options if option is not None} == {"SPY"}
    assert None not in options
    assert {fill.side for fill in fills} == {Side.BUY, Side.SELL}
    assert life.positions == {}
    assert life.venue is not None
    account = life.venue.played(Markets(data=(data,), cache=files.cache)).snapshot
    assert account.positions == ()
    assert account.account.cash == life.cash
    ledger = Ledger.open(files.ledger, venue="embedded", at=0)
    try:
        (money,) = [each for each in ledger.sub_ledgers() if each.bot == "opt_core"]
        roles = {order.intent.decision.role for order in ledger.orders()}
    finally:
        ledger.close()
    assert roles == {Role.ENTRY, Role.EXIT}
    fees = sum(life.fees.values(), Decimal(0))
    assert (money.cash, money.realised) == (made_by(fills) - fees,) * 2


def _generated(folder: Path) -> MarketData:
    return generated(("SPY",), 0, folder)
