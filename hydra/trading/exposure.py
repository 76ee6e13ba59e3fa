"""What positions and working orders can come to at the worst: pure sums, in USD.

Exposure is the value that could come to be held; heat, the open risk, is what would be lost if all
of it were stopped out, with fees. Both are taken at the worst of the prices that are known. So as
long as the mark stands, a fill at one of these prices never makes them larger, whichever order it
fills, and in whatever order fills come: what was within a limit when it was allowed stays within
it.

None stands for what cannot be valued; it is never taken for nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, Rounded

import msgspec

from hydra.trading.exact import add, multiply, multiply_add, subtract
from hydra.trading.fees import Fee
from hydra.trading.instruments import ONE
from hydra.trading.inventory import ClosedLot, FifoInventory, fee_lot, paid
from hydra.trading.orders import Fill, Side
from hydra.trading.reckoning import Costs, Reckoning
from hydra.trading.sane_numbers import (
    PRICE_MAX,
    PRICE_PLACES_MAX,
    QUANTITY_MAX,
    QUANTITY_PLACES_MAX,
    write_out,
)

ZERO = Decimal(0)
_BUY = Side.BUY
"""To look a member of an enumeration up takes as long as a sum; here it is done for every lot."""


def is_price(value: Decimal) -> bool:
    """Whether it is a number that can be a price: a decimal over zero, and not absurd (I34)."""
    return _is_number(value, PRICE_MAX, _PRICE_STEP)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What an order may still trade. `low` and `high` span the prices that it names itself.

    Its limit, its stop and the reference that it was decided on. `needs_mark`: it has no reference,
    so that without a price of the market it cannot be valued. `opens`: it may open a position.
    `stop` is where what it opens would be given up.
    """

    side: Side
    quantity: Decimal
    opens: bool
    low: Decimal | None
    high: Decimal | None
    needs_mark: bool
    stop: Decimal | None


def claim_on(
    *,
    side: Side,
    quantity: Decimal,
    opens: bool,
    limit_price: Decimal | None,
    stop_price: Decimal | None,
    reference_price: Decimal | None,
    protective_stop: Decimal | None,
) -> Claim | None:
    """The claim of an order; None if one of its numbers is none that an order can have (I34)."""
    if not _is_quantity(quantity):
        return None
    if protective_stop is not None and not is_price(protective_stop):
        return None
    low = high = None
    for price in (limit_price, stop_price, reference_price):
        if price is None:
            continue
        if not is_price(price):
            return None
        low = price if low is None or price < low else low
        high = price if high is None or price > high else high
    return Claim(
        side=side,
        quantity=quantity,
        opens=opens,
        low=low,
        high=high,
        needs_mark=reference_price is None,
        stop=protective_stop,
    )


class Outstanding(msgspec.Struct, frozen=True):
    """What a set of working orders may still do. The quantities are complete, always.

    Values and `loss` (what all that they open would lose at its stops, with fees) are not if some
    of the orders are `unvalued`.
    """

    buys: Decimal = ZERO
    buys_value: Decimal = ZERO
    sells: Decimal = ZERO
    sells_value: Decimal = ZERO
    loss: Decimal = ZERO
    unvalued: int = 0

    def plus(self, other: "Outstanding") -> "Outstanding":
        """Both sets together."""
        if self is NOTHING or other is NOTHING:
            return other if self is NOTHING else self
        return Outstanding(
            add(self.buys, other.buys),
            add(self.buys_value, other.buys_value),
            add(self.sells, other.sells),
            add(self.sells_value, other.sells_value),
            add(self.loss, other.loss),
            self.unvalued + other.unvalued,
        )

    def reducing(self, position: Decimal) -> Decimal:
        """How much of these orders is on the side that closes the position."""
        if position > 0:
            return self.sells
        return self.buys if position < 0 else ZERO


NOTHING = Outstanding()
"""What no order at all may do."""
UNVALUED = Outstanding(unvalued=1)
"""What an order may do whose numbers are none."""


def outstanding(claims: Iterable[Claim], mark: Decimal | None, by: Reckoning) -> Outstanding:
    """What all these claims on one symbol come to, at a mark. Each is valued at the highest price
    known; what it opens loses its way to the stop, and fees both ways.
    """
    buys = buys_value = sells = sells_value = loss = ZERO
    unvalued, units = 0, by.units
    for claim in claims:
        side, quantity, low, high = claim.side, claim.quantity, claim.low, claim.high
        if mark is not None:
            low = mark if low is None or mark < low else low
            high = mark if high is None or mark > high else high
        value = ZERO
        if low is None or high is None or (mark is None and claim.needs_mark):
            unvalued += 1
        else:
            value = multiply(quantity, high)
            if units is not ONE:
                value = multiply(value, units)
            if claim.opens:
                # The stop has to lie beyond every price at which the order may be filled.
                entry = low if side is _BUY else high
                costs = by.long if side is _BUY else by.short
                each = _loss_each(side, low, high, claim.stop, entry, by, costs)
                loss = multiply_add(quantity, each, loss)
        if side is _BUY:
            buys, buys_value = add(buys, quantity), add(buys_value, value)
        else:
            sells, sells_value = add(sells, quantity), add(sells_value, value)
    return Outstanding(buys, buys_value, sells, sells_value, loss, unvalued)


