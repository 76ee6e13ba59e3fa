"""A replay: the engine's own tree over bars in canonical virtual time, as a plain function.

The same actors, guards and venue as of a run, on one thread. Nothing of it depends on when or where
it is done: the same task gives the same orders, trades and ledger, to the last digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import msgspec

from hydra import __version__
from hydra.actor import SECOND
from hydra.assembly import assemble
from hydra.ops.bot_failures import BotFailure, failures_of_bots
from hydra.ops.embedded import LEAD
from hydra.ops.session import causes_of, close_gate
from hydra.ports import Journal
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.fees import Fee
from hydra.trading.orders import Fill
from hydra.trading.trading_state import Cause, TradingState
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import (
    BarsBegun,
    Happening,
    TimedHappening,
    market_moments,
)
from hydra.venues.simulated.terms import VenueTerms
from messages.summary import SessionSummary, Summarize
from supervisors import paths

VENUE = "embedded"
"""Whose ledger it is: the replay's venue is the embedded one's matching engine."""
IDLE_TICKS_EVERY = DAY
"""While trading is open, loops and reconciliations run so often in market time and once a session
begins, not between any two bars: on this venue, which is honest and answers at once, they find what
they found before. Where trading is halted they run after each bar, as each may clear it.
"""
ENDS_WITHIN = 10 * SECOND


class LookAhead(Exception):
    """Something of the market was to be told before it had happened."""


class ReplayFailed(Exception):
    """The engine failed closed, did not come to trade, or did not stop; nothing of it counts."""


class ReplayTask(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a replay depends on."""

    settings: Settings
    data: MarketData
    terms: VenueTerms = VenueTerms()
    seed: int = 0
    history: tuple[Bar, ...] = ()
    """Bars of before the market begins, in order: strategies start warm with them."""
    ends_at: int | None = None
    """A session that closes later than this does not close; None: the last one does."""


class BotFill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, of whom, and what the venue kept of it; None: nothing."""

    bot: str
    fill: Fill
    fee: Fee | None = None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    `cash`, `equity` and `positions` are the venue's at the end; equity None: something that is held
    never had a price. `standing`: the causes for which trading was not open then, for all or for
    one bot or symbol. `failed`: bots that failed on the way, and so did not wish for all that they
    would have. `ledger` names everything on record: two replays of one name did the same.
    """

    bars: int
    summary: SessionSummary
    fills: tuple[BotFill, ...]
    cash: Decimal
    equity: Decimal | None
    positions: tuple[tuple[str, Decimal], ...]
    standing: tuple[Cause, ...]
    failed: tuple[BotFailure, ...]
    ledger: str


def replayed(
    task: ReplayTask,
    *,
    ledger: Ledger,
    journal: Journal,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Play all of the task's bars; ledger and journal are new, and stay open.

    The ledger may say already that an engine started, and nothing else.

    `seen` is told after each event of the market how many there were. `is_stopping` is asked
    before each: the replay then ends there, in order. Raises `ReplayFailed` and `LookAhead`.
    """
    data = task.data
    begins_at = data.begins_at - LEAD
    if ledger.engine is None:
        ledger.engine_started(__version__, task.settings.digest, begins_at)
        ledger.commit()
    runtime = SimRuntime(
        seed=task.seed,
        journal=paths.JOURNAL_WRITER,
        start_at=begins_at,
        idle_ticks_every=IDLE_TICKS_EVERY,
    )
    exchange = SimulatedExchange(task.terms)
    engine = assemble(
        task.settings,
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=ledger,
        journal=journal,
        exchange=exchange,
        known_bars=task.history,
    )
    root = runtime.start_root(engine.tree)
    runtime.advance(SECOND)
    if runtime.gate.state is not TradingState.ACTIVE:
        raise ReplayFailed(f"it did not come to trade: {causes_of(runtime)}")
    bars = 0

    def happen(event: Happening) -> None:
        nonlocal bars
        if isinstance(event, tuple):
            require_past(event, runtime.now())
            bars += len(event)
        elif isinstance(event, BarsBegun):
            require_begun(event.bars, runtime.now())
        engine.market.happen(event)
        seen(bars)

    moments = market_moments(data.bars, data.sessions, task.ends_at)
    runtime.play(_until(is_stopping, moments), happen)
    runtime.advance(SECOND)
    _require_alive(runtime)  # else nobody is there to be asked
    # The gate has those that hold for all orders; of one bot or symbol they are on record alone.
    of_some = tuple(cause for cause in ledger.halts() if not cause.is_global)
    standing, failed = (*runtime.gate.standing(), *of_some), failures_of_bots(runtime)
    summary = runtime.ask(paths.REPORTER, Summarize(), within=0.5)
    assert isinstance(summary, SessionSummary), "nothing stops the reporter of a replay"
    close_gate(runtime, "the replay is over")
    runtime.stop_cell(root, "the replay is over")
    runtime.advance(ENDS_WITHIN)
    _require_alive(runtime)
    if root.status is not Status.STOPPED:
        raise ReplayFailed("the engine did not stop")
    ledger.engine_stopped("the replay is over", runtime.now())
    ledger.commit()
    account = exchange.engine.account
    return Replayed(
        bars=bars,
        summary=summary,
        fills=fills_in(ledger),
        cash=account.cash,
        equity=account.equity(),
        positions=tuple((each.symbol, each.quantity) for each in account.positions()),
        standing=standing,
        failed=failed,
        ledger=ledger.mark.chain,
    )


def _require_alive(runtime: SimRuntime) -> None:
    if runtime.failed_closed is not None:
        raise ReplayFailed(f"the engine failed closed: {runtime.failed_closed}")


def require_past(bars: Iterable[Bar], now: int) -> None:
    """Raise `LookAhead` unless all bars are over at market time `now` (UTC ns)."""
    for bar in bars:
        if bar.end_at > now:
            raise LookAhead(
                f"the bar of {bar.symbol} that ends at {bar.end_at} was to be told at {now},"
                f" {(bar.end_at - now) / SECOND:g} s before it is over"
            )


def require_begun(bars: Iterable[Bar], now: int) -> None:
    """Raise `LookAhead` unless all bars have begun at market time `now` (UTC ns)."""
    for bar in bars:
        if bar.start_at > now:
            raise LookAhead(
                f"the open of the bar of {bar.symbol} that begins at {bar.start_at} was to be told"
                f" at {now}, {(bar.start_at - now) / SECOND:g} s before it is there"
            )


def fills_in(ledger: Ledger) -> tuple[BotFill, ...]:
    """Every execution on record, in the order of recording, with its fee."""
    bots = {each.state.order.client_order_id: each.intent.decision.bot for each in ledger.orders()}
    fees = {fee.execution_id: fee for fee in ledger.fees()}
    return tuple(
        BotFill(bot=bots[fill.client_order_id], fill=fill, fee=fees.get(fill.execution_id))
        for fill in ledger.fills()
    )


def _until(
    is_stopping: Callable[[], bool], events: Iterator[TimedHappening]
) -> Iterator[TimedHappening]:
    for event in events:
        if is_stopping():
            return
        yield event
