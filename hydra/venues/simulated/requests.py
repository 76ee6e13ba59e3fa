"""What may be asked of the simulated venue, and what it may answer or tell unasked."""

from typing import TypeAlias

import msgspec

from hydra.trading.orders import Order
from messages.orders import VenueReport
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotFailed, SnapshotTaken

VenueMessage: TypeAlias = VenueReport | SnapshotTaken | SnapshotFailed | OrderFound | OrderNotFound
"""What the venue tells the gateway."""


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """A new order."""

    order: Order


class Replace(msgspec.Struct, frozen=True, tag="replace"):
    """A new order that takes the place of the one it names."""

    order: Order


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Take an order out of the market."""

    client_order_id: str


class LookUp(msgspec.Struct, frozen=True, tag="look_up"):
    """Is there an order of this name?"""

    client_order_id: str


class TakeSnapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The whole account, without what was over before `since` (market time)."""

    number: int
    since: int


Request: TypeAlias = Submit | Replace | Cancel | LookUp | TakeSnapshot


def request_to_send(order: Order) -> Submit | Replace:
    """The request that brings this order to the venue."""
    return Submit(order) if order.replaces is None else Replace(order)
