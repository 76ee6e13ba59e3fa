"""What a symbol names, and in which steps it is traded."""

from decimal import Decimal

from hydra.trading.coin_orders import COIN_PRICE_STEPS, ZERO
from hydra.trading.instruments import is_crypto

QUANTITY_DECIMALS = 9
QUANTITY_STEP = Decimal("0.000000001")
"""The finest quantity that the venue knows: of coins, and of shares in fractional orders."""


def base_of(symbol: str) -> str:
    """The coin of a pair: BTC of BTC/USD."""
    return symbol.partition("/")[0]


def quantity_step(symbol: str) -> Decimal:
    """What a partial execution is a multiple of: coins have nine decimals, shares are whole."""
    return QUANTITY_STEP if is_crypto(symbol) else Decimal(1)


def price_step(price: Decimal) -> Decimal:
    """The smallest difference between two prices at this height: a cent, below $1 a hundredth of
    one, and below a cent, where only coins are, what `COIN_PRICE_STEPS` says.
    """
    if price >= 1:
        return _STEP_FROM_ONE_DOLLAR
    if price >= _ONE_CENT:
        return _STEP_BELOW_ONE_DOLLAR
    return next(each.step for each in _CHEAPEST_LAST if each.from_price <= max(price, ZERO))


_ONE_CENT = _STEP_FROM_ONE_DOLLAR = Decimal("0.01")
_STEP_BELOW_ONE_DOLLAR = Decimal("0.0001")
_CHEAPEST_LAST = COIN_PRICE_STEPS[::-1]
