"""The market's prices by symbol, each with its market time; an older one is passed over.

Prices of bars are floats, and come far more often than anybody asks for them. So one is made a
decimal, and looked at, when it is first asked for.
"""

from decimal import Decimal

from hydra.trading.exposure import is_price

NOT_A_PRICE = Decimal("NaN")


class Marks:
    """What was told last of each symbol."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Decimal | float, int]] = {}
        self._prices: dict[str, Decimal | None] = {}
        """Of those that somebody asked for since they were told."""

    def put(self, symbol: str, price: Decimal | float, at: int) -> bool:
        """The price at market time `at`. True: it takes the place of one that `price` has given, so
        that what was reckoned by that is not so any more. Of a newer one that is known nothing is
        changed.
        """
        known = self._told.get(symbol)
        if known is not None and at < known[1]:
            return False
        self._told[symbol] = (price, at)
        if symbol not in self._prices:
            return False
        del self._prices[symbol]
        return True

    def told(self, symbol: str) -> tuple[Decimal | None, int]:
        """What was told, whether or not it can be a price, and when; None and 0: nothing was."""
        known = self._told.get(symbol)
        if known is None:
            return None, 0
        price, at = known
        if isinstance(price, Decimal):
            return price, at
        if isinstance(price, bool):  # what passes for a number and is none
            return NOT_A_PRICE, at
        printed = Decimal(repr(price))
        self._told[symbol] = (printed, at)
        return printed, at

    def price(self, symbol: str) -> Decimal | None:
        """The price; None if nothing was told, or what was told cannot be one."""
        if symbol in self._prices:
            return self._prices[symbol]
        told, _ = self.told(symbol)
        price = self._prices[symbol] = told if told is not None and is_price(told) else None
        return price
