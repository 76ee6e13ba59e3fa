"""At which price an order may execute at worst, as far as that can be known beforehand.

That a short sale is counted at its limit or 3 % over the ask is documented. That a purchase at the
market is counted over the ask is too, but not by how much: the distance of a stop is taken.
"""

from decimal import Decimal

from hydra.trading.exact import add, multiply, percent_of, total
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.brokerage.requests import Leg, PlaceOrder
from hydra.venues.simulated.brokerage.view import SymbolView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType
from hydra.venues.simulated.fill_model import dearest_at_stop


def limit_of(order: PlaceOrder) -> Decimal | None:
    """The limit that the order itself has; that of an OCO is its target's."""
    if order.order_class is OrderClass.OCO and order.take_profit is not None:
        return order.take_profit.limit_price
    return order.limit_price


def base_price(order: PlaceOrder, quote: Quote | None) -> Decimal | None:
    """What the exits of a bracket are measured by: the limit, else the last price."""
    if order.limit_price is not None:
        return order.limit_price
    return None if quote is None else quote.last


def dearest_purchase(order: PlaceOrder, quote: Quote | None) -> Decimal | None:
    """The most that a purchase may pay a share; None if nobody can know.

    Without a limit it may pay more than the price it starts from by as much as at a stop.
    """
    match order.order_type:
        case OrderType.LIMIT | OrderType.STOP_LIMIT:
            return limit_of(order)
        case OrderType.STOP:
            return None if order.stop_price is None else dearest_at_stop(order.stop_price)
        case OrderType.TRAILING_STOP:
            return None if quote is None else dearest_at_stop(_trailed(order, quote.ask))
        case OrderType.MARKET:
            return None if quote is None else dearest_at_stop(quote.ask)
        case None:
            return None


def dearest_repurchase(order: PlaceOrder, quote: Quote | None) -> Decimal | None:
    """What a share sold short is counted at: its limit, or 3 % over the ask if that is more."""
    prices = [price for price in (limit_of(order), order.stop_price) if price is not None]
    if quote is not None:
        prices.append(multiply(quote.ask, _SHORT_SALE_COLLAR))
    return max(prices, default=None)


def cheapest_sale(order: PlaceOrder, quote: Quote | None) -> Decimal | None:
    """The least that a sale may bring a share, as far as its limit or the bid promise."""
    limit = limit_of(order)
    if limit is not None:
        return limit
    return None if quote is None or order.order_type is not OrderType.MARKET else quote.bid


def net_price(order: PlaceOrder, legs: tuple[SymbolView, ...]) -> Decimal | None:
    """What one unit of a multi-leg order costs a share at worst; below zero: what it brings."""
    if order.limit_price is not None:
        return order.limit_price
    prices = [_leg_price(leg, view.quote) for leg, view in zip(order.legs, legs, strict=True)]
    known = [price for price in prices if price is not None]
    return total(known) if len(known) == len(prices) else None


def _leg_price(leg: Leg, quote: Quote | None) -> Decimal | None:
    if quote is None:
        return None
    if leg.side is Side.BUY:
        return multiply(leg.ratio_quantity, dearest_at_stop(quote.ask))
    return multiply(leg.ratio_quantity.copy_negate(), quote.bid)


def _trailed(order: PlaceOrder, ask: Decimal) -> Decimal:
    if order.trail_price is not None:
        return add(ask, order.trail_price)
    return add(ask, percent_of(ask, order.trail_percent or Decimal(0)))


_SHORT_SALE_COLLAR = Decimal("1.03")
