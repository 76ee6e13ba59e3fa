"""Bars for tests: made of a list of closes, or real ones where the market data is at hand."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from hydra.trading.bars import Bar

MARKET_DATA = Path(__file__).resolve().parents[3] / "shared" / "market-data"
MINUTE_NS = 60 * 1_000_000_000


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


def aapl_rows() -> list[dict[str, str]]:
    """AAPL, one-minute, regular sessions of 2016-04-15 to 2016-05-04."""
    return list(rows_of("equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"))


def aapl_bars() -> list[Bar]:
    """The bars of `aapl_rows`."""
    return [_bar(row) for row in aapl_rows()]


def utc_ns(text: str) -> int:
    """Nanoseconds of an ISO 8601 time that names its offset."""
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def _bar(row: dict[str, str]) -> Bar:
    start_at = utc_ns(row["ts_utc"])
    return Bar(
        symbol="AAPL",
        start_at=start_at,
        end_at=start_at + MINUTE_NS,
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        volume=float(row["volume"]),
    )
