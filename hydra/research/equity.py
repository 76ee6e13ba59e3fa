"""What the account was worth at each end of a bar, reckoned after the replay, from bars and fills.

The engine has no part in it: its hot path keeps no curve.

Money is kept in `Decimal`: cash, positions and P&L are running sums of exact amounts. Floats are
used for one thing, to show: each point is made anew of the exact sums, rounded to a float once, and
of the market's own prices, which are floats. No float is ever carried on to the next point, so an
error stays below a billionth of the sums involved, and the last point is the exact result to the
cent. `final_equity` and `final_pnl` are that result, without a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hydra.research.replaying import BotFill
from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply, subtract
from hydra.trading.fees import USD
from hydra.trading.instruments import units_of, value_of

Floats: TypeAlias = NDArray[np.float64]
Moments: TypeAlias = NDArray[np.int64]
"""UTC ns, ascending."""

_ZERO = Decimal(0)


class EquityCurve:
    """One point for each distinct end of a bar, in order; all arrays are of one length.

    A point knows every fill dated at or before it. A symbol is worth the close of its newest bar
    that had ended by then; before the first such bar, or without any, the price of its newest fill.
    """

    def __init__(
        self, bars: Sequence[Bar], fills: Iterable[BotFill], starting_cash: Decimal
    ) -> None:
        """`bars` ascend by their end. Raises ValueError if they do not."""
        ends = np.fromiter((bar.end_at for bar in bars), np.int64, len(bars))
        if (np.diff(ends) < 0).any():
            raise ValueError("the bars are not in the order of their ends; sort them first")
        self.at: Moments = ends[np.append(ends[1:] != ends[:-1], True)] if len(ends) else ends
        self.starting_cash = starting_cash
        booked = sorted(fills, key=lambda each: each.fill.at)
        self._prices: dict[str, _Price] = {}
        """Of the symbols that were traded; the others are worth nothing to the account."""
        self._of_bots: dict[tuple[str, str], _Running] = {}
        self._of_symbols: dict[str, _Running] = {}
        for each in booked:
            fill, at = each.fill, self._within(each.fill.at)
            self._prices.setdefault(fill.symbol, _Price()).traded(at, fill.price)
            place = self._of_bots.setdefault((each.bot, fill.symbol), _Running())
            account = self._of_symbols.setdefault(fill.symbol, _Running())
            for running in (place, account):
                running.book(at, *_moved(each))
        if booked:
            self._price_by(bars)

    @cached_property
    def cash(self) -> Floats:
        """What is not invested."""
        cash = np.full(len(self.at), float(self.starting_cash))
        for _, running in sorted(self._of_symbols.items()):
            cash += running.paid_at(self.at)
        return cash

    @cached_property
    def equity(self) -> Floats:
        """Cash, and what is held at its newest price."""
        equity = self.cash.copy()
        for symbol, running in sorted(self._of_symbols.items()):
            equity += self._worth(symbol, running, self.at)
        return equity

    @cached_property
    def exposure(self) -> Floats:
        """Gross: what the account holds of each symbol, long or short, added up without signs."""
        exposure = np.zeros(len(self.at))
        for symbol, running in sorted(self._of_symbols.items()):
            exposure += np.abs(self._worth(symbol, running, self.at))
        return exposure

    @cached_property
    def highest(self) -> Floats:
        """The most that the account has been worth by each point, the start included."""
        return np.maximum(np.maximum.accumulate(self.equity), float(self.starting_cash))

    @cached_property
    def drawdown_pct(self) -> Floats:
        """How far equity is below its highest so far, in percent of that: zero or more."""
        return drawdown_pct(self.equity, self.highest)

    def pnl_of(self, bot: str, moments: Moments | None = None) -> Floats:
        """What the bot had made by each of these moments (by default by each point), fees off."""
        at = self.at if moments is None else moments
        pnl = np.zeros(len(at))
        for symbol, running in self._places_of(bot):
            pnl += running.paid_at(at)
            pnl += self._worth(symbol, running, at)
        return pnl

    def exposure_of(self, bot: str) -> Floats:
        """The bot's own gross exposure at each point."""
        exposure = np.zeros(len(self.at))
        for symbol, running in self._places_of(bot):
            exposure += np.abs(self._worth(symbol, running, self.at))
        return exposure

    @cached_property
    def final_equity(self) -> Decimal:
        """At the last point, exactly."""
        return add(self.starting_cash, self._exact(self._of_symbols.items()))

    def final_pnl(self, bot: str) -> Decimal:
        """What the bot has made by the last point, exactly; what it still holds is in it."""
        return self._exact(self._places_of(bot))

    def price_series(self, symbol: str) -> tuple[Moments, Floats]:
        """The ends and closes of the bars of a symbol that was traded."""
        price = self._prices[symbol]
        return price.ends, price.closes

    def _price_by(self, bars: Iterable[Bar]) -> None:
        for bar in bars:
            price = self._prices.get(bar.symbol)
            if price is not None:
                price.closed(bar)

    def _places_of(self, bot: str) -> list[tuple[str, _Running]]:
        places = ((place[1], held) for place, held in self._of_bots.items() if place[0] == bot)
        return sorted(places, key=lambda pair: pair[0])

    def _within(self, at: int) -> int:
        """Whatever is booked after the last point counts in it."""
        return min(at, int(self.at[-1])) if len(self.at) else at

    def _worth(self, symbol: str, running: _Running, at: Moments) -> Floats:
        one = self._prices[symbol].at(at) * float(units_of(symbol))
        return running.held_at(at) * one

    def _exact(self, parts: Iterable[tuple[str, _Running]]) -> Decimal:
        made = _ZERO
        for symbol, running in parts:
            worth = value_of(symbol, running.held, self._prices[symbol].last)
            made = add(made, add(running.paid, worth))
        return made


