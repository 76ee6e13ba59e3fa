"""Cancels that the venue was asked for, and the orders that go on working all the same.

A cancel is a request. An order whose cancel comes to nothing within `STUCK_AFTER` is looked at
again and again, and its symbol is not entered, whatever the order is for: what is sent there could
meet an order that works on. Times are machine time (ns), since it is the venue's answer that is
waited for.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.causes import CANCEL_PENDING, kind_of
from hydra.trading.durations import SECOND
from hydra.trading.exact import subtract
from hydra.trading.order_life import Accepted, Attempted, OrderEvent, Unknown
from hydra.trading.orders import Fill
from hydra.trading.trading_state import Cause
from hydra.trading.working_orders import WorkingOrder

STUCK_AFTER = 30 * SECOND
LOOK_EVERY = 10 * SECOND


class Sent(msgspec.Struct, frozen=True):
    """An order at the venue, `left` of which is not executed."""

    client_order_id: str
    symbol: str
    left: Decimal
    asked_at: int | None = None
    """When its cancel was asked for first."""
    is_stuck: bool = False


class PendingCancels:
    """See the module. Equal calls leave an equal one."""

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}
        self._looked_at = 0

    def order_sent(self, client_order_id: str, symbol: str, left: Decimal) -> None:
        """It may be at the venue from now on."""
        self._sent[client_order_id] = Sent(client_order_id, symbol, left)

    def is_over_after(self, client_order_id: str, event: OrderEvent) -> bool:
        """Take up what became of it; gives whether that is its end."""
        match event:
            case Attempted() | Accepted() | Unknown():
                return False
            case Fill():
                sent = self._sent.get(client_order_id)
                if sent is None:
                    return False
                left = subtract(sent.left, event.quantity)
                self._sent[client_order_id] = structs.replace(sent, left=left)
                return left <= 0
            case _:
                return True

    def order_ended(self, client_order_id: str) -> None:
        """It is proven over, or was never sent."""
        self._sent.pop(client_order_id, None)

    def requested(self, client_order_id: str, now: int) -> None:
        """The venue was asked to take it out, maybe not for the first time."""
        sent = self._sent.get(client_order_id)
        if sent is not None and sent.asked_at is None:
            self._sent[client_order_id] = structs.replace(sent, asked_at=now)

    def newly_stuck(self, now: int) -> tuple[Sent, ...]:
        """Look at them: those whose time is up now, each of which is named once."""
        self._looked_at = now
        stuck = tuple(
            structs.replace(sent, is_stuck=True)
            for sent in self._pending
            if not (sent.is_stuck or now < (sent.asked_at or 0) + STUCK_AFTER)
        )
        self._sent.update((sent.client_order_id, sent) for sent in stuck)
        return stuck

    @property
    def shut(self) -> Mapping[str, str]:
        """Why each symbol is not to be entered, in words that name the orders that are stuck."""
        names: dict[str, list[str]] = {}
        for sent in self._pending:
            if sent.is_stuck:
                names.setdefault(sent.symbol, []).append(sent.client_order_id)
        return {
            symbol: f"asked to go, and works on: {', '.join(of)}" for symbol, of in names.items()
        }

    @property
    def next_due(self) -> int | None:
        """When to look next; None if nothing is waited for."""
        due = [
            self._looked_at + LOOK_EVERY if sent.is_stuck else (sent.asked_at or 0) + STUCK_AFTER
            for sent in self._pending
        ]
        return min(due, default=None)

    @property
    def _pending(self) -> tuple[Sent, ...]:
        return tuple(sent for sent in self._sent.values() if sent.asked_at is not None)


def still_pending(latched: Iterable[Cause], open_orders: Iterable[WorkingOrder]) -> frozenset[str]:
    """The codes of the latched causes of this kind in whose symbol an entry may work, or an order
    that the cause names (`shut`), whatever it is for.
    """
    orders = tuple(open_orders)
    return frozenset(
        cause.code
        for cause in latched
        if kind_of(cause.code) is CANCEL_PENDING
        and any(
            order.decision.symbol == cause.symbol
            and (order.is_entry or order.order.client_order_id in cause.detail)
            for order in orders
        )
    )
