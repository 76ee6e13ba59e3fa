"""What is held and what it is worth, symbol by symbol, and all of it together.

Each price of each symbol asks for the whole, and only what has changed is valued anew for it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hydra.trading.exact import total_if_known


class Worth(msgspec.Struct, frozen=True):
    """Of what is held of one symbol, in USD; None: it cannot be valued."""

    usd: Decimal | None


class Worths:
    """`worth_of` gives what a symbol's holdings are worth now, None if there are none."""

    def __init__(self, worth_of: Callable[[str], Worth | None]) -> None:
        self._worth_of = worth_of
        self._worths: dict[str, Worth] = {}
        self._changed: set[str] = set()

    def changed(self, symbol: str) -> None:
        """What is held of it has changed, or may have."""
        self._changed.add(symbol)

    def repriced(self, symbol: str) -> None:
        """Its price has changed."""
        if symbol in self._worths:
            self._changed.add(symbol)

    @property
    def held(self) -> Mapping[str, Worth]:
        """What is held, by symbol."""
        for symbol in self._changed:
            worth = self._worth_of(symbol)
            if worth is None:
                self._worths.pop(symbol, None)
            else:
                self._worths[symbol] = worth
        self._changed.clear()
        return self._worths

    @property
    def total(self) -> Decimal | None:
        """Of everything; None if something of it cannot be valued."""
        return total_if_known([worth.usd for worth in self.held.values()])
