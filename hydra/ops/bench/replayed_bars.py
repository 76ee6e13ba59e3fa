"""How many bars a second a replay plays: the whole engine, against a plain loop of its strategy."""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from time import process_time_ns
from types import MappingProxyType

from hydra.actor import MINUTE
from hydra.ops.bench.replay_loop import LoopTerms, LoopTrade, loop_trades
from hydra.ops.bench.rows import Bar as RowBar
from hydra.ops.bench.rows import CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import collector_at_rest
from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_signal
from hydra.research.replaying import Replayed, ReplayTask, replayed
from hydra.settings import Settings, load_settings
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.exact import total
from hydra.trading.exit_rules import ExitRules
from hydra.trading.sessions import ExchangeSession, SessionTable, utc_date
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import Strategy
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms

BARS_A_SESSION = 390
FIRST_OPEN = 1_420_468_200_000_000_000
"""2015-01-05 14:30 UTC: the opening bell in New York, a Monday."""
DAY = 1_440 * MINUTE
STRATEGY = "moving_average_cross"
PARAMETERS: Mapping[str, int] = MappingProxyType({"fast_bars": 10, "slow_bars": 30})
ENTRIES_A_DAY = 1
NOTIONAL_USD = 500.0
ENTRIES_A_MINUTE = 1_000
"""More than there can be: what paces the entries of a live account is not what is measured."""

OPEN_RISK_PCT = Decimal(5)
"""Fifty bots may hold at once: what limits them together is not in the plain loop."""

SCENE = (
    f"moving averages of {PARAMETERS['fast_bars']} and {PARAMETERS['slow_bars']} bars, up to"
    f" {ENTRIES_A_DAY} trade a day and symbol, resting stops, every guard, identities, decision"
    " record in a journal file, ledger in memory; processor time"
)
BOUND = "the same strategy objects and exits in a plain loop, which gives the same trades"
SINGLE = Figure(
    name="replay_1_symbol",
    unit="bars/s",
    what=f"390,000 minutes of one symbol: {SCENE}",
    bound=BOUND,
    bar=RowBar(ratio_at_least=1 / 16, ratio_text="1/16"),
    aim="1/10",
)
FIFTY = Figure(
    name="replay_50_symbols",
    unit="bars/s",
    what=f"20,000 minutes of each of fifty symbols: {SCENE}",
    bound=BOUND,
    bar=RowBar(ratio_at_least=1 / 8, ratio_text="1/8"),
    aim="1/5",
)


def walk(symbols: tuple[str, ...], sessions: int, seed: int) -> MarketData:
    """Whole sessions of minute bars of a random walk that is pulled back to where it began."""
    draw = random.Random(seed)
    closes = dict.fromkeys(symbols, 100.0)
    bars: list[Bar] = []
    table: list[ExchangeSession] = []
    for number in range(sessions):
        opened = FIRST_OPEN + number * DAY
        closed = opened + BARS_A_SESSION * MINUTE
        table.append(ExchangeSession(utc_date(opened), opened, closed, early_close=False))
        for start_at in range(opened, closed, MINUTE):
            for symbol in symbols:
                before = closes[symbol]
                moved = draw.gauss((100.0 - before) * 1e-5, 0.0008)
                after = closes[symbol] = round(before * (1 + moved), 2)
                high, low = max(before, after) + 0.01, min(before, after) - 0.01
                bars.append(
                    Bar(
                        symbol,
                        start_at,
                        start_at + MINUTE,
                        before,
                        round(high, 2),
                        round(low, 2),
                        after,
                        10_000.0,
                    )
                )
    return MarketData(
        bars=tuple(bars), sessions=SessionTable(tuple(table)), symbols=symbols, origin="a walk"
    )


