"""One name for each execution, whoever tells of it: the trading stream, or the list of activities.

In all that was ever seen the two call an execution the same, and nobody has promised it (PROTOCOL
22.5). Were it not so, what is told twice would count twice, whichever was first. So what one of
them tells is held against what the other has told of the order: where it is the same part of it (up
to the same cumulative quantity, of the same size and price) it bears the name that it had first.
As soon as both were heard to give one execution the same name this ends: then a new name is an
execution of its own, and none is taken for another that only looks like it.

What an earlier process was told is on record: there `same_executions` compares.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

ORDERS_MAX = 10_000

Part: TypeAlias = tuple[Decimal, Decimal, Decimal]
"""Of an order: its cumulative quantity with this execution, and the execution's own and price."""


class Teller(Enum):
    """Who tells of executions."""

    STREAM = "stream"
    LIST = "list"

    @property
    def other(self) -> Teller:
        """The one beside."""
        return Teller.LIST if self is Teller.STREAM else Teller.STREAM


class _Told:
    """What was told of one order."""

    def __init__(self) -> None:
        self.names: dict[Teller, set[str]] = {teller: set() for teller in Teller}
        self.parts: dict[Teller, dict[Part, str]] = {teller: {} for teller in Teller}
        """The first name that each gave to a part."""
        self.first: dict[str, str] = {}
        """By each name the one that it is booked under."""


class ExecutionNames:
    """See the module. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, _Told] = OrderedDict()
        self._are_shared = False
        """Both were heard to give one execution the same name."""

    def name_of(self, teller: Teller, order_id: str, name: str, part: Part | None) -> str:
        """Under which name this execution of the broker's order is booked.

        `part` None: how much of the order is executed with it was not told.
        """
        with self._lock:
            told = self._orders.setdefault(order_id, _Told())
            self._orders.move_to_end(order_id)
            if len(self._orders) > ORDERS_MAX:
                self._orders.popitem(last=False)
            self._are_shared |= name in told.names[teller.other]
            told.names[teller].add(name)
            if part is not None:
                told.parts[teller].setdefault(part, name)
            if name not in told.first:
                same = name
                if part is not None and not self._are_shared:
                    same = told.parts[teller.other].get(part, name)
                told.first[name] = told.first.get(same, name)
            return told.first[name]
