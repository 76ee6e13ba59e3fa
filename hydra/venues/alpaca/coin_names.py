"""How a coin pair is spelled: BTC/USD in orders, BTCUSD in positions. Both bear one asset id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hydra.venues.alpaca.payloads import OrderPayload, PositionPayload
from hydra.venues.alpaca.reads import Reads


class CoinNames:
    """The spelling of orders, by asset id. Used by one thread at a time."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}
        self._strange: set[str] = set()
        """What the broker does not list, and so is not asked for again."""

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
            self._ask(reads)
        return self._symbols

    def pair_of(self, symbol: str, reads: Reads) -> str:
        """The spelling of orders for a coin pair that may be spelled without the slash.

        Asks the broker if it is not known; one that the broker does not know stays as it is.
        """
        if "/" in symbol or symbol in self._strange:
            return symbol
        if symbol not in self._spelled_out():
            self._ask(reads)
        known = self._spelled_out().get(symbol)
        if known is None:
            self._strange.add(symbol)
        return known or symbol

    def _spelled_out(self) -> dict[str, str]:
        return {pair.replace("/", ""): pair for pair in self._symbols.values()}

    def _ask(self, reads: Reads) -> None:
        for asset in reads.coins():
            if "/" in asset.symbol:
                self._symbols[asset.id] = asset.symbol
