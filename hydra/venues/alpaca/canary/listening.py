"""The two streams: whether they let us in, and what is said of the canary's orders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, Queue
from time import monotonic
from typing import Any

from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.canary.judging import read_raw, unknown
from hydra.venues.alpaca.canary.lines import Line, Verdict
from hydra.venues.alpaca.stream import Heard, Stream
from hydra.venues.alpaca.stream_contact import SHORT, price_stream
from hydra.venues.alpaca.trading_stream import NAME, TradingConversation
from hydra.venues.alpaca.websocket import Message
from messages.streams import StreamConnected, StreamGap, StreamLost

LET_IN = "logged in and subscribed"


def price_stream_line(access: Access, symbol: str, within_s: float) -> Line:
    """Log in to the prices of `symbol`, and out again."""
    told: Queue[Any] = Queue()
    stream = price_stream(access, symbol)(told.put)
    stream.start()
    try:
        return _let_in("price stream", told, within_s)
    finally:
        stream.stop(max(1.0, within_s))


class OrderEar:
    """Listens to the trading stream, from `start` to `stop`, and keeps what is said of orders."""

    def __init__(self, access: Access) -> None:
        self._told: Queue[Any] = Queue()
        self._updates: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        key, secret = access.key_id.reveal(), access.secret.reveal()
        self._stream = Stream(
            NAME,
            access.addresses.trading_stream,
            {},
            lambda: _Overheard(key, secret, self._note),
            self._told.put,
            access.network.connect,
            SHORT,
        )

    def start(self, within_s: float) -> Line:
        """Begin to listen; gives whether it was let in."""
        self._stream.start()
        return _let_in("trading stream", self._told, within_s)

    @property
    def is_live(self) -> bool:
        """Whether it hears."""
        return self._stream.is_live

    def updates_of(self, client_order_id: str, until: str, within_s: float) -> list[dict[str, Any]]:
        """What was said of the order, once its event `until` came or the time is up."""
        deadline = monotonic() + within_s

        def found() -> list[dict[str, Any]]:
            return [each for each in self._updates if _name_in(each) == client_order_id]

        with self._heard:
            while not any(each.get("event") == until for each in found()):
                left = deadline - monotonic()
                if left <= 0 or not self._heard.wait(left):
                    break
            return found()

    def stop(self, within_s: float = 2.0) -> None:
        """Hear no more."""
        self._stream.stop(within_s)

    def _note(self, update: dict[str, Any]) -> None:
        with self._heard:
            self._updates.append(update)
            self._heard.notify_all()


class _Overheard(TradingConversation):
    """The engine's own conversation; what it is told of orders is noted as it stands."""

    def __init__(self, key: str, secret: str, note: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(key, secret)
        self._note = note

    def hear(self, message: Message) -> Heard:
        """See `Conversation`."""
        try:
            said = read_raw(message.encode() if isinstance(message, str) else message)
        except BadAnswer:
            said = None
        if isinstance(said, dict) and said.get("stream") == "trade_updates":
            data = said.get("data")
            if isinstance(data, dict):
                self._note(data)
        return super().hear(message)


def _name_in(update: dict[str, Any]) -> object:
    order = update.get("order")
    return order.get("client_order_id") if isinstance(order, dict) else None


def _let_in(check: str, told: Queue[Any], within_s: float) -> Line:
    deadline = monotonic() + within_s
    try:
        while True:
            match told.get(timeout=max(0.001, deadline - monotonic())):
                case StreamConnected():
                    return Line(check=check, verdict=Verdict.PASS, line=LET_IN)
                case StreamLost(reason=reason):
                    return unknown(check, reason)
                case StreamGap(reason=reason):
                    line = f"it says what Hydra does not read: {reason}"
                    return Line(check=check, verdict=Verdict.DRIFTED, line=line)
                case _:
                    pass
    except Empty:
        return unknown(check, "it did not let us in in time")
