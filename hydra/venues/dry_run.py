"""Any venue without the send: each order gets as far as the wire and is withheld there."""

from __future__ import annotations

from hydra.ports import GateKey, GateRefused, Venue
from messages.orders import OrderApproved


class DryRun:
    """Who looks finds the account as it is; nothing of ours ever happens to it."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        raise GateRefused(f"dry run: {approved.order.client_order_id} was not sent")

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`."""
        raise GateRefused(f"dry run: the cancel of {client_order_id} was not sent")

    def look_up(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.look_up`."""
        self._venue.look_up(client_order_id, key)

    def take_snapshot(self, number: int, since: int, key: GateKey) -> None:
        """See `Venue.take_snapshot`."""
        self._venue.take_snapshot(number, since, key)

    @property
    def has_stream(self) -> bool:
        """See `Venue.has_stream`."""
        return self._venue.has_stream

    def report_stream(self) -> None:
        """See `Venue.report_stream`."""
        self._venue.report_stream()

    def cut(self, client_order_ids: tuple[str, ...]) -> None:
        """See `Venue.cut`. Nothing is ever on its way."""
