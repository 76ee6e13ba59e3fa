"""Comparing the record with the venue, and looking for an order whose outcome is unknown.

gateway -> venue: a request through the port; venue -> gateway: SnapshotTaken or SnapshotFailed,
OrderFound or OrderNotFound; gateway -> persister: CompareWithVenue; persister -> gateway and
guardian: Compared.
"""

from decimal import Decimal
from typing import Literal, TypeAlias

from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.late_lists import LateDifference
from hydra.trading.orders import Fill
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from messages.message import Message
from messages.orders import OrderWithheld, VenueReport, client_order_id_of
from messages.streams import StreamConnected, StreamGap, StreamLost


class ReconcileNow(Message, frozen=True, kw_only=True):
    """Ask the gateway for a comparison, and say why: a start, a gap, a timer, an operator."""

    reason: str


class SnapshotTaken(Message, frozen=True, kw_only=True):
    """The venue's answer to a request for a snapshot, which is named by its number."""

    number: int
    snapshot: VenueSnapshot


class SnapshotFailed(Message, frozen=True, kw_only=True):
    """The venue could not be read whole: a page that failed, or was short, is a failure (I62)."""

    number: int
    reason: str


class OrderFound(Message, frozen=True, kw_only=True):
    """The venue has an order of this name; `fills` are its executions so far."""

    client_order_id: str
    found: VenueOrder
    fills: tuple[Fill, ...]


class OrderNotFound(Message, frozen=True, kw_only=True):
    """A look for it found nothing (`reason` ""), or could not be made: neither proves anything."""

    client_order_id: str
    reason: str = ""


class CompareWithVenue(Message, frozen=True, kw_only=True):
    """Gateway to persister: take up what the snapshot knows and we do not, then compare."""

    number: int
    snapshot: VenueSnapshot


class Compared(Message, frozen=True, kw_only=True):
    """What came of a comparison. Clean if there are no differences, late ones neither.

    `late`: what is no difference before it is too old to be explained by lists that are late.
    `taken_up` counts the reports that had not reached us and are booked now: real executions and
    outcomes of the venue, never made up (I61).
    """

    number: int
    at: int
    taken_up: int
    differences: tuple[Difference, ...]
    snapshot: VenueSnapshot
    late: tuple[LateDifference, ...] = ()


class Reconciled(Message, frozen=True, kw_only=True):
    """How a comparison ended, after as many tries as it was given; told by the gateway.

    `reasons` are those of all who asked for it before it began. `failure` is why the venue could
    not be read, "" if it could. `snapshot` is the last one read; where something is `late`, its
    lists are not of one moment.
    """

    at: int
    reasons: tuple[str, ...]
    differences: tuple[Difference, ...]
    failure: str
    snapshot: VenueSnapshot | None
    late: tuple[LateDifference, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Record and venue say the same."""
        return not (self.failure or self.differences or self.late)


class SnapshotOverdue(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: the snapshot of this number should have come."""

    number: int


class TryAgain(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: read the venue once more."""


class AnswerOverdue(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: see which orders the venue has not answered in time."""


class LookDue(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: look again for orders whose outcome is unknown."""


class CancelPending(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: see which orders work on though their cancel was asked for."""


class ReportDifferences(Message, frozen=True, kw_only=True):
    """Ask the gateway what its last comparison with the venue found."""


class DifferencesReported(Message, frozen=True, kw_only=True):
    """The last comparison, at market time `at`. Not `checked`: there was none, or it failed, or
    what it found may only be late, and `failure` says why; then that there are no differences means
    nothing.
    """

    at: int
    differences: tuple[Difference, ...]
    checked: bool
    failure: str = ""


Decision: TypeAlias = Literal["adopt", "assign", "exclude", "adjust"]
"""What an operator may do about a difference, each kind of which has its own."""


class SettleDifference(Message, frozen=True, kw_only=True):
    """Ask the persister to put an operator's decision about a difference on record, durably.

    `kind`, `subject` and `amount` are the difference's, as the operator saw it; but of cash
    `amount` is what the cash on record is to change by. `bot`: whose an adopted order, or an
    assigned position, is to be; `price`: what one unit of that position is taken to have cost.
    It answers `DifferenceSettled` or `SettlementRefused`.
    """

    kind: DifferenceKind
    subject: str
    decision: Decision
    reason: str
    operator: str
    bot: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None


class DifferenceSettled(Message, frozen=True, kw_only=True):
    """The decision is on record. `note`: what follows from it, for the operator."""

    subject: str
    note: str


class SettlementRefused(Message, frozen=True, kw_only=True):
    """The decision does not fit what is on record; nothing was changed. One line."""

    subject: str
    reason: str


WATERMARK = "watermark"
"""Under this key the ledger keeps the market time (UTC ns, in decimal digits) up to which record
and venue are known to say the same (`hydra.trading.watermark`).
"""

COMPARED_TOPIC = "reconciliation/compared"
"""Where the persister publishes every `Compared`."""

RECONCILED_TOPIC = "reconciliation/ended"
"""Where the gateway publishes every `Reconciled`."""


VenueWord: TypeAlias = (
    VenueReport
    | OrderWithheld
    | SnapshotTaken
    | SnapshotFailed
    | OrderFound
    | OrderNotFound
    | ReconcileNow
    | StreamConnected
    | StreamLost
    | StreamGap
)
"""All that the adapter of a venue tells the gateway."""


def order_named_in(message: VenueWord) -> str | None:
    """The client order id of the order that the venue speaks of; None if it is of no one order."""
    match message:
        case SnapshotTaken() | SnapshotFailed() | ReconcileNow():
            return None
        case StreamConnected() | StreamLost() | StreamGap():
            return None
        case OrderFound() | OrderNotFound():
            return message.client_order_id
        case _:
            return client_order_id_of(message)
