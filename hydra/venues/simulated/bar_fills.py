"""What one bar does with the orders that rest in its symbol: a pure function of both.

The fill rule
-------------

**When it is told.** The open is there when a bar begins, and what it executes is told then; the
rest of the bar is known when it ends. So a position is held, and a stop can rest for it, from the
beginning of the bar that filled its entry. Who does not tell of beginnings has the open executed at
the end, at the same prices.

**Which bars.** An order may be filled only by a bar of its symbol that

- *ends* after the order was accepted, and
- *starts* no earlier than `known_until`: the end of the newest bar, of any symbol, that the engine
  had been given when the order came, and later the end of the last bar that passed over the order.

A bot knows bars and nothing else, and a bar is delivered at its end. So all that a bot knew when
it sent the order had happened by `known_until`, and every price that may fill the order, the open
included, came after that: nothing looks ahead, whatever the caller's clock says and also where
symbols have bars of different length.

The usual case: bar *k* is delivered at its end, which is the start of bar *k+1*. A bot sees it and
sends a market order, which is accepted at that time, before bar *k+1* begins, and fills at its
open. With real threads it may be accepted a little later, inside bar *k+1*: that is the first to
fit both conditions, and when it ends the order fills at its open all the same. The small delay
changes no price.

**At what price** (see `fill_model`). A market order: at the open. A limit order: at the open if
that is at or better than the limit, else at the limit if the bar reaches it. A stop order: at the
open if that is at or through the stop, else at the stop if the bar reaches it. As at the broker, a
purchase at a stop has a limit, 4 % over the stop below $50 and 2.5 % from there on, and where the
market has left that behind it waits as a limit order. Market and stop orders pay `slippage_bps`.
The price is then rounded against the order to the step at which the venue quotes (0.01 from $1,
0.0001 below). An immediate-or-cancel order sees the open of its first bar and nothing else.

**At what time.** A fill at the open bears the bar's `start_at`, a fill inside the bar its `end_at`,
the only moment by which it is known to have happened. Both are properties of the bar: were the
time of acceptance used, the record would differ with every delay of a thread. So the fill of
an order that came some milliseconds into the bar is dated a little before its acceptance.

**In what order.** Inside a bar: everything at the open, then the stops, then the limits, each in
the order of acceptance. A bar that could have reached both a stop and a target reached the stop
first.

**How much.** Without `max_participation` an order fills whole. With it, all orders of a symbol
together get at most that share of the bar's volume, in whole shares (coins: in billionths); the
rest waits for the next bar, and a stop that was triggered waits as what it became.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import add, subtract
from hydra.trading.orders import TimeInForce
from hydra.venues.simulated.fill_model import (
    Execution,
    Moment,
    execution_of,
    in_steps,
    quantity_on_offer,
    triggered,
)
from hydra.venues.simulated.resting_orders import RestingOrder
from hydra.venues.simulated.symbols import quantity_step
from hydra.venues.simulated.terms import VenueTerms

ExecutedQuantity: TypeAlias = Callable[[RestingOrder, Decimal], Decimal]
"""How much of what a bar would execute of an order is executed. An honest venue has none."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one order: `after` is the order when the bar has passed over it.

    `quantity` was executed at `price`, dated `at`; a quantity of zero is no execution.
    """

    after: RestingOrder
    quantity: Decimal
    price: Decimal
    at: int


def outcomes_at_open(
    resting_orders: tuple[RestingOrder, ...],
    bar: Bar,
    on_offer: OnOffer,
    terms: VenueTerms,
    executed: ExecutedQuantity | None = None,
) -> Iterator[Outcome]:
    """What the open of a bar that begins does with each order that it touches, in their order.

    What it does not touch, or only wakes, sees the rest of the bar (`outcomes_of`).
    """
    opened = structs.replace(bar, high=bar.open, low=bar.open, close=bar.open)
    for resting in resting_orders:
        if not resting.may_be_filled_by(bar):
            continue
        execution = execution_of(resting.working, opened, terms.slippage_bps)
        if execution is None:
            if resting.order.time_in_force is TimeInForce.IOC:
                yield _untouched(resting, bar)
        elif execution.price is None:
            awake = structs.replace(resting, working=triggered(resting.working))
            yield Outcome(awake, _ZERO, _ZERO, 0)
        else:
            yield _executed(resting, execution, execution.price, bar, on_offer, executed)


def outcomes_of(
    resting_orders: tuple[RestingOrder, ...],
    bar: Bar,
    on_offer: OnOffer,
    terms: VenueTerms,
    executed: ExecutedQuantity | None = None,
) -> Iterator[Outcome]:
    """What the bar does with each order that it may touch, in the order in which it happens.

    Of the open as well, for those that have not seen it.
    """
    executions = [
        (resting, execution_of(resting.working, bar, terms.slippage_bps))
        for resting in resting_orders
        if resting.may_be_filled_by(bar)
    ]
    executions.sort(key=lambda pair: _moment_of(pair[1]))
    for resting, execution in executions:
        if execution is None:
            yield _untouched(resting, bar)
        elif execution.price is None:
            awake = structs.replace(
                resting, working=triggered(resting.working), known_until=bar.end_at
            )
            yield Outcome(awake, _ZERO, _ZERO, 0)
        else:
            yield _executed(resting, execution, execution.price, bar, on_offer, executed)


def _untouched(resting: RestingOrder, bar: Bar) -> Outcome:
    return Outcome(structs.replace(resting, known_until=bar.end_at), _ZERO, _ZERO, 0)


def _executed(
    resting: RestingOrder,
    execution: Execution,
    price: Decimal,
    bar: Bar,
    on_offer: OnOffer,
    executed: ExecutedQuantity | None,
) -> Outcome:
    quantity = on_offer.take(resting.remaining)
    if executed is not None and quantity:
        quantity = executed(resting, quantity)
    after = structs.replace(
        resting,
        working=triggered(resting.working),
        known_until=bar.end_at,
        filled=add(resting.filled, quantity),
    )
    at = bar.start_at if execution.moment is Moment.OPEN else bar.end_at
    return Outcome(after, quantity, price, at)


class OnOffer:
    """What a bar leaves to the venue's orders: a share of its volume, or any quantity."""

    def __init__(self, bar: Bar, participation: Decimal | None) -> None:
        self.start_at = bar.start_at
        self._step = step = quantity_step(bar.symbol)
        self._left = None
        if participation is not None:
            self._left = quantity_on_offer(bar.volume, participation, step)

    def has(self, wanted: Decimal) -> bool:
        """Whether all of it could be taken."""
        return self._left is None or wanted <= in_steps(self._left, self._step)

    def take(self, wanted: Decimal) -> Decimal:
        """Take so much of it, or what is left, in whole steps."""
        if self._left is None:
            return wanted
        taken = min(wanted, in_steps(self._left, self._step))
        self._left = subtract(self._left, taken)
        return taken


_ZERO = Decimal(0)


def _moment_of(execution: Execution | None) -> Moment:
    """An order without an execution can only be an ioc order's end, which comes at the open."""
    return Moment.OPEN if execution is None else execution.moment
