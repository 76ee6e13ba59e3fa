"""How good a replay was: the figures of the field, of the account and of each bot.

Returns are of whole session days (see `session_days`), the first from the starting cash; a bot's
are those of an account of the same starting cash that only it trades on. What is annualised counts
252 days to a year, or 365 where coins alone are traded. The rate free of risk is zero. Sharpe,
Sortino and the growth a year are the ones of the library ffn, which is loaded for two days or more.
Drawdowns are of every point, not of days' ends alone. A figure that cannot be told is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import groupby, pairwise

import msgspec
import numpy as np

from hydra.research.equity import EquityCurve, Floats, Moments, drawdown_pct
from hydra.research.facts import utc
from hydra.research.session_days import SessionDays
from hydra.trading.exact import total

DIGITS = 6
"""So many decimals have ratios and percentages: what differs beyond that is the machine's."""
FEW_DAYS = 20
"""Of fewer days than this, what is annualised says little."""

_AVERAGING = Context(prec=28, rounding=ROUND_HALF_EVEN)
_CENT = Decimal("0.01")
_LEAST = 0.01
"""An account of less than a cent has nothing left to make a return on."""
_NO_SPREAD = 1e-12
"""Returns that differ by less are all the same, but for the rounding of floats."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Of an account or of one bot. Percentages end in `_pct`, money (USD) is exact or in cents.

    A drawdown is zero or more; it goes `from` a highest point `to` the deepest, and lasts `until`
    the height is reached again, None: it has not been (ISO 8601 in UTC). Trades are lots that were
    closed, before fees. `profit_factor` is what was won over what was lost. `turnover` says how
    many times the average equity was traded, `exposure_pct` at how many points anything was held.
    """

    days: int
    days_per_year: int
    total_return_pct: float | None
    cagr_pct: float | None
    volatility_pct: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown_pct: float | None
    max_drawdown_from: str | None
    max_drawdown_to: str | None
    max_drawdown_until: str | None
    calmar: float | None
    exposure_pct: float | None
    turnover: float | None
    trades: int
    trades_per_day: float | None
    hit_rate_pct: float | None
    average_win: Decimal | None
    average_loss: Decimal | None
    profit_factor: float | None
    longest_losing_streak: int | None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """What statistics are made of: values and exposures at each moment, from `start` on.

    `realised` are the results of the trades, in the order of their closing; `volume` is the value
    of all fills.
    """

    at: Moments
    value: Floats
    exposure: Floats
    start: float
    realised: Sequence[Decimal]
    volume: Decimal

    @classmethod
    def of_account(cls, curve: EquityCurve, realised: Sequence[Decimal], volume: Decimal) -> Track:
        """Of all bots together."""
        return cls(
            at=curve.at,
            value=curve.equity,
            exposure=curve.exposure,
            start=float(curve.starting_cash),
            realised=realised,
            volume=volume,
        )

    @classmethod
    def of_bot(
        cls, curve: EquityCurve, bot: str, realised: Sequence[Decimal], volume: Decimal
    ) -> Track:
        """Of one bot, as if it had the account for itself."""
        return cls(
            at=curve.at,
            value=curve.pnl_of(bot) + float(curve.starting_cash),
            exposure=curve.exposure_of(bot),
            start=float(curve.starting_cash),
            realised=realised,
            volume=volume,
        )


def statistics_of(track: Track, days: SessionDays) -> Statistics:
    """All figures; those that cannot be told are None."""
    fall = _deepest(track)
    yearly = _yearly(track, days)
    growth = yearly.cagr
    won = [each for each in track.realised if each > 0]
    lost = [each for each in track.realised if each < 0]
    count, has_trades = len(track.realised), bool(track.realised)
    return Statistics(
        days=len(days.dates),
        days_per_year=days.per_year,
        total_return_pct=_pct(_total_return(track)),
        cagr_pct=_pct(growth),
        volatility_pct=_pct(yearly.volatility),
        sharpe=_rounded(yearly.sharpe),
        sortino=_rounded(yearly.sortino),
        max_drawdown_pct=_rounded(fall.pct),
        max_drawdown_from=fall.begins_at,
        max_drawdown_to=fall.deepest_at,
        max_drawdown_until=fall.over_at,
        calmar=None if growth is None else _rounded(_ratio(growth * 100.0, fall.pct)),
        exposure_pct=_pct(_ratio(int(np.count_nonzero(track.exposure)), len(track.exposure))),
        turnover=_rounded(_ratio(float(track.volume), _mean(track.value))),
        trades=count,
        trades_per_day=_rounded(_ratio(count, len(days.dates))),
        hit_rate_pct=_pct(_ratio(len(won), count)),
        average_win=_average(won),
        average_loss=_average(lost),
        profit_factor=_rounded(_ratio(float(total(won)), -float(total(lost)))),
        longest_losing_streak=_longest_streak(track.realised) if has_trades else None,
    )


