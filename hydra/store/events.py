"""What the ledger writes down, one record an event; everything else in it follows from these."""

from typing import TypeAlias

import msgspec

from hydra.trading.orders import Order
from messages.orders import OrderIntent, Outcome


class OrderIntended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine means to send this order. It says nothing yet about having done so."""

    intent: OrderIntent
    order: Order


class OrderAttempted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From here on the order may be at the venue, whatever happens to us."""

    client_order_id: str


class ValuePut(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A small named value was set."""

    key: str
    value: str


LedgerEvent: TypeAlias = OrderIntended | OrderAttempted | Outcome | ValuePut


def kind_of(event: LedgerEvent) -> str:
    """The event's tag, as it also stands in the body."""
    return type(event).__name__


def encoded(event: LedgerEvent) -> bytes:
    """The event's body: JSON, the same bytes for the same content."""
    return _ENCODER.encode(event)


def decoded(body: bytes) -> LedgerEvent:
    """Read a body back; an unknown kind or an impossible field raises `msgspec.ValidationError`."""
    return _DECODER.decode(body)


_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[LedgerEvent] = msgspec.json.Decoder(LedgerEvent)
