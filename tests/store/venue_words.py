"""What a venue says of an account, for the ledger's tests: one fine case, of which a test changes
a part.
"""

from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenueSnapshot
from tests.store.orders import AT


def snapshot(*orders: VenueOrder, fills: tuple[Fill, ...] = (), **changes: Any) -> VenueSnapshot:
    whole = VenueSnapshot(
        at=AT + 9,
        since=0,
        account=VenueAccount(account="PA-1", cash=Decimal(100_000), equity=None),
        positions=(),
        orders=orders,
        fills=fills,
    )
    return structs.replace(whole, **changes)


def listed(order: Order, status: OrderStatus, **changes: Any) -> VenueOrder:
    """The venue's word on this order, under a name that goes with ours."""
    one = VenueOrder(
        order=order,
        venue_order_id=f"venue-{order.client_order_id}",
        status=status,
        filled_quantity=Decimal(0),
        at=AT + 5,
    )
    return structs.replace(one, **changes)
