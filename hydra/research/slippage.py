"""What is left of a replay's P&L when every market and stop order is executed so much worse.

The same replay is played once for each slippage. Nothing else differs, but what is bought worse may
be stopped out earlier and leave room for another entry: so the number of trades may differ too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

import msgspec
from msgspec import structs

from hydra.ops.debug.render import aligned, number
from hydra.research.closed_trades import traded
from hydra.research.equity import EquityCurve
from hydra.research.replay_run import ReplayPlan, facts_of
from hydra.research.scratch_replay import unwritten_replay
from hydra.trading.exact import plain, subtract
from hydra.venues.bar_rows import shown

SLIPPAGES_MAX = 20
"""Each is a whole replay."""
_CENT = Decimal("0.01")


class BadSlippage(ValueError):
    """No list of slippages. The message is one line."""


class UnderSlippage(msgspec.Struct, frozen=True, kw_only=True):
    """One replay. `pnl` is after fees, in USD, with what is still held at its newest price."""

    bps: Decimal
    trades: int
    pnl: Decimal
    max_drawdown_pct: float
    bots: dict[str, Decimal]
    """P&L of each."""


class SlippageStress(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, the least slippage first."""

    rows: tuple[UnderSlippage, ...]

    @property
    def rises(self) -> tuple[tuple[UnderSlippage, UnderSlippage], ...]:
        """Neighbours of which the one with more slippage has made more."""
        return tuple(pair for pair in pairwise(self.rows) if pair[1].pnl > pair[0].pnl)

    @property
    def gone(self) -> tuple[UnderSlippage, UnderSlippage] | None:
        """Neighbours between which a gain became none; None: it never did, or there was none."""
        return next((pair for pair in pairwise(self.rows) if pair[0].pnl > 0 >= pair[1].pnl), None)


def slippages_in(text: str) -> tuple[Decimal, ...]:
    """Those of a list such as 0,2,5,10, in basis points, ascending. Raises `BadSlippage`."""
    try:
        found = tuple(Decimal(part.strip()) for part in text.split(","))
    except InvalidOperation:
        found = ()
    if not found or len(found) > SLIPPAGES_MAX or not all(map(_is_slippage, found)):
        raise BadSlippage(
            f"found --slippage-bps {shown(text)}; wanted one number or up to {SLIPPAGES_MAX} with"
            " commas, each at least 0 and under 10000, such as 0,2,5,10; correct it"
        )
    if any(one >= other for one, other in pairwise(found)):
        raise BadSlippage(
            f"found --slippage-bps {shown(text)}; wanted each once, the smallest first; write"
            f" {','.join(format(each, 'f') for each in sorted(set(found)))}"
        )
    return found


def slippage_stress(
    plan: ReplayPlan,
    slippages: Sequence[Decimal],
    *,
    done: Callable[[UnderSlippage], None] = lambda _: None,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> SlippageStress:
    """Play the plan once for each of these basis points, and leave no files.

    `done` is told each as it is through; one that was stopped does not count. See `replayed` for
    `seen`, `is_stopping`, and what is raised.
    """
    rows: list[UnderSlippage] = []
    for bps in slippages:
        row = under_slippage(plan, bps, seen=seen, is_stopping=is_stopping)
        if is_stopping():
            break
        rows.append(row)
        done(row)
    return SlippageStress(rows=tuple(rows))


def under_slippage(
    plan: ReplayPlan,
    bps: Decimal,
    *,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> UnderSlippage:
    """Play the plan under this slippage, whatever its own is."""
    stressed = structs.replace(plan, terms=structs.replace(plan.terms, slippage_bps=bps))
    facts = facts_of(stressed, unwritten_replay(stressed.task, seen=seen, is_stopping=is_stopping))
    curve = EquityCurve(facts.bars, facts.fills, facts.starting_cash)
    return UnderSlippage(
        bps=bps,
        trades=len(traded(facts.fills, facts.told).trades),
        pnl=plain(subtract(curve.final_equity, facts.starting_cash)),
        max_drawdown_pct=float(curve.drawdown_pct.max(initial=0.0)),
        bots={bot: plain(curve.final_pnl(bot)) for bot in facts.bot_names},
    )


def table_of(stress: SlippageStress) -> list[str]:
    """For people: a line for each slippage, and what is to be said of them."""
    if not stress.rows:
        return ["none was played to its end"]
    first, bots = stress.rows[0], tuple(stress.rows[0].bots)
    titles = ("SLIPPAGE", "TRADES", "P&L USD", "LOST", "DRAWDOWN", *bots)
    columns = [number(title, title) for title in titles]
    return [
        *aligned(columns, [_cells(row, first, bots) for row in stress.rows]),
        *_remarks(stress),
    ]


def _is_slippage(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value < 10_000


def _cells(row: UnderSlippage, first: UnderSlippage, bots: Sequence[str]) -> tuple[str, ...]:
    return (
        f"{row.bps:f} bps",
        str(row.trades),
        _usd(row.pnl),
        "–" if row is first else _usd(subtract(first.pnl, row.pnl)),
        f"{row.max_drawdown_pct:.2f} %",
        *(_usd(row.bots[bot]) for bot in bots),
    )


def _remarks(stress: SlippageStress) -> list[str]:
    found = [
        f"P&L RISES from {one.bps:f} to {other.bps:f} bps, by {_usd(subtract(other.pnl, one.pnl))}"
        f" USD: slippage alone cannot do that, so other trades were made ({one.trades} and"
        f" {other.trades}); take none of these figures for what slippage costs"
        for one, other in stress.rises
    ]
    if len(stress.rows) > 1 and not found:
        found.append("P&L falls, or stays, with every step of slippage, as it has to")
        found += _other_trades(stress)
    if stress.gone is not None:
        one, other = stress.gone
        found.append(f"the gain is gone somewhere between {one.bps:f} and {other.bps:f} bps")
    return found


def _other_trades(stress: SlippageStress) -> list[str]:
    """An entry that is stopped out sooner leaves room for another one, whose loss is its own."""
    first, *others = stress.rows
    told = [f"{row.trades} at {row.bps:f}" for row in others if row.trades != first.trades]
    remark = (
        f"not {first.trades} trades as at {first.bps:f} bps, but {', '.join(told)} bps: what is"
        " LOST there is not of slippage alone"
    )
    return [remark] if told else []


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT) + 0:+,f}"
