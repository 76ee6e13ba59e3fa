"""A whole session of the configured engine in virtual time: every actor, as `--clock virtual`."""

import random
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter_ns

from hydra.actor import MINUTE, SECOND
from hydra.assembly import assemble
from hydra.ops.bench.rows import Bar as RowBar
from hydra.ops.bench.rows import CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import collector_at_rest, medians
from hydra.plugins import fault_in_signal
from hydra.runtime.sim_runtime import EPOCH, SimRuntime
from hydra.settings import Settings, SettingsRefused, load_settings
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.strategies import STRATEGIES
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import market_moments
from supervisors import paths

SESSION = ExchangeSession("2026-01-05", EPOCH, EPOCH + 390 * MINUTE, early_close=False)

SIMULATED_DAY = Figure(
    name="simulated_day",
    unit="s",
    what="the enabled bots of the configuration over one session of 390 bars a symbol, the whole "
    "engine in SimRuntime from its start to the session's end, ledger in memory, journal in a file",
    bound="its strategies over its bars, a plain loop",
    bar=RowBar(at_most=0.5),
    aim="0.1 s",
)


def random_walk(symbols: tuple[str, ...], seed: int) -> tuple[Bar, ...]:
    """One session's minute bars of each symbol, ascending in time."""
    draw = random.Random(seed)
    closes = dict.fromkeys(symbols, 100.0)
    bars: list[Bar] = []
    for start_at in range(SESSION.open_at, SESSION.close_at, MINUTE):
        for symbol in symbols:
            opened = closes[symbol]
            closed = closes[symbol] = round(opened * (1 + draw.gauss(0, 0.001)), 2)
            high, low = max(opened, closed) + 0.01, min(opened, closed) - 0.01
            bars.append(
                Bar(symbol, start_at, start_at + MINUTE, opened, high, low, closed, 1_000.0)
            )
    return tuple(bars)


def take_simulated_day(effort: Effort, config: Path) -> tuple[Measured, ...]:
    """Seconds; the median of the rounds."""
    try:
        settings = load_settings(config, signal_check=fault_in_signal)
    except SettingsRefused as refused:
        raise CouldNotMeasure(str(refused)) from refused
    symbols = tuple(sorted({bot.ticker for bot in settings.momentum_bots if bot.enabled}))
    data = MarketData(
        bars=random_walk(symbols, seed=1),
        sessions=SessionTable((SESSION,)),
        symbols=symbols,
        origin="a random walk",
    )
    with collector_at_rest():
        return (
            medians(
                effort.rounds,
                lambda: _seconds_of_engine(settings, data),
                lambda: _seconds_of_strategies(settings, data),
            ),
        )


def _seconds_of_engine(settings: Settings, data: MarketData) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ledger = Ledger.open(IN_MEMORY, venue="embedded", at=data.begins_at)
        journal = JournalFile.open(Path(folder) / "journal.jsonl", at=data.begins_at)
        try:
            return _seconds_of_session(settings, data, ledger, journal)
        finally:
            journal.close()
            ledger.close()


def _seconds_of_session(
    settings: Settings, data: MarketData, ledger: Ledger, journal: JournalFile
) -> float:
    began = perf_counter_ns()
    runtime = SimRuntime(journal=paths.JOURNAL_WRITER, start_at=data.begins_at - MINUTE)
    engine = assemble(
        settings,
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=ledger,
        journal=journal,
    )
    root = runtime.start_root(engine.tree)
    runtime.advance(SECOND)
    runtime.play(market_moments(data.bars, data.sessions), engine.market.happen)
    runtime.advance(SECOND)
    took = (perf_counter_ns() - began) / 1e9
    if runtime.gate.state is not TradingState.ACTIVE:
        causes = "; ".join(cause.detail for cause in runtime.gate.standing())
        raise CouldNotMeasure(f"the engine did not trade to the session's end: {causes}")
    runtime.stop_cell(root, "the measurement is over")
    runtime.advance(10 * SECOND)
    return took


def _seconds_of_strategies(settings: Settings, data: MarketData) -> float:
    began = perf_counter_ns()
    for bot in settings.momentum_bots:
        if bot.enabled:
            strategy = STRATEGIES[bot.signal.mode](dict(bot.signal.params))
            for bar in data.bars:
                if bar.symbol == bot.ticker:
                    strategy.on_bar(bar, data.sessions.at(bar.start_at))
    return (perf_counter_ns() - began) / 1e9


def simulated_day(config: Path) -> Measurement:
    """Of the bots that are enabled in this configuration."""
    return Measurement(
        name="simulated_day",
        figures=(SIMULATED_DAY,),
        take=partial(take_simulated_day, config=config),
    )
