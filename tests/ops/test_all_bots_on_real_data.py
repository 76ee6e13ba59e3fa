"""One market of real data of four years, all kinds of bots on it, in one engine, to the cent.

Shares of 2016, an index fund of 2011 with the options of 2021 on it, coins of 2024: the Friday on
which all of them fell.
"""

import csv
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.ledger import Ledger
from hydra.testkit.judge.evidence import Life, lives_in
from hydra.testkit.judge.venue_evidence import Markets
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.exact import add, total
from hydra.trading.instruments import is_crypto
from hydra.trading.option_symbols import parsed
from hydra.trading.orders import Side
from hydra.venues.simulated.market_data import MarketData, from_path
from tests.ops.sessions import HOME
from tests.venues.market.markets import AAPL, BTC, SPY, real_path
from tests.waiting import eventually

Line: TypeAlias = dict[str, Any]

MSFT = "equity_1m/MSFT_1m_2016-04-15_2016-05-04.csv.gz"
ETH = "crypto_1m/ETHUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"
CHAIN = "options_eod/SPY_options_eod_2021-01-04_2021-08-31.csv.gz"
SHIFTS = {
    "AAPL": (AAPL, 0),
    "MSFT": (MSFT, 0),
    "SPY": (SPY, 273),
    "BTC/USD": (BTC, -403),
    "ETH/USD": (ETH, -403),
}
"""Real files, and by how many weeks each is moved."""
CHAIN_SHIFT = -261
FIRST = datetime(2016, 4, 22, 12, 30, tzinfo=UTC)
LAST = datetime(2016, 4, 22, 20, 0, tzinfo=UTC)
"""Coins before the first bell, and the whole session."""
STAMP = "%Y-%m-%dT%H:%M:%SZ"

CHANGES = (
    ("tickers: [SPY, QQQ]", "tickers: [SPY]"),
    ("bot_id: mom_TSLA\n    enabled: false\n    ticker: TSLA",
     "bot_id: mom_MSFT\n    enabled: true\n    ticker: MSFT"),
    ("signalbot:\n  enabled: false", "signalbot:\n  enabled: true"),
    ("symbols: [NVDA, MSFT, QQQ]", "symbols: [SPY]"),
    ("max_signal_age_seconds: 60", "max_signal_age_seconds: 3600"),
    ("stop_loss_pct: 0.50\n    take_profit_pct: 1.00\n    time_stop_minutes: 120",
     "stop_loss_pct: 2.00\n    take_profit_pct: 1.00\n    time_stop_minutes: 120"),
)  # fmt: skip
"""Of the shipped bots. A signal is written by a clock that a run at speed is ahead of, and one that
closes is to find something to close.
"""
BOTS = {"mom_AAPL", "mom_AAPL_cross", "mom_MSFT", "opt_core", "crypto_core", "signal_bot"}
KINDS = ("mom_", "opt_", "crypto_", "signal_")
SIGNALS = (
    ("2016-04-22T14:00:00", {"id": "a", "action": "buy", "notional_usd": 900}),
    ("2016-04-22T14:00:00", {"id": "a", "action": "buy", "notional_usd": 900}),
    ("2016-04-22T14:40:00", {"id": "b", "action": "sell"}),
    ("2016-04-22T15:00:00", {"id": "c", "action": "buy", "notional_usd": 9000}),
)
"""What an outside strategy says at which times: once again what it said, and too much."""


def one_day(folder: Path) -> Path:
    """A manifest of all of it on that day."""
    lines = ["bars:"]
    for symbol, (file, weeks) in SHIFTS.items():
        path = folder / Path(file).name.removesuffix(".gz")
        first, last = ((at - timedelta(weeks=weeks)).strftime(STAMP) for at in (FIRST, LAST))
        with gzip.open(real_path(file), "rt") as found, path.open("w", newline="") as kept:
            reader = csv.reader(found)
            writer = csv.writer(kept)
            writer.writerow(next(reader))
            writer.writerows(row for row in reader if first <= row[0] < last)
        lines += [f"  - file: {path.name}", f"    symbol: {symbol}", f"    shift_weeks: {weeks}"]
    lines += ["chains:", f"  - file: {real_path(CHAIN)}", "    symbol: SPY"]
    lines += [f"    shift_weeks: {CHAIN_SHIFT}"]
    manifest = folder / "MANIFEST.yaml"
    manifest.write_text("\n".join([*lines, ""]))
    return manifest


def all_kinds(folder: Path, signals: Path) -> Path:
    """The shipped configuration with a bot of every kind on these symbols."""
    config = folder / "config"
    config.mkdir()
    (config / "settings.yaml").write_bytes((HOME / "config" / "settings.yaml").read_bytes())
    text = (HOME / "config" / "bots.yaml").read_text("utf-8")
    for old, new in (*CHANGES, ("signals_file: signals.jsonl", f"signals_file: {signals}")):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (config / "bots.yaml").write_text(text)
    return config


