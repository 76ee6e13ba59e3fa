"""The life of one order, in the order the messages are sent.

bot -> guardian: OrderIntent; guardian -> persister: OrderApproved (or back: OrderDenied);
persister -> gateway: OrderStored; gateway -> venue; venue -> gateway -> persister: a report;
persister -> everyone concerned: ReportStored.
"""

from decimal import Decimal
from typing import TypeAlias

from hydra.trading.fees import Fee
from hydra.trading.orders import DecisionKey, Denial, Fill, Order, OrderType, Side, TimeInForce
from messages.message import Message


class OrderIntent(Message, frozen=True, kw_only=True):
    """A bot would like to trade. Nothing has been checked yet.

    `decided_at` is market time (UTC ns); `reference_price` is what the bot saw when it decided,
    None if it saw none.
    `protective_stop` is where the bot will give an entry up: its risk is counted to there, and
    without one as if all of it could be lost. `replaces` names the order it takes the place of.
    """

    decision: DecisionKey
    side: Side
    quantity: Decimal
    reason: str
    decided_at: int
    reference_price: Decimal | None
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    protective_stop: Decimal | None = None
    replaces: str | None = None


class OrderApproved(Message, frozen=True, kw_only=True):
    """The risk guardian let the intent through. Nobody else makes one of these.

    `epoch` is the order gate's at the time of approval: after a halt the order is refused at the
    gate, however late it arrives there. `expires_at` is machine time (monotonic ns).
    """

    intent: OrderIntent
    order: Order
    epoch: int
    expires_at: int


class OrderDenied(Message, frozen=True, kw_only=True):
    """The risk guardian refused. (The venue's refusal is OrderRejected.)"""

    intent: OrderIntent
    denial: Denial


class CancelIntent(Message, frozen=True, kw_only=True):
    """A bot would like an order of its own to be taken out of the market. Told to the guardian.

    It is a request, and nothing answers it: what becomes of the order is reported as always. Where
    it is passed over (the order is over, the allowance is used up, or a protective order is better
    left resting) it may be asked for again, at the bot's next look.
    """

    decision: DecisionKey
    reason: str


class OrderStored(Message, frozen=True, kw_only=True):
    """Intent and attempt are durable; only now may the gateway send."""

    approved: OrderApproved


class OrderWithheld(Message, frozen=True, kw_only=True):
    """Approved and stored, but refused at the gate or expired: it was never sent."""

    client_order_id: str
    reason: str
    at: int


class OrderAccepted(Message, frozen=True, kw_only=True):
    """The venue took the order and echoed it.

    `echo` is the order as the venue has it, None from a venue that does not say. It must be what
    was sent (I27).
    """

    client_order_id: str
    venue_order_id: str
    at: int
    echo: Order | None = None


class OrderRejected(Message, frozen=True, kw_only=True):
    """The venue refused the order."""

    client_order_id: str
    reason: str
    at: int


class OrderFilled(Message, frozen=True, kw_only=True):
    """The venue executed the order, or a part of it."""

    fill: Fill


class OrderCanceled(Message, frozen=True, kw_only=True):
    """The venue took the order out of the market before it was complete."""

    client_order_id: str
    at: int


class OrderExpired(Message, frozen=True, kw_only=True):
    """The order's time in force ran out before it was complete."""

    client_order_id: str
    at: int


class OrderReplaced(Message, frozen=True, kw_only=True):
    """Another order has taken its place at the venue; what it had traded by then stays traded."""

    client_order_id: str
    by: str
    """The name of the other one."""
    at: int


class OrderAbsent(Message, frozen=True, kw_only=True):
    """Its outcome was unknown, and every look for it over a settle window found nothing.

    That is no proof. It is given up, and reported; should it live after all, that halts.
    """

    client_order_id: str
    reason: str
    at: int


class OrderUnknown(Message, frozen=True, kw_only=True):
    """It may or may not have reached the venue: nothing is proven, so nothing is assumed."""

    client_order_id: str
    reason: str
    at: int


VenueReport: TypeAlias = (
    OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
    | OrderUnknown
)
Outcome: TypeAlias = VenueReport | OrderWithheld | OrderAbsent


class ReportStored(Message, frozen=True, kw_only=True):
    """The outcome is durable and belongs to this decision; only now may anyone act on it.

    `fee` is what the venue is taken to keep of an execution, on record with it; None: nothing.
    """

    decision: DecisionKey
    report: Outcome
    fee: Fee | None = None


REPORTS_TOPIC = "orders/reports"
"""Where the persister publishes every `ReportStored`."""

JUDGEMENTS_TOPIC = "orders/judgements"
"""Where the guardian publishes every `OrderApproved` and `OrderDenied`."""


def reports_topic(bot: str) -> str:
    """Where the persister publishes the `ReportStored` of one bot's orders."""
    return f"{REPORTS_TOPIC}/{bot}"


def client_order_id_of(report: Outcome) -> str:
    """The order that an outcome speaks of."""
    return (
        report.fill.client_order_id if isinstance(report, OrderFilled) else report.client_order_id
    )
