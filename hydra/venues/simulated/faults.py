"""What a venue can do wrong, one class a fault. The class above it says what it strikes."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.orders import Order, OrderType, Side, TimeInForce


class RequestFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes a request that has arrived; it is in the log of the venue all the same."""


class Ignore(RequestFault, frozen=True, kw_only=True):
    """Nothing comes of it, and nobody is told."""


class FailLook(RequestFault, frozen=True, kw_only=True):
    """Strikes looks: an order cannot be looked for, a snapshot cannot be read whole."""

    reason: str = "page 2 of the orders could not be read"


class HideEquity(RequestFault, frozen=True, kw_only=True):
    """Strikes snapshots: the account comes without its equity."""


class HoldCancel(RequestFault, frozen=True, kw_only=True):
    """Strikes cancels: it is pending for so many market events, and the order may fill in them.

    None: for ever, unless the order comes to its end otherwise.
    """

    events: int | None = None


class OrderFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes an order that the venue accepts."""


class RejectLater(OrderFault, frozen=True, kw_only=True):
    """It is rejected just before the n-th market event from now, if nothing of it has filled."""

    events: int = 1
    reason: str = "rejected by the market"


class Hide(OrderFault, frozen=True, kw_only=True):
    """Who looks finds neither it nor its executions, for so long (market ns) after its coming."""

    for_ns: int


class AlterEcho(OrderFault, frozen=True, kw_only=True):
    """Wherever the venue shows it, it differs from what was sent in what is given here."""

    client_order_id: str | None = None
    symbol: str | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    replaces: str | None = None


class RefusalFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes an order that the venue refuses."""


class FillRefused(RefusalFault, frozen=True, kw_only=True):
    """The next bar of its symbol executes it all the same, whole and at its open."""


class ExecutionFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes what a bar is about to execute of an order."""


class FillPart(ExecutionFault, frozen=True, kw_only=True):
    """Only this share of it is executed, in whole steps and at least one; the rest waits."""

    share: Decimal = Decimal("0.5")


class Overfill(ExecutionFault, frozen=True, kw_only=True):
    """Strikes what would complete the order: so much more is executed."""

    extra: Decimal = Decimal(1)


class MessageFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes a message that the venue is about to tell."""


class Lose(MessageFault, frozen=True, kw_only=True):
    """It is never told."""


class Delay(MessageFault, frozen=True, kw_only=True):
    """It is told after the n-th market event from now."""

    events: int = 1


class Repeat(MessageFault, frozen=True, kw_only=True):
    """It is told so many times more."""

    copies: int = 1


class Overtake(MessageFault, frozen=True, kw_only=True):
    """So many of the messages behind it are told before it."""

    by: int = 1


class MomentFault(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Strikes just before a market event happens."""


class PlantOrder(MomentFault, frozen=True, kw_only=True):
    """Somebody else sends an order for the account; what becomes of it is told like all else."""

    order: Order


class DriftPosition(MomentFault, frozen=True, kw_only=True):
    """The position changes by so much, without an order."""

    symbol: str
    quantity: Decimal


class DriftCash(MomentFault, frozen=True, kw_only=True):
    """The cash changes by so many USD, without an order."""

    amount: Decimal


class BlockAccount(MomentFault, frozen=True, kw_only=True):
    """The account must not trade from now on, for this reason; "" ends that."""

    reason: str = "account_blocked"


Family: TypeAlias = (
    RequestFault | OrderFault | RefusalFault | ExecutionFault | MessageFault | MomentFault
)
"""By what they strike."""

Fault: TypeAlias = (
    Ignore
    | FailLook
    | HideEquity
    | HoldCancel
    | RejectLater
    | Hide
    | AlterEcho
    | FillRefused
    | FillPart
    | Overfill
    | Lose
    | Delay
    | Repeat
    | Overtake
    | PlantOrder
    | DriftPosition
    | DriftCash
    | BlockAccount
)
"""Each of them, so that a plan can be read from a file."""
