"""At what price, if at all, one bar executes one order: a pure function of the two.

The rule, and why it cannot look ahead, is told in `hydra.venues.simulated.matching`.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import IntEnum
from typing import assert_never

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.order_rules import price_step


class Moment(IntEnum):
    """When within its bar an order executes; several orders execute in this order.

    Nobody knows the path inside a bar, so the one that hurts is taken: stops before limits.
    """

    OPEN = 0
    STOP_TOUCHED = 1
    LIMIT_TOUCHED = 2


class Execution(msgspec.Struct, frozen=True):
    """The price that an order would get in a bar, and the moment at which it would get it."""

    moment: Moment
    price: Decimal


def execution_of(order: Order, bar: Bar, slippage_bps: Decimal) -> Execution | None:
    """What `bar` does with `order`, which rested before the bar began; None: nothing.

    `slippage_bps` moves the price of market and stop orders against the order; limit orders have
    none, because a limit is a promise. The order must have passed `order_rules`.
    """
    match order.order_type:
        case OrderType.MARKET:
            moment, price = Moment.OPEN, _slipped(_exact(bar.open), order.side, slippage_bps)
        case OrderType.LIMIT:
            touched = _limit_touched(order, bar)
            if touched is None:
                return None
            moment, price = touched
        case OrderType.STOP:
            touched = _stop_touched(order, bar)
            if touched is None:
                return None
            moment, price = touched
            price = _slipped(price, order.side, slippage_bps)
        case _:
            assert_never(order.order_type)
    price = _on_step(price, order.side)
    if price <= 0:
        # A sale below the smallest price that can be quoted: the venue has nobody to sell to.
        return None
    return Execution(moment, price)


def shares_on_offer(volume: float, participation: Decimal) -> Decimal:
    """How many whole shares of a bar's `volume` the venue's orders may take together."""
    return whole(multiply(_exact(volume), participation))


def whole(quantity: Decimal) -> Decimal:
    """`quantity` without its fraction."""
    return quantity.to_integral_value(ROUND_FLOOR)


# Enough digits for the largest float with a cent, whatever the calling thread's context is.
_LONG = Context(prec=400)
_BASIS_POINT = Decimal("0.0001")


def _exact(value: float) -> Decimal:
    """The number that a reader sees: 112.11 and not 112.1099999999999994315658113919198513."""
    return Decimal(repr(value))


def _limit_touched(order: Order, bar: Bar) -> tuple[Moment, Decimal] | None:
    assert order.limit_price is not None
    limit, opened = order.limit_price, _exact(bar.open)
    if _is_good_for(order.side, opened, limit):
        return Moment.OPEN, opened
    if order.time_in_force is TimeInForce.IOC:
        return None
    best = _exact(bar.low if order.side is Side.BUY else bar.high)
    if _is_good_for(order.side, best, limit):
        return Moment.LIMIT_TOUCHED, limit
    return None


def _stop_touched(order: Order, bar: Bar) -> tuple[Moment, Decimal] | None:
    assert order.stop_price is not None
    # A stop is triggered by what is bad for it: by what would be good for the other side.
    stop, opened = order.stop_price, _exact(bar.open)
    if _is_good_for(order.side.opposite, opened, stop):
        return Moment.OPEN, opened
    worst = _exact(bar.high if order.side is Side.BUY else bar.low)
    if _is_good_for(order.side.opposite, worst, stop):
        return Moment.STOP_TOUCHED, stop
    return None


def _is_good_for(side: Side, price: Decimal, level: Decimal) -> bool:
    """Whether `side` does at least as well at `price` as at `level`."""
    return price <= level if side is Side.BUY else price >= level


def _slipped(price: Decimal, side: Side, slippage_bps: Decimal) -> Decimal:
    share = multiply(side.sign * slippage_bps, _BASIS_POINT)
    return multiply(price, add(Decimal(1), share))


def _on_step(price: Decimal, side: Side) -> Decimal:
    """The nearest quotable price that is not better for the order."""
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return price.quantize(price_step(price), rounding=rounding, context=_LONG)
