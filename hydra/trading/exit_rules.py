"""When an open long position must be closed: asked once for each closed bar.

A bar's prices are binary floats, the levels exact decimals. Each float is taken as the price that
was printed, which is its shortest decimal form, and then compared exactly. (Comparing the float
itself would miss a touch: the float of 99.5995 lies a little above 99.5995.)
"""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from hydra.trading.exact import add, percent_of, subtract

EXIT_AGAIN_AFTER = 30 * SECOND
"""Market time after which a bot wishes again for an exit that was denied."""


class BadExitRules(ValueError):
    """A limit that is absent, zero, or no number: it would limit nothing."""


class ExitReason(Enum):
    """Why a position must be closed."""

    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"
    TIME_STOP = "time_stop"
    SESSION_END = "session_end"


class ExitRules(msgspec.Struct, frozen=True):
    """A bot's limits on a position: percent of the entry price, and nanoseconds it may be held.

    `trailing_stop_pct` is percent of the highest price since the entry; None: nothing trails.
    """

    stop_loss_pct: Decimal
    take_profit_pct: Decimal
    time_stop_ns: int
    trailing_stop_pct: Decimal | None = None

    def __post_init__(self) -> None:
        if not (_is_decimal(self.stop_loss_pct) and 0 < self.stop_loss_pct < 100):
            raise BadExitRules(
                f"stop_loss_pct is {self.stop_loss_pct}, wanted a decimal above 0 and below 100"
            )
        if not (_is_decimal(self.take_profit_pct) and self.take_profit_pct > 0):
            raise BadExitRules(
                f"take_profit_pct is {self.take_profit_pct}, wanted a decimal above 0"
            )
        if not (type(self.time_stop_ns) is int and self.time_stop_ns > 0):
            raise BadExitRules(f"time_stop_ns is {self.time_stop_ns}, wanted an int above 0")
        trailing = self.trailing_stop_pct
        if trailing is not None and not (_is_decimal(trailing) and 0 < trailing < 100):
            raise BadExitRules(
                f"trailing_stop_pct is {trailing}, wanted a decimal above 0 and below 100, or none"
            )

    def stop_price(self, entry_price: Decimal) -> Decimal:
        """At or below this price the loss is too large. Exact, not rounded to a tick."""
        return subtract(entry_price, percent_of(entry_price, self.stop_loss_pct))

    def trailing_price(self, highest: Decimal) -> Decimal | None:
        """At or below this price too much of the gain is lost; None: nothing trails. Exact."""
        if self.trailing_stop_pct is None:
            return None
        return subtract(highest, percent_of(highest, self.trailing_stop_pct))

    def resting_price(self, entry_price: Decimal, highest: Decimal) -> tuple[Decimal, ExitReason]:
        """Where a stop order would rest: the higher of the two stops, and which that is. Exact."""
        stop, trailing = self.stop_price(entry_price), self.trailing_price(highest)
        if trailing is not None and trailing > stop:
            return trailing, ExitReason.TRAILING_STOP
        return stop, ExitReason.STOP_LOSS

    def take_profit_price(self, entry_price: Decimal) -> Decimal:
        """At or above this price the gain is taken. Exact, not rounded to a tick."""
        return add(entry_price, percent_of(entry_price, self.take_profit_pct))


class Level(msgspec.Struct, frozen=True):
    """A price at which something is to be done, and the float that is nearest to it.

    Which of two decimals is the greater their floats say, as long as they differ: rounding keeps
    the order. Only where they are the same the decimals themselves have to be compared.
    """

    price: Decimal
    nearest: float

    @classmethod
    def of(cls, price: Decimal) -> "Level":
        """The level at this price."""
        return cls(price, float(price))

    def is_reached_from_above(self, price: float) -> bool:
        """Whether a printed price is at the level or below it."""
        if price != self.nearest:
            return price < self.nearest
        return _printed(price) <= self.price

    def is_reached_from_below(self, price: float) -> bool:
        """Whether a printed price is at the level or above it."""
        if price != self.nearest:
            return price > self.nearest
        return _printed(price) >= self.price


