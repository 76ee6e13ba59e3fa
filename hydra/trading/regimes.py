"""Volatility regimes: how restless a market is, against its own history (SCOPE C9).

The realised volatility of the last bars is the root of the mean of their squared logarithmic
returns (Andersen and Bollerslev, "Answering the skeptics", International Economic Review 39, 1998:
sums of squared intraday returns measure volatility well; their mean, which is next to nothing, is
left out). Its rank is the share of the history's values that are lower. A rank knows no unit, so
shares and coins, minutes and days are judged alike, and nothing has to be annualised.

A regime that is more restless is entered at once. A calmer one is entered only when the rank has
stayed below the entered threshold, less a margin, for some bars in a row: it must not flap, and to
believe in calm too late costs less than to believe in it too early.

The defaults are quartiles, and the highest tenth. That is convention, not a finding: no source says
that they earn anything. What they do on real bars is in the tests.

The drawdown's states, which concern the account and not a market, are `account_day.DrawdownState`;
their risk mode has a share of its own, and the two shares are multiplied. What they make smaller is
the bot's budget of the day (`risk_desk`), in that one place.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.indicators import VALUE_MAX


class Regime(Enum):
    """From calm to wild."""

    LOW = "low"
    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGH = "high"

    @property
    def height(self) -> int:
        """0 for the calmest."""
        return _HEIGHTS[self]


_HEIGHTS = {regime: height for height, regime in enumerate(Regime)}
_BY_HEIGHT = tuple(Regime)


class RegimeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a regime is found. Ranks are from 0 to 1, and rise: `normal_from` is the lowest.

    Raises ValueError where a number cannot be meant.
    """

    window: int
    """So many returns make one value of volatility."""
    history: int
    """So many values of volatility are remembered at most."""
    history_min: int
    """With fewer, nothing is known."""
    normal_from: float = 0.25
    elevated_from: float = 0.75
    high_from: float = 0.90
    margin: float = 0.05
    """So far below the threshold of its regime the rank must fall before that is left."""
    calm_bars: int = 10
    """For so many bars in a row."""

    def __post_init__(self) -> None:
        for name in ("window", "history", "history_min", "calm_bars"):
            value = getattr(self, name)
            if not (type(value) is int and value > 0):
                raise ValueError(f"{name}: found {value}, wanted a whole number above 0")
        if not 2 <= self.history_min <= self.history:
            raise ValueError(
                f"history_min: found {self.history_min}, wanted 2 to history ({self.history})"
            )
        if not 0 < self.normal_from < self.elevated_from < self.high_from < 1:
            raise ValueError(
                f"found normal_from {self.normal_from}, elevated_from {self.elevated_from},"
                f" high_from {self.high_from}; wanted each larger than the one before, within 0"
                " and 1"
            )
        if not 0 <= self.margin < self.normal_from:
            raise ValueError(
                f"margin: found {self.margin}, wanted 0 to less than normal_from"
                f" ({self.normal_from})"
            )

    def at_rank(self, rank: float) -> Regime:
        """The regime of a rank, without any memory."""
        thresholds = (self.normal_from, self.elevated_from, self.high_from)
        return _BY_HEIGHT[sum(rank >= threshold for threshold in thresholds)]


class RegimeState(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one market. `regime` None: too little is known to say."""

    close: float | None = None
    """Of the last bar; None: there is none that the next one could follow."""
    end_at: int = 0
    """Of the last bar, UTC ns."""
    returns: tuple[float, ...] = ()
    volatilities: tuple[float, ...] = ()
    regime: Regime | None = None
    calm_for: int = 0
    """So many bars in a row spoke for a calmer regime."""

    def current(self, at: int, age_ns_max: int) -> Regime | None:
        """The regime at `at`; None if the last bar is older than allowed, or of the future."""
        return self.regime if 0 <= at - self.end_at <= age_ns_max else None


def after(state: RegimeState, bar: Bar, terms: RegimeTerms) -> RegimeState:
    """The state once this bar is over. Bars of the past are not taken up again.

    A return counts only between bars that follow one another: over a hole or a night more happens
    than in a bar. A close that is no price breaks the row, and counts for nothing.
    """
    if bar.end_at <= state.end_at:
        return state
    if not 0 < bar.close <= VALUE_MAX:
        return structs.replace(state, close=None, end_at=bar.end_at)
    follows = state.close is not None and bar.start_at == state.end_at
    moved = structs.replace(state, close=bar.close, end_at=bar.end_at)
    if not follows or state.close is None:
        return moved
    returns = (*state.returns, math.log(bar.close / state.close))[-terms.window :]
    moved = structs.replace(moved, returns=returns)
    if len(returns) < terms.window:
        return moved
    volatility = math.sqrt(math.fsum(each * each for each in returns) / terms.window)
    volatilities = (*state.volatilities, volatility)[-terms.history :]
    moved = structs.replace(moved, volatilities=volatilities)
    return moved if len(volatilities) < terms.history_min else _judged(moved, terms)


def rank_of_last(values: tuple[float, ...]) -> float:
    """The share of the values that are below the last, ties by half: from 0 to 1.

    Of values that are all alike it is a half. The last one itself is left out.
    """
    *history, last = values
    below = sum(map(last.__gt__, history))
    return (below + history.count(last) / 2) / len(history)


def _judged(state: RegimeState, terms: RegimeTerms) -> RegimeState:
    rank = rank_of_last(state.volatilities)
    found = terms.at_rank(rank)
    if state.regime is None or found.height > state.regime.height:
        return structs.replace(state, regime=found, calm_for=0)
    calmer = terms.at_rank(min(rank + terms.margin, 1.0))
    if calmer.height >= state.regime.height:
        return structs.replace(state, calm_for=0)
    if state.calm_for + 1 < terms.calm_bars:
        return structs.replace(state, calm_for=state.calm_for + 1)
    return structs.replace(state, regime=calmer, calm_for=0)


class RegimeShares(msgspec.Struct, frozen=True):
    """By what each regime multiplies what a bot may lose by its entries: from 0 to 1, never rising.

    What is calm is no reason to risk more: no share is above 1. Raises ValueError otherwise.
    """

    low: Decimal = Decimal(1)
    normal: Decimal = Decimal(1)
    elevated: Decimal = Decimal("0.5")
    high: Decimal = Decimal("0.25")
    unknown: Decimal = Decimal(1)
    """Too few bars were seen to say."""

    def __post_init__(self) -> None:
        last = Decimal(1)
        for regime, share in self.by_regime.items():
            if not _is_share(share, last):
                raise ValueError(
                    f"{regime.value}: found {share}, wanted a decimal from 0 to {last}"
                )
            last = share
        if not _is_share(self.unknown, Decimal(1)):
            raise ValueError(f"unknown: found {self.unknown}, wanted a decimal from 0 to 1")

    @property
    def by_regime(self) -> Mapping[Regime, Decimal]:
        """From calm to wild."""
        return {
            Regime.LOW: self.low,
            Regime.NORMAL: self.normal,
            Regime.ELEVATED: self.elevated,
            Regime.HIGH: self.high,
        }

    @property
    def least(self) -> Decimal:
        """What holds where nobody tells of regimes any more."""
        return min(self.high, self.unknown)

    def of(self, regime: Regime | None) -> Decimal:
        """The share; None: the regime is not known yet."""
        return self.unknown if regime is None else self.by_regime[regime]


def _is_share(share: object, most: Decimal) -> bool:
    return type(share) is Decimal and share.is_finite() and 0 <= share <= most
