"""A position as the broker shows it."""

from decimal import Decimal

import msgspec

from hydra.venues.simulated.brokerage.words import AssetClass


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one asset. Quantities are negative for a short, and never zero.

    `symbol` is as on an order (BTC/USD; the wire writes BTCUSD). `average_entry_price` is per
    share, contract's share or coin; `cost_basis` and `market_value` are in USD, signed like the
    quantity. What depends on a price is None as long as none is known.
    """

    asset_id: str
    symbol: str
    exchange: str
    asset_class: AssetClass
    marginable: bool
    quantity: Decimal
    quantity_available: Decimal
    average_entry_price: Decimal
    cost_basis: Decimal
    market_value: Decimal | None
    unrealized_pl: Decimal | None
    unrealized_intraday_pl: Decimal | None
    intraday_cost_basis: Decimal
    """What today's profit is measured against: yesterday's value and today's purchases."""
    current_price: Decimal | None
    lastday_price: Decimal | None
