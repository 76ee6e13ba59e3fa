"""Option symbols as the Options Clearing Corporation writes them, without padding.

SPY210129P00345000: the root (1 to 6 letters or digits, a letter first), the expiration as yymmdd,
C or P, the strike in thousandths of a dollar with 8 digits.
"""

import re
from datetime import date
from decimal import Decimal

import msgspec

from hydra.trading.exact import plain
from hydra.venues.simulated.brokerage.contracts import Right


class NotAnOption(ValueError):
    """The text is no OCC option symbol."""


class OccSymbol(msgspec.Struct, frozen=True):
    """What an option symbol says."""

    root: str
    expiration: date
    right: Right
    strike: Decimal

    def __str__(self) -> str:
        """The symbol. Raises `NotAnOption` for what cannot be written as one."""
        thousandths = self.strike * 1000
        if not (
            is_root(self.root)
            and 2000 <= self.expiration.year <= 2099
            and 0 < thousandths <= 99_999_999
            and thousandths == int(thousandths)
        ):
            raise NotAnOption(
                f"found {self.root} {self.expiration} {self.strike}; wanted a root of 1 to 6 "
                "letters and digits, a year from 2000 to 2099, a strike of at most 99999.999"
            )
        letter = "C" if self.right is Right.CALL else "P"
        return f"{self.root}{self.expiration:%y%m%d}{letter}{int(thousandths):08}"


def parse(symbol: str) -> OccSymbol:
    """Read an option symbol. Raises `NotAnOption`."""
    found = _SYMBOL.fullmatch(symbol)
    if found is not None:
        root, year, month, day, letter, thousandths = found.groups()
        try:
            expiration = date(2000 + int(year), int(month), int(day))
        except ValueError:
            pass
        else:
            right = Right.CALL if letter == "C" else Right.PUT
            strike = Decimal(int(thousandths)).scaleb(-3)
            if strike > 0:
                return OccSymbol(root, expiration, right, plain(strike))
    raise NotAnOption(f"found {symbol[:40]!a}; wanted an option symbol such as SPY210129P00345000")


def is_option(symbol: str) -> bool:
    """Whether the text has the form of an option symbol."""
    return _SYMBOL.fullmatch(symbol) is not None


def is_root(text: str) -> bool:
    """Whether option symbols can begin with this."""
    return _ROOT.fullmatch(text) is not None


_ROOT = re.compile(r"[A-Z][A-Z0-9]{0,5}", re.ASCII)
_SYMBOL = re.compile(r"([A-Z][A-Z0-9]{0,5})(\d\d)(\d\d)(\d\d)([CP])(\d{8})", re.ASCII)
