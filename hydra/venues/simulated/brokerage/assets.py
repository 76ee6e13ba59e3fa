"""What can be traded at the local venue, as the broker's list of assets describes it."""

from decimal import Decimal

import msgspec

from hydra.venues.simulated.brokerage.words import AssetClass


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset. `id` is a UUID; `symbol` is AAPL, BTC/USD or an OCC option symbol.

    The three crypto fields are None for all else; `margin_pct` is the part of its value, in
    percent, that a position in it ties up over night.
    """

    id: str
    asset_class: AssetClass
    exchange: str
    symbol: str
    name: str
    is_active: bool = True
    tradable: bool = True
    marginable: bool = True
    shortable: bool = True
    easy_to_borrow: bool = True
    fractionable: bool = True
    margin_pct: int = 30
    attributes: tuple[str, ...] = ()
    min_order_size: Decimal | None = None
    min_trade_increment: Decimal | None = None
    price_increment: Decimal | None = None
