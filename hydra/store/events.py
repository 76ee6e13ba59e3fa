"""What the ledger writes down, one record an event; everything else in it follows from these.

A new kind of event is a class here, a name in `LedgerEvent` and a case in `projections.booked`. A
field added later has a default, so that old records stay readable; a change of meaning is a new
`RECORD_VERSION`, which an older Hydra refuses to read (I67).
"""

from decimal import Decimal
from typing import TypeAlias, get_args

import msgspec

from hydra.trading.differences import DifferenceKind
from hydra.trading.fees import Fee, FeeAct, FeeBooking, FeeObservation
from hydra.trading.orders import Order
from hydra.trading.trading_state import Cause
from messages.orders import OrderIntent, Outcome

RECORD_VERSION = 1


class LedgerBegun(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first event of a ledger. It is of this venue for ever."""

    venue: str


class AccountBound(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The ledger is of this account for ever."""

    account: str


class EngineStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A process took the ledger over. `configuration` is the settings' digest."""

    version: str
    configuration: str
    wall_at: int = 0
    """The machine's clock (UTC ns), for how often it restarted; 0 if it was not written down."""
    after_unclean_end: bool = False
    """The process before had not said that it stopped."""


class EngineStopped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It gave the ledger back in order. Without this the process before ended in some other way."""

    reason: str


class OrderIntended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine means to send this order. It says nothing yet about having done so."""

    intent: OrderIntent
    order: Order


class OrderAttempted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From here on the order may be at the venue, whatever happens to us."""

    client_order_id: str


class AccountOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account's cash before the first order of this ledger; from here on it is added up."""

    cash: Decimal


class CashAdjusted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An operator accepts that the account has so much more (less) cash: a fee, a deposit.

    No bot has a part in it: it is booked to the sub-ledger `UNATTRIBUTED`.
    """

    amount: Decimal
    reason: str
    operator: str


class PositionAssigned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An operator attributes so much of a position (signed) to a bot, as if got at this price.

    The bot pays for it, or is paid, and `UNATTRIBUTED` has the other side: the account's cash is
    as it was. It is not a fill, and counts nowhere as one (I61).
    """

    bot: str
    symbol: str
    quantity: Decimal
    price: Decimal
    reason: str
    operator: str


class DifferenceExcluded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An operator leaves a difference alone by name: of a position so much (signed) of it.

    The newest word on a subject stands. A quantity of zero takes it back, and for a position none
    does too.
    """

    kind: DifferenceKind
    subject: str
    quantity: Decimal | None
    reason: str
    operator: str


class OrderAdopted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An operator takes an order over for a bot that is at the venue already, under its name there.

    As if it had been intended and attempted; its reports are booked to that bot from here on.
    """

    intent: OrderIntent
    order: Order
    reason: str
    operator: str


class FeeAccrued(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue is taken to keep this of an execution, which the event before is about."""

    fee: Fee


class FeesObserved(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A comparison with the venue has shown what these fees are."""

    observation: FeeObservation


class FeeBooked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An activity of the venue names a fee. It counts once, by its id."""

    booking: FeeBooking


class HaltLatched(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A cause not to trade freely. It stands until it is cleared, over any number of restarts."""

    cause: Cause


class HaltCleared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One cause is gone; `reason` says who cleared it and on what evidence."""

    code: str
    reason: str


class BudgetGranted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a bot may risk in one session, in the account's currency; it replaces what it had."""

    bot: str
    session: str
    amount: Decimal


class ValuePut(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A small named value was set."""

    key: str
    value: str


class JournalMarked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The journal was on the disk up to this line: if it ends before it, lines were lost."""

    seq: int


LedgerEvent: TypeAlias = (
    LedgerBegun
    | AccountBound
    | EngineStarted
    | EngineStopped
    | OrderIntended
    | OrderAttempted
    | OrderAdopted
    | Outcome
    | HaltLatched
    | HaltCleared
    | BudgetGranted
    | ValuePut
    | JournalMarked
    | AccountOpened
    | CashAdjusted
    | PositionAssigned
    | DifferenceExcluded
    | FeeAccrued
    | FeesObserved
    | FeeBooked
)


def event_of_fees(act: FeeAct) -> FeesObserved | FeeBooked:
    """What a comparison found out about fees, as it is written down."""
    if isinstance(act, FeeObservation):
        return FeesObserved(observation=act)
    return FeeBooked(booking=act)


def kind_of(event: LedgerEvent) -> str:
    """The event's tag, as it also stands in the body."""
    return type(event).__name__


def encoded(event: LedgerEvent) -> bytes:
    """The event's body: JSON, the same bytes for the same content."""
    return _ENCODER.encode(event)


def decoded(body: bytes) -> LedgerEvent:
    """Read a body back; an unknown kind or an impossible field raises `msgspec.ValidationError`."""
    return _DECODER.decode(body)


KINDS = frozenset(kind.__name__ for kind in get_args(LedgerEvent))
"""Every kind that this Hydra can read."""

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[LedgerEvent] = msgspec.json.Decoder(LedgerEvent)
