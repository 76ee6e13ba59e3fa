"""The matching engine of the simulated venue: orders and bars in, the venue's reports out.

It is pure: no clock, no thread, no randomness. The same calls in the same order give the same
reports, to the last identifier; replay, backtest, embedded venue and tests all trade on it.

What a bar does with an order is in `bar_fills`; which orders are taken is in `order_rules` and
`account_rules`. A replacement is a new order of its own name and quantity: the old one is over,
what it had traded stays traded, and the new one is filled from zero.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import count

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import subtract, total
from hydra.trading.fees import NO_FEES, USD, FeeRate, FeeSchedule, expected_fee
from hydra.trading.instruments import is_crypto
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, Side, TimeInForce
from hydra.trading.venue_view import VenueAccount, VenueFee, VenueOrder, VenueSnapshot
from hydra.venues.simulated.account import Account
from hydra.venues.simulated.account_rules import AccountView, first_account_refusal, worst_value
from hydra.venues.simulated.bar_fills import (
    ExecutedQuantity,
    OnOffer,
    Outcome,
    outcomes_at_open,
    outcomes_of,
)
from hydra.venues.simulated.order_register import OrderRegister
from hydra.venues.simulated.order_rules import client_order_id_is_usable, first_refusal
from hydra.venues.simulated.resting_orders import RestingOrder, RestingOrders
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    VenueReport,
)
from messages.reconciliation import OrderFound, OrderNotFound


class MatchingEngine:
    """Every order it accepts ends in one of: filled whole, canceled, expired, replaced, rejected.

    Until then it is open. All calls take market time (UTC ns).
    """

    def __init__(
        self, terms: VenueTerms | None = None, executed: ExecutedQuantity | None = None
    ) -> None:
        self._terms = terms or VenueTerms()
        self._executed = executed
        self._book = RestingOrders()
        self._register = OrderRegister()
        self._account = Account(self._terms.starting_cash)
        self._on_offer: dict[str, OnOffer] = {}
        """What is left of bars that have begun, by symbol, where something rested then."""
        self._fees: list[VenueFee] = []
        self._blocked = ""
        self._newest_bar_end = _BEFORE_ALL_BARS
        self._now = _BEFORE_ALL_BARS  # the newest time that anybody named; never steps back
        self._order_numbers = count(1)
        self._execution_numbers = count(1)

    def submit(self, order: Order, at: int) -> tuple[VenueReport, ...]:
        """Take the order or refuse it with a reason. It fills on later bars.

        A refused order's name is used up like any other; of a name that was used before nothing is
        told but that it is unknown, and is to be looked up. One that `replaces` another takes its
        place at once, or is refused and leaves it as it was.
        """
        self._has_come_to(at)
        refusal = self._refusal(order)
        if refusal is not None:
            return (self._refuse(order, refusal, at),)
        replaced = None if order.replaces is None else self._book.remove(order.replaces)
        accepted = self._accept(order, at)
        if replaced is None:
            return (accepted,)
        name, by = replaced.order.client_order_id, order.client_order_id
        self._register.end(name, OrderStatus.REPLACED, at, self._now, replaced_by=by)
        return (accepted, OrderReplaced(client_order_id=name, by=by, at=at))

    def request_cancel(self, client_order_id: str, at: int) -> None:
        """Take note that its end was asked for; it works on until `cancel`, and may fill."""
        self._has_come_to(at)
        resting = self._book.find(client_order_id)
        if resting is not None:
            self._book.put(structs.replace(resting, cancel_pending=True))

    def cancel(self, client_order_id: str, at: int) -> tuple[VenueReport, ...]:
        """Take what is left of the order out of the market.

        Says nothing if the order is not open: it has had its last report, or never came.
        """
        self._has_come_to(at)
        if self._book.remove(client_order_id) is None:
            return ()
        self._register.end(client_order_id, OrderStatus.CANCELED, at, self._now)
        return (OrderCanceled(client_order_id=client_order_id, at=at),)

    def reject_late(self, client_order_id: str, reason: str, at: int) -> tuple[VenueReport, ...]:
        """The market refuses what the venue had accepted, as long as nothing of it has filled."""
        self._has_come_to(at)
        resting = self._book.find(client_order_id)
        if resting is None or resting.filled:
            return ()
        self._book.remove(client_order_id)
        self._register.end(client_order_id, OrderStatus.REJECTED, at, self._now, reason=reason)
        return (OrderRejected(client_order_id=client_order_id, reason=reason, at=at),)

    def begin_bar(self, bar: Bar) -> tuple[VenueReport, ...]:
        """Let the open of a bar that begins now execute what rests. Nothing else of it is known."""
        self._has_come_to(bar.start_at)
        self._account.mark(bar.symbol, bar.open)
        resting_orders = self._book.of_symbol(bar.symbol)
        if not resting_orders:
            return ()
        on_offer = self._on_offer[bar.symbol] = OnOffer(bar, self._terms.max_participation)
        outcomes = outcomes_at_open(resting_orders, bar, on_offer, self._terms, self._executed)
        return self._reports_of(outcomes, bar)

    def on_bar(self, bar: Bar) -> tuple[VenueReport, ...]:
        """Let a closed, checked bar fill what rests in its symbol; `begin_bar` may have come first.

        Bars of one symbol come in the order of time and do not overlap; one that comes again, or
        late, fills nothing that a later bar has passed over.
        """
        self._has_come_to(bar.end_at)
        if bar.end_at > self._newest_bar_end:
            self._newest_bar_end = bar.end_at
        self._account.mark(bar.symbol, bar.close)
        resting_orders = self._book.of_symbol(bar.symbol)
        if not resting_orders:
            return ()
        on_offer = self._on_offer.pop(bar.symbol, None)
        if on_offer is None or on_offer.start_at != bar.start_at:
            on_offer = OnOffer(bar, self._terms.max_participation)
        outcomes = outcomes_of(resting_orders, bar, on_offer, self._terms, self._executed)
        return self._reports_of(outcomes, bar)

    def _reports_of(self, outcomes: Iterable[Outcome], bar: Bar) -> tuple[VenueReport, ...]:
        return tuple(
            report for outcome in outcomes for report in self._take_out_of_bar(outcome, bar)
        )

    def close_session(self, at: int) -> tuple[VenueReport, ...]:
        """Expire the day orders of the session that closes at `at`.

        Orders accepted at `at` or later were sent for the next session and stay; so do gtc orders,
        and all of coins, whose market never closes.
        """
        self._has_come_to(at)
        reports: list[VenueReport] = []
        for resting in self._book.all():
            order = resting.order
            lives_on = order.time_in_force is TimeInForce.GTC or is_crypto(order.symbol)
            if not lives_on and resting.accepted_at < at:
                self._book.remove(order.client_order_id)
                self._register.end(order.client_order_id, OrderStatus.EXPIRED, at, self._now)
                reports.append(OrderExpired(client_order_id=order.client_order_id, at=at))
        return tuple(reports)

    def look_up(self, client_order_id: str, at: int) -> OrderFound | OrderNotFound:
        """The order of this name, with all that was ever executed of it."""
        self._has_come_to(at)
        found = self._register.find(client_order_id)
        if found is None:
            return OrderNotFound(client_order_id=client_order_id)
        return OrderFound(
            client_order_id=client_order_id,
            found=found,
            fills=self._register.fills_of(client_order_id),
        )

    def snapshot(self, at: int, since: int) -> VenueSnapshot:
        """The whole account now. What was over before `since` is left out."""
        self._has_come_to(at)
        return VenueSnapshot(
            at=at,
            since=since,
            account=VenueAccount(
                account=self._terms.account,
                cash=self._account.cash,
                equity=self._account.equity(),
                blocked=self._blocked,
            ),
            positions=self._account.positions(),
            orders=self._register.orders_since(since),
            fills=self._register.fills_since(since),
            fees=tuple(fee for fee in self._fees if fee.at >= since),
        )

    def block(self, reason: str) -> None:
        """Refuse every new order from now on; "" ends that. What rests may still trade."""
        self._blocked = reason

    def execute(
        self, client_order_id: str, quantity: Decimal, price: Decimal, at: int
    ) -> tuple[VenueReport, ...]:
        """Book an execution of an order that is over, which no honest venue does."""
        known = self._register.find(client_order_id)
        assert known is not None and self._book.find(client_order_id) is None
        return (OrderFilled(fill=self._booked(known.order, quantity, price, at)),)

    def book_fee(self, fee: VenueFee) -> None:
        """Put a fee on the record of activities; what it took is taken by whoever says so."""
        self._fees.append(fee)

    @property
    def fees(self) -> FeeSchedule:
        """What it keeps of executions."""
        bps = self._terms.crypto_fee_bps
        return FeeSchedule((FeeRate(since=_BEFORE_ALL_BARS, coin_bps=bps),)) if bps else NO_FEES

    @property
    def account(self) -> Account:
        """Cash and positions."""
        return self._account

    def find(self, client_order_id: str) -> VenueOrder | None:
        """What became of an order of this name, if there is one."""
        return self._register.find(client_order_id)

    def resting(self, client_order_id: str) -> RestingOrder | None:
        """The order as it works now, if it is open."""
        return self._book.find(client_order_id)

    @property
    def open_orders(self) -> tuple[RestingOrder, ...]:
        """What rests in the book, in the order of acceptance."""
        return self._book.all()

    def fills_of_symbol(self, symbol: str) -> tuple[Fill, ...]:
        """Everything that was ever executed in it."""
        return tuple(fill for fill in self._register.fills_since(0) if fill.symbol == symbol)

    @property
    def executions(self) -> int:
        """How many there have been."""
        return self._register.executions

    def _has_come_to(self, at: int) -> None:
        if at > self._now:
            self._now = at

    def _refusal(self, order: Order) -> str | None:
        refusal = first_refusal(order)
        if refusal is None and self._register.find(order.client_order_id) is not None:
            refusal = "client_order_id must be unique"
        if refusal is None and order.replaces is not None:
            refusal = self._fault_in_replacement(order, order.replaces)
        return refusal or first_account_refusal(order, self._view_for(order))

    def _fault_in_replacement(self, order: Order, replaces: str) -> str | None:
        resting = self._book.find(replaces)
        if resting is None:
            return "unable to replace order, order is not open"
        if resting.cancel_pending:
            return "cannot replace order in pending_cancel status"
        old = resting.order
        if (order.symbol, order.side, order.order_type) != (old.symbol, old.side, old.order_type):
            return "unable to replace order, symbol, side and type cannot be changed"
        if structs.replace(
            order, client_order_id=old.client_order_id, replaces=old.replaces
        ) == structs.replace(old, quantity=resting.remaining):
            return "order parameters are not changed"
        return None

    def _view_for(self, order: Order) -> AccountView:
        symbol, cash_left = order.symbol, self._account.cash
        if order.side is Side.BUY:  # nobody else asks, and it takes a look at every open order
            cash_left = subtract(cash_left, total(self._costs(without=order.replaces)))
        return AccountView(
            blocked=self._blocked,
            shorts_allowed=self._terms.shorts_allowed,
            position=self._account.position(symbol),
            last_price=self._account.last_price(symbol),
            working=tuple(
                resting
                for resting in self._book.of_symbol(symbol)
                if resting.order.client_order_id != order.replaces
            ),
            cash_left=cash_left,
        )

    def _costs(self, without: str | None) -> Iterator[Decimal]:
        """What each open buy may cost, as far as that can be known."""
        for resting in self._book.all():
            working = resting.working
            if working.side is Side.BUY and working.client_order_id != without:
                last_price = self._account.last_price(working.symbol)
                yield worst_value(working, resting.remaining, last_price) or _ZERO

    def _refuse(self, order: Order, reason: str, at: int) -> OrderRejected | OrderUnknown:
        name = order.client_order_id
        if self._register.find(name) is not None:
            # The order of this name may live: to call it rejected would be said of that one (I18).
            reason = f"maybe it exists already: {reason}"
            return OrderUnknown(client_order_id=name, reason=reason, at=at)
        if client_order_id_is_usable(order) is None:
            self._register.refuse(order, reason, at, self._now)
        return OrderRejected(client_order_id=name, reason=reason, at=at)

    def _accept(self, order: Order, at: int) -> OrderAccepted:
        venue_order_id = f"sim-o-{next(self._order_numbers)}"
        self._book.put(
            RestingOrder(
                order=order,
                working=order,
                venue_order_id=venue_order_id,
                accepted_at=at,
                known_until=self._newest_bar_end,
                filled=_ZERO,
            )
        )
        self._register.accept(order, venue_order_id, at)
        return OrderAccepted(
            client_order_id=order.client_order_id,
            venue_order_id=venue_order_id,
            at=at,
            echo=order,
        )

    def _take_out_of_bar(self, outcome: Outcome, bar: Bar) -> list[VenueReport]:
        """Book what the bar did with one order."""
        after, order = outcome.after, outcome.after.order
        name = order.client_order_id
        reports: list[VenueReport] = []
        if outcome.quantity:
            fill = self._booked(order, outcome.quantity, outcome.price, outcome.at)
            reports.append(OrderFilled(fill=fill))
        if after.remaining <= 0:
            self._book.remove(name)
        elif order.time_in_force is TimeInForce.IOC:
            self._book.remove(name)
            self._register.end(name, OrderStatus.CANCELED, bar.start_at, self._now)
            reports.append(OrderCanceled(client_order_id=name, at=bar.start_at))
        else:
            self._book.put(after)
        return reports

    def _booked(self, order: Order, quantity: Decimal, price: Decimal, at: int) -> Fill:
        fill = Fill(
            execution_id=f"sim-x-{next(self._execution_numbers)}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            at=at,
        )
        self._account.book(fill)
        self._register.book(fill, self._now)
        self._keep_fee(fill)
        return fill

    def _keep_fee(self, fill: Fill) -> None:
        """Of what the execution brings, at once; it is booked as an activity of its own."""
        fee = expected_fee(fill, "", self.fees)
        if fee is None:
            return
        if fee.asset == USD:
            self._account.adjust_cash(fee.amount.copy_negate())
        else:
            self._account.adjust(fee.asset, fee.amount.copy_negate())
        self.book_fee(
            VenueFee(
                activity_id=f"sim-f-{fill.execution_id}",
                asset=fee.asset,
                symbol=fill.symbol,
                amount=fee.amount,
                at=self._now,
                is_of_coins=True,
            )
        )


_BEFORE_ALL_BARS = -(2**63)
_ZERO = Decimal(0)
