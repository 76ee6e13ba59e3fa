"""What the symbol of an option contract says, as the Options Clearing Corporation writes it.

SPY210129P00345000: the root (1 to 6 letters or digits, a letter first), the expiration as yymmdd,
C or P, and the strike in thousandths of a dollar with 8 digits.
"""

import re
from datetime import date
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.exact import plain

CONTRACT_SIZE = Decimal(100)
"""So many shares are delivered for one contract, unless it was adjusted. Those are not traded."""


class Right(Enum):
    """What the holder may do at the strike: buy (call) or sell (put)."""

    CALL = "call"
    PUT = "put"


class OptionSymbol(msgspec.Struct, frozen=True):
    """The parts of an option's symbol. `strike` is USD a share."""

    root: str
    expiration: date
    right: Right
    strike: Decimal


def parsed(symbol: str) -> OptionSymbol | None:
    """The parts of an option's symbol; None if it is not one, or its date or strike cannot be."""
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        return None
    root, year, month, day, letter, thousandths = found.groups()
    try:
        expiration = date(2000 + int(year), int(month), int(day))
    except ValueError:
        return None
    strike = plain(Decimal(int(thousandths)).scaleb(-3))
    right = Right.CALL if letter == "C" else Right.PUT
    return OptionSymbol(root, expiration, right, strike) if strike > 0 else None


def root_of(underlying: str) -> str:
    """What the symbols of options on this share begin with: BRKB for BRK.B."""
    return underlying.replace(".", "")


_SYMBOL = re.compile(r"([A-Z][A-Z0-9]{0,5})(\d\d)(\d\d)(\d\d)([CP])(\d{8})", re.ASCII)
