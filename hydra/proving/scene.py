"""What the days are played in: the shipped configuration with more trades, and a market."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.proving.option_market import OptionMarket, moved_to_first_price
from hydra.proving.plan import CONTRACTS, SYMBOLS, UNDERLYING
from hydra.research.overrides import Configurable
from hydra.settings import Settings, VenueName
from hydra.store.journal_line import timestamp
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.market_sessions import exchange_sessions
from hydra.venues.simulated.generated import generated_session
from hydra.venues.simulated.market_data import GENERATED_DATE, MarketData

SIGNAL_USD = 2_000
"""What an outside strategy buys for at a time."""
CALENDAR_DAYS = timedelta(days=400)
"""Contracts are listed for up to a year."""

BUSIER = (
    "runner.loop_interval_seconds=15",
    "safety.global_cooldown_minutes=1",
    "exitbot.cooloff_minutes=1",
    "guards.exposure.max_symbol_usd=9000",
    "guards.pace.max_entries_per_day=500",
    "guards.pace.max_notional_per_window_usd=500000",
    "guards.pace.max_notional_per_day_usd=5000000",
    "guards.pace.max_round_trips_per_bot_per_day=500",
    "signalbot.enabled=true",
    "signalbot.symbols=[AAPL]",
    "signalbot.limits.max_orders_per_day=50",
    "signalbot.limits.max_notional_per_day_usd=100000",
    "momentum_bots.mom_AAPL.signal.mode=moving_average_cross",
    "momentum_bots.mom_AAPL.signal.params.fast_bars=3",
    "momentum_bots.mom_AAPL.signal.params.slow_bars=8",
    "momentum_bots.mom_AAPL.execution.default_notional_usd=6000",
    "momentum_bots.mom_AAPL.session.trade_end='12:00'",
    "momentum_bots.mom_AAPL.risk.max_trades_per_day=50",
    "momentum_bots.mom_AAPL_cross.signal.params.fast_bars=4",
    "momentum_bots.mom_AAPL_cross.signal.params.slow_bars=12",
    "momentum_bots.mom_AAPL_cross.execution.default_notional_usd=4000",
    "momentum_bots.mom_AAPL_cross.session.trade_end='12:00'",
    "momentum_bots.mom_AAPL_cross.risk.max_trades_per_day=50",
    "optionsbot.signal.params.lookback_bars=5",
    "optionsbot.signal.params.threshold_pct=0.1",
    "optionsbot.exits.take_profit_pct=0.05",
    "optionsbot.exits.stop_loss_pct=0.08",
    "optionsbot.exits.time_stop_minutes=12",
    "optionsbot.risk.max_trades_per_day=50",
)
"""Two bots want more of one symbol than there may be, and halts can soon be cleared. Of the loops,
most of what a day costs, there is one in three.
"""


def settings_in(folder: Path, premium_usd: int | None) -> Settings:
    """Those of every day, but that the outside strategy writes its signals into this folder, and
    for what an entry into an option may pay at most.
    """
    found = settings()
    signals = found.signalbot.model_copy(update={"signals_file": folder / "signals.jsonl"})
    options = found.optionsbot
    if premium_usd is not None:
        paid = {"default_premium_usd": Decimal(premium_usd)}
        execution = options.execution.model_copy(update=paid)
        options = options.model_copy(update={"execution": execution})
    return found.model_copy(update={"signalbot": signals, "optionsbot": options})


def signal_line(number: int, action: str, at: int) -> str:
    """What the outside strategy writes; see `plan.SignalWritten`."""
    if action == "nonsense":
        return f"signal {number}"
    signal: dict[str, object] = {
        "id": f"signal-{number}",
        "symbol": SYMBOLS[0],
        "action": action,
        "at": timestamp(at),
    }
    if action == "buy":
        signal["notional_usd"] = SIGNAL_USD
    return msgspec.json.encode(signal).decode()


@cache
def settings(*more: str) -> Settings:
    """Those of every day, and what else is to be otherwise than it is shipped (`--set` of a replay
    says how). Raises `BadOverride` if what is shipped has changed.
    """
    configurable = Configurable.read(
        SHIPPED,
        venue=VenueName.EMBEDDED,
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )
    (choice,) = configurable.grid((*BUSIER, *more)).choices
    return configurable.settings(choice)


@cache
def _session() -> ExchangeSession:
    """Of the day of which generated prices are."""
    (session,) = exchange_sessions(GENERATED_DATE, GENERATED_DATE, None).sessions
    return session


def market_of(seed: int, minutes: int, symbols: tuple[str, ...] = SYMBOLS) -> MarketData:
    """One session of a share, closed so many minutes after the bell, and a coin beside it; or of
    these symbols.
    """
    session = _session()
    close_at = session.open_at + minutes * MINUTE
    is_half = close_at < session.close_at
    return MarketData(
        bars=_bars_of(symbols, seed, close_at),
        sessions=SessionTable((replace(session, close_at=close_at, early_close=is_half),)),
        symbols=symbols,
        origin=f"GENERATED prices (seed {seed}), for a proof",
    )


def option_market_of(seed: int, minutes: int) -> tuple[MarketData, OptionMarket]:
    """The same with another share, and contracts on it."""
    data = market_of(seed, minutes)
    (session,) = data.sessions.sessions
    share = moved_to_first_price(_bars_of((UNDERLYING,), seed, session.close_at))
    calendar = _calendar(session)
    options = OptionMarket(share, calendar, seed)
    symbols = (*SYMBOLS, UNDERLYING, *CONTRACTS)
    bars = sorted((*data.bars, *share, *options.bars()), key=lambda bar: bar.end_at)
    data = replace(data, bars=tuple(bars), symbols=symbols, option_calendar=calendar)
    return data, options


def _bars_of(symbols: tuple[str, ...], seed: int, close_at: int) -> tuple[Bar, ...]:
    """From the bell to then."""
    open_at = _session().open_at
    return tuple(
        bar
        for bar in generated_session(symbols, open_at, close_at, seed)
        if open_at <= bar.start_at and bar.end_at <= close_at
    )


@cache
def _calendar(today: ExchangeSession) -> SessionTable:
    """Of the exchange for as long as contracts live; of today, the session that is played."""
    sessions = exchange_sessions(
        GENERATED_DATE, (date.fromisoformat(GENERATED_DATE) + CALENDAR_DAYS).isoformat(), None
    ).sessions
    return SessionTable(tuple(today if each.date == today.date else each for each in sessions))
