"""Orders that the venue has taken, and that do not come to the market."""

from collections.abc import Iterable, Iterator

from hydra.trading.durations import MINUTE
from hydra.trading.instruments import is_crypto
from hydra.trading.sessions import SessionTable, hours_of
from hydra.trading.venue_view import VenueOrder

NEVER_LIVE_AFTER = MINUTE
"""Market time, in a session: so long an order may wait at the venue for the market to have it."""


def never_live(orders: Iterable[VenueOrder], sessions: SessionTable, at: int) -> Iterator[str]:
    """The names of those that wait for too long. Outside of a session they may: for its opening."""
    for listing in orders:
        if not (listing.is_queued and listing.status.is_open):
            continue
        session = hours_of(listing.order.symbol, sessions).at(at)
        if session is None:
            continue
        # A coin's day begins while it trades: nobody waits for that.
        opened = listing.at if is_crypto(listing.order.symbol) else session.open_at
        if at - max(listing.at, opened) > NEVER_LIVE_AFTER:
            yield listing.order.client_order_id
