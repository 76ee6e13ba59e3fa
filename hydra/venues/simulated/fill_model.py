"""At what price, if at all, one bar executes one order: a pure function of the two.

The rule, and why it cannot look ahead, is told in `hydra.venues.simulated.bar_fills`.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import IntEnum
from typing import assert_never

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.symbols import price_step


class Moment(IntEnum):
    """When within its bar an order executes; several orders execute in this order.

    Nobody knows the path inside a bar, so the one that hurts is taken: stops before limits.
    """

    OPEN = 0
    STOP_TOUCHED = 1
    LIMIT_TOUCHED = 2


class Execution(msgspec.Struct, frozen=True):
    """The price that an order would get in a bar, and the moment at which it would get it.

    `price` None: a stop is triggered, but the market has left it behind.
    """

    moment: Moment
    price: Decimal | None


def execution_of(order: Order, bar: Bar, slippage_bps: Decimal) -> Execution | None:
    """What `bar` does with `order`, which rested before the bar began; None: nothing.

    `slippage_bps` moves the price of market and stop orders against the order; limit orders have
    none, because a limit is a promise. The order must have passed `order_rules`.
    """
    match order.order_type:
        case OrderType.MARKET:
            moment, price = Moment.OPEN, _slipped(as_written(bar.open), order.side, slippage_bps)
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
            if order.side is Side.BUY:
                return _bought_at_stop(order, bar, moment, price, slippage_bps)
            price = _slipped(price, order.side, slippage_bps)
        case _:
            assert_never(order.order_type)
    price = _on_step(price, order.side)
    if price <= 0:
        # A sale below the smallest price that can be quoted: the venue has nobody to sell to.
        return None
    return Execution(moment, price)


def triggered(order: Order) -> Order:
    """What a stop order works as once the market has reached its price; any other as it was.

    A sale is at the market from then on, whatever that is. A purchase has a limit a little over
    its stop, as the broker gives it one.
    """
    if order.order_type is not OrderType.STOP:
        return order
    if order.side is Side.SELL:
        return structs.replace(order, order_type=OrderType.MARKET, stop_price=None)
    assert order.stop_price is not None
    limit = dearest_at_stop(order.stop_price)
    return structs.replace(order, order_type=OrderType.LIMIT, stop_price=None, limit_price=limit)


def dearest_at_stop(stop: Decimal) -> Decimal:
    """The limit of a purchase at this stop: 4 % over it below $50, 2.5 % from there on."""
    above = Decimal("1.04") if stop < 50 else Decimal("1.025")
    return _on_step(multiply(stop, above), Side.SELL)


def quantity_on_offer(volume: float, participation: Decimal, step: Decimal) -> Decimal:
    """How much of a bar's `volume` the venue's orders may take together, in whole steps."""
    return in_steps(multiply(as_written(volume), participation), step)


def in_steps(quantity: Decimal, step: Decimal) -> Decimal:
    """`quantity` without what is less than a step (a power of ten)."""
    return quantity.quantize(step, rounding=ROUND_FLOOR, context=_LONG)


def as_written(value: float) -> Decimal:
    """The number that a reader sees: 112.11 and not 112.1099999999999994315658113919198513."""
    return Decimal(repr(value))


# Enough digits for the largest float with a cent, whatever the calling thread's context is.
_LONG = Context(prec=400)
_BASIS_POINT = Decimal("0.0001")


def _limit_touched(order: Order, bar: Bar) -> tuple[Moment, Decimal] | None:
    assert order.limit_price is not None
    limit, opened = order.limit_price, as_written(bar.open)
    if _is_good_for(order.side, opened, limit):
        return Moment.OPEN, opened
    if order.time_in_force is TimeInForce.IOC:
        return None
    best = as_written(bar.low if order.side is Side.BUY else bar.high)
    if _is_good_for(order.side, best, limit):
        return Moment.LIMIT_TOUCHED, limit
    return None


def _stop_touched(order: Order, bar: Bar) -> tuple[Moment, Decimal] | None:
    assert order.stop_price is not None
    # A stop is triggered by what is bad for it: by what would be good for the other side.
    stop, opened = order.stop_price, as_written(bar.open)
    if _is_good_for(order.side.opposite, opened, stop):
        return Moment.OPEN, opened
    worst = as_written(bar.high if order.side is Side.BUY else bar.low)
    if _is_good_for(order.side.opposite, worst, stop):
        return Moment.STOP_TOUCHED, stop
    return None


def _bought_at_stop(
    order: Order, bar: Bar, moment: Moment, price: Decimal, slippage_bps: Decimal
) -> Execution:
    """A purchase at or beyond its stop, at its limit or better."""
    assert order.stop_price is not None
    dearest = dearest_at_stop(order.stop_price)
    if price <= dearest:
        slipped = _on_step(_slipped(price, Side.BUY, slippage_bps), Side.BUY)
        return Execution(moment, min(slipped, dearest))
    if as_written(bar.low) <= dearest:
        return Execution(Moment.LIMIT_TOUCHED, dearest)
    return Execution(moment, None)


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
