"""What the whole engine is played in: markets, settings, journals, and a message that kills."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from hydra.actor import MINUTE, SECOND
from hydra.plugins import fault_in_signal
from hydra.settings import Settings, load_settings
from hydra.settings.bot_parts import ProtectiveOrder
from hydra.settings.section import Section
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.market_data import MarketData

CONFIG = Path(__file__).resolve().parents[2] / "config"
OPEN_AT = 1_460_727_000 * SECOND
"""2016-04-15 13:30 UTC, the opening bell in New York; 06:30 in Los Angeles. It is a Friday."""
CLOSE_AT = OPEN_AT + 390 * MINUTE
NEXT_OPEN_AT = OPEN_AT + 3 * DAY
"""On Monday."""
ENTRY_AT = OPEN_AT + 6 * MINUTE + 5 * SECOND
"""The bots' trade windows are open, and no bar comes for 55 s."""


WIDE: Mapping[str, object] = {
    "risk.max_orders_per_minute": 100,
    "risk.global_max_daily_loss_pct": Decimal(50),
    "guards.exposure.max_open_risk_pct": Decimal(50),
    "guards.exposure.max_symbol_usd": Decimal(60_000),
    "guards.exposure.max_bot_usd": Decimal(60_000),
    "guards.pace.max_entries_per_minute_per_symbol": 100,
    "guards.pace.max_entries_per_day": 1_000,
    "guards.pace.max_notional_per_window_usd": Decimal(1_000_000),
    "guards.pace.max_notional_per_day_usd": Decimal(1_000_000),
}
"""Settings that let many orders pass in a short time, for tests of what becomes of many."""


class ListJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def append(self, record: Mapping[str, object]) -> int:
        self.records.append(dict(record))
        return len(self.records)

    def prune(self, *, at: int, wall_ns: int) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""

    def events(self, name: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["event"] == name]


class BrokenJournal(ListJournal):
    """Fails at the n-th line and from then on."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._lines = lines

    def append(self, record: Mapping[str, object]) -> int:
        if len(self.records) >= self._lines:
            raise OSError("no space left on device")
        return super().append(record)


@cache
def shipped_settings() -> Settings:
    return load_settings(CONFIG, signal_check=fault_in_signal)


def settings_with(changes: Mapping[str, object]) -> Settings:
    """The shipped ones with some values changed, by dotted key: `guards.pace.max_entries_per_day`.

    What is read from a file is checked more strictly: this is only for tests, which know.
    """
    settings = shipped_settings()
    for key, value in changes.items():
        settings = _changed(settings, key.split("."), value)
    return settings


def protected_by(protective_order: ProtectiveOrder) -> Settings:
    """The shipped ones, with this for every momentum bot."""
    bots = tuple(
        bot.model_copy(
            update={
                "execution": bot.execution.model_copy(update={"protective_order": protective_order})
            }
        )
        for bot in shipped_settings().momentum_bots
    )
    return settings_with({"momentum_bots": bots})


def _changed(section: Any, keys: list[str], value: object) -> Any:
    first, *others = keys
    inner = getattr(section, first)
    assert isinstance(section, Section)
    return section.model_copy(update={first: _changed(inner, others, value) if others else value})


def bars_of(
    closes: Iterable[float], symbol: str = "AAPL", start_at: int = OPEN_AT
) -> tuple[Bar, ...]:
    """Minute bars, one after the other; each opens where the last one closed."""
    bars: list[Bar] = []
    previous: float | None = None
    for close in closes:
        opened = close if previous is None else previous
        low, high = min(opened, close), max(opened, close)
        bars.append(Bar(symbol, start_at, start_at + MINUTE, opened, high, low, close, 1000.0))
        start_at += MINUTE
        previous = close
    return tuple(bars)


def market_of(bars: tuple[Bar, ...], close_at: int = CLOSE_AT) -> MarketData:
    return MarketData(
        bars=bars,
        sessions=SessionTable((ExchangeSession("2016-04-15", OPEN_AT, close_at, False),)),
        symbols=tuple(sorted({bar.symbol for bar in bars})),
        origin="a test",
    )


def two_days(
    closes: Iterable[float],
    next_closes: Iterable[float],
    *,
    close_at: int = CLOSE_AT,
    next_open_at: int = NEXT_OPEN_AT,
) -> MarketData:
    """A Friday, and the Monday after it, unless it is said when that begins."""
    return MarketData(
        bars=(*bars_of(closes), *bars_of(next_closes, start_at=next_open_at)),
        sessions=SessionTable(
            (
                ExchangeSession("2016-04-15", OPEN_AT, close_at, False),
                ExchangeSession("2016-04-18", next_open_at, next_open_at + 390 * MINUTE, False),
            )
        ),
        symbols=("AAPL",),
        origin="a test",
    )


def rising(bars: int, *, from_price: float = 100.0, step: float = 0.05) -> list[float]:
    """Closes that rise evenly, rounded to cents."""
    return [round(from_price + step * number, 2) for number in range(bars)]


def quiet(minutes: int = 30, price: float = 100.0) -> MarketData:
    """A market in which nothing happens: no bot has a reason to do anything."""
    return market_of(bars_of([price] * minutes))
