"""How the broker's order types find their price, in the words of the fill rule. Pure."""

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import assert_never

from msgspec import structs

from hydra.trading.exact import add, percent_of, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import OrderType, TimeInForce
from hydra.venues.simulated.fill_model import PriceTerms
from hydra.venues.simulated.symbols import price_step

OPEN_ONLY = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})
"""These see one price of the market and are over."""


def prices_of(order: BrokerOrder, step: Decimal | None) -> PriceTerms:
    """What the fill rule makes of the order as it was sent; `step` is that of its prices.

    A multi-leg order is a purchase at its net price, which may be below zero.
    """
    terms = _by_type(order, order.side or Side.BUY, step)
    return structs.replace(terms, open_only=order.time_in_force in OPEN_ONLY)


def trailed(order: BrokerOrder, price: Decimal) -> BrokerOrder:
    """A trailing stop after the market was at `price`: its mark may move, and its stop with it."""
    mark = price
    if order.high_water_mark is not None:
        better = max if order.side is Side.SELL else min
        mark = better(order.high_water_mark, price)
    return structs.replace(order, high_water_mark=mark, stop_price=_stop_behind(order, mark))


def _by_type(order: BrokerOrder, side: Side, step: Decimal | None) -> PriceTerms:
    limit, stop = order.limit_price, order.stop_price
    match order.order_type:
        case OrderType.MARKET:
            return PriceTerms.market(side, step=step)
        case OrderType.LIMIT:
            assert limit is not None
            return PriceTerms.limited(side, limit, step=step)
        case OrderType.STOP:
            assert stop is not None
            return PriceTerms.stopped(side, stop, step=step)
        case OrderType.STOP_LIMIT:
            assert stop is not None and limit is not None
            return PriceTerms.stop_limited(side, stop, limit, step=step)
        case OrderType.TRAILING_STOP:
            # At the market once it is hit, a purchase too: it gets no limit as other stops do.
            # As long as it has seen no price it has no stop, and nothing may hit it.
            out_of_reach = Decimal(0) if side is Side.SELL else _BEYOND_ALL_PRICES
            return PriceTerms(side=side, stop=stop or out_of_reach, pays_slippage=True, step=step)
        case _:
            assert_never(order.order_type)


def _stop_behind(order: BrokerOrder, mark: Decimal) -> Decimal:
    if order.trail_price is not None:
        distance = order.trail_price
    else:
        assert order.trail_percent is not None
        distance = percent_of(mark, order.trail_percent)
    stop = subtract(mark, distance) if order.side is Side.SELL else add(mark, distance)
    return stop.quantize(price_step(stop), rounding=ROUND_HALF_UP, context=_LONG)


_LONG = Context(prec=60)
_BEYOND_ALL_PRICES = Decimal(10**12)