def drawdown_pct(values: Floats, highest: Floats) -> Floats:
    """How far each value is below the highest, in percent of it; zero where that is not above 0."""
    positive = highest > 0
    below = np.zeros(len(values))
    np.divide(highest - values, highest, out=below, where=positive)
    return np.where(positive, below * 100.0, 0.0)


class _Running:
    """Exact running sums of one position and of the cash that it brought (or, below zero, took)."""

    def __init__(self) -> None:
        self.held = _ZERO
        self.paid = _ZERO
        self._at: list[int] = []
        self._held = [0.0]
        self._paid = [0.0]

    def book(self, at: int, quantity: Decimal, cash: Decimal) -> None:
        """So much more is held, and so much more cash is there, from `at` on."""
        self.held, self.paid = add(self.held, quantity), add(self.paid, cash)
        self._at.append(at)
        self._held.append(float(self.held))
        self._paid.append(float(self.paid))

    def held_at(self, moments: Moments) -> Floats:
        """The position at each moment."""
        return np.array(self._held)[self._steps(moments)]

    def paid_at(self, moments: Moments) -> Floats:
        """The cash by each moment."""
        return np.array(self._paid)[self._steps(moments)]

    def _steps(self, moments: Moments) -> NDArray[np.intp]:
        return np.searchsorted(np.array(self._at, np.int64), moments, side="right")


class _Price:
    """What one of a symbol costs at any moment."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._closes: list[float] = []
        self._traded_at: list[int] = []
        self._traded: list[Decimal] = []

    def closed(self, bar: Bar) -> None:
        """A bar of the symbol."""
        self._ends.append(bar.end_at)
        self._closes.append(bar.close)

    def traded(self, at: int, price: Decimal) -> None:
        """A fill in the symbol."""
        self._traded_at.append(at)
        self._traded.append(price)

    @cached_property
    def ends(self) -> Moments:
        """Of its bars."""
        return np.array(self._ends, np.int64)

    @cached_property
    def closes(self) -> Floats:
        """Of its bars."""
        return np.array(self._closes, np.float64)

    @property
    def last(self) -> Decimal:
        """The newest price, exactly as it was written."""
        return Decimal(repr(self._closes[-1])) if self._closes else self._traded[-1]

    def at(self, moments: Moments) -> Floats:
        """At each moment; zero before anything is known, when nothing can be held."""
        by_fills = np.array([0.0, *map(float, self._traded)])
        of_fill = np.searchsorted(np.array(self._traded_at, np.int64), moments, side="right")
        price: Floats = by_fills[of_fill]
        if len(self.ends):
            of_bar = np.searchsorted(self.ends, moments, side="right")
            closes = self.closes[np.maximum(of_bar - 1, 0)]
            price = np.where(of_bar > 0, closes, price)
        return price


def _moved(each: BotFill) -> tuple[Decimal, Decimal]:
    """How much more is held, and how much more cash there is, by a fill and its fee."""
    fill, fee = each.fill, each.fee
    sign = Decimal(fill.side.sign)
    quantity = multiply(fill.quantity, sign)
    cash = multiply(value_of(fill.symbol, fill.quantity, fill.price), sign).copy_negate()
    if fee is None:
        return quantity, cash
    if fee.asset == USD:
        return quantity, subtract(cash, fee.amount)
    return subtract(quantity, fee.amount), cash
