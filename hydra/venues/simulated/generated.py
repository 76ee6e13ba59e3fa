"""One generated session of minute bars, for a fresh clone to trade on. Not a real market.

A geometric random walk with drifts that last a while, so that a trend follower has something to do.
A share's volatility is high at the open and the close. A coin is traded from an hour before the
open to an hour after the close, livelier than a share and evenly so. The same seed gives the same
bars on every machine: only `Random.random`, whose stream is fixed for a text seed, and exact
arithmetic are used.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.trading.durations import HOUR, MINUTE
from hydra.trading.instruments import is_crypto

STEPS_PER_BAR = 8
"""Prices within a minute, from which its high and low come."""
QUIET_VOLATILITY = 0.00035
"""Of one minute's logarithmic return at midday."""
DRIFT = 0.00018
"""Of one minute, while a trend lasts."""
TREND_MINUTES = 35.0
"""The mean time until the trend changes."""


COIN_HOURS = HOUR
"""So long before the open, and after the close, there are coins to trade."""
COIN_PRICES = {"BTC/USD": 60_000.0, "ETH/USD": 3_000.0}
"""What about they cost. Any other coin costs as much as a share may."""
COIN_VOLATILITY = 0.0008
"""Of one minute's logarithmic return, at any time: somewhat more than half of it in a year."""


def generated_session(
    symbols: tuple[str, ...], open_at: int, close_at: int, seed: int
) -> tuple[Bar, ...]:
    """Minute bars of every symbol, ascending in time: of shares over [open_at, close_at) (UTC ns).

    Bars of one minute are in the order of `symbols`.
    """
    order = {symbol: number for number, symbol in enumerate(symbols)}
    bars = [bar for symbol in symbols for bar in _walk(symbol, open_at, close_at, seed)]
    bars.sort(key=lambda bar: (bar.end_at, order[bar.symbol]))
    return tuple(bars)


def _walk(symbol: str, open_at: int, close_at: int, seed: int) -> Iterator[Bar]:
    dice = random.Random(f"generated session|{seed}|{symbol}")
    if is_crypto(symbol):
        open_at, close_at = open_at - COIN_HOURS, close_at + COIN_HOURS
    price = _first_price(symbol, dice)
    minutes = (close_at - open_at) // MINUTE
    drift = 0.0
    for minute in range(minutes):
        if minute == 0 or dice.random() < 1.0 / TREND_MINUTES:
            drift = DRIFT * (-1.0, 0.0, 1.0)[int(dice.random() * 3)]
        shape = 1.0 if is_crypto(symbol) else _shape(minute / minutes)
        volatility = COIN_VOLATILITY if is_crypto(symbol) else QUIET_VOLATILITY * shape
        prices = [price]
        for _ in range(STEPS_PER_BAR):
            shock = volatility / math.sqrt(STEPS_PER_BAR) * _normal(dice)
            prices.append(prices[-1] * math.exp(drift / STEPS_PER_BAR + shock))
        price = prices[-1]
        cents = [round(value, 2) for value in prices]
        volume = float(1_000 + int(40_000 * shape * dice.random()))
        start_at = open_at + minute * MINUTE
        bar = Bar(
            symbol, start_at, start_at + MINUTE,
            cents[0], max(cents), min(cents), cents[-1], volume,
        )  # fmt: skip
        fault = fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume)
        assert fault is None, fault
        yield bar


def _first_price(symbol: str, dice: random.Random) -> float:
    share = dice.random()
    level = COIN_PRICES.get(symbol)
    return 40.0 + 160.0 * share if level is None else level * (0.9 + 0.2 * share)


def _shape(share: float) -> float:
    """How lively the market is at a share of the day: about 2.6 at its ends, 1 at midday."""
    return 1.0 + 1.6 * (2.0 * share - 1.0) ** 2


def _normal(dice: random.Random) -> float:
    """A standard normal number by Box and Muller's method (1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - dice.random()))
    return radius * math.cos(2.0 * math.pi * dice.random())