@contextmanager
def outside_strategy(journal: Path, signals: Path) -> Iterator[None]:
    """Says each signal once the engine's market time, by the journal, has come to it."""
    over = threading.Event()

    def come(when: str) -> bool:
        return over.is_set() or market_time(journal) >= when

    def speak() -> None:
        for when, signal in SIGNALS:
            eventually(partial(come, when), within_s=240.0)
            line = json.dumps({"symbol": "SPY", "at": f"{market_time(journal)}Z", **signal})
            with signals.open("a") as file:
                file.write(f"{line}\n")

    signals.touch(mode=0o600)
    thread = threading.Thread(target=speak, name="outside-strategy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def market_time(journal: Path) -> str:
    """Of the journal's newest whole line, to the second; before there is one, the first time."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    whole = [line for line in lines[-2:] if line.endswith(b"\n")]
    return str(json.loads(whole[-1])["ts"])[:19] if whole else "1970-01-01T00:00:00"


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_all_kinds_of_bots_trade_covered_at_every_check_and_equal_to_the_cent_i16_i29_i30_i60(
    tmp_path: Path,
) -> None:
    manifest, signals = one_day(tmp_path), tmp_path / "signals.jsonl"
    files = EngineFiles.under(tmp_path / "s", tmp_path / "l", "trading_state.db", "app.jsonl")

    with outside_strategy(files.journal, signals):
        code = main(
            ["--config", str(all_kinds(tmp_path, signals)), "--data", str(manifest),
             "--speed", "400",
             "--state-dir", str(tmp_path / "s"), "--log-dir", str(tmp_path / "l")]
        )  # fmt: skip

    data = from_path(manifest, files.cache)
    (life,) = lives_in(files)
    told: Sequence[Line] = list(read_journal(files.journal))
    assert code == ExitCode.CLEAN
    assert violations_in(files, (data,)) == ()
    assert [line["cause"]["code"] for line in told if line["event"] == "halt_latched"] == [
        "stopping"
    ]
    everything_was_covered(told)
    every_kind_traded(life, data)
    the_venue_has_the_same(life, data, files)
    assert [(each["id"], each["done"]) for each in done_with(files)] == [
        ("a", "wanted"),
        ("a", "complete"),
        ("b", "wanted"),
        ("b", "complete"),
        ("c", "refused"),
    ]


def everything_was_covered(told: Sequence[Line]) -> None:
    """The exit bot tells what it finds whenever that is another than before."""
    found = [
        (line["is_known"], line["pct"], line["mismatches"], line["uncovered"])
        for line in told
        if line["event"] == "coverage_changed"
    ]
    unknown, *known = found
    assert unknown[:2] == (False, "0")  # the venue has not been read yet
    assert known == [(True, "100", [], [])]


def every_kind_traded(life: Life, data: MarketData) -> None:
    """In and out again; the options are of the file."""
    bot_of = {name: order.intent.decision.bot for name, order in life.orders.items()}
    traded = {(bot_of[fill.client_order_id], fill.side) for fill in life.fills}
    for kind in KINDS:
        sides = {side for bot, side in traded if bot.startswith(kind)}
        assert sides == {Side.BUY, Side.SELL}, kind
    (options,) = data.moved_options
    listed = {contract.symbol for contract in options.contracts}
    assert {fill.symbol for fill in life.fills if parsed(fill.symbol) is not None} <= listed


def the_venue_has_the_same(life: Life, data: MarketData, files: EngineFiles) -> None:
    """What the bots' sub-ledgers come to, to the cent and the unit."""
    assert life.venue is not None
    account = life.venue.played(Markets(data=(data,), cache=files.cache)).snapshot
    ledger = Ledger.open(files.ledger, venue="embedded", at=0)
    try:
        books, inventories = ledger.sub_ledgers(), ledger.inventories()
        opening, fees = ledger.opening_cash, ledger.fees()
    finally:
        ledger.close()
    assert opening is not None
    assert {each.bot for each in books} <= BOTS
    assert {each.execution_id for each in fees} == {
        fill.execution_id for fill in life.fills if is_crypto(fill.symbol)
    }
    assert account.account.cash == total([opening, *(each.cash for each in books)])
    held: dict[str, Decimal] = {}
    for each in (bot.inventory for bot in inventories):
        held[each.symbol] = add(held.get(each.symbol, Decimal(0)), each.position)
    assert {each.symbol: each.quantity for each in account.positions} == {
        symbol: quantity for symbol, quantity in held.items() if quantity
    }


def done_with(files: EngineFiles) -> Sequence[Line]:
    """What became of each signal."""
    path = files.ledger.parent / "signals" / "orders.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
