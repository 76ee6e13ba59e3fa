"""The matching engine of the simulated venue: orders and bars in, the venue's reports out.

It is pure: no clock, no thread, no randomness. The same calls in the same order give the same
reports, to the last identifier; replay, backtest, embedded venue and tests all trade on it.

The fill rule
-------------

**Which bars.** An order may be filled only by a bar of its symbol that

- *ends* after the order was accepted, and
- *starts* no earlier than `known_until`: the end of the newest bar, of any symbol, that the engine
  had been given when the order came, and later the end of the last bar that passed over the order.

A bot knows bars and nothing else, and a bar is delivered at its end. So all that a bot knew when
it sent the order had happened by `known_until`, and every price that may fill the order, the open
included, came after that: nothing looks ahead, whatever the caller's clock says and also where
symbols have bars of different length.

The usual case: bar *k* is delivered at its end, which is the start of bar *k+1*. A bot sees it and
sends a market order, which is accepted at that time or, with real threads, a little later, inside
bar *k+1*. Bar *k+1* is the first to fit both conditions: when it is delivered, at its end, the
order fills at its open. The small delay changes nothing.

**At what price** (see `fill_model`). A market order: at the open. A limit order: at the open if
that is at or better than the limit, else at the limit if the bar reaches it. A stop order: at the
open if that is at or through the stop, else at the stop if the bar reaches it. Market and stop
orders pay `slippage_bps`. The price is then rounded against the order to the step at which the
venue quotes (0.01 from $1, 0.0001 below). An immediate-or-cancel order sees the open of its first
bar and nothing else.

**At what time.** A fill at the open bears the bar's `start_at`, a fill inside the bar its `end_at`,
the only moment by which it is known to have happened. Both are properties of the bar: were the
time of acceptance used, the record would differ with every delay of a thread. So the fill of
an order that came some milliseconds into the bar is dated a little before its acceptance.

**In what order.** Inside a bar: everything at the open, then the stops, then the limits, each in
the order of acceptance. A bar that could have reached both a stop and a target reached the stop
first.

**How much.** Without `max_participation` an order fills whole. With it, all orders of a symbol
together get at most that share of the bar's volume, in whole shares; the rest waits for the next
bar, and a stop that was triggered waits as a market order.
"""

from decimal import Decimal
from itertools import count

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.exact import add, subtract
from hydra.trading.orders import Fill, Order, OrderType, TimeInForce
from hydra.venues.simulated.fill_model import (
    Execution,
    Moment,
    execution_of,
    shares_on_offer,
    whole,
)
from hydra.venues.simulated.order_rules import first_refusal
from hydra.venues.simulated.resting_orders import RestingOrder, RestingOrders
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    VenueReport,
)


