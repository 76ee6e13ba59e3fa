"""Whether one symbol can be judged without the others: no order or execution is named in two.

No venue gives one name twice, and none lets an order in one symbol take the place of another in a
second one. But what an account shows is looked at, not taken for granted.
"""

from hydra.trading.orders import Fill, Order


class NameTies:
    """Shown all that bears a name, it says whether any two symbols are tied by one."""

    def __init__(self) -> None:
        self.are_there = False
        self._orders: dict[str, str] = {}
        self._executions: dict[str, str] = {}

    def see_listed(self, order: Order) -> None:
        """The venue has shown it. The orders that have no name are not meant by any."""
        if order.client_order_id:
            self._see(self._orders, order.client_order_id, order.symbol)
        self._see_replaced(order)

    def see_ours(self, order: Order) -> None:
        """It is on record."""
        self._see(self._orders, order.client_order_id, order.symbol)
        self._see_replaced(order)

    def see_execution(self, fill: Fill) -> None:
        """It was told, or shown."""
        self._see(self._executions, fill.execution_id, fill.symbol)

    def _see_replaced(self, order: Order) -> None:
        if order.replaces is not None:
            self._see(self._orders, order.replaces, order.symbol)

    def _see(self, names: dict[str, str], name: str, symbol: str) -> None:
        if not name or names.setdefault(name, symbol) != symbol:
            self.are_there = True
