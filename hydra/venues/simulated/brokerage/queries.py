"""How orders and activities are asked for."""

from enum import Enum

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.words import AssetClass


class WhichOrders(Enum):
    """Which orders a list shows."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A list of orders. `after` and `until` (UTC ns, both exclusive) are of the submission.

    The id cursors are exclusive too. With `nested`, orders that belong to another are left out of
    the list (they are found by its `legs`).
    """

    which: WhichOrders = WhichOrders.OPEN
    limit: int = 50
    after: int | None = None
    until: int | None = None
    before_order_id: str | None = None
    after_order_id: str | None = None
    ascending: bool = False
    nested: bool = False
    symbols: frozenset[str] | None = None
    side: Side | None = None
    asset_class: AssetClass | None = None


class ActivityQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of activities. `types` None: all. `after` and `until` are UTC ns, exclusive.

    `date` is an ISO date in New York. `page_token` is the id of the last one of the page before.
    """

    types: frozenset[str] | None = None
    category: str | None = None
    date: str | None = None
    after: int | None = None
    until: int | None = None
    ascending: bool = False
    page_size: int = 100
    page_token: str | None = None
    order_id: str | None = None
