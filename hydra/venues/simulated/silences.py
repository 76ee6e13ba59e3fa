"""Where the bars of a market have nothing to say of coins, which are traded round the clock."""

from collections.abc import Sequence
from itertools import pairwise

from hydra.trading.bars import Bar
from hydra.trading.instruments import is_crypto


def silent_coins(
    bars: Sequence[Bar], *, since: int, longer_than: int
) -> tuple[tuple[int, int], ...]:
    """From when to when (market time) no coin has a price for so long, from `since` on.

    None where there is no coin at all.
    """
    told = [bar for bar in bars if is_crypto(bar.symbol)]
    if not told:
        return ()
    prices = [bars[0].start_at, *(bar.end_at for bar in told), bars[-1].end_at]
    interval = told[0].end_at - told[0].start_at
    return tuple(
        (before, after - interval if after != prices[-1] else after)
        for before, after in pairwise(prices)
        if after - before > longer_than + interval and after > since
    )
