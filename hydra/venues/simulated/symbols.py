"""What a symbol names, and in which steps it is traded."""

from decimal import Decimal

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
    """The smallest difference between two prices at this height: a cent, below $1 a hundredth."""
    return _STEP_FROM_ONE_DOLLAR if price >= 1 else _STEP_BELOW_ONE_DOLLAR


_STEP_FROM_ONE_DOLLAR = Decimal("0.01")
_STEP_BELOW_ONE_DOLLAR = Decimal("0.0001")
