"""The equities and coins of a market, as the broker lists them.

What a bars file does not tell is filled in: every share is an ordinary one, easy to borrow, with
options, and may be traded in fractions also outside of regular hours. A coin's price increment is
the step in which the venue executes at the highest price of its data, so that no order asks for a
finer one.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hydra.trading.instruments import is_crypto
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.words import AssetClass
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.hashing import id_of
from hydra.venues.simulated.symbols import QUANTITY_STEP, base_of, price_step

SHARE_ATTRIBUTES = ("fractional_eh_enabled", "has_options")
MIN_ORDER_USD = Decimal(1)
"""What the smallest order of a coin is worth at the first price of its data."""


class AssetList:
    """Every asset of a market once, by symbol or id. Ids are the same in every run."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets = tuple(sorted(assets, key=_symbol))
        self._by_name = {
            name: asset
            for asset in self._assets
            for name in (asset.symbol, asset.symbol.replace("/", ""), asset.id)
        }

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._assets)

    def __len__(self) -> int:
        return len(self._assets)

    def find(self, name: str) -> Asset | None:
        """The asset of this symbol (BTC/USD or BTCUSD) or id; None: there is none."""
        return self._by_name.get(name)


def share(symbol: str) -> Asset:
    """An ordinary share."""
    return Asset(
        id=id_of("asset", symbol),
        asset_class=AssetClass.EQUITY,
        exchange="NASDAQ",
        symbol=symbol,
        name=f"{symbol} Common Stock",
        attributes=SHARE_ATTRIBUTES,
    )


def coin(symbol: str, first_price: float, highest_price: float) -> Asset:
    """A coin that was first seen at one price and at most at the other (USD)."""
    price = as_written(first_price)
    smallest = (MIN_ORDER_USD / price).quantize(QUANTITY_STEP)
    return Asset(
        id=id_of("asset", symbol),
        asset_class=AssetClass.CRYPTO,
        exchange="CRYPTO",
        symbol=symbol,
        name=f"{base_of(symbol)} / US Dollar",
        marginable=False,
        shortable=False,
        easy_to_borrow=False,
        margin_pct=100,
        min_order_size=max(smallest, QUANTITY_STEP),
        min_trade_increment=QUANTITY_STEP,
        price_increment=price_step(as_written(highest_price)),
    )


def asset_of(symbol: str, first_price: float, highest_price: float) -> Asset:
    """The share or coin of this symbol."""
    return coin(symbol, first_price, highest_price) if is_crypto(symbol) else share(symbol)


def _symbol(asset: Asset) -> str:
    return asset.symbol
