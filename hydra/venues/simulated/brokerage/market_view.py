"""What the brokerage may know of the market: prices, what there is to trade, and when."""

from typing import Protocol

from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.quotes import Quotes


class MarketView(Quotes, Protocol):
    """Prices, assets, option contracts and sessions: a pure function of the market's data."""

    @property
    def sessions(self) -> SessionTable:
        """The regular sessions of the stock exchange."""

    def asset(self, name: str) -> Asset | None:
        """The equity or coin of this symbol (BTC/USD or BTCUSD) or id; option contracts are none.

        None: there is none.
        """

    def contract(self, name: str) -> OptionContract | None:
        """The option contract of this OCC symbol or id; None: there is none."""
