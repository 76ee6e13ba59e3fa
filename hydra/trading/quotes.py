"""A quote: the best prices at which one symbol could be bought and sold at an instant."""

import msgspec


class Quote(msgspec.Struct, frozen=True):
    """Best bid and ask of `symbol` at venue time `at` (UTC ns), with the quantities offered there.

    Prices are floats, as in bars: what becomes an order price is a `Decimal`.
    """

    symbol: str
    at: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float
