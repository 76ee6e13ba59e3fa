"""What makes USD of one symbol's quantities and prices, and of the way to a stop (SCOPE K11).

One of a symbol is worth `units` times its price. A stop is taken to be executed with a gap, and
each execution, the one that opens and the one that closes, to cost the most that the venue's
schedule of fees allows. Fees are linear in quantity and price, so that a fill moves what is at risk
from the order to the position and never makes it more (I31, I32).
"""

from decimal import Decimal

import msgspec

from hydra.trading.exact import multiply
from hydra.trading.fees import FeeSchedule, most_of
from hydra.trading.instruments import units_of


class Costs(msgspec.Struct, frozen=True):
    """USD for one of a symbol: so much, and `of_price` times the highest price that is known."""

    flat: Decimal
    of_price: Decimal


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """How one symbol is reckoned; see the module.

    A stop is taken to be executed `gap_factor` times as far away as it is. Fees for one of it: to
    open and close a long (a short), and to close one that is held.
    """

    units: Decimal
    gap_factor: Decimal
    long: Costs
    short: Costs
    long_held: Costs
    short_held: Costs


def reckoning(symbol: str, gap_factor: Decimal, schedule: FeeSchedule) -> Reckoning:
    """How this symbol is reckoned at a venue with these fees.

    A short is taken to lose twice its worth at the most, so it is bought back at three times.
    """
    units, most = units_of(symbol), most_of(symbol, schedule)
    share = multiply(most.share, units)

    def costs(executions: int, prices: int) -> Costs:
        return Costs(multiply(most.each, Decimal(executions)), multiply(share, Decimal(prices)))

    return Reckoning(
        units=units,
        gap_factor=gap_factor,
        long=costs(2, 1 + 1),
        short=costs(2, 1 + 3),
        long_held=costs(1, 1),
        short_held=costs(1, 3),
    )
