"""What every quote must be before anybody sees it (I46)."""

from math import isfinite

from hydra.trading.quotes import Quote

SPREAD_MAX = 0.5
"""Of the middle: a wider quote is a placeholder, and nobody means its prices."""


def nonsense_in(quote: Quote) -> str | None:
    """What no market says: numbers that are none, prices and sizes under 0. None: nothing."""
    # One chain for the good case; NaN fails every comparison, so it cannot slip through.
    prices_are_some = 0 <= quote.bid < _TOO_LARGE and 0 <= quote.ask < _TOO_LARGE
    if prices_are_some and 0 <= quote.bid_size < _TOO_LARGE and 0 <= quote.ask_size < _TOO_LARGE:
        return None
    for name in ("bid", "ask", "bid_size", "ask_size"):
        value = getattr(quote, name)
        if not isfinite(value):
            return f"found {name} {value}; wanted a finite number"
        if value < 0:
            return f"found {name} {value}; wanted 0 or more"
    return "found a number that no price or quantity can be"


def unusable_in(quote: Quote) -> str | None:
    """Why a quote that a market may well make is no price: a side is missing, or they cross.

    It is dropped all the same, and by itself is no sign that the feed is broken.
    """
    if not (quote.bid > 0 and quote.ask > 0):
        return f"found bid {quote.bid} and ask {quote.ask}; wanted both over 0"
    if not quote.bid < quote.ask:
        return f"found bid {quote.bid} at or over ask {quote.ask}; wanted it under"
    if not quote.ask - quote.bid <= SPREAD_MAX * middle(quote):
        return f"found bid {quote.bid} and ask {quote.ask}; wanted them closer together"
    return None


def middle(quote: Quote) -> float:
    """Half way from bid to ask."""
    return (quote.bid + quote.ask) / 2


_TOO_LARGE = 1e15
