"""What can become of an order, one step at a time: each is booked, and told where it is told."""

from decimal import Decimal
from typing import assert_never

from msgspec import structs

from hydra.trading.exact import add, multiply
from hydra.venues.simulated.brokerage.bookings import Bookings
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.groups import (
    Activate,
    CancelMember,
    Shrink,
    Step,
    Watch,
    steps_after_end,
    steps_after_fill,
    steps_after_going_live,
    steps_before_waking,
)
from hydra.venues.simulated.brokerage.order_book import Working
from hydra.venues.simulated.brokerage.order_prices import prices_of
from hydra.venues.simulated.brokerage.orders import BrokerOrder, LegFill, TradeUpdate
from hydra.venues.simulated.brokerage.words import OrderClass, Status, UpdateEvent


class OrderLives:
    """It begins with `take`; `go_live` brings it into the market; `execute` and `end` finish it.

    What a step means for the other orders of a group is done with it. Orders that come into the
    market are left in `Books.arrivals`, for whoever lets them meet it.
    """

    def __init__(self, books: Books, bookings: Bookings) -> None:
        self._books = books
        self._bookings = bookings

    def take(self, order: BrokerOrder, belonging: tuple[BrokerOrder, ...] = ()) -> None:
        """A new order, with those that belong to it; it is told, they are not."""
        for one in (order, *belonging):
            self._books.orders.put(one)
        self._books.tell(_EVENT[order.status], order)

    def go_live(self, order_id: str) -> None:
        """It is in the market from now on, and meets it next."""
        order = self._moved(order_id, Status.NEW)
        self._tell(UpdateEvent.NEW, order)
        self.work(order)
        for step in tuple(steps_after_going_live(order, self._books.orders)):
            self._do(step)

    def work(self, order: BrokerOrder) -> None:
        """Put it into the market as it was sent, behind what is there."""
        books = self._books
        market, step = order.symbol, None
        contract = books.market.contract(order.symbol or books.orders[order.legs[0]].symbol)
        if contract is not None:
            market = contract.underlying
        else:
            asset = books.market.asset(order.symbol)
            step = None if asset is None else asset.price_increment
        prices = prices_of(order, step)
        working = Working(order_id=order.id, market=market, prices=prices, rests_since=books.now)
        books.orders.work(working)
        books.arrivals.append(order.id)

    def wake(self, order_id: str) -> None:
        """The market has come to its stop. Its partner is taken out before it may trade."""
        books = self._books
        order = books.orders[order_id]
        for step in tuple(steps_before_waking(order, books.orders)):
            self._do(step)
        if order.status is Status.HELD:
            self._tell(UpdateEvent.NEW, self._moved(order_id, Status.NEW))
        working = books.orders.working(order_id)
        assert working is not None
        books.orders.work(structs.replace(working, prices=working.prices.awake()))

    def execute(
        self, order_id: str, quantity: Decimal, price: Decimal, *, makes: bool = False
    ) -> None:
        """So much of it was traded at this price. `makes`: it rested and the market came to it."""
        books = self._books
        before = books.orders[order_id]
        trade = self._bookings.trade(before, quantity, price, makes=makes)
        order = _filled(before, quantity, price, books.now)
        self._bookings.write_trade(order, trade)
        books.orders.put(order)
        books.told.append(
            TradeUpdate(
                event=_fill_event(order),
                order=order,
                at=books.now,
                execution_id=trade.execution_id,
                price=price,
                quantity=quantity,
                position_quantity=books.holdings.quantity(order.symbol),
            )
        )
        self._follow_execution(order)

    def execute_legs(self, order_id: str, quantity: Decimal, prices: tuple[Decimal, ...]) -> None:
        """So many units of a multi-leg order were traded, each leg at its price."""
        books = self._books
        before = books.orders[order_id]
        fills: list[LegFill] = []
        net = Decimal(0)
        for leg_id, price in zip(before.legs, prices, strict=True):
            leg = books.orders[leg_id]
            assert leg.side is not None and leg.ratio_quantity is not None
            traded = multiply(quantity, leg.ratio_quantity)
            trade = self._bookings.trade(leg, traded, price, makes=False)
            filled_leg = _filled(leg, traded, price, books.now)
            self._bookings.write_trade(filled_leg, trade)
            books.orders.put(filled_leg)
            net = add(net, multiply(leg.side.sign * leg.ratio_quantity, price))
            fills.append(
                LegFill(
                    order_id=leg_id,
                    symbol=leg.symbol,
                    execution_id=trade.execution_id,
                    price=price,
                    quantity=traded,
                    position_quantity=books.holdings.quantity(leg.symbol),
                )
            )
        order = _filled(before, quantity, net, books.now)
        books.orders.put(order)
        books.told.append(
            TradeUpdate(
                event=_fill_event(order),
                order=order,
                at=books.now,
                price=net,
                quantity=quantity,
                legs=tuple(fills),
            )
        )
        self._follow_execution(order)

    def end(self, order_id: str, status: Status, reason: str = "") -> None:
        """Nothing more will come of it, and of its group unless each ends by itself."""
        self._end_alone(order_id, status, reason)
        orders = self._books.orders
        for step in tuple(steps_after_end(orders[order_id], orders)):
            self._do(step)

    def ask_to_cancel(self, order_id: str) -> None:
        """Somebody wants its end; until it comes the order works on, and may fill."""
        order = self._moved(order_id, Status.PENDING_CANCEL)
        order = structs.replace(order, cancel_requested_at=self._books.now)
        self._tell(UpdateEvent.PENDING_CANCEL, order)

    def ask_to_replace(self, order_id: str) -> None:
        """Somebody wants another in its place; until then the order works on, and may fill."""
        self._tell(UpdateEvent.PENDING_REPLACE, self._moved(order_id, Status.PENDING_REPLACE))

    def hand_over(self, old_id: str, new_id: str) -> None:
        """The new order takes the place of the old one, in its group too."""
        orders = self._books.orders
        old = structs.replace(self._moved(old_id, Status.REPLACED), replaced_by=new_id, legs=())
        is_working = orders.working(old_id) is not None
        self._adopt(orders[old_id], new_id)
        self._tell(UpdateEvent.REPLACED, old)
        new = orders[new_id]
        if new.status is not Status.HELD:
            self.go_live(new_id)
        elif is_working:
            self.work(new)

    def drop_replacement(self, new_id: str, reason: str) -> None:
        """The new order comes to nothing. It never belonged to the old one's group."""
        new = structs.replace(self._books.orders[new_id], parent=None, legs=())
        self._books.orders.put(new)
        self._end_alone(new_id, Status.REJECTED, reason)

    def go_on(self, order_id: str, before: Status, event: UpdateEvent, reason: str) -> None:
        """What somebody wanted of it was refused: it is what it was `before`, unless it is over."""
        order = self._books.orders[order_id]
        if not order.status.is_terminal:
            order = self._moved(order_id, before)
        self._tell(event, order, reason)

    def resize(self, order_id: str, quantity: Decimal) -> None:
        """It is for so much from now on."""
        order = self._books.orders[order_id]
        self._books.orders.put(
            structs.replace(order, quantity=quantity, updated_at=self._books.now)
        )

    def _adopt(self, old: BrokerOrder, new_id: str) -> None:
        """Whoever belonged to the old order belongs to the new one."""
        orders = self._books.orders
        for leg_id in old.legs:
            orders.put(structs.replace(orders[leg_id], parent=new_id))
        if old.parent is not None:
            parent = orders[old.parent]
            legs = tuple(new_id if leg == old.id else leg for leg in parent.legs)
            orders.put(structs.replace(parent, legs=legs))

    def _follow_execution(self, order: BrokerOrder) -> None:
        books = self._books
        working = books.orders.working(order.id)
        if working is not None:
            books.orders.work(structs.replace(working, prices=working.prices.awake()))
        for step in tuple(steps_after_fill(order, books.orders)):
            self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Activate(order_id=order_id):
                self.go_live(order_id)
            case Watch(order_id=order_id):
                order = self._books.orders[order_id]
                self._tell(UpdateEvent.HELD, self._moved(order_id, order.status))
                self.work(order)
            case Shrink(order_id=order_id, quantity=quantity):
                self.resize(order_id, quantity)
            case CancelMember(order_id=order_id):
                # Alone: whoever wants it canceled has a step for each of its group that is to go.
                self._end_alone(order_id, Status.CANCELED)
            case _:
                assert_never(step)

    def _end_alone(self, order_id: str, status: Status, reason: str = "") -> None:
        self._tell(_EVENT[status], self._moved(order_id, status, reason), reason)

    def _moved(self, order_id: str, status: Status, reason: str = "") -> BrokerOrder:
        """The order in another state, with the time of it where the broker keeps one."""
        order, now = self._books.orders[order_id], self._books.now
        order = structs.replace(order, status=status, updated_at=now, reason=reason or order.reason)
        match status:
            case Status.CANCELED:
                return structs.replace(order, canceled_at=now)
            case Status.EXPIRED:
                return structs.replace(order, expired_at=now)
            case Status.REJECTED:
                return structs.replace(order, failed_at=now)
            case Status.REPLACED:
                return structs.replace(order, replaced_at=now)
            case _:
                return order

    def _tell(self, event: UpdateEvent, order: BrokerOrder, reason: str = "") -> None:
        self._books.tell(event, order, reason=reason)
        if order.order_class is OrderClass.MLEG:
            for leg_id in order.legs:  # they are whatever the whole is, and nobody is told
                leg = self._moved(leg_id, order.status)
                self._books.orders.put(leg)


