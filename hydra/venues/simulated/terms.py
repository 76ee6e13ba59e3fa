"""On what terms the simulated venue keeps an account and executes orders."""

from decimal import Decimal

import msgspec

EMBEDDED_ACCOUNT = "PA-HYDRA-EMBEDDED"
"""It says whose it is: nobody may take this venue for a real broker."""


class VenueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change in the life of a venue: two of other terms are two venues.

    `starting_cash` is in USD and at least 0. `slippage_bps` is at least 0 and under 10,000;
    `max_participation` (the share of a bar's volume that orders may take) is over 0 and at most 1,
    or None for executions of any size. `crypto_fee_bps` (at least 0, under 10,000) is what is kept
    of a coin's execution: of the coins that a buyer gets, of the USD that a seller does. Anything
    else is a ValueError.
    """

    account: str = EMBEDDED_ACCOUNT
    starting_cash: Decimal = Decimal(100_000)
    slippage_bps: Decimal = Decimal(0)
    max_participation: Decimal | None = None
    shorts_allowed: bool = False
    crypto_fee_bps: Decimal = Decimal(25)

    def __post_init__(self) -> None:
        if not (self.starting_cash.is_finite() and self.starting_cash >= 0):
            raise ValueError(f"starting_cash is {self.starting_cash}, wanted at least 0")
        if not 0 <= self.slippage_bps < 10_000:
            raise ValueError(
                f"slippage_bps is {self.slippage_bps}, wanted at least 0 and under 10000"
            )
        if not 0 <= self.crypto_fee_bps < 10_000:
            raise ValueError(
                f"crypto_fee_bps is {self.crypto_fee_bps}, wanted at least 0 and under 10000"
            )
        if self.max_participation is not None and not 0 < self.max_participation <= 1:
            raise ValueError(
                f"max_participation is {self.max_participation},"
                " wanted over 0 and at most 1, or None"
            )
