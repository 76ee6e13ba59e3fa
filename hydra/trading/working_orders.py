"""The orders that were approved: which are open, what they may still trade, and beside which.

An order counts from its approval until its outcome is proven, with all of it that is not executed:
a request to cancel it changes nothing (I25), and neither does it that its outcome is unknown (I19).
An absent order is given up; an entry's risk counts until it cannot live any more.

A replacement is an order like any other, and counts beside the one whose place it is to take until
one of them is proven over (I26). The larger of the two would not do: what the old one trades before
its end is heard of late, and the new one trades all of its own quantity besides.
"""

from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import subtract
from hydra.trading.exposure import Claim, claim_on, is_price
from hydra.trading.order_life import Attempted, OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey, Order, OrderType, Side, TimeInForce
from hydra.trading.situation import Proposal


class UnusableOrder(ValueError):
    """An approved order has a number that no order can have. A check has let it pass: halt."""


class WorkingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was approved, what is known of it, and on what view of the market it was."""

    decision: DecisionKey
    state: OrderState
    reference_price: Decimal | None
    protective_stop: Decimal | None = None

    @property
    def order(self) -> Order:
        """Its content."""
        return self.state.order

    @property
    def remaining(self) -> Decimal:
        """What of it is not executed."""
        return subtract(self.state.order.quantity, self.state.filled_quantity)

    @property
    def is_unknown(self) -> bool:
        """Nothing is proven of it."""
        return self.state.status is OrderStatus.UNKNOWN

    @property
    def is_entry(self) -> bool:
        """It may create or enlarge exposure."""
        return not self.decision.role.reduces


class _Open(msgspec.Struct, frozen=True):
    working: WorkingOrder
    claim: Claim


class WorkingOrders:
    """Every order by its name, and the open ones by symbol, oldest first."""

    def __init__(self) -> None:
        self._orders: dict[str, WorkingOrder] = {}
        self._open: dict[str, dict[str, _Open]] = {}
        self._open_anywhere: tuple[WorkingOrder, ...] | None = ()
        """All that are open; None: they are to be put together anew."""
        self._given_up: dict[str, dict[str, _Open]] = {}
        """Entries given up as absent: that they are is not proven, so what they would trade counts
        on (I19). Of an exit it does not, or an order that nobody finds would lock a position in.
        """

    def get(self, name: str) -> WorkingOrder | None:
        """The order of this name, open or over; None if it is not known."""
        return self._orders.get(name)

    def put(self, working: WorkingOrder) -> None:
        """Keep what is known of an order now. Raises UnusableOrder, and then keeps nothing.

        One that was only intended counts as attempted: nobody tells when it is.
        """
        if working.state.status is OrderStatus.INTENDED:
            working = structs.replace(working, state=after(working.state, Attempted()))
        order, status = working.order, working.state.status
        self._open_anywhere = None
        if status.is_open:
            _put_in(self._open, working)
        else:
            self._open.get(order.symbol, {}).pop(order.client_order_id, None)
        if status is OrderStatus.ABSENT and working.is_entry:
            _put_in(self._given_up, working)
        else:
            self._given_up.get(order.symbol, {}).pop(order.client_order_id, None)
        self._orders[order.client_order_id] = working

    def forget_ended(self) -> None:
        """Drop what is over, as a new session begins: no order for the day lives into it. Absent
        orders are still known: that they are is not proven.
        """
        self._given_up = {
            symbol: {
                name: each
                for name, each in given_up.items()
                if each.working.order.time_in_force is TimeInForce.GTC
            }
            for symbol, given_up in self._given_up.items()
        }
        self._orders = {
            name: working
            for name, working in self._orders.items()
            if working.state.status.is_open or working.state.status is OrderStatus.ABSENT
        }

    def rejected_in(self, symbol: str) -> tuple[str, ...]:
        """The names of the symbol's orders that the venue refused, as far as they are known."""
        rejected = OrderStatus.REJECTED
        return tuple(
            name
            for name, each in self._orders.items()
            if each.order.symbol == symbol and each.state.status is rejected
        )

    def open_in(self, symbol: str) -> tuple[WorkingOrder, ...]:
        """The open orders of a symbol."""
        return tuple(each.working for each in self._open.get(symbol, {}).values())

    def open_anywhere(self) -> tuple[WorkingOrder, ...]:
        """The open orders of all symbols, one symbol after the other."""
        if self._open_anywhere is None:
            self._open_anywhere = tuple(
                [each.working for orders in self._open.values() for each in orders.values()]
            )
        return self._open_anywhere

    def is_any_open(self, bot: str | None) -> bool:
        """Whether an order of this bot is open anywhere; None: of whomever."""
        if bot is None:
            return any(self._open.values())
        return any(each.decision.bot == bot for each in self.open_anywhere())

    def unknown_in(self, symbol: str) -> tuple[str, ...]:
        """The names of the symbol's orders of which nothing is proven."""
        orders = self._open.get(symbol, {})
        unknown = OrderStatus.UNKNOWN
        return tuple(
            [name for name, each in orders.items() if each.working.state.status is unknown]
        )

    def claims_in(self, symbol: str) -> dict[str, list[Claim]]:
        """What each bot's orders in the symbol may still trade, for all that anybody knows."""
        claims: dict[str, list[Claim]] = {}
        for orders in (self._open, self._given_up):
            for each in orders.get(symbol, {}).values():
                claims.setdefault(each.working.decision.bot, []).append(each.claim)
        return claims

    def opposing(self, proposal: Proposal) -> tuple[str, ...]:
        """The names of the open orders, of any bot, beside which the venue would refuse it.

        A broker takes it for a wash trade if they are on different sides and one of them is a
        market or stop order, or both have limits, and these cross. (What the proposal replaces is
        on its own side, or it cannot replace it.)
        """
        limit = None
        if proposal.order_type is OrderType.LIMIT and _is_given(proposal.limit_price):
            limit = proposal.limit_price
        return tuple(
            name
            for name, each in self._open.get(proposal.symbol, {}).items()
            if each.working.order.side is not proposal.side
            and _would_trade(proposal.side, limit, each.working.order)
        )


def _put_in(orders: dict[str, dict[str, _Open]], working: WorkingOrder) -> None:
    order, name = working.order, working.order.client_order_id
    claim = claim_on(
        side=order.side,
        quantity=working.remaining,
        opens=working.is_entry,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        reference_price=working.reference_price,
        protective_stop=working.protective_stop,
    )
    if claim is None:
        raise UnusableOrder(f"{name} was approved with a number that no order has: {working}")
    orders.setdefault(order.symbol, {})[name] = _Open(working, claim)


def claim_of_proposal(proposal: Proposal) -> Claim | None:
    """What the proposal would trade; None if one of its numbers is not one that an order has."""
    return claim_on(
        side=proposal.side,
        quantity=proposal.quantity,
        opens=not proposal.reduces,
        limit_price=proposal.limit_price,
        stop_price=proposal.stop_price,
        reference_price=proposal.reference_price,
        protective_stop=proposal.protective_stop,
    )


def _is_given(price: Decimal | None) -> bool:
    return price is not None and is_price(price)


def _would_trade(side: Side, limit: Decimal | None, other: Order) -> bool:
    """With an order of the other side, whose numbers are sane. Without a limit it does with all."""
    if limit is None or other.order_type is not OrderType.LIMIT or other.limit_price is None:
        return True
    return limit >= other.limit_price if side is Side.BUY else limit <= other.limit_price
