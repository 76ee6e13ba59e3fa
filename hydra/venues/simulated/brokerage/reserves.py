"""What a new order would tie up of the account, from the situation that it meets."""

from decimal import Decimal

from hydra.trading.exact import add, multiply
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.money import PAID_IN_FULL_PCT, Reserve
from hydra.venues.simulated.brokerage.option_book import OptionLot, added_risk
from hydra.venues.simulated.brokerage.option_rules import longs_cover, lots_of
from hydra.venues.simulated.brokerage.pricing import (
    cheapest_sale,
    dearest_purchase,
    dearest_repurchase,
    net_price,
)
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import AssetClass, OrderClass


def reserve_of(order: PlaceOrder, view: OrderView) -> Reserve:
    """Nothing for what closes a position: no account is so poor that it must not.

    An order without a limit in a symbol that was never seen has no price yet and ties up nothing.
    """
    if order.order_class is OrderClass.MLEG or view.subject.contract is not None:
        return _reserve_of_options(order, view)
    if order.side is None or view.subject.asset is None:
        return Reserve()
    if order.side.sign * view.subject.position < 0:
        return Reserve()
    return _reserve_of_shares(order, view, view.subject.asset)


def own_rate_pct(asset: Asset) -> int:
    """What part of its value a position in it ties up at least."""
    pays_in_full = asset.asset_class is not AssetClass.EQUITY or not asset.marginable
    return PAID_IN_FULL_PCT if pays_in_full else asset.margin_pct


def _reserve_of_shares(order: PlaceOrder, view: OrderView, asset: Asset) -> Reserve:
    buys = order.side is Side.BUY
    price_at_worst = dearest_purchase if buys else dearest_repurchase
    if order.notional is not None:
        value = order.notional
    else:
        price = price_at_worst(order, view.subject.quote)
        if price is None or order.quantity is None:
            return Reserve()
        value = multiply(order.quantity, price)
    return Reserve(value=value, margin_pct=own_rate_pct(asset), cash=value if buys else Decimal(0))


def _reserve_of_options(order: PlaceOrder, view: OrderView) -> Reserve:
    lots = lots_of(order, view)
    if all(_closes(lot, view) for lot in lots) and all(lot.quantity > 0 for lot in lots):
        return Reserve()
    risk = added_risk(view.options, lots, longs_cover(view)).payout
    at_risk = max(Decimal(0), add(risk, _paid_for_options(order, view)))
    return Reserve(value=at_risk, cash=at_risk)


def _paid_for_options(order: PlaceOrder, view: OrderView) -> Decimal:
    """What the order costs in money, below zero for what it brings at least."""
    if order.quantity is None:
        return Decimal(0)
    if order.order_class is OrderClass.MLEG:
        price, contract = net_price(order, view.legs), view.legs[0].contract
    elif order.side is Side.BUY:
        price, contract = dearest_purchase(order, view.subject.quote), view.subject.contract
    else:
        price, contract = cheapest_sale(order, view.subject.quote), view.subject.contract
        price = None if price is None else price.copy_negate()
    if price is None or contract is None:
        return Decimal(0)
    return multiply(multiply(order.quantity, Decimal(contract.multiplier)), price)


def _closes(lot: OptionLot, view: OrderView) -> bool:
    held = next(
        (h.quantity for h in view.options.held if h.contract.symbol == lot.contract.symbol),
        Decimal(0),
    )
    return held * lot.quantity < 0
