"""A bar: what one symbol's market did in one interval."""

import msgspec


# Without gc: a bar refers to nothing that could refer to it, and a replay holds a million of them,
# which Python would look through again and again.
class Bar(msgspec.Struct, frozen=True, gc=False):
    """Open, high, low, close and volume of `symbol` over [start_at, end_at), in UTC nanoseconds.

    Prices are floats: they feed indicators. What becomes an order price is a `Decimal`.
    """

    symbol: str
    start_at: int
    end_at: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def late_after(bar_interval: int) -> int:
    """How long after its end the newest bar counts as late, in ns: two and a half intervals.

    One bar may be missing, as where nobody traded for a minute, and the next one be on its way.
    """
    return bar_interval * 5 // 2
