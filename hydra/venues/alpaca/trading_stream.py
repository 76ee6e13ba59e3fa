"""What is said on the trading stream: log in, listen, then what happens to our orders.

Updates come in any order, more than once, or never; what each says is told as a report, and the
record counts an execution once. Where an update leaves open what happened (a word that we do not
have, an execution without a name, more filled than we were told, an order that is not ours) a
gap is told besides, which makes the engine compare itself with the venue. Nothing is dropped.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from hydra.settings.secret import Secret
from hydra.trading.amounts import is_amount
from hydra.trading.exact import add, subtract, total
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import OUR_PREFIX, Fill
from hydra.trading.venue_view import VenueOrder
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.execution_names import ExecutionNames, Teller
from hydra.venues.alpaca.http import Keys
from hydra.venues.alpaca.payloads import OrderPayload, reader
from hydra.venues.alpaca.stream import Heard, Trouble
from hydra.venues.alpaca.times import nanoseconds
from hydra.venues.alpaca.websocket import Message
from hydra.venues.alpaca.wire import venue_order
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    VenueReport,
)
from messages.streams import StreamGap

NAME = "trading"
RAW_LENGTH_MAX = 2_000
LISTEN = '{"action":"listen","data":{"streams":["trade_updates"]}}'

_ACCEPTED = frozenset({"pending_new", "accepted", "new"})
_ENDED = frozenset({"canceled", "expired", "rejected"})
_FILLED = frozenset({"partial_fill", "fill"})
_NOTHING_NEW = frozenset(
    {
        "held",
        "pending_cancel",
        "pending_replace",
        "pending_review",
        "done_for_day",
        "stopped",
        "suspended",
        "calculated",
        "order_cancel_rejected",
        "order_replace_rejected",
    }
)
"""The order works on, or will; what it has traded has not changed."""
_CHANGES_WHAT_WAS = frozenset({"replaced", "trade_bust", "trade_correct", "restated"})
"""What these mean for the record is found by reading the account."""
EVENTS = _ACCEPTED | _ENDED | _FILLED | _NOTHING_NEW | _CHANGES_WHAT_WAS
"""All that we know. By any other the engine compares itself with the venue."""


class TradingConversation:
    """One connection of the trading stream. What was told on an earlier one it does not know."""

    def __init__(self, key: str, secret: str, names: ExecutionNames | None = None) -> None:
        """`names` outlive the connection; None: nobody else tells of executions."""
        self._names = names or ExecutionNames()
        self._key = key
        self._secret = secret
        self._keys = Keys(Secret(key), Secret(secret))
        self._executions: dict[str, dict[str, Decimal]] = defaultdict(dict)
        """Quantities by execution id, by our name of the order."""
        self._untold: dict[str, Decimal] = {}
        """How much more of an order is filled than was told here: a gap has said so already."""
        self._filled: dict[str, Decimal] = {}
        """The most that was said to be filled of an order."""

    def opened(self) -> tuple[Message, ...]:
        """See `Conversation`. We speak first."""
        login = {
            "action": "authenticate",
            "data": {"key_id": self._key, "secret_key": self._secret},
        }
        return (msgspec.json.encode(login).decode(),)

    def due(self) -> tuple[Message, ...]:
        """See `Conversation`. We speak only at the beginning."""
        return ()

    def hear(self, message: Message) -> Heard:
        """See `Conversation`."""
        data = message.encode() if isinstance(message, str) else message
        try:
            envelope = _read_envelope(data)
            match envelope.stream:
                case "authorization":
                    return _authorized(_read_authorization(envelope.data), self._keys)
                case "listening":
                    return _listening(_read_listening(envelope.data))
                case "trade_updates":
                    return Heard(tell=tuple(self._update(_read_update(envelope.data), data)))
                case stream:
                    return Heard(
                        tell=(self._gap(f"a stream {stream!r} that we did not ask for", data),)
                    )
        except BadAnswer as error:
            return Heard(tell=(self._gap(str(error), data),))

    def _gap(self, reason: str, data: bytes) -> StreamGap:
        # Once it is cut, what is left of a key is found by nobody any more.
        raw = self._keys.scrubbed(data)[:RAW_LENGTH_MAX].decode("utf-8", errors="backslashreplace")
        return StreamGap(stream=NAME, reason=reason, raw=raw)

    def _update(self, update: "_Update", data: bytes) -> Iterator[Any]:
        order = venue_order(update.order, lambda _: None)
        name = order.order.client_order_id
        if not name.startswith(OUR_PREFIX):
            yield self._gap(f"an update of an order that is not ours, {update.order.id!r}", data)
            return
        yield from self._reports(update, order)
        doubt = self._doubt(update, order)
        if doubt:
            yield self._gap(f"{name}: {doubt}", data)

    def _reports(self, update: "_Update", order: VenueOrder) -> Iterator[VenueReport]:
        """What the update says in the engine's words."""
        name, at = order.order.client_order_id, nanoseconds(update.timestamp)
        if update.event in _ACCEPTED:
            yield OrderAccepted(
                client_order_id=name,
                venue_order_id=order.venue_order_id,
                at=at,
                echo=None if order.unread else order.order,
            )
        fill = self._fill_in(update, order, at)
        if fill is not None:
            self._executions[name][fill.execution_id] = fill.quantity
            yield OrderFilled(fill=fill)
        if update.event == "canceled":
            yield OrderCanceled(client_order_id=name, at=at)
        elif update.event == "expired":
            yield OrderExpired(client_order_id=name, at=at)
        elif update.event == "rejected":
            reason = self._keys.words(update.reason or "rejected late, without a reason")
            yield OrderRejected(client_order_id=name, reason=reason, at=at)

    def _fill_in(self, update: "_Update", order: VenueOrder, at: int) -> Fill | None:
        """The execution that an update tells of, whatever it calls its event; None: it tells of
        none. An event that changes an execution of before tells of none.
        """
        if not update.is_execution or update.event in _CHANGES_WHAT_WAS | _NOTHING_NEW | _ACCEPTED:
            return None
        assert update.execution_id is not None and update.price is not None
        assert update.qty is not None
        part = (order.filled_quantity, update.qty, update.price)
        return Fill(
            execution_id=self._names.name_of(
                Teller.STREAM, order.venue_order_id, update.execution_id, part
            ),
            client_order_id=order.order.client_order_id,
            symbol=order.order.symbol,
            side=order.order.side,
            quantity=update.qty,
            price=update.price,
            at=at,
        )

    def _doubt(self, update: "_Update", order: VenueOrder) -> str:
        """What the update leaves open, "" if nothing."""
        event = update.event
        if event in _CHANGES_WHAT_WAS:
            return f"{event}: what it changes is to be read"
        if event not in EVENTS:
            return f"the event {event!r} is not known"
        if event in _FILLED and not update.is_execution:
            return f"a {event} that names no execution"
        if order.unread and order.status is not OrderStatus.REPLACED:
            return order.unread
        return self._untold_part(order)

    def _untold_part(self, order: VenueOrder) -> str:
        """That other executions were told than what is filled, once: what is missing is read from
        the account then, and an order that trades on is not in doubt for the rest of its life.
        """
        name, filled = order.order.client_order_id, order.filled_quantity
        self._filled[name] = most = max(filled, self._filled.get(name, filled))
        told = total(self._executions[name].values())
        if add(told, self._untold.get(name, Decimal(0))) == filled:
            return ""
        self._untold[name] = subtract(most, told)
        return f"{filled:f} are filled, and executions of {told:f} were told"


