"""Which names are one order: ours and the broker's; and which orders were open when last seen.

The broker cancels and replaces by its own id, and its executions name only that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from hydra.venues.alpaca.payloads import OrderPayload
from hydra.venues.alpaca.wire import OVER

NAMES_MAX = 100_000


class KnownOrders:
    """Learns from every answer and update that shows an order. Safe to use from any thread.

    Nothing depends on it for being right: what it has forgotten is asked for again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._ids: dict[str, str] = {}
        self._open: set[str] = set()

    def learn(self, payload: OrderPayload) -> None:
        """Take note of the order."""
        name = payload.client_order_id or ""
        with self._lock:
            self._names[payload.id] = name
            self._names.move_to_end(payload.id)
            if name:
                self._ids[name] = payload.id
            if payload.status in OVER:
                self._open.discard(payload.id)
            else:
                self._open.add(payload.id)
            if len(self._names) > NAMES_MAX:
                _, forgotten = self._names.popitem(last=False)
                self._ids.pop(forgotten, None)

    def name_of(self, order_id: str) -> str | None:
        """Our name of the broker's order; "" if it has none."""
        with self._lock:
            return self._names.get(order_id)

    def id_of(self, client_order_id: str) -> str | None:
        """The broker's id of our order."""
        with self._lock:
            return self._ids.get(client_order_id)

    def open_ids(self) -> frozenset[str]:
        """The broker's ids of the orders that were open when something was last heard of them."""
        with self._lock:
            return frozenset(self._open)

    def forget(self, order_id: str) -> None:
        """The broker says that there is no such order."""
        with self._lock:
            self._open.discard(order_id)
