"""What a report, which is a message, means for the life of its order."""

from typing import assert_never

from hydra.trading.order_life import (
    Accepted,
    Canceled,
    Expired,
    OrderEvent,
    Rejected,
    Unknown,
    Withheld,
)
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)


def event_of(report: Outcome) -> OrderEvent:
    """What the report says; of which order, its reader knows. Its time decides nothing."""
    match report:
        case OrderWithheld():
            return Withheld(report.reason)
        case OrderUnknown():
            return Unknown(report.reason)
        case OrderAccepted():
            return Accepted(report.venue_order_id)
        case OrderRejected():
            return Rejected(report.reason)
        case OrderFilled():
            return report.fill
        case OrderCanceled():
            return Canceled()
        case OrderExpired():
            return Expired()
        case _:
            assert_never(report)
