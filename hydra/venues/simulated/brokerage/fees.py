"""What trading costs at the broker: nothing but for coins, where a part of what is received stays.

A buyer receives less of the coin than the order filled, a seller less of the money.
"""

from decimal import Decimal

import msgspec

from hydra.trading.exact import multiply
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import NINE_DECIMALS, raised
from hydra.venues.simulated.brokerage.terms import BrokerageTerms


class CryptoFee(msgspec.Struct, frozen=True):
    """What the broker keeps of one execution: of the coin, or of the money (USD)."""

    coins: Decimal
    usd: Decimal


def crypto_fee(
    side: Side, quantity: Decimal, price: Decimal, *, makes: bool, terms: BrokerageTerms
) -> CryptoFee:
    """The fee of an execution. `makes`: the order rested and the other side came to it.

    Coins are kept in billionths, rounded up, so that no more is booked than there is.
    """
    bps = terms.crypto_maker_fee_bps if makes else terms.crypto_taker_fee_bps
    share = multiply(bps, _BASIS_POINT)
    if side is Side.BUY:
        return CryptoFee(coins=raised(multiply(quantity, share), NINE_DECIMALS), usd=Decimal(0))
    return CryptoFee(coins=Decimal(0), usd=multiply(multiply(quantity, price), share))


_BASIS_POINT = Decimal("0.0001")