def monthly_returns(curve: EquityCurve, days: SessionDays) -> tuple[tuple[str, float | None], ...]:
    """The return of each month (`2026-01`) in percent; None: nothing was left to make one on."""
    ends = {date[:7]: float(curve.equity[last]) for date, last in _dated(days)}
    starts = [float(curve.starting_cash), *ends.values()]
    return tuple(
        (month, _pct(_ratio(after - before, before) if before > 0 else None))
        for month, (before, after) in zip(ends, pairwise(starts), strict=True)
    )


class _Fall(msgspec.Struct, frozen=True):
    pct: float | None
    begins_at: str | None = None
    deepest_at: str | None = None
    over_at: str | None = None


def _deepest(track: Track) -> _Fall:
    """The deepest drawdown; of several the first. That of the start begins at the first point."""
    if not len(track.at):
        return _Fall(None)
    highest = np.maximum(np.maximum.accumulate(track.value), track.start)
    below = drawdown_pct(track.value, highest)
    deepest = int(np.argmax(below))
    if below[deepest] * 10**DIGITS < 0.5:
        return _Fall(0.0)
    # The last of the points that stood so high; none does where the start itself stood higher.
    high = np.flatnonzero(track.value[:deepest] == highest[deepest])
    begins = int(high[-1]) if len(high) else 0
    over = np.flatnonzero(track.value[deepest:] >= highest[deepest])
    return _Fall(
        float(below[deepest]),
        utc(int(track.at[begins])),
        utc(int(track.at[deepest])),
        utc(int(track.at[deepest + over[0]])) if len(over) else None,
    )


class _Yearly(msgspec.Struct, frozen=True):
    cagr: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None


def _yearly(track: Track, days: SessionDays) -> _Yearly:
    """Of two days or more on which something was left; the ratios only where returns differ."""
    values = np.append(track.start, track.value[days.last])
    if len(days.dates) < 2 or values.min() < _LEAST:
        return _Yearly()
    import ffn  # it takes seconds to load: it brings pandas, scipy and scikit-learn
    import pandas as pd

    returns = pd.Series(values[1:] / values[:-1] - 1.0, index=pd.to_datetime(list(days.dates)))
    with np.errstate(over="ignore"):  # what is too large for a float is not told
        growth = ffn.annualize(values[-1] / values[0] - 1.0, len(returns), days.per_year)
    if float(returns.max() - returns.min()) < _NO_SPREAD:
        return _Yearly(cagr=_finite(growth), volatility=0.0)
    falls = bool((returns < -_NO_SPREAD).any())
    return _Yearly(
        cagr=_finite(growth),
        volatility=_finite(returns.std(ddof=1) * math.sqrt(days.per_year)),
        sharpe=_finite(ffn.calc_sharpe(returns, nperiods=days.per_year)),
        sortino=_finite(ffn.calc_sortino_ratio(returns, nperiods=days.per_year)) if falls else None,
    )


def _longest_streak(realised: Iterable[Decimal]) -> int:
    runs = groupby(realised, key=lambda each: each < 0)
    return max((sum(1 for _ in run) for is_lost, run in runs if is_lost), default=0)


def _average(amounts: Sequence[Decimal]) -> Decimal | None:
    if not amounts:
        return None
    return _AVERAGING.divide(total(amounts), Decimal(len(amounts))).quantize(_CENT)


def _dated(days: SessionDays) -> Iterable[tuple[str, int]]:
    return zip(days.dates, map(int, days.last), strict=True)


def _total_return(track: Track) -> float | None:
    return _ratio(float(track.value[-1]) - track.start, track.start) if len(track.value) else None


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _ratio(part: float, whole: float | None) -> float | None:
    return _finite(part / whole) if whole is not None and whole > 0 else None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _pct(share: float | None) -> float | None:
    return None if share is None else _rounded(share * 100.0)


def _rounded(value: float | None) -> float | None:
    """Zero has no sign."""
    return None if value is None or not math.isfinite(value) else round(value, DIGITS) + 0.0