def worst_exposure(
    position: Decimal, mark: Decimal | None, orders: Outstanding, units: Decimal = ONE
) -> Decimal | None:
    """The largest value, long or short, that any fills of these orders can lead to.

    The worse of "all buys are filled" and "all sells are filled", as far as that ends on the side
    it goes to. With m the mark, q a quantity and p the highest price known of its order, each price
    times the symbol's `units`:

        long     position × m + Σ buys q × p     if position + Σ buys q is over zero
        short   −position × m + Σ sells q × p    if position − Σ sells q is below zero

    What only reduces adds nothing to that: while it is not filled, all is held. None if an order
    cannot be valued, or something is held and there is no mark.
    """
    if orders.unvalued or (mark is None and position):
        return None
    held = ZERO if mark is None else multiply(position, multiply(mark, units))
    as_long = add(held, orders.buys_value) if add(position, orders.buys) > 0 else ZERO
    as_short = subtract(orders.sells_value, held) if position < orders.sells else ZERO
    return max(as_long, as_short)


class Holding(msgspec.Struct, frozen=True):
    """What one bot holds in one symbol, and for each lot where it would be given up.

    `stops` go with `inventory.lots`; None for a lot without one.
    """

    inventory: FifoInventory
    position: Decimal = ZERO
    stops: tuple[Decimal | None, ...] = ()

    @classmethod
    def of(cls, inventory: FifoInventory, stops: Mapping[str, Decimal | None]) -> "Holding":
        """A holding by its record. `stops` by execution id; a lot that is not named has none."""
        lots = tuple(stops.get(lot.execution_id) for lot in inventory.lots)
        return cls(inventory, inventory.position, lots)

    def after(self, fill: Fill, stop: Decimal | None) -> "tuple[Holding, tuple[ClosedLot, ...]]":
        """The holding once this is filled, and what that closed. `stop` is for what it opens."""
        inventory, closed = self.inventory.apply(fill)
        lots, stops = inventory.lots, self.stops
        if lots and lots[-1].side is fill.side:  # it opened one, on top of all others or of none
            stops = (*stops, stop)
        # What is left are the newest lots: the oldest are closed first.
        return Holding(inventory, inventory.position, stops[len(stops) - len(lots) :]), closed

    def after_fee(self, fee: Fee) -> "tuple[Holding, Decimal]":
        """The holding without what the venue kept of it, and what that realised."""
        inventory, made = paid(self.inventory, fee)
        lots = inventory.lots
        owed = sum(lot.execution_id == fee_lot(fee.execution_id) for lot in lots)
        # The newest lots have become fewer; what is owed is the newest now, and has no stop.
        stops = self.stops[: len(lots) - owed] + (None,) * owed
        return Holding(inventory, inventory.position, stops), made

    def loss_at_stop(self, mark: Decimal, by: Reckoning) -> Decimal:
        """What is lost if every lot is stopped out: from its entry or from the mark, the worse.

        With the fees of closing it; what opening it cost is booked already. A stop that the market
        has passed protects no more, and counts as none.
        """
        loss = ZERO
        for lot, stop in zip(self.inventory.lots, self.stops, strict=True):
            low, high = (lot.price, mark) if lot.price < mark else (mark, lot.price)
            costs = by.long_held if lot.side is _BUY else by.short_held
            each = _loss_each(lot.side, low, high, stop, mark, by, costs)
            loss = multiply_add(lot.quantity, each, loss)
        return loss


def _loss_each(
    side: Side,
    low: Decimal,
    high: Decimal,
    stop: Decimal | None,
    price: Decimal,
    by: Reckoning,
    costs: Costs,
) -> Decimal:
    """What one loses at its stop in USD, from the worse of the prices between low and high.

    A stop that a position of this side, at `price`, does not have before it protects nothing. One
    that does is taken to be executed `gap_factor` times as far away as it is. There is a most that
    is taken to be lost, and without a stop it is: by a long all that it is worth, by a short twice
    that. (A short can lose any amount; a stop that is farther away than this is as good as none.)
    The fees come to it, so a long option loses its premium and fees at the most.
    """
    if side is _BUY:
        loss = high
        if stop is not None and stop < price:
            loss = min(multiply(subtract(high, stop), by.gap_factor), loss)
    else:
        loss = add(high, high)
        if stop is not None and stop > price:
            loss = min(multiply(subtract(stop, low), by.gap_factor), loss)
    fees = multiply_add(costs.of_price, high, costs.flat)
    return multiply_add(loss, by.units, fees)


def _is_quantity(value: Decimal) -> bool:
    return _is_number(value, QUANTITY_MAX, _QUANTITY_STEP)


def _is_number(value: Decimal, most: Decimal, step: Decimal) -> bool:
    # The exact type: a bool or a float must not pass for a number, nor a NaN be compared.
    if not (type(value) is Decimal and value.is_finite() and ZERO < value <= most):
        return False
    try:
        write_out(value, step)
    except Rounded:
        return False
    return True


_PRICE_STEP = Decimal(1).scaleb(-PRICE_PLACES_MAX)
_QUANTITY_STEP = Decimal(1).scaleb(-QUANTITY_PLACES_MAX)
