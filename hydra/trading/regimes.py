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
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.indicators import VALUE_MAX
from hydra.trading.venue_clock import seen_at


class Regime(Enum):
    """From calm to wild."""

    LOW = "low"
    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGH = "high"

    def __init__(self, word: str) -> None:
        self.height = len(type(self).__members__)
        """0 for the calmest."""


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
        if rank < self.elevated_from:
            return Regime.LOW if rank < self.normal_from else Regime.NORMAL
        return Regime.ELEVATED if rank < self.high_from else Regime.HIGH


class RegimeWatch:
    """What is remembered of one market, bar by bar, and the regime that it is in.

    The sorted copy of the history makes a rank a matter of a search: bars come to every engine, and
    to a replay by the hundred thousand.
    """

    def __init__(self, terms: RegimeTerms) -> None:
        self._terms = terms
        self._close: float | None = None
        """Of the last bar; None: there is none that the next one could follow."""
        self._end_at = 0
        self._squares = deque[float](maxlen=terms.window)
        """Of the last returns."""
        self._volatilities = deque[float]()
        self._sorted: list[float] = []
        self.calm_for = 0
        """So many bars in a row spoke for a calmer regime."""
        self.regime: Regime | None = None
        """None: too little is known to say."""

    @property
    def close(self) -> float | None:
        """Of the last bar, if it had a price."""
        return self._close

    @property
    def squares(self) -> tuple[float, ...]:
        """The squared returns of the window, oldest first."""
        return tuple(self._squares)

    @property
    def volatilities(self) -> tuple[float, ...]:
        """The history, oldest first."""
        return tuple(self._volatilities)

    def current(self, at: int, age_ns_max: int) -> Regime | None:
        """The regime at `at`; None if the last bar is older than allowed, or of the future.

        A venue's clock may be a little ahead of ours: its newest bar is the one to go by all the
        same, or in the moment in which a bar is decided on nobody would know how restless it is.
        """
        return self.regime if 0 <= at - seen_at(self._end_at, at) <= age_ns_max else None

    def take(self, bar: Bar) -> None:
        """This bar is over. Bars of the past are not taken up again.

        A return counts only between bars that follow one another: over a hole or a night more
        happens than in a bar. A close that is no price breaks the row, and counts for nothing.
        """
        if bar.end_at <= self._end_at:
            return
        before, follows = self._close, bar.start_at == self._end_at
        self._end_at = bar.end_at
        if not 0 < bar.close <= VALUE_MAX:
            self._close = None
            return
        self._close = bar.close
        if before is None or not follows:
            return
        moved = math.log(bar.close / before)
        self._squares.append(moved * moved)
        if len(self._squares) < self._terms.window:
            return
        volatility = math.sqrt(math.fsum(self._squares) / self._terms.window)
        below = self._remember(volatility)
        if len(self._sorted) >= self._terms.history_min:
            self._judge(rank_at(self._sorted, below))

    def _remember(self, volatility: float) -> int:
        """Gives how many of the history are below it."""
        in_order = self._sorted
        if len(self._volatilities) == self._terms.history:
            del in_order[bisect_left(in_order, self._volatilities.popleft())]
        self._volatilities.append(volatility)
        below = bisect_left(in_order, volatility)
        in_order.insert(below, volatility)
        return below

    def _judge(self, rank: float) -> None:
        found = self._terms.at_rank(rank)
        if found is self.regime:
            self.calm_for = 0
            return
        if self.regime is None or found.height > self.regime.height:
            self.regime, self.calm_for = found, 0
            return
        calmer = self._terms.at_rank(min(rank + self._terms.margin, 1.0))
        if calmer.height >= self.regime.height:
            self.calm_for = 0
        elif self.calm_for + 1 < self._terms.calm_bars:
            self.calm_for += 1
        else:
            self.regime, self.calm_for = calmer, 0


def rank_at(values: Sequence[float], below: int) -> float:
    """The rank of one of these sorted values, that which has so many below it: from 0 to 1.

    It is the share of the others that are below it, ties by half: where all are alike, a half.
    """
    others = len(values) - 1
    after = below + 1
    if after > others or values[after] != values[below]:  # next to always
        return below / others
    alike = bisect_right(values, values[below], after) - after
    return (below + alike / 2) / others


class RegimeShares(msgspec.Struct, frozen=True):
    """By what each regime multiplies what a bot may lose by its entries: from 0 to 1, never rising.

    What is calm is no reason to risk more: no share is above 1. Raises ValueError otherwise.
    """

    low: Decimal = Decimal(1)
    normal: Decimal = Decimal(1)
    elevated: Decimal = Decimal("0.75")
    high: Decimal = Decimal("0.50")
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
