"""Whether what is to be traded exists and can be traded."""

from collections.abc import Iterator

from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.refusals import Refusal, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import OrderClass


def asset_is_known(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for symbol, seen in _named(order, view):
        if not _bears(seen, symbol):
            return unprocessable(f'asset "{symbol}" not found')
    return None


def asset_is_tradable(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for symbol, seen in _named(order, view):
        if seen.contract is not None:
            tradable = seen.contract.tradable
        else:
            tradable = seen.asset is not None and seen.asset.is_active and seen.asset.tradable
        if not tradable:
            return unprocessable(f'asset "{symbol}" is not tradable')
    return None


ASSET: tuple[Check, ...] = (asset_is_known, asset_is_tradable)


def _named(order: PlaceOrder, view: OrderView) -> Iterator[tuple[str, SymbolView]]:
    if order.order_class is OrderClass.MLEG:
        for leg, seen in zip(order.legs, view.legs, strict=True):
            yield leg.symbol, seen
    else:
        yield order.symbol, view.subject


def _bears(seen: SymbolView, symbol: str) -> bool:
    """An order must name its symbol as it is listed: BTC/USD, never BTCUSD or an id."""
    named = seen.contract or seen.asset
    return named is not None and named.symbol == symbol
