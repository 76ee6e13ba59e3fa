"""What is reckoned from a replay's fills is what its venue and its reporter have by themselves."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec import structs

from hydra.research.metrics import measured
from hydra.research.replaying import ReplayTask, replayed
from hydra.store.ledger import Ledger
from hydra.trading.exact import total
from hydra.venues.simulated.market_data import from_path
from tests.engine.scenery import ListJournal, shipped_settings
from tests.research.replays import facts
from tests.trading.market_data import MARKET_DATA

AAPL = "equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"
BITCOIN = "crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"


@pytest.mark.slow
@pytest.mark.parametrize(("file", "bars"), [(AAPL, 5_460), (BITCOIN, 5_000)])
def test_equity_and_trades_are_the_venues_and_the_reporters_to_the_last_digit(
    file: str, bars: int, tmp_path: Path
) -> None:
    if not (MARKET_DATA / file).exists():
        pytest.skip(f"needs {file} in ../shared/market-data")
    data = from_path(MARKET_DATA / file, tmp_path)
    task = ReplayTask(
        settings=shipped_settings(), data=structs.replace(data, bars=data.bars[:bars])
    )
    ledger = Ledger.open(":memory:", venue="embedded", at=0)

    came = replayed(task, ledger=ledger, journal=ListJournal())

    found = measured(
        facts(
            task.data.bars,
            came.fills,
            starting_cash=task.terms.starting_cash,
            told=came.summary.trades,
            orders=came.summary.orders,
        )
    )
    metrics, told = found.metrics, came.summary.trades
    assert metrics.trades > 10
    assert metrics.final_equity == came.equity
    assert Counter(each.trade for each in found.traded.trades) == Counter(told)
    assert metrics.fees == total(fee.usd for fee in came.summary.fees)
    assert total(bot.pnl for bot in metrics.bots.values()) == metrics.pnl