def _authorized(authorization: "_Authorization", keys: Keys) -> Heard:
    if authorization.status == "authorized":
        return Heard(send=(LISTEN,))
    said = f"the venue says {authorization.status} to {authorization.action or 'us'}"
    return Heard(failure=keys.words(said), trouble=Trouble.REFUSED)


def _listening(listening: "_Listening") -> Heard:
    if "trade_updates" in (listening.streams or ()):
        return Heard(is_live=True)
    return Heard(failure="the venue does not let us listen to trade_updates")


class _Envelope(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Authorization(msgspec.Struct):
    status: str
    action: str | None = None


class _Listening(msgspec.Struct):
    streams: list[str] | None = None


class _Update(msgspec.Struct):
    event: str
    timestamp: str
    order: OrderPayload
    execution_id: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None
    reason: str | None = None
    previous_execution_id: str | None = None

    @property
    def is_execution(self) -> bool:
        """Whether it names an execution with a quantity and a price."""
        return bool(
            self.execution_id
            and self.previous_execution_id is None
            and self.price is not None
            and is_amount(self.price)
            and self.qty is not None
            and is_amount(self.qty)
            and self.qty > 0
        )


_read_envelope = reader(_Envelope)
_read_authorization = reader(_Authorization)
_read_listening = reader(_Listening)
_read_update = reader(_Update)
