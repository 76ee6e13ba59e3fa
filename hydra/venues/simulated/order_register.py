"""The simulated venue's memory: every order it ever heard of, and every execution.

The book (`resting_orders`) knows what works now; the register answers whoever asks later.
"""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter

from msgspec import structs

from hydra.trading.exact import add
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order
from hydra.trading.venue_view import VenueOrder


class OrderRegister:
    """Orders by name, in the order of their arrival, with what became of them.

    `booked_at` is market time that never steps back: an execution is found by when it was booked,
    which may be after the instant within the bar that it is dated to.
    """

    def __init__(self) -> None:
        self._orders: dict[str, VenueOrder] = {}
        self._arrivals: dict[str, int] = {}
        self._open: dict[str, None] = {}
        self._ended: list[tuple[int, str]] = []
        self._fills: list[tuple[int, Fill]] = []
        self._fills_of: dict[str, list[Fill]] = {}

    @property
    def executions(self) -> int:
        """How many there have been."""
        return len(self._fills)

    def find(self, client_order_id: str) -> VenueOrder | None:
        """What is known of an order of this name."""
        return self._orders.get(client_order_id)

    def fills_of(self, client_order_id: str) -> tuple[Fill, ...]:
        """Its executions, the oldest first."""
        return tuple(self._fills_of.get(client_order_id, ()))

    def orders_since(self, at: int) -> tuple[VenueOrder, ...]:
        """All that are open, and all that ended at `at` or later, in the order of arrival."""
        ended = [name for _, name in self._ended[_first_from(self._ended, at) :]]
        names = sorted({*self._open, *ended}, key=self._arrivals.__getitem__)
        return tuple(self._orders[name] for name in names)

    def fills_since(self, at: int) -> tuple[Fill, ...]:
        """All executions booked at `at` or later."""
        return tuple(fill for _, fill in self._fills[_first_from(self._fills, at) :])

    def accept(self, order: Order, venue_order_id: str, at: int) -> None:
        """It is open from now on."""
        self._arrive(
            VenueOrder(
                order=order,
                venue_order_id=venue_order_id,
                status=OrderStatus.ACCEPTED,
                filled_quantity=Decimal(0),
                at=at,
            )
        )
        self._open[order.client_order_id] = None

    def refuse(self, order: Order, reason: str, at: int, booked_at: int) -> None:
        """It was never open, but its name is used up, and whoever looks for it learns why."""
        self._arrive(
            VenueOrder(
                order=order,
                venue_order_id="",
                status=OrderStatus.REJECTED,
                filled_quantity=Decimal(0),
                reason=reason,
                at=at,
            )
        )
        self._ended.append((booked_at, order.client_order_id))

    def book(self, fill: Fill, booked_at: int) -> None:
        """An execution, which ends its order if it is the whole of it."""
        name = fill.client_order_id
        known = self._orders[name]
        filled = add(known.filled_quantity, fill.quantity)
        self._fills.append((booked_at, fill))
        self._fills_of.setdefault(name, []).append(fill)
        status = known.status
        if status in _WORKING:
            is_whole = filled >= known.order.quantity
            status = OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED
        self._orders[name] = structs.replace(
            known, status=status, filled_quantity=filled, at=fill.at
        )
        if status is OrderStatus.FILLED:
            self._close(name, booked_at)

    def end(
        self,
        client_order_id: str,
        status: OrderStatus,
        at: int,
        booked_at: int,
        *,
        reason: str = "",
        replaced_by: str | None = None,
    ) -> None:
        """It is over before it was whole."""
        known = self._orders[client_order_id]
        self._orders[client_order_id] = structs.replace(
            known, status=status, at=at, reason=reason, replaced_by=replaced_by
        )
        self._close(client_order_id, booked_at)

    def _arrive(self, order: VenueOrder) -> None:
        name = order.order.client_order_id
        assert name not in self._orders, "a name is used once"
        self._arrivals[name] = len(self._orders)
        self._orders[name] = order

    def _close(self, client_order_id: str, booked_at: int) -> None:
        del self._open[client_order_id]
        self._ended.append((booked_at, client_order_id))


_WORKING = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


def _first_from(entries: Sequence[tuple[int, object]], at: int) -> int:
    return bisect_left(entries, at, key=itemgetter(0))
