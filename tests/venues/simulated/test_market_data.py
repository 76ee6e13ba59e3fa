"""Markets from files: a share's with its exchange's hours, a coin's round the clock."""

import gzip
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession
from hydra.venues.bar_files import read_bars
from hydra.venues.market_sessions import round_the_clock_sessions
from hydra.venues.simulated.market_data import GENERATED_DATE, MarketData, from_file, generated
from hydra.venues.simulated.playback import (
    BarBegun,
    MarketEnded,
    SessionClosed,
    TimedEvent,
    market_events,
)

MARKET_DATA = Path(__file__).resolve().parents[4] / "shared" / "market-data"
MINUTE = 60_000_000_000
DAY = 24 * 60 * MINUTE
NEW_YEAR = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC."""


def coin_file(folder: Path, *minutes: int, name: str = "BTCUSDT_1m.csv.gz") -> Path:
    """Bars that start so many minutes after midnight of 2024-01-01."""
    rows = ["ts_utc,open,high,low,close,volume"]
    for minute in minutes:
        day, rest = divmod(minute, 24 * 60)
        stamp = f"2024-01-{1 + day:02}T{rest // 60:02}:{rest % 60:02}:00Z"
        rows.append(f"{stamp},42283.58,42298.62,42261.02,42298.61,35.92724")
    path = folder / name
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT_binance_1m.csv.gz", "BTC/USD"),
        ("BTCUSD_coinbase_4h.csv.gz", "BTC/USD"),
        ("1INCHUSDT.csv.gz", "1INCH/USD"),
        ("USDTUSD.csv.gz", "USDT/USD"),
        ("AAPL_1m.csv.gz", "AAPL"),
        ("USD_1m.csv.gz", "USD"),
        ("UUSD_1m.csv.gz", "UUSD"),
        ("BTCEUR_1m.csv.gz", "BTCEUR"),
    ],
)
def test_a_coins_file_names_its_pair_and_a_shares_its_symbol(
    tmp_path: Path, name: str, symbol: str
) -> None:
    bars = read_bars(coin_file(tmp_path, 0, 1, name=name))

    assert {bar.symbol for bar in bars} == {symbol}


def test_a_coins_market_has_a_session_for_each_utc_day_without_a_pause_i43(
    tmp_path: Path,
) -> None:
    data = from_file(coin_file(tmp_path, 0, 1, 24 * 60 - 1, 24 * 60, 2 * 24 * 60 + 5), None)

    assert data.symbols == ("BTC/USD",)
    assert data.origin == "real bars from BTCUSDT_1m.csv.gz, USDT counted as USD"
    assert data.sessions.sessions == tuple(
        ExchangeSession(
            f"2024-01-0{1 + day}", NEW_YEAR + day * DAY, NEW_YEAR + (day + 1) * DAY, False
        )
        for day in range(3)
    )


def test_a_pair_that_is_quoted_in_dollars_is_said_to_be_nothing_else(tmp_path: Path) -> None:
    data = from_file(coin_file(tmp_path, 0, 1, name="BTCUSD_1m.csv.gz"), None)

    assert data.origin == "real bars from BTCUSD_1m.csv.gz"


def test_the_days_of_a_coin_never_pause_over_months_years_and_clock_changes_i43_i50() -> None:
    sessions = round_the_clock_sessions("2023-12-30", "2024-12-31").sessions

    assert len(sessions) == 2 + 366
    assert all(earlier.close_at == later.open_at for earlier, later in pairwise(sessions))
    assert {session.close_at - session.open_at for session in sessions} == {DAY}
    assert [sessions[2].open_at, sessions[-1].date] == [NEW_YEAR, "2024-12-31"]


def whole(*bars: Bar) -> Iterator[TimedEvent]:
    """The beginning and the end of each, one after the other."""
    for bar in bars:
        yield bar.start_at, BarBegun(bar.start_at, bar)
        yield bar.end_at, bar


def test_a_day_closes_at_midnight_and_missing_minutes_break_nothing(tmp_path: Path) -> None:
    data = from_file(coin_file(tmp_path, 0, 1, 5, 24 * 60 - 1, 24 * 60 + 7), None)

    events = list(market_events(data.bars, data.sessions))

    first, second = NEW_YEAR + DAY, NEW_YEAR + 2 * DAY
    assert events == [
        *whole(*data.bars[:4]),
        (first, SessionClosed(first)),
        *whole(data.bars[4]),
        (second, SessionClosed(second)),
        (second, MarketEnded(second)),
    ]


def test_a_bar_that_ends_at_midnight_belongs_to_the_day_that_it_began_in(tmp_path: Path) -> None:
    data = from_file(coin_file(tmp_path, 24 * 60 - 2, 24 * 60 - 1), None)

    session = data.sessions.at(data.bars[-1].start_at)

    assert session is not None
    assert session.date == "2024-01-01"
    assert data.sessions.at(data.bars[-1].end_at) is not None  # it is open at every instant


def market(*closes: float, symbol: str = "AAPL", days: int = 1) -> MarketData:
    bars = tuple(
        Bar(symbol, NEW_YEAR + n * MINUTE, NEW_YEAR + (n + 1) * MINUTE, c, c, c, c, 1.0)
        for n, c in enumerate(closes)
    )
    sessions = round_the_clock_sessions("2024-01-01", f"2024-01-0{days}")
    return MarketData(bars=bars, sessions=sessions, symbols=(symbol,), origin=str(closes))


def test_two_markets_are_one_if_bars_and_sessions_are_whatever_they_are_called() -> None:
    data = market(1.0, 2.0)

    assert data.digest == market(1.0, 2.0).digest
    others = {
        market(1.0, 2.0000000000000004).digest,
        market(1.0).digest,
        market(1.0, 2.0, symbol="SPY").digest,
        market(1.0, 2.0, days=2).digest,
    }
    assert len(others) == 4
    assert data.digest not in others


def test_a_mixed_market_has_the_exchanges_sessions_and_the_one_before_its_first_bar_i43(
    calendar_cache: Path,
) -> None:
    mixed = generated(("AAPL", "BTC/USD"), 0, calendar_cache)
    shares = generated(("AAPL",), 0, calendar_cache)
    coins = generated(("BTC/USD",), 0, calendar_cache)

    (session,) = shares.sessions.sessions
    assert mixed.sessions.sessions[-1] == session
    assert mixed.sessions.sessions[-2].date == "2026-01-02"
    assert mixed.begins_at == coins.begins_at < session.open_at == shares.begins_at
    assert [each.date for each in coins.sessions.sessions] == [GENERATED_DATE]
    assert coins.sessions.at(coins.begins_at) is not None


def test_real_minutes_of_a_coin_are_a_market() -> None:
    path = MARKET_DATA / "crypto_1m" / "BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/market-data")

    data = from_file(path, None)

    assert (data.symbols, len(data.bars), data.bar_interval) == (("BTC/USD",), 30_240, MINUTE)
    assert [session.date for session in data.sessions.sessions] == [
        f"2024-01-{day:02}" for day in range(1, 23)
    ]
