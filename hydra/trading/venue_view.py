"""What a venue says of an account at one instant: the other side of every comparison."""

from decimal import Decimal

import msgspec

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order


class VenueAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account itself. `equity` is the venue's own valuation, None if it gives none.

    `blocked` names what keeps the account from trading ("account_blocked"), "" if nothing does.
    """

    account: str
    cash: Decimal
    equity: Decimal | None
    blocked: str = ""


class VenuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """What the account holds in a symbol, signed: over zero is long."""

    symbol: str
    quantity: Decimal


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the venue has it. `order.client_order_id` may be anybody's, or "".

    `replaced_by` is the client order id that took its place, if its status is REPLACED.
    """

    order: Order
    venue_order_id: str
    status: OrderStatus
    filled_quantity: Decimal
    reason: str = ""
    replaced_by: str | None = None
    at: int = 0
    """When it came to this status, market time."""
    is_queued: bool = False
    """The venue has it, and the market does not have it yet."""
    is_idle: bool = False
    """It is open and trades nothing now: it is suspended, or done for the day."""
    unread: str = ""
    """What the venue says of it in words that we do not have ("type is pegged"), "" if nothing.

    Then `order` is only what could be read, and the order counts as open unless it is over.
    """

    @property
    def is_waiting(self) -> bool:
        """It is open, and nothing of it can trade now."""
        return self.is_queued or self.is_idle


class VenueFee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee that the venue booked, by an activity of its own.

    `amount` is over zero: so much less of `asset`, a coin's symbol or "USD". `symbol` is what was
    traded, "" if it names nothing. `is_of_coins`: it is for trading a coin, whatever it is paid in.
    """

    activity_id: str
    asset: str
    symbol: str
    amount: Decimal
    at: int
    is_of_coins: bool


class VenueSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The account at market time `at`.

    `orders` are all that are open, and all that came to an end since `since`; `fills` are all
    executions since `since`, and `fees` all fees booked since then. `since` is market time; 0: from
    the very beginning.
    """

    at: int
    since: int
    account: VenueAccount
    positions: tuple[VenuePosition, ...]
    orders: tuple[VenueOrder, ...]
    fills: tuple[Fill, ...]
    fees: tuple[VenueFee, ...] = ()
