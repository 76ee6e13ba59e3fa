"""The simulated venue's in-process face: the matching engine behind the `Venue` port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from hydra.ports import GateKey, GateRefused, OrderGate, PermitClass
from hydra.trading.bars import Bar
from hydra.trading.orders import Role
from hydra.venues.simulated.matching import MatchingEngine
from messages.orders import OrderApproved, VenueReport


class InProcessVenue:
    """Passes the order gate at the last instant, then hands the order to the engine.

    The lock orders orders and bars, which come from different threads in a live run; it is never
    held while anybody is told anything.
    """

    def __init__(
        self,
        engine: MatchingEngine,
        gate: OrderGate,
        market_time: Callable[[], int],
        report: Callable[[VenueReport], None],
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._market_time = market_time
        self._report = report
        self._lock = threading.Lock()

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        order = approved.order
        entry = approved.intent.decision.role is Role.ENTRY
        permit_class = PermitClass.ENTRY if entry else PermitClass.REDUCE
        permit = self._gate.enter(order.client_order_id, approved.epoch, key, permit_class)
        try:
            with self._lock:
                reports = self._engine.submit(order, self._market_time())
        finally:
            self._gate.leave(permit)
        self._tell(reports)

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`."""
        permit = self._gate.enter(client_order_id, self._gate.epoch, key, PermitClass.CANCEL)
        try:
            with self._lock:
                reports = self._engine.cancel(client_order_id, self._market_time())
        finally:
            self._gate.leave(permit)
        self._tell(reports)

    def on_bar(self, bar: Bar) -> None:
        """A bar has closed: what rests may fill."""
        with self._lock:
            reports = self._engine.on_bar(bar)
        self._tell(reports)

    def close_session(self, at: int) -> None:
        """The exchange has closed: day orders expire."""
        with self._lock:
            reports = self._engine.close_session(at)
        self._tell(reports)

    def _tell(self, reports: Iterable[VenueReport]) -> None:
        for report in reports:
            self._report(report)


class DryRunVenue:
    """Everything but the send: each order gets as far as the wire and is withheld there."""

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        raise GateRefused(f"dry run: {approved.order.client_order_id} was not sent")

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`."""
        raise GateRefused(f"dry run: the cancel of {client_order_id} was not sent")