class Levels(msgspec.Struct, frozen=True):
    """Where the loss is too large, and where the gain is taken."""

    stop: Level
    take_profit: Level


@lru_cache(maxsize=4_096)
def levels_of(rules: ExitRules, entry_price: Decimal) -> Levels:
    """The levels of a position: asked for at each of its bars, and the same at all of them."""
    return Levels(
        Level.of(rules.stop_price(entry_price)), Level.of(rules.take_profit_price(entry_price))
    )


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """An open long position as a rule sees it after `bar`. All times are market time (UTC ns).

    `highest` is the highest price from the entry on, before `bar`: what came first inside a bar,
    its high or its low, nobody knows.
    """

    rules: ExitRules
    levels: Levels
    highest: Decimal
    opened_at: int
    bar: Bar
    at: int
    manage_until_passed: bool

    @property
    def bar_saw_the_position(self) -> bool:
        """A bar that was over before the position was opened says nothing about it."""
        return self.bar.end_at > self.opened_at


def stop_loss_is_touched(p: OpenPosition) -> ExitReason | None:
    """The bar's low reached the stop."""
    if p.bar_saw_the_position and p.levels.stop.is_reached_from_above(p.bar.low):
        return ExitReason.STOP_LOSS
    return None


def trailing_stop_is_touched(p: OpenPosition) -> ExitReason | None:
    """The bar's low is too far below the highest price that there was."""
    level = p.rules.trailing_price(p.highest)
    if level is not None and p.bar_saw_the_position and _printed(p.bar.low) <= level:
        return ExitReason.TRAILING_STOP
    return None


def take_profit_is_touched(p: OpenPosition) -> ExitReason | None:
    """The bar's high reached the take-profit price."""
    if p.bar_saw_the_position and p.levels.take_profit.is_reached_from_below(p.bar.high):
        return ExitReason.TAKE_PROFIT
    return None


def time_is_up(p: OpenPosition) -> ExitReason | None:
    """The position has been held for as long as it may be."""
    return ExitReason.TIME_STOP if p.at - p.opened_at >= p.rules.time_stop_ns else None


def session_is_over(p: OpenPosition) -> ExitReason | None:
    """The bot manages no position beyond this time of day."""
    return ExitReason.SESSION_END if p.manage_until_passed else None


# A bar does not tell which of its prices came first. If it touched both, assume the worse one.
RULES: tuple[Callable[[OpenPosition], ExitReason | None], ...] = (
    stop_loss_is_touched,
    trailing_stop_is_touched,
    take_profit_is_touched,
    time_is_up,
    session_is_over,
)


def exit_reason(
    rules: ExitRules,
    *,
    entry_price: Decimal,
    opened_at: int,
    bar: Bar,
    at: int,
    manage_until_passed: bool,
    highest: Decimal | None = None,
) -> ExitReason | None:
    """Ask every rule in turn; the first that wants out gives the reason. None is: hold on.

    `at` is now, `opened_at` when the entry was filled, both market time. `highest` is the highest
    price between the entry and `bar`; None: the entry's. Raises ValueError on a bar whose low or
    high is no number.
    """
    for price in (bar.low, bar.high):
        if not isfinite(price):
            raise ValueError(f"bar has a price of {price!r}, wanted a finite number")
    position = OpenPosition(
        rules=rules,
        levels=levels_of(rules, entry_price),
        highest=entry_price if highest is None else highest,
        opened_at=opened_at,
        bar=bar,
        at=at,
        manage_until_passed=manage_until_passed,
    )
    for rule in RULES:
        reason = rule(position)
        if reason is not None:
            return reason
    return None


def _printed(price: float) -> Decimal:
    return Decimal(repr(price))


def _is_decimal(value: Decimal) -> bool:
    return type(value) is Decimal and value.is_finite()
