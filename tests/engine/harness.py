"""Plays a market through the whole engine in virtual time and keeps everything it said."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from hydra.actor import MINUTE, SECOND
from hydra.assembly import assemble, fault_in_signal
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings, load_settings
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import market_events
from messages.summary import SessionSummary, Summarize
from supervisors import paths

CONFIG = Path(__file__).resolve().parents[2] / "config"
OPEN_AT = 1_460_727_000 * SECOND
"""2016-04-15 13:30 UTC, the opening bell in New York; 06:30 in Los Angeles."""
CLOSE_AT = OPEN_AT + 390 * MINUTE


class ListJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[dict[str, object]] = []

    def append(self, record: Mapping[str, object]) -> int:
        self.records.append(dict(record))
        return len(self.records)

    def prune(self, *, at: int, wall_ns: int) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""

    def events(self, name: str) -> list[dict[str, object]]:
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


class Played(msgspec.Struct, frozen=True):
    """What is left of a session."""

    runtime: SimRuntime
    ledger: Ledger
    journal: ListJournal
    summary: SessionSummary


def shipped_settings() -> Settings:
    return load_settings(CONFIG, signal_check=fault_in_signal)


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


def rising(bars: int, *, from_price: float = 100.0, step: float = 0.05) -> list[float]:
    """Closes that rise evenly, rounded to cents."""
    return [round(from_price + step * number, 2) for number in range(bars)]


def play(
    data: MarketData,
    *,
    explore: ExploreOptions | int | None = None,
    settings: Settings | None = None,
    journal: ListJournal | None = None,
    ledger: Ledger | None = None,
    at: Mapping[int, Callable[[SimRuntime], None]] | None = None,
    seed: int = 0,
) -> Played:
    """The whole session. `at`: what else happens, by market time, just before that time's bar."""
    runtime = SimRuntime(
        seed=seed,
        journal=paths.JOURNAL_WRITER,
        start_at=data.begins_at - MINUTE,
        explore=explore,
        strict=True,
    )
    journal = journal or ListJournal()
    ledger = ledger or Ledger.open(IN_MEMORY, venue="embedded", at=data.begins_at)
    engine = assemble(
        settings or shipped_settings(),
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=ledger,
        journal=journal,
    )
    for moment, happening in (at or {}).items():
        runtime.call_at(moment, lambda happening=happening: happening(runtime))  # type: ignore[misc]
    runtime.start_root(engine.tree)
    runtime.advance(5 * SECOND)
    runtime.play(market_events(data.bars, data.sessions), engine.market.happen)
    runtime.advance(5 * SECOND)
    summary = runtime.ask(paths.REPORTER, Summarize(), within=2.0)
    assert isinstance(summary, SessionSummary)
    return Played(runtime, ledger, journal, summary)
