"""Every order that the broker ever took, and those that are in the market."""

from collections.abc import Iterator

import msgspec

from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.fill_model import PriceTerms


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """How an order works in the market.

    `market` is the symbol whose bars move it: its own, or the stock under an option. `prices` is
    how it finds its price by now (a triggered stop is none any more); for a multi-leg order the
    prices are net. It can be touched by the rest of a bar that began at `rests_since` or later:
    what was in progress when the order came had shown its prices already.
    """

    order_id: str
    market: str
    prices: PriceTerms
    rests_since: int


class OrderBook:
    """Orders by id, in the order of their arrival. What is put replaces what was known."""

    def __init__(self) -> None:
        # Dictionaries keep the order of insertion, also when a value is replaced.
        self._orders: dict[str, BrokerOrder] = {}
        self._ids: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._open: dict[str, None] = {}
        self._working: dict[str, Working] = {}
        self._in_market: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def __getitem__(self, order_id: str) -> BrokerOrder:
        return self._orders[order_id]

    def find(self, order_id: str) -> BrokerOrder | None:
        """The order of this id, if there is one."""
        return self._orders.get(order_id)

    def by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order of this name, if there is one."""
        order_id = self._ids.get(client_order_id)
        return None if order_id is None else self._orders[order_id]

    def newest_first(self) -> Iterator[BrokerOrder]:
        """All there ever were."""
        return reversed(self._orders.values())

    def oldest_first(self) -> Iterator[BrokerOrder]:
        """All there ever were."""
        return iter(self._orders.values())

    def number_of(self, order_id: str) -> int | None:
        """Its place in the order of arrival."""
        return self._numbers.get(order_id)

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """Those that are not over, in the order of arrival."""
        return tuple(self._orders[order_id] for order_id in self._open)

    def put(self, order: BrokerOrder) -> None:
        """Add an order, or what became of it; one that is over leaves the market."""
        known = self._orders.get(order.id)
        if known is None:
            assert order.client_order_id not in self._ids, "a name is used once"
            self._ids[order.client_order_id] = order.id
            self._numbers[order.id] = len(self._orders)
        assert known is None or not known.status.is_terminal or order.status is known.status
        self._orders[order.id] = order
        if order.status.is_terminal:
            self._open.pop(order.id, None)
            self.take_out(order.id)
        else:
            self._open[order.id] = None

    def working(self, order_id: str) -> Working | None:
        """How it works in the market, if it does."""
        return self._working.get(order_id)

    def in_market(self, market: str) -> tuple[Working, ...]:
        """What the bars of this symbol can touch, in the order in which it came into the market."""
        return tuple(self._working[order_id] for order_id in self._in_market.get(market, ()))

    def work(self, working: Working) -> None:
        """Bring it into the market, or change how it works there."""
        self._working[working.order_id] = working
        self._in_market.setdefault(working.market, {})[working.order_id] = None

    def take_out(self, order_id: str) -> None:
        """It is not in the market any more."""
        working = self._working.pop(order_id, None)
        if working is not None:
            del self._in_market[working.market][order_id]
