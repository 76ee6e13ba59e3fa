"""What a feed may tell in the place of a bar, or of a quote of a contract.

None of the bars may be traded on, and of the quotes none but those that a market may well make: a
wide one, or one that only comes again (I46).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan

from msgspec.structs import replace

from hydra.trading.bars import Bar
from hydra.trading.durations import HOUR, MINUTE
from hydra.trading.quotes import Quote

LIES: Mapping[str, Callable[[Bar], tuple[Bar, ...]]] = {
    "no number": lambda bar: (replace(bar, close=nan),),
    "no price": lambda bar: (replace(bar, low=-bar.low),),
    "told twice": lambda bar: (bar, bar),
    "of the future": lambda bar: (replace(bar, end_at=bar.end_at + HOUR),),
    "of another symbol": lambda bar: (replace(bar, symbol="NOBODYS"),),
    "turned round": lambda bar: (replace(bar, high=bar.low, low=bar.high + 1.0),),
}
"""By name: what is told in the place of a good bar."""

QUOTE_LIES: Mapping[str, Callable[[Quote], Quote]] = {
    "wide": lambda quote: replace(quote, bid=quote.bid * 0.8, ask=quote.ask * 1.2),
    "too wide": lambda quote: replace(quote, bid=quote.bid * 0.2, ask=quote.ask * 3.0),
    "crossed": lambda quote: replace(quote, bid=quote.ask, ask=quote.bid),
    "one side": lambda quote: replace(quote, bid=0.0, bid_size=0.0),
    "no number": lambda quote: replace(quote, ask=nan),
    "stale": lambda quote: replace(quote, at=quote.at - 10 * MINUTE),
    "of the future": lambda quote: replace(quote, at=quote.at + HOUR),
    "ten times": lambda quote: replace(quote, bid=quote.bid * 10.0, ask=quote.ask * 10.0),
    "always the same": lambda quote: replace(quote, bid=1.5, ask=1.52, bid_size=1.0, ask_size=1.0),
}
"""By name: what is told in the place of a good quote.

None says for long that a contract is worth much less than it is: who believes that buys more of it
than a symbol may be worth, and no engine can know better.
"""