class MatchingEngine:
    """Every order it accepts ends in at most one of: filled whole, canceled, expired.

    `slippage_bps` is at least 0 and under 10,000; `max_participation` is over 0 and at most 1, or
    None for fills of any size. Anything else is a ValueError.
    """

    def __init__(
        self, slippage_bps: Decimal = Decimal(0), max_participation: Decimal | None = None
    ) -> None:
        if not 0 <= slippage_bps < 10_000:
            raise ValueError(f"slippage_bps is {slippage_bps}, wanted at least 0 and under 10000")
        if max_participation is not None and not 0 < max_participation <= 1:
            raise ValueError(
                f"max_participation is {max_participation}, wanted over 0 and at most 1, or None"
            )
        self._slippage_bps = slippage_bps
        self._max_participation = max_participation
        self._book = RestingOrders()
        self._names_used: dict[str, None] = {}
        self._positions: dict[str, Decimal] = {}
        self._newest_bar_end = _BEFORE_ALL_BARS
        self._order_numbers = count(1)
        self._execution_numbers = count(1)

    def submit(self, order: Order, at: int) -> tuple[VenueReport, ...]:
        """Take the order or refuse it with a reason; `at` is market time. It fills on later bars.

        A refused order's name is used up like any other.
        """
        refusal = first_refusal(order)
        if refusal is None and order.client_order_id in self._names_used:
            refusal = "client_order_id must be unique"
        self._names_used[order.client_order_id] = None
        if refusal is not None:
            return (OrderRejected(client_order_id=order.client_order_id, reason=refusal, at=at),)
        resting = RestingOrder(
            order=order,
            working=order,
            venue_order_id=f"sim-o-{next(self._order_numbers)}",
            accepted_at=at,
            known_until=self._newest_bar_end,
            filled=Decimal(0),
        )
        self._book.put(resting)
        return (
            OrderAccepted(
                client_order_id=order.client_order_id,
                venue_order_id=resting.venue_order_id,
                at=at,
            ),
        )

    def cancel(self, client_order_id: str, at: int) -> tuple[VenueReport, ...]:
        """Take what is left of the order out of the market.

        Says nothing if the order is not open: it has had its last report, or never came.
        """
        if self._book.remove(client_order_id) is None:
            return ()
        return (OrderCanceled(client_order_id=client_order_id, at=at),)

    def on_bar(self, bar: Bar) -> tuple[VenueReport, ...]:
        """Let a closed, checked bar fill what rests in its symbol.

        Bars of one symbol come in the order of time and do not overlap; one that comes again, or
        late, fills nothing that a later bar has passed over.
        """
        if bar.end_at > self._newest_bar_end:
            self._newest_bar_end = bar.end_at
        resting_orders = self._book.of_symbol(bar.symbol)
        if not resting_orders:
            return ()
        return self._match(resting_orders, bar)

    def close_session(self, at: int) -> tuple[VenueReport, ...]:
        """Expire the day orders of the session that closes at `at`.

        Orders accepted at `at` or later were sent for the next session and stay; so do gtc orders.
        """
        reports: list[VenueReport] = []
        for resting in self._book.all():
            is_over = resting.order.time_in_force is not TimeInForce.GTC
            if is_over and resting.accepted_at < at:
                self._book.remove(resting.order.client_order_id)
                reports.append(OrderExpired(client_order_id=resting.order.client_order_id, at=at))
        return tuple(reports)

    @property
    def open_orders(self) -> tuple[RestingOrder, ...]:
        """What rests in the book, in the order of acceptance."""
        return self._book.all()

    def position(self, symbol: str) -> Decimal:
        """The signed sum of all fills: over zero is long, below zero short."""
        return self._positions.get(symbol, Decimal(0))

    def _match(self, resting_orders: tuple[RestingOrder, ...], bar: Bar) -> tuple[VenueReport, ...]:
        eligible = [resting for resting in resting_orders if resting.may_be_filled_by(bar)]
        executions = [
            (resting, execution_of(resting.working, bar, self._slippage_bps))
            for resting in eligible
        ]
        executions.sort(key=lambda pair: _moment_of(pair[1]))
        left: Decimal | None = None
        if self._max_participation is not None:
            left = shares_on_offer(bar.volume, self._max_participation)
        reports: list[VenueReport] = []
        for resting, execution in executions:
            quantity = Decimal(0)
            if execution is not None:
                quantity = resting.remaining
                if left is not None:
                    quantity = min(quantity, whole(left))
                    left = subtract(left, quantity)
            reports.extend(self._execute(resting, execution, quantity, bar))
        return tuple(reports)

    def _execute(
        self, resting: RestingOrder, execution: Execution | None, quantity: Decimal, bar: Bar
    ) -> list[VenueReport]:
        """Book what the bar does with one order; a quantity of zero is no fill."""
        order = resting.order
        reports: list[VenueReport] = []
        if execution is not None and quantity > 0:
            reports.append(OrderFilled(fill=self._fill(order, execution, quantity, bar)))
            position = add(self.position(order.symbol), order.side.sign * quantity)
            self._positions[order.symbol] = position
        after = msgspec.structs.replace(
            resting,
            working=resting.working if execution is None else _triggered(resting.working),
            known_until=bar.end_at,
            filled=add(resting.filled, quantity),
        )
        if after.remaining == 0:
            self._book.remove(order.client_order_id)
        elif order.time_in_force is TimeInForce.IOC:
            self._book.remove(order.client_order_id)
            reports.append(OrderCanceled(client_order_id=order.client_order_id, at=bar.start_at))
        else:
            self._book.put(after)
        return reports

    def _fill(self, order: Order, execution: Execution, quantity: Decimal, bar: Bar) -> Fill:
        return Fill(
            execution_id=f"sim-x-{next(self._execution_numbers)}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=execution.price,
            at=bar.start_at if execution.moment is Moment.OPEN else bar.end_at,
        )


_BEFORE_ALL_BARS = -(2**63)


def _moment_of(execution: Execution | None) -> Moment:
    """An order without an execution can only be an ioc order's end, which comes at the open."""
    return Moment.OPEN if execution is None else execution.moment


def _triggered(order: Order) -> Order:
    """What an order works as after a bar that reached its price, whatever volume it found there."""
    if order.order_type is not OrderType.STOP:
        return order
    return msgspec.structs.replace(order, order_type=OrderType.MARKET, stop_price=None)
