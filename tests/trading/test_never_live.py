"""What the venue has taken and the market does not come to have."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.durations import MINUTE
from hydra.trading.never_live import NEVER_LIVE_AFTER, never_live
from hydra.trading.order_life import OrderStatus
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.venue_view import VenueOrder
from tests.store.orders import approved

OPEN_AT = 1_000 * MINUTE
SESSIONS = SessionTable((ExchangeSession("2024-01-02", OPEN_AT, OPEN_AT + 390 * MINUTE, False),))
NOON = OPEN_AT + 100 * MINUTE
ORDER = approved().order


def waiting(
    status: OrderStatus = OrderStatus.ACCEPTED, *, is_queued: bool = True, at: int = NOON
) -> VenueOrder:
    return VenueOrder(
        order=ORDER,
        venue_order_id="v-1",
        status=status,
        filled_quantity=Decimal(0),
        is_queued=is_queued,
        at=at,
    )


@pytest.mark.parametrize(
    ("listing", "at", "is_named"),
    [
        (waiting(), NOON + NEVER_LIVE_AFTER + 1, True),
        (waiting(), NOON + NEVER_LIVE_AFTER, False),
        (waiting(is_queued=False), NOON + NEVER_LIVE_AFTER + 1, False),
        (waiting(OrderStatus.CANCELED), NOON + NEVER_LIVE_AFTER + 1, False),
        # It waited for the opening, and has a minute from then on.
        (waiting(at=0), OPEN_AT - 1, False),
        (waiting(at=0), OPEN_AT + NEVER_LIVE_AFTER, False),
        (waiting(at=0), OPEN_AT + NEVER_LIVE_AFTER + 1, True),
        (waiting(), OPEN_AT + 390 * MINUTE, False),
    ],
)
def test_an_order_has_a_minute_of_a_session_to_come_to_the_market(
    listing: VenueOrder, at: int, is_named: bool
) -> None:
    assert list(never_live([listing], SESSIONS, at)) == [ORDER.client_order_id] * is_named


@pytest.mark.parametrize(
    ("waited", "is_named"), [(NEVER_LIVE_AFTER, False), (NEVER_LIVE_AFTER + 1, True)]
)
def test_a_coin_has_its_minute_at_any_hour_of_the_exchange_and_of_the_day(
    waited: int, is_named: bool
) -> None:
    coin = structs.replace(ORDER, symbol="BTC/USD")
    closed = OPEN_AT + 500 * MINUTE
    midnight = 24 * 60 * MINUTE

    for since in (closed, midnight - 1):
        listing = structs.replace(waiting(at=since), order=coin)
        assert list(never_live([listing], SESSIONS, since + waited)) == (
            [coin.client_order_id] * is_named
        )
