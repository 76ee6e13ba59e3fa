"""What happens in the local venue's market, one event after another. Each has its time `at`."""

from typing import TypeAlias

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.venues.simulated.playback import BarBegun, MarketEnded, SessionClosed


class BarEnded(msgspec.Struct, frozen=True):
    """A bar is over, and whole."""

    at: int
    bar: Bar


class QuoteChanged(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask from `at` (UTC ns) on; sizes in shares, contracts or coins.

    A bid of 0 with a size of 0: nobody bids.
    """

    symbol: str
    at: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class TradePrinted(msgspec.Struct, frozen=True, gc=False):
    """A trade of others. `id` is of its own within the symbol; `taker` is who took the price."""

    symbol: str
    at: int
    price: float
    size: float
    id: int
    taker: Side


class SessionOpened(msgspec.Struct, frozen=True):
    """The exchange opened; `date` is the session's ISO date."""

    at: int
    date: str


TapeEvent: TypeAlias = (
    BarBegun | BarEnded | QuoteChanged | TradePrinted | SessionOpened | SessionClosed | MarketEnded
)

__all__ = [
    "BarBegun",
    "BarEnded",
    "MarketEnded",
    "QuoteChanged",
    "SessionClosed",
    "SessionOpened",
    "TapeEvent",
    "TradePrinted",
]
