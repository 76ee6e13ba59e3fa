"""The strategy of the replay's benchmark as a plain loop: what it costs to decide, and no more.

By the rules of the momentum bot and of the venue (`bar_fills`), written out for one case: long
only, one position a symbol, a stop that rests at the venue, the day's window and its end. There
are no messages, identities, checks, budgets, records or journal: what those cost is the difference.
Its trades are the replay's, one by one, or nothing is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from hydra.actor import MINUTE
from hydra.trading.bars import Bar
from hydra.trading.exit_rules import ExitRules
from hydra.trading.resting_stop import stop_on_step
from hydra.trading.sessions import ExchangeSession
from hydra.trading.situation import US_EQUITY_PRICE_STEPS
from hydra.trading.strategies.strategy import Signal, Strategy

ENTERS_FROM, ENTERS_UNTIL, HOLDS_UNTIL = 5, 180, 385
"""Minutes after the opening of a whole session."""


class LoopTrade(msgspec.Struct, frozen=True):
    """One position from its entry to its exit. Times are UTC ns."""

    symbol: str
    quantity: int
    opened_at: int
    entry_price: float
    closed_at: int
    exit_price: float


class LoopTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What each symbol's bot is held to."""

    notional_usd: float
    max_trades_per_day: int
    exits: ExitRules


class _Symbol:
    """What is known of one symbol between two bars."""

    __slots__ = (
        "buying",
        "date",
        "entries",
        "entry_price",
        "held",
        "opened_at",
        "selling",
        "stop",
        "stop_level",
        "stopped_at",
        "strategy",
        "take_profit",
    )

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.held = 0
        self.buying = 0
        self.selling = False
        self.date = ""
        self.entries = 0
        self.entry_price = 0.0
        self.opened_at = 0
        self.stop: float | None = None
        """Where the stop order rests; None: none does."""
        self.stop_level = 0.0
        self.take_profit = 0.0
        self.stopped_at = 0


def loop_trades(
    bars: Sequence[Bar],
    sessions: Sequence[ExchangeSession],
    strategies: dict[str, Strategy],
    terms: LoopTerms,
) -> list[LoopTrade]:
    """Every trade of these bars (ascending, all within one of the sessions)."""
    symbols = {name: _Symbol(strategy) for name, strategy in strategies.items()}
    trades: list[LoopTrade] = []
    ahead = iter(sessions)
    session = next(ahead)
    time_stop = terms.exits.time_stop_ns
    for bar in bars:
        while bar.start_at >= session.close_at:
            session = next(ahead)
        at = symbols[bar.symbol]
        signal = at.strategy.on_bar(bar, session)
        if at.date != session.date:
            at.date, at.entries = session.date, 0
        if at.selling:
            _close(at, bar.symbol, bar.start_at, bar.open, trades)
        elif at.held and at.stop is not None and bar.low <= at.stop:
            gapped = bar.open <= at.stop
            at.stopped_at = bar.start_at if gapped else bar.end_at
            _close(at, bar.symbol, at.stopped_at, bar.open if gapped else at.stop, trades)
        elif at.buying:
            _open(at, bar, terms.exits)
        end = bar.end_at
        minute = (end - session.open_at) // MINUTE
        if at.held:
            if (
                bar.low <= at.stop_level
                or bar.high >= at.take_profit
                or end - at.opened_at >= time_stop
                or minute >= HOLDS_UNTIL
                or signal is Signal.EXIT_LONG
            ):
                at.selling, at.stop = True, None
            elif at.stop is None:
                level = stop_on_step(Decimal(repr(at.stop_level)), US_EQUITY_PRICE_STEPS)
                at.stop = None if level is None else float(level)
        elif (
            signal is Signal.ENTER_LONG
            and ENTERS_FROM <= minute < ENTERS_UNTIL
            and at.entries < terms.max_trades_per_day
            and bar.start_at >= at.stopped_at
        ):
            at.buying = math.floor(terms.notional_usd / bar.close)
            at.entries += 1
    return trades


def _open(at: _Symbol, bar: Bar, exits: ExitRules) -> None:
    at.held, at.buying = at.buying, 0
    at.entry_price, at.opened_at = bar.open, bar.start_at
    entry = Decimal(repr(bar.open))
    at.stop_level = float(exits.stop_price(entry))
    at.take_profit = float(exits.take_profit_price(entry))


def _close(at: _Symbol, symbol: str, closed_at: int, price: float, trades: list[LoopTrade]) -> None:
    trades.append(LoopTrade(symbol, at.held, at.opened_at, at.entry_price, closed_at, price))
    at.held, at.selling, at.stop = 0, False, None
