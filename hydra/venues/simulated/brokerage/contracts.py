"""Option contracts, as the local venue lists them."""

from datetime import date
from decimal import Decimal
from enum import Enum

import msgspec


class Right(Enum):
    """What the holder of an option may do at its strike: buy (call) or sell (put)."""

    CALL = "call"
    PUT = "put"


class OptionContract(msgspec.Struct, frozen=True, kw_only=True):
    """One listed contract. `symbol` is its OCC symbol without padding, `id` a UUID.

    `multiplier` shares are delivered for one contract. `in_penny_program`: quoted in cents
    below $3. `style` is "american" or "european".
    """

    id: str
    symbol: str
    underlying: str
    expiration: date
    right: Right
    strike: Decimal
    style: str = "american"
    multiplier: int = 100
    in_penny_program: bool = True
    open_interest: int | None = None
    open_interest_date: date | None = None
    close_price: Decimal | None = None
    close_price_date: date | None = None
    tradable: bool = True