_EVENT = {
    Status.PENDING_NEW: UpdateEvent.PENDING_NEW,
    Status.ACCEPTED: UpdateEvent.ACCEPTED,
    Status.CANCELED: UpdateEvent.CANCELED,
    Status.EXPIRED: UpdateEvent.EXPIRED,
    Status.REJECTED: UpdateEvent.REJECTED,
    Status.REPLACED: UpdateEvent.REPLACED,
}

_ASKED_FOR = (Status.PENDING_CANCEL, Status.PENDING_REPLACE)
"""An order in these states stays there when a part of it fills."""


def _filled(order: BrokerOrder, quantity: Decimal, price: Decimal, at: int) -> BrokerOrder:
    filled = add(order.filled_quantity, quantity)
    status = order.status
    if not status.is_terminal:
        if order.quantity is not None and filled >= order.quantity:
            status = Status.FILLED
        elif status not in _ASKED_FOR:
            status = Status.PARTIALLY_FILLED
    return structs.replace(
        order,
        filled_quantity=filled,
        filled_value=add(order.filled_value, multiply(quantity, price)),
        status=status,
        filled_at=at,
        updated_at=at,
    )


def _fill_event(order: BrokerOrder) -> UpdateEvent:
    is_whole = order.quantity is not None and order.filled_quantity >= order.quantity
    return UpdateEvent.FILL if is_whole else UpdateEvent.PARTIAL_FILL
