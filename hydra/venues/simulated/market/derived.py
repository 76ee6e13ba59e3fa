"""What is shown of a bar while it is in progress, and what was traded in it: derived, documented.

The truth of this market is its bars; everything finer is made up from them, always in the same
way, so that a bar of these trades is the bar they were made from.

**Path.** A bar's time is cut into four quarters, in each of which the price stands still: at the
open, at one extreme, at the other, at the close. The low comes first in a bar that closes at or
over its open, else the high.

**Trades.** One at the beginning of each quarter, at the price of the path. Together they are the
bar's volume: shares and contracts whole, a quarter of them each and what is left over in the first
ones; coins, and volumes of less than four, in equal parts; a volume that is not whole has its
fraction in the last trade. A bar without volume has no trades. Who takes the price follows from
where it goes: a price that rose was taken by a buyer. A trade's id is the second in which it was.

**Quotes.** One at the beginning of each quarter: the nearest prices under and over the path's that
can be quoted (steps of $0.01 from $1 on, of $0.0001 below), or those `spread_bps` of the price
apart if that is more. Where the path is on a step, it is in the middle. As much is bid and offered
as is traded in the quarter, at least 100 shares or a hundredth of a coin. Under the smallest step
nobody bids: price and size 0.
"""

from collections.abc import Iterator
from math import ceil, floor, fsum
from operator import mul

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Side
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted

QUARTERS = (0, 1, 2, 3)
SHARES_SHOWN_MIN = 100.0
COINS_SHOWN_MIN = 0.01


def path_of(bar: Bar) -> tuple[float, float, float, float]:
    """The price in each quarter."""
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def quarter_at(bar: Bar, at: int) -> int:
    """Which quarter is on at `at` (UTC ns, not before the bar); the last one after its end too."""
    return min(3, (at - bar.start_at) * 4 // (bar.end_at - bar.start_at))


def quarter_begins(bar: Bar, quarter: int) -> int:
    """When (UTC ns)."""
    return bar.start_at + (bar.end_at - bar.start_at) * quarter // 4


def sizes_of(bar: Bar) -> tuple[float, float, float, float]:
    """How much is traded in each quarter; added up in their order they are exactly the volume."""
    volume = bar.volume
    if volume < 4.0 or is_crypto(bar.symbol):
        # A division by four is exact, and so are these sums: no digit is lost on the way.
        part = volume / 4.0
        return part, part, part, part
    whole, left_over = divmod(int(volume), 4)
    first = float(whole + (left_over > 0))
    second = float(whole + (left_over > 1))
    third = float(whole + (left_over > 2))
    return first, second, third, volume - (first + second + third)


def quarters_of(bar: Bar) -> Iterator[Bar]:
    """The bar as four, each of one price."""
    for quarter, price, size in zip(QUARTERS, path_of(bar), sizes_of(bar), strict=True):
        start_at, end_at = quarter_begins(bar, quarter), quarter_begins(bar, quarter + 1)
        yield Bar(bar.symbol, start_at, end_at, price, price, price, price, size)


def trade_in(bar: Bar, quarter: int) -> TradePrinted | None:
    """The trade at the beginning of a quarter; None in a bar without volume."""
    size = sizes_of(bar)[quarter]
    if size == 0.0:
        return None
    at = quarter_begins(bar, quarter)
    rises = (quarter in (0, 2)) == (bar.close >= bar.open)
    taker = Side.BUY if rises else Side.SELL
    return TradePrinted(bar.symbol, at, path_of(bar)[quarter], size, at // SECOND, taker)


def quote_in(bar: Bar, quarter: int, spread_share: float) -> QuoteChanged:
    """The quote from the beginning of a quarter on, at least `spread_share` of the price wide."""
    shown_min = COINS_SHOWN_MIN if is_crypto(bar.symbol) else SHARES_SHOWN_MIN
    size = max(sizes_of(bar)[quarter], shown_min)
    bid, ask = prices_around(path_of(bar)[quarter], spread_share)
    return QuoteChanged(
        bar.symbol, quarter_begins(bar, quarter), bid, ask, size if bid > 0.0 else 0.0, size
    )


def prices_around(price: float, spread_share: float) -> tuple[float, float]:
    """The best bid and ask where the market trades at `price`."""
    half = price * spread_share / 2.0
    # A price on a step is a few billionths off it as a float, and must not count as beside it.
    steps = 100.0 if price >= 1.0 else 10_000.0
    bid = (ceil((price - half) * steps - _ON_STEP) - 1) / steps
    # From one dollar on the steps are cents, and a wide spread can end there.
    steps = 100.0 if price + half >= 1.0 - _ON_STEP / 10_000.0 else 10_000.0
    ask = (floor((price + half) * steps + _ON_STEP) + 1) / steps
    return bid, ask


def value_of(bar: Bar) -> float:
    """The bar's trades in USD: their prices times their sizes."""
    return fsum(map(mul, path_of(bar), sizes_of(bar)))


def trade_count(bar: Bar) -> int:
    """How many trades the bar has."""
    return 4 if bar.volume else 0


_ON_STEP = 1e-6