def settings_for(symbols: tuple[str, ...]) -> Settings:
    """What is shipped, with one bot a symbol in place of its bots, and room for all of them.

    The clocks are those of UTC, so that the window is the same in summer and in winter.
    """
    settings = load_settings(SHIPPED, signal_check=fault_in_signal)
    first = settings.momentum_bots[0]
    shape = first.model_copy(
        update={
            "enabled": True,
            "session": first.session.model_copy(
                update={
                    "trade_start": time(14, 35),
                    "trade_end": time(17, 30),
                    "manage_until": time(20, 55),
                }
            ),
            "execution": first.execution.model_copy(
                update={"default_notional_usd": Decimal(NOTIONAL_USD)}
            ),
            "risk": first.risk.model_copy(update={"max_trades_per_day": ENTRIES_A_DAY}),
            "signal": first.signal.model_copy(update={"mode": STRATEGY, "params": PARAMETERS}),
        }
    )
    portfolio, risk, guards = settings.portfoliobot, settings.risk, settings.guards
    return settings.model_copy(
        update={
            "system": settings.system.model_copy(update={"timezone": "UTC"}),
            "momentum_bots": tuple(
                shape.model_copy(update={"bot_id": f"bench_{symbol}", "ticker": symbol})
                for symbol in symbols
            ),
            "portfoliobot": portfolio.model_copy(
                update={
                    "buckets": portfolio.buckets.model_copy(
                        update={
                            "momentum_bucket_pct_of_daily_risk": Decimal(98),
                            "options_bucket_pct_of_daily_risk": Decimal(1),
                            "crypto_bucket_pct_of_daily_risk": Decimal(1),
                        }
                    ),
                    "guardrails": portfolio.guardrails.model_copy(
                        update={"per_bot_min_pct_of_daily_risk": Decimal("0.1")}
                    ),
                }
            ),
            "risk": risk.model_copy(update={"max_orders_per_minute": ENTRIES_A_MINUTE}),
            "guards": guards.model_copy(
                update={
                    "pace": guards.pace.model_copy(
                        update={"max_entries_per_day": ENTRIES_A_MINUTE}
                    ),
                    "exposure": guards.exposure.model_copy(
                        update={"max_open_risk_pct": OPEN_RISK_PCT}
                    ),
                }
            ),
        }
    )


def replay_of(settings: Settings, data: MarketData) -> tuple[Replayed, float]:
    """What comes of it, and its seconds of processor time, from start to end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ledger = Ledger.open(IN_MEMORY, venue="embedded", at=data.begins_at)
        path = Path(folder) / "journal.jsonl"
        journal = JournalFile.open(path, at=data.begins_at, write_behind=True)
        try:
            began = process_time_ns()
            done = replayed(
                ReplayTask(settings=settings, data=data), ledger=ledger, journal=journal
            )
            return done, (process_time_ns() - began) / 1e9
        finally:
            journal.close()
            ledger.close()


def loop_of(settings: Settings, data: MarketData) -> tuple[list[LoopTrade], float]:
    """The trades of the plain loop, and its seconds of processor time."""
    bot = settings.momentum_bots[0]
    terms = LoopTerms(
        notional_usd=NOTIONAL_USD,
        max_trades_per_day=ENTRIES_A_DAY,
        exits=ExitRules(
            bot.exits.stop_loss_pct,
            bot.exits.take_profit_pct,
            bot.exits.time_stop_minutes * MINUTE,
        ),
    )
    strategies: dict[str, Strategy] = {
        symbol: STRATEGIES[STRATEGY](dict(PARAMETERS)) for symbol in data.symbols
    }
    began = process_time_ns()
    trades = loop_trades(data.bars, data.sessions.sessions, strategies, terms)
    return trades, (process_time_ns() - began) / 1e9


def require_same(done: Replayed, trades: list[LoopTrade]) -> None:
    """Raise `CouldNotMeasure` unless the engine traded as the loop did, to the last cent."""
    engine = [
        LoopTrade(
            each.symbol,
            int(each.quantity),
            each.opened_at,
            float(each.entry_price),
            each.closed_at,
            float(each.exit_price),
        )
        for each in done.summary.trades
    ]
    key = attrgetter("opened_at", "symbol", "closed_at")
    ours, theirs = sorted(engine, key=key), sorted(trades, key=key)
    if ours != theirs:
        differing = next(
            (pair for pair in zip_longest(ours, theirs) if pair[0] != pair[1]), (None, None)
        )
        raise CouldNotMeasure(
            f"the engine traded otherwise than the plain loop ({len(ours)} trades against"
            f" {len(theirs)}, denied {done.summary.denials}): first {differing[0]} against"
            f" {differing[1]}"
        )
    made = total(
        Decimal(each.quantity) * (Decimal(repr(each.exit_price)) - Decimal(repr(each.entry_price)))
        for each in trades
    )
    if done.equity != VenueTerms().starting_cash + made:
        raise CouldNotMeasure(f"the engine ends with {done.equity}, the plain loop made {made}")


def take(effort: Effort, *, symbols: int, sessions: int) -> tuple[Measured, ...]:
    """Bars a second of processor time; one round is long enough, the loop is taken around it."""
    names = tuple(f"S{number:02d}" for number in range(symbols))
    settings, data = settings_for(names), walk(names, effort.count(sessions), seed=1)
    with collector_at_rest():
        trades, before = loop_of(settings, data)
        done, seconds = replay_of(settings, data)
        _, after = loop_of(settings, data)
    require_same(done, trades)
    bars = len(data.bars)
    return (Measured(bars / seconds, bars / statistics.mean((before, after))),)


SINGLE_SYMBOL = Measurement(
    name="replay_1_symbol", figures=(SINGLE,), take=partial(take, symbols=1, sessions=1_000)
)
FIFTY_SYMBOLS = Measurement(
    name="replay_50_symbols", figures=(FIFTY,), take=partial(take, symbols=50, sessions=51)
)
