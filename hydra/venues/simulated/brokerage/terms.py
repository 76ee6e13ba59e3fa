"""On what terms the brokerage keeps its account and executes orders."""

from decimal import Decimal

import msgspec

ACCOUNT_NUMBER = "PA3HYDRA0001"
"""It says whose it is: nobody may take this account for one at a real broker."""


class BrokerageTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change in the life of a brokerage: two of other terms are two brokerages.

    `seed` names every id and draws the random partial executions. `starting_cash` is in USD and at
    least 0. `slippage_bps` (at least 0, under 10,000) moves the price of market and stop orders.
    `max_participation` (over 0, at most 1, or None) is the share of a bar's volume that orders may
    take; `partial_fill_rate` (0 to 1) the share of executions that are cut short, as on paper.
    `multiplier` is 1 (cash account), 2 or 4. `options_level` is 0 to 3. The crypto fees are in
    basis points. Anything else is a ValueError.
    """

    seed: int = 0
    account_number: str = ACCOUNT_NUMBER
    created_at: int = 0
    starting_cash: Decimal = Decimal(100_000)
    slippage_bps: Decimal = Decimal(0)
    max_participation: Decimal | None = None
    partial_fill_rate: Decimal = Decimal(0)
    multiplier: int = 2
    shorts_allowed: bool = True
    options_level: int = 3
    crypto_taker_fee_bps: Decimal = Decimal(25)
    crypto_maker_fee_bps: Decimal = Decimal(15)

    def __post_init__(self) -> None:
        for name, is_fit, wanted in (
            ("starting_cash", self.starting_cash.is_finite() and self.starting_cash >= 0, "0 up"),
            ("slippage_bps", _are_basis_points(self.slippage_bps), "0 to under 10000"),
            (
                "max_participation",
                self.max_participation is None or 0 < self.max_participation <= 1,
                "over 0 and at most 1, or None",
            ),
            ("partial_fill_rate", 0 <= self.partial_fill_rate <= 1, "0 to 1"),
            ("multiplier", self.multiplier in (1, 2, 4), "1, 2 or 4"),
            ("options_level", self.options_level in (0, 1, 2, 3), "0 to 3"),
            (
                "crypto_taker_fee_bps",
                _are_basis_points(self.crypto_taker_fee_bps),
                "0 to under 10000",
            ),
            (
                "crypto_maker_fee_bps",
                _are_basis_points(self.crypto_maker_fee_bps),
                "0 to under 10000",
            ),
        ):
            if not is_fit:
                raise ValueError(f"{name} is {getattr(self, name)}, wanted {wanted}")


def _are_basis_points(value: Decimal) -> bool:
    return 0 <= value < 10_000
