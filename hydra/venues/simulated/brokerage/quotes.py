"""What a market shows at an instant: the side of the venue that executions are priced by."""

from decimal import Decimal
from typing import Protocol

import msgspec


class Quote(msgspec.Struct, frozen=True):
    """The best bid and ask of a symbol at market time `at`; sizes in shares, contracts or coins.

    `last` is the price of the newest trade. bid < ask always.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    last: Decimal
    at: int


class Quotes(Protocol):
    """Where the brokerage looks up prices. A pure function of the market's data and the time."""

    def quote(self, symbol: str, at: int) -> Quote | None:
        """What the market shows at `at`, at the latest known price; None: never seen before it."""

    def is_trading(self, symbol: str, at: int) -> bool:
        """Whether the symbol trades right now: its quote is of this very moment and not stale."""
