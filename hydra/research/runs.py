"""Parameter runs: the same market replayed with many configurations, over the machine's cores.

The unit of work is `run_one`, a plain function of settings, data, terms and seed; nothing in it
knows that there are others. So whatever distributes functions over machines can take it as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from hydra.research.crew import Done, Failed, work_through
from hydra.research.equity import EquityCurve
from hydra.research.overrides import BadOverride, Choice, Grid
from hydra.research.replaying import ReplayTask
from hydra.research.scratch_replay import unwritten_replay
from hydra.research.selection import BadSelection
from hydra.settings import Settings
from hydra.settings.whole import content_of
from hydra.trading.bars import Bar
from hydra.trading.exact import plain, total
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms

DRAWDOWN_DIGITS = 6

OK, REFUSED, FAILED, STOPPED = "ok", "refused", "failed", "stopped"


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to. Money is exact, in USD; `realised` is before `fees`.

    `final_equity` None: something that is held never had a price. `standing` names the causes for
    which trading was not open at the end: such a run says little of its parameters. `ledger` names
    all that it put on record: two runs of one name did the same. `seconds` alone depends on the
    machine.
    """

    trades: int
    realised: Decimal
    fees: Decimal
    final_equity: Decimal | None
    max_drawdown_pct: float | None
    orders: int
    denials: int
    standing: tuple[str, ...]
    ledger: str
    seconds: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the results. `number` counts from 1, in the order of the grid.

    `outcome` is "ok" with a result; else "refused" (the configuration is not fit), "failed" or
    "stopped" (before it was done), with the reason in `why`.
    """

    number: int
    choice: Choice
    configuration: str = ""
    outcome: str
    why: str = ""
    result: RunResult | None = None


class _Market(msgspec.Struct, frozen=True, kw_only=True):
    """What is large of what all runs share. It goes through a file: a process that is given it as
    it starts would hold up the start of the next one until it has read it."""

    data: MarketData
    history: tuple[Bar, ...]
    ends_at: int | None


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs share, and each process reads once."""

    market: Path
    terms: VenueTerms
    seed: int


def run_one(
    settings: Settings,
    data: MarketData,
    terms: VenueTerms,
    seed: int,
    history: tuple[Bar, ...] = (),
    ends_at: int | None = None,
) -> RunResult:
    """Replay the market with these settings; nothing is written anywhere. See `ReplayTask`.

    Raises what `replayed` raises: the engine failed closed, or it did not come to trade.
    """
    began = time.perf_counter()
    done = unwritten_replay(
        ReplayTask(
            settings=settings, data=data, terms=terms, seed=seed, history=history, ends_at=ends_at
        )
    )
    fallen = EquityCurve(data.bars, done.fills, terms.starting_cash).drawdown_pct
    return RunResult(
        trades=len(done.summary.trades),
        realised=plain(total(trade.realised for trade in done.summary.trades)),
        fees=plain(total(fee.usd for fee in done.summary.fees)),
        final_equity=None if done.equity is None else plain(done.equity),
        max_drawdown_pct=round(float(fallen.max()), DRAWDOWN_DIGITS) if len(fallen) else None,
        orders=done.summary.orders,
        denials=sum(count for _, count in done.summary.denials),
        standing=tuple(sorted({cause.code for cause in done.standing})),
        ledger=done.ledger,
        seconds=time.perf_counter() - began,
    )


def run_grid(
    grid: Grid,
    settings_of: Callable[[Choice], Settings],
    data: MarketData,
    terms: VenueTerms,
    seed: int,
    *,
    history: tuple[Bar, ...] = (),
    ends_at: int | None = None,
    jobs: int | None = None,
    seen: Callable[[int, int], None] = lambda _done, _of: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> tuple[Run, ...]:
    """Every run of the grid, in its order, by so many processes at once (None: one for each core).

    `settings_of` gives the settings of a choice (`Configurable.settings` does), or raises
    `BadOverride` or `BadSelection`; it is called here, before anything is played. `seen` hears how
    many of how many are over. See `work_through` for how it is stopped. To be called by the main
    thread.
    """
    runs = [_planned(number, choice, settings_of) for number, choice in enumerate(grid.choices, 1)]
    tasks = [content for _, content in runs if content is not None]
    with TemporaryDirectory(prefix="hydra-runs-") as scratch:
        market = Path(scratch) / "market.msgpack"
        market.write_bytes(
            msgspec.msgpack.encode(_Market(data=data, history=history, ends_at=ends_at))
        )
        outcomes = iter(
            work_through(
                tasks,
                _make_ready,
                _Given(market=market, terms=terms, seed=seed),
                jobs=min(jobs or cores(), len(tasks)),
                seen=lambda over: seen(over, len(tasks)),
                is_stopping=is_stopping,
            )
        )
    return tuple(run if content is None else _ended(run, next(outcomes)) for run, content in runs)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _planned(
    number: int, choice: Choice, settings_of: Callable[[Choice], Settings]
) -> tuple[Run, object | None]:
    """The run before it is played, and its settings as plain content; None: refused."""
    try:
        settings = settings_of(choice)
    except (BadOverride, BadSelection) as refused:
        run = Run(number=number, choice=choice, outcome=REFUSED, why=str(refused))
        return run, None
    # A copy of settings that were asked for their digest keeps that of the original: so anew.
    content = content_of(settings, as_written=True)
    digest = Settings.model_validate(content).digest
    run = Run(number=number, choice=choice, configuration=digest, outcome=STOPPED)
    return run, content


def _ended(run: Run, outcome: Done[RunResult] | Failed | None) -> Run:
    match outcome:
        case Done(result):
            return msgspec.structs.replace(run, outcome=OK, result=result)
        case Failed(why):
            return msgspec.structs.replace(run, outcome=FAILED, why=why)
        case None:
            return msgspec.structs.replace(run, why="it was stopped before this run was done")


def _make_ready(given: _Given) -> Callable[[object], RunResult]:
    market = msgspec.msgpack.decode(given.market.read_bytes(), type=_Market)
    return partial(_run, given, market)


def _run(given: _Given, market: _Market, content: object) -> RunResult:
    """Settings travel as their plain content: what cannot change in them cannot be pickled."""
    settings = Settings.model_validate(content)
    return run_one(settings, market.data, given.terms, given.seed, market.history, market.ends_at)
