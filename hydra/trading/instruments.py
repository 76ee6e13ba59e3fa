"""What kind of thing a symbol names."""

import re
from enum import Enum

_OPTION = re.compile(r"[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}")
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
