import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from hydra.research.metrics import Metrics, as_json, measured
from hydra.research.outcome import CURVE, METRICS, SHEET, TRADES, write_outcome
from hydra.trading.durations import MINUTE
from tests.research.replays import OPEN, bar, facts, fee_of, fill, two_trades

PROJECT = Path(__file__).resolve().parents[2]


def test_the_file_says_what_was_replayed_and_what_came_of_it() -> None:
    content = msgspec.json.decode(as_json(measured(two_trades()).metrics))

    bots, figures = content.pop("bots"), content.pop("statistics")
    assert content == {
        "format": 1,
        "label": "smoke",
        "seed": 7,
        "window": {
            "start_utc": "2026-01-05T14:30:00+00:00",
            "end_utc": "2026-01-06T14:30:00+00:00",
        },
        "timezone_label": "America/New_York",
        "configuration_digest": "c0ffee" * 5,
        "data_digests": {"AAPL_1m.csv.gz": "da7a" * 8},
        "code_version": "0.1.0",
        "origin": "bars made by hand",
        "terms": {"slippage_bps": "2"},
        "symbols": ["AAPL"],
        "bars": 5,
        "orders": 4,
        "fills": 4,
        "trades": 2,
        "denials": {"no_order_opposes": 30, "quote_is_fresh": 3},
        "starting_cash": "10000",
        "final_equity": "10010",
        "pnl": "10",
        "fees": "0",
    }
    assert (figures["hit_rate_pct"], figures["sharpe"]) == (50.0, None)
    assert {bot: own["pnl"] for bot, own in bots.items()} == {
        "dip": "-20",
        "idle": "0",
        "mom": "30",
    }


def test_keys_stand_in_order_whatever_order_the_facts_have() -> None:
    replay = two_trades()
    turned = two_trades(denials=tuple(reversed(replay.denials)), bots=("mom", "idle", "dip"))

    content = as_json(measured(replay).metrics)

    assert content == as_json(measured(turned).metrics)
    keys = list(msgspec.json.decode(content))
    assert keys == sorted(keys)


def test_the_file_can_be_read_back() -> None:
    metrics = measured(two_trades()).metrics

    assert msgspec.json.decode(as_json(metrics), type=Metrics) == metrics


def test_fees_count_in_usd_and_are_off_the_pnl() -> None:
    coin = "BTC/USD"
    bars = (bar(100.0, symbol=coin), bar(200.0, 1, symbol=coin))
    bought = fee_of(fill("buy", "2", "100", OPEN, symbol=coin), "0.005", coin)
    sold = fee_of(fill("sell", "1", "200", OPEN + MINUTE, symbol=coin), "0.5")

    metrics = measured(facts(bars, (bought, sold))).metrics

    assert metrics.fees == Decimal("1.0")
    # Of two coins 1.995 came; one was sold at 200, the rest is worth 200 each.
    assert metrics.pnl == metrics.bots["mom"].pnl == Decimal("198.5")


def test_without_the_sheet_nothing_that_draws_is_written(tmp_path: Path) -> None:
    metrics = write_outcome(tmp_path, two_trades(), with_sheet=False)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((METRICS, CURVE, TRADES))
    assert (tmp_path / METRICS).read_bytes() == as_json(metrics)


@pytest.mark.slow
def test_the_same_replay_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys\n"
        "from hydra.research.outcome import write_outcome\n"
        "from tests.research.replays import two_weeks\n"
        "write_outcome(Path(sys.argv[1]), two_weeks())\n"
    )
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(PROJECT)},
            check=True,
            timeout=50,
        )
        written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})

    assert sorted(written[0]) == sorted((METRICS, CURVE, TRADES, SHEET))
    assert written[0] == written[1]


@pytest.mark.slow
def test_what_runs_and_what_shows_the_status_load_nothing_that_reckons_or_draws() -> None:
    code = (
        "import sys, hydra.main, hydra.ops.status, hydra.research.replaying\n"
        "print({'numpy', 'pandas', 'scipy', 'ffn', 'matplotlib'} & set(sys.modules))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
