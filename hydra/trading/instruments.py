"""What kind of thing a symbol names, and how much one of it is worth.

Quantities and prices are everywhere as the broker gives them: of an option in contracts, and USD
for one share of a contract's hundred. What is a value is in USD, by `value_of`.
"""

import re
from decimal import Decimal
from enum import Enum
from functools import lru_cache

from hydra.trading.exact import multiply
from hydra.trading.option_symbols import CONTRACT_SIZE

ONE = Decimal(1)
"""The units of whatever is no contract: always this object."""

_OPTION = re.compile(r"[A-Z][A-Z0-9]{0,5}[0-9]{6}[CP][0-9]{8}")
_COIN = re.compile(r"[A-Z0-9]{1,10}/[A-Z0-9]{1,10}")
_SHARE = re.compile(r"[A-Z][A-Z0-9]{0,9}(\.[A-Z]{1,3})?")


class Instrument(Enum):
    """Each kind has its own market data, and its own hours."""

    SHARE = "share"
    COIN = "coin"
    OPTION = "option"


def is_crypto(symbol: str) -> bool:
    """A pair with a slash, such as BTC/USD, is a coin's market: open round the clock, no days."""
    return "/" in symbol


def instrument(symbol: str) -> Instrument | None:
    """What it names, by how it is spelled: AAPL, BTC/USD, AAPL261218C00200000. None: nothing."""
    if _OPTION.fullmatch(symbol):
        return Instrument.OPTION
    if _COIN.fullmatch(symbol):
        return Instrument.COIN
    return Instrument.SHARE if _SHARE.fullmatch(symbol) else None


@lru_cache(maxsize=4_096)  # it is asked for every sum of money, and a symbol never changes
def units_of(symbol: str) -> Decimal:
    """How many times its price one of it is worth: 100 for an option contract, else 1."""
    return CONTRACT_SIZE if instrument(symbol) is Instrument.OPTION else ONE


def value_of(symbol: str, quantity: Decimal, price: Decimal) -> Decimal:
    """What so much of a symbol is worth at this price, in USD, exactly; signed as the two are."""
    value, units = multiply(quantity, price), units_of(symbol)
    return value if units is ONE else multiply(value, units)
