"""At what price, if at all, one bar executes one order: a pure function of the two.

The rule, and why it cannot look ahead, is told in `hydra.venues.simulated.bar_fills`.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import IntEnum
from typing import Self, assert_never

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


class PriceTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How an order finds its price, whoever keeps it and whatever the broker calls its type.

    With a `stop` it sleeps until the market has come to that price; `None` is awake. With a `limit`
    it executes there or better; `None` takes any price. `pays_slippage` is so of what takes the
    market's price, and not of a limit, which is a promise. `open_only`: it sees the open of its
    first bar and nothing else. `step` is that of its prices; None: as for shares.
    """

    side: Side
    limit: Decimal | None = None
    stop: Decimal | None = None
    pays_slippage: bool
    open_only: bool = False
    step: Decimal | None = None

    @classmethod
    def market(cls, side: Side, *, step: Decimal | None = None) -> Self:
        """At whatever the market is."""
        return cls(side=side, pays_slippage=True, step=step)

    @classmethod
    def limited(cls, side: Side, limit: Decimal, *, step: Decimal | None = None) -> Self:
        """At the limit or better."""
        return cls(side=side, limit=limit, pays_slippage=False, step=step)

    @classmethod
    def stopped(cls, side: Side, stop: Decimal, *, step: Decimal | None = None) -> Self:
        """A sale at the market from the stop on; a purchase has a limit a little over its stop."""
        limit = dearest_at_stop(stop) if side is Side.BUY else None
        return cls(side=side, limit=limit, stop=stop, pays_slippage=True, step=step)

    @classmethod
    def stop_limited(
        cls, side: Side, stop: Decimal, limit: Decimal, *, step: Decimal | None = None
    ) -> Self:
        """From the stop on, at the limit or better."""
        return cls(side=side, limit=limit, stop=stop, pays_slippage=False, step=step)

    def awake(self) -> Self:
        """What it works as once the market has reached its stop; without a stop as it was."""
        if self.stop is None:
            return self
        return structs.replace(self, stop=None, pays_slippage=self.limit is None)


def execution_of(order: Order, bar: Bar, slippage_bps: Decimal) -> Execution | None:
    """What `bar` does with `order`, which rested before the bar began; None: nothing.

    The order must have passed `order_rules`.
    """
    return execution_on(price_terms_of(order), bar, slippage_bps)


def execution_on(terms: PriceTerms, bar: Bar, slippage_bps: Decimal) -> Execution | None:
    """What `bar` does with an order on these terms, which rested before the bar began.

    None: nothing. `slippage_bps` moves the price against what pays slippage.
    """
    if terms.stop is not None:
        touched = _stop_touched(terms, terms.stop, bar)
    elif terms.limit is not None:
        touched = _limit_touched(terms, terms.limit, bar)
    else:
        touched = Execution(Moment.OPEN, as_written(bar.open))
    if touched is None or touched.price is None:
        return touched
    price = touched.price
    if terms.pays_slippage:
        price = _slipped(price, terms.side, slippage_bps)
    price = _on_step(price, terms.side, terms.step)
    if terms.limit is not None:
        # Neither slippage nor rounding breaks the promise of a limit.
        price = min(price, terms.limit) if terms.side is Side.BUY else max(price, terms.limit)
    if price <= 0:
        # A sale below the smallest price that can be quoted: the venue has nobody to sell to.
        return None
    return Execution(touched.moment, price)


def price_terms_of(order: Order) -> PriceTerms:
    """How an order of the engine's own kinds finds its price."""
    match order.order_type:
        case OrderType.MARKET:
            return PriceTerms.market(order.side)
        case OrderType.LIMIT:
            return PriceTerms(
                side=order.side,
                limit=order.limit_price,
                pays_slippage=False,
                open_only=order.time_in_force is TimeInForce.IOC,
            )
        case OrderType.STOP:
            assert order.stop_price is not None
            return PriceTerms.stopped(order.side, order.stop_price)
        case _:
            assert_never(order.order_type)


def triggered(order: Order) -> Order:
    """What a stop order works as once the market has reached its price; any other as it was.

    A sale is at the market from then on, whatever that is. A purchase has a limit a little over
    its stop, as the broker gives it one.
    """
    if order.order_type is not OrderType.STOP:
        return order
    assert order.stop_price is not None
    awake = PriceTerms.stopped(order.side, order.stop_price).awake()
    order_type = OrderType.MARKET if awake.limit is None else OrderType.LIMIT
    return structs.replace(order, order_type=order_type, stop_price=None, limit_price=awake.limit)


def dearest_at_stop(stop: Decimal) -> Decimal:
    """The limit of a purchase at this stop: 4 % over it below $50, 2.5 % from there on."""
    above = Decimal("1.04") if stop < 50 else Decimal("1.025")
    return _on_step(multiply(stop, above), Side.SELL, None)


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


def _limit_touched(terms: PriceTerms, limit: Decimal, bar: Bar) -> Execution | None:
    opened = as_written(bar.open)
    if _is_good_for(terms.side, opened, limit):
        return Execution(Moment.OPEN, opened)
    if terms.open_only or not _is_good_for(terms.side, _best_in(bar, terms.side), limit):
        return None
    return Execution(Moment.LIMIT_TOUCHED, limit)


def _stop_touched(terms: PriceTerms, stop: Decimal, bar: Bar) -> Execution | None:
    # A stop is triggered by what is bad for it: by what would be good for the other side.
    side, opened = terms.side, as_written(bar.open)
    if _is_good_for(side.opposite, opened, stop):
        moment, price = Moment.OPEN, opened
    elif _is_good_for(side.opposite, _best_in(bar, side.opposite), stop):
        moment, price = Moment.STOP_TOUCHED, stop
    else:
        return None
    if terms.limit is None or _is_good_for(side, price, terms.limit):
        return Execution(moment, price)
    # What was triggered by the open has the whole bar for its limit. What was triggered inside has
    # what came after that, which nobody knows: it waits for the next bar.
    if moment is Moment.OPEN and _is_good_for(side, _best_in(bar, side), terms.limit):
        return Execution(Moment.LIMIT_TOUCHED, terms.limit)
    return Execution(moment, None)


def _best_in(bar: Bar, side: Side) -> Decimal:
    """The best price of the bar for this side."""
    return as_written(bar.low if side is Side.BUY else bar.high)


def _is_good_for(side: Side, price: Decimal, level: Decimal) -> bool:
    """Whether `side` does at least as well at `price` as at `level`."""
    return price <= level if side is Side.BUY else price >= level


def _slipped(price: Decimal, side: Side, slippage_bps: Decimal) -> Decimal:
    share = multiply(side.sign * slippage_bps, _BASIS_POINT)
    return multiply(price, add(Decimal(1), share))


def _on_step(price: Decimal, side: Side, step: Decimal | None) -> Decimal:
    """The nearest quotable price that is not better for the order."""
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return price.quantize(step or price_step(price), rounding=rounding, context=_LONG)
