"""What the ledger writes down, one record an event; everything else in it follows from these.

A new kind of event is a class here, a name in `LedgerEvent` and a case in `projections.booked`. A
field added later has a default, so that old records stay readable; a change of meaning is a new
`RECORD_VERSION`, which an older Hydra refuses to read (I67).
"""

from decimal import Decimal
from typing import TypeAlias, get_args

import msgspec

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
    | Outcome
    | HaltLatched
    | HaltCleared
    | BudgetGranted
    | ValuePut
    | JournalMarked
)


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
