"""Bars for tests: made of a list of closes, or real ones where the market data is at hand."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, SECOND
from hydra.trading.sessions import ExchangeSession, SessionTable, utc_date

MARKET_DATA = Path(__file__).resolve().parents[3] / "shared" / "market-data"
MINUTE_NS = 60 * 1_000_000_000

AAPL = "equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"
MSFT = "equity_1m/MSFT_1m_2016-04-15_2016-05-04.csv.gz"
SPY_WITH_EXTENDED_HOURS = "equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz"
SPY_IN_MARCH = "equity_1m/SPY_1m_2011-03-01_2011-03-11.csv.gz"
BTC = "crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"
BTC_WITH_HOLES = "crypto_1m/BTCUSD_bitfinex_1m_2016-02-09_2016-04-08.csv.gz"
ETH = "crypto_1m/ETHUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"


def bars_of(closes: Sequence[float]) -> list[Bar]:
    """One-minute bars that do not move within themselves."""
    return [
        Bar(
            symbol="AAPL",
            start_at=index * MINUTE_NS,
            end_at=(index + 1) * MINUTE_NS,
            open=close,
            high=close,
            low=close,
            close=close,
            volume=100.0,
        )
        for index, close in enumerate(closes)
    ]


def rows_of(file: str) -> Iterator[dict[str, str]]:
    """The rows of a real data file; the test is skipped where there is no such file."""
    path = MARKET_DATA / file
    if not path.exists():
        pytest.skip(f"real market data is not at hand: {MARKET_DATA.name}/{file}")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def real_bars(file: str) -> list[Bar]:
    """The bars of a real data file, of all hours that it has."""
    return list(bars_in(file))


def real_sessions(file: str, bars: Sequence[Bar]) -> SessionTable:
    """The exchange's sessions around these bars; of coins, one for each UTC day."""
    if file.startswith("crypto"):
        return _days(bars)
    first, last = utc_date(bars[0].start_at), utc_date(bars[-1].end_at)
    rows = rows_of("calendar/XNYS_sessions_1993_2026.csv.gz")
    return SessionTable(
        tuple(
            ExchangeSession(
                row["session"],
                utc_ns(row["open_utc"]),
                utc_ns(row["close_utc"]),
                row["early_close"] == "1",
            )
            for row in rows
            if first <= row["session"] <= last
        )
    )


def aapl_rows() -> list[dict[str, str]]:
    """AAPL, one-minute, regular sessions of 2016-04-15 to 2016-05-04."""
    return list(rows_of(AAPL))


def aapl_bars() -> list[Bar]:
    """The bars of `aapl_rows`."""
    return real_bars(AAPL)


def utc_ns(text: str) -> int:
    """Nanoseconds of an ISO 8601 time that names its offset."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@cache
def bars_in(file: str, count: int | None = None) -> tuple[Bar, ...]:
    """The first `count` of them; None: all."""
    symbol = file.partition("/")[2].partition("_")[0]
    return tuple(_bar(row, symbol) for row in islice(rows_of(file), count))


def _days(bars: Iterable[Bar]) -> SessionTable:
    midnights = sorted({bar.start_at - bar.start_at % DAY for bar in bars})
    return SessionTable(
        tuple(ExchangeSession(utc_date(at), at, at + DAY, early_close=False) for at in midnights)
    )


def _bar(row: dict[str, str], symbol: str) -> Bar:
    start_at = utc_ns(row["ts_utc"])
    return Bar(
        symbol=symbol,
        start_at=start_at,
        end_at=start_at + MINUTE_NS,
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        volume=float(row["volume"]),
    )
