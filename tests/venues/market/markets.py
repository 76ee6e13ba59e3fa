"""Markets for these tests: bars by hand, drawn by hypothesis, or real; an ordinary calendar."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.bar_files import read_bars
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market_data import MarketData

MARKET_DATA = Path(__file__).resolve().parents[4] / "shared" / "market-data"
AAPL = "equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"
SPY = "equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz"
BTC = "crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz"

NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def ns(text: str) -> int:
    """UTC nanoseconds of an ISO 8601 time that names its offset."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def weekdays(first: str, last: str, closed: Iterable[str] = ()) -> SessionTable:
    """A session from 09:30 to 16:00 in New York on each weekday, those apart that are closed."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    found: list[ExchangeSession] = []
    while day <= end:
        if day.weekday() < 5 and day.isoformat() not in closed:
            opens, closes = (
                int(datetime.combine(day, clock, NEW_YORK).timestamp()) * SECOND
                for clock in (time(9, 30), time(16))
            )
            found.append(ExchangeSession(day.isoformat(), opens, closes, early_close=False))
        day += timedelta(days=1)
    return SessionTable(tuple(found))


CALENDAR = weekdays("2025-12-15", "2027-03-31")
MONDAY_OPEN = ns("2026-01-05T14:30:00Z")


def bar(
    symbol: str,
    start_at: int,
    *prices: float,
    volume: float = 1_000.0,
    length: int = MINUTE,
) -> Bar:
    """A bar of open, high, low and close, or of one price."""
    opened, high, low, close = prices * 4 if len(prices) == 1 else prices
    return Bar(symbol, start_at, start_at + length, opened, high, low, close, volume)


def minutes(symbol: str, *closes: float, start_at: int = MONDAY_OPEN) -> tuple[Bar, ...]:
    """Minute bars one after another, each from the close before it to its own."""
    opens = (closes[0], *closes)
    return tuple(
        bar(symbol, start_at + n * MINUTE, o, max(o, c) + 0.02, min(o, c) - 0.01, c)
        for n, (o, c) in enumerate(zip(opens, closes, strict=False))
    )


def market(bars: Sequence[Bar], calendar: SessionTable = CALENDAR) -> MarketData:
    """The market of these bars, its symbols in the order in which they appear."""
    symbols = tuple(dict.fromkeys(each.symbol for each in bars))
    ordered = tuple(sorted(bars, key=lambda each: (each.end_at, symbols.index(each.symbol))))
    return MarketData(bars=ordered, sessions=calendar, symbols=symbols, origin="by hand")


def tape(
    bars: Sequence[Bar], terms: MarketTerms | None = None, calendar: SessionTable = CALENDAR
) -> Tape:
    """What the local venue shows of these bars."""
    return Tape(market(bars, calendar), calendar, terms)


@cache
def real(file: str, symbol: str | None = None) -> tuple[Bar, ...]:
    """Real bars; the test is skipped where they are not at hand."""
    path = real_path(file)
    return read_bars(path, symbol)


def real_path(file: str) -> Path:
    """Where a real file is; the test is skipped where it is not at hand."""
    path = MARKET_DATA / file
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/market-data")
    return path


PRICES = st.integers(1, 500_000).map(lambda cents: cents / 100)
VOLUMES = st.one_of(
    st.integers(0, 10**7).map(float),
    st.integers(0, 10**15).map(lambda billionths: billionths / 10**9),
)


@st.composite
def drawn_bars(draw: st.DrawFn, symbol: str = "AAPL", start_at: int = MONDAY_OPEN) -> Bar:
    """Any bar of a minute."""
    low, first, second, high = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
    opened, close = draw(st.permutations([first, second]))
    return bar(symbol, start_at, opened, high, low, close, volume=draw(VOLUMES))


@st.composite
def drawn_markets(
    draw: st.DrawFn, symbols: Sequence[str] = ("AAPL", "BTC/USD", "SPY")
) -> tuple[Bar, ...]:
    """Bars of several symbols over some minutes of two days, with holes."""
    places = st.sets(st.integers(0, 7), max_size=5)
    found: list[Bar] = []
    for symbol in symbols:
        for place in sorted(draw(places)):
            day, minute = divmod(place, 4)
            start_at = MONDAY_OPEN + day * 24 * HOUR + minute * MINUTE
            found.append(draw(drawn_bars(symbol, start_at)))
    if not found:
        found.append(draw(drawn_bars()))
    return tuple(found)
