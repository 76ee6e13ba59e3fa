"""Orders that the venue has taken, and that do not come to the market."""

from collections.abc import Iterable, Iterator

from hydra.trading.durations import MINUTE
from hydra.trading.sessions import SessionTable
from hydra.trading.venue_view import VenueOrder

NEVER_LIVE_AFTER = MINUTE
"""Market time, in a session: so long an order may wait at the venue for the market to have it."""


def never_live(orders: Iterable[VenueOrder], sessions: SessionTable, at: int) -> Iterator[str]:
    """The names of those that wait for too long. Outside of a session they may: for its opening."""
    session = sessions.at(at)
    if session is None:
        return
    for listing in orders:
        waits_since = max(listing.at, session.open_at)
        if listing.is_queued and listing.status.is_open and at - waits_since > NEVER_LIVE_AFTER:
            yield listing.order.client_order_id
