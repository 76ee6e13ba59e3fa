"""How a coin pair is spelled: BTC/USD in orders, BTCUSD in positions. Both bear one asset id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hydra.venues.alpaca.payloads import OrderPayload, PositionPayload
from hydra.venues.alpaca.reads import Reads


class CoinNames:
    """The spelling of orders, by asset id. Used by one thread at a time."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def learn(self, order: OrderPayload) -> None:
        """An order tells it as well."""
        if order.asset_id and order.symbol and "/" in order.symbol:
            self._symbols[order.asset_id] = order.symbol

    def symbols_of(self, positions: Iterable[PositionPayload], reads: Reads) -> Mapping[str, str]:
        """The symbols by asset id, with those of all coins that are held.

        Asks the broker for its list of coins if one is not known. A coin that is not in it keeps
        the spelling of its position, which then fits no order of ours, and shows as a difference.
        """
        coins = (each.asset_id for each in positions if each.asset_class == "crypto")
        if any(asset_id not in self._symbols for asset_id in coins):
            for asset in reads.coins():
                if "/" in asset.symbol:
                    self._symbols[asset.id] = asset.symbol
        return self._symbols
