"""What the streams say: market data, trade updates, and the frames both come in.

Nothing that a stream says may be lost in silence (I47): each element becomes a fact, an answer or a
gap, which has the engine compare itself with the venue.
"""

import json
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgpack
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri
from websockets.utils import accept_key

from hydra.trading.amounts import is_amount
from hydra.trading.durations import MINUTE
from hydra.venues.alpaca.data_stream import Channels, DataConversation
from hydra.venues.alpaca.stream import Heard
from hydra.venues.alpaca.trading_stream import TradingConversation
from hydra.venues.alpaca.websocket import MESSAGE_SIZE_MAX, ConnectionLost, WebSocket
from messages.market import BarsReceived, QuoteReceived, TradingStatusReceived
from messages.orders import OrderFilled
from messages.streams import StreamGap
from tests.fuzz.exactness import require_written, tree_of
from tests.fuzz.spoiling import any_value, json_text, spoilt_bytes
from tests.fuzz.target import Target, Verdict, require
from tests.venues.alpaca.samples import order_json

KNOWN = {"b", "q", "s", "success", "error", "subscription"}
AT = datetime(2026, 11, 23, 14, 31, tzinfo=UTC)
BAR = {"T": "b", "S": "HYDR", "o": 41.2, "h": 41.3, "l": 41.1, "c": 41.2, "v": 5120.0, "t": AT}
QUOTE = {"T": "q", "S": "HYDR", "bp": 41.2, "bs": 2, "ap": 41.3, "as": 3, "t": AT, "c": ["R"]}
STATUS = {"T": "s", "S": "HYDR", "sc": "H", "sm": "Halt", "rc": "T12", "rm": "News", "z": "C"}
CONNECTED = {"T": "success", "msg": "connected"}
AUTHENTICATED = {"T": "success", "msg": "authenticated"}
SUBSCRIBED = {"T": "subscription", "bars": ["HYDR"], "quotes": ["HYDR"], "statuses": ["HYDR"]}
FRAMES: tuple[list[dict[str, Any]], ...] = (
    [BAR],
    [QUOTE, QUOTE, BAR],
    [{**STATUS, "t": AT}],
    [CONNECTED],
    [AUTHENTICATED],
    [SUBSCRIBED],
    [SUBSCRIBED, QUOTE],
    [{"T": "error", "code": 406, "msg": "connection limit exceeded"}],
    [{"T": "t", "S": "HYDR", "p": 41.2, "s": 1, "t": AT}, QUOTE],
)


def _packed(frame: Any) -> bytes:
    packed: bytes = msgpack.packb(frame, datetime=True, unicode_errors="surrogatepass")
    return packed


HUGE_FRAMES = (
    lambda: b"\x91" * 2_000_000 + b"\xc0",
    lambda: b"\xdd\xff\xff\xff\xff" + b"\xc0" * 1_000_000,
    lambda: _packed([QUOTE] * 5_000),
    lambda: _packed([{**QUOTE, "S": "X" * 2_000_000}]),
    lambda: b"\x91\xc7\xff\xff",
)


@contextmanager
def market_data(folder: Path) -> Iterator[Target]:
    """One frame of a market-data stream, heard at each stage of a connection."""
    channels = Channels(bars=("HYDR",), quotes=("HYDR",), statuses=("HYDR",))

    def feed(data: bytes) -> Verdict:
        verdict = Verdict.REFUSED
        for stage in ((), (CONNECTED,), (CONNECTED, AUTHENTICATED, SUBSCRIBED)):
            conversation = DataConversation("stocks", "KEY", "SECRET", channels, MINUTE)
            for said in stage:
                conversation.hear(_packed([said]))
            heard = conversation.hear(data)
            conversation.due()
            _require_nothing_lost(data, heard)
            for told in heard.tell:
                _require_as_said(told)
                if not isinstance(told, StreamGap):
                    verdict = Verdict.ACCEPTED
        return verdict

    seeds = tuple(map(_packed, FRAMES))
    yield Target(
        name="market_data",
        feed=feed,
        seeds=seeds,
        spoil=_spoilt_frame,
        huge=HUGE_FRAMES,
        peak_mib_max=128.0,
    )


def _require_nothing_lost(data: bytes, heard: Heard) -> None:
    """As many facts and gaps as there are elements of kinds that we asked for."""
    try:
        elements = msgpack.unpackb(
            data, timestamp=0, strict_map_key=False, unicode_errors="surrogatepass"
        )
    except (ValueError, OverflowError, RecursionError, TypeError, msgpack.UnpackException):
        elements = None
    if not isinstance(elements, list):
        return
    first = heard.tell[0] if heard.tell else None
    if isinstance(first, StreamGap) and first.reason.startswith("not a frame"):
        return  # msgspec takes less than the other reader does; then all of it is one gap
    events = sum(isinstance(each, dict) and each.get("T") in ("b", "q", "s") for each in elements)
    if heard.failure is None:
        require(
            len(heard.tell) >= events, f"{len(heard.tell)} of {events} were told: {data[:300]!r}"
        )


def _require_as_said(told: Any) -> None:
    match told:
        case BarsReceived(bars=(bar,)):
            require(bar.end_at == bar.start_at + MINUTE, "a bar of another length")
            require(isinstance(bar.symbol, str), "a symbol that is no text")
        case QuoteReceived(quote=quote):
            require(isinstance(quote.bid, float), "a bid that is no number")
        case StreamGap(raw=raw, reason=reason):
            require(bool(reason), "a gap without a reason")
            require(len(raw) <= 5 * 2_000, "a gap that keeps more than it should of a message")
        case TradingStatusReceived():
            require(isinstance(told.trades, bool), "neither trading nor halted")
        case _:
            require(False, f"told {type(told).__name__}")


def _spoilt_frame(data: bytes, dice: random.Random) -> bytes:
    try:
        frame = msgpack.unpackb(data, timestamp=3, strict_map_key=False)
    except (ValueError, OverflowError, RecursionError, TypeError, msgpack.UnpackException):
        frame = None
    if not isinstance(frame, list) or not frame or dice.random() < 0.2:
        return spoilt_bytes(data, dice)
    if dice.random() < 0.02:
        return b"\xdc\x00\x01" + b"\x91" * dice.choice((10, 600, 3_000)) + b"\xc0"
    with suppress(OverflowError, ValueError, UnicodeEncodeError, RecursionError):
        return _respoilt(frame, dice)
    return spoilt_bytes(data, dice)


def _respoilt(frame: list[Any], dice: random.Random) -> bytes:
    """With one element that is another one, has another value, or is there once more."""
    at = dice.randrange(len(frame))
    element = frame[at]
    if not isinstance(element, dict) or not element or dice.random() < 0.4:
        match dice.randrange(3):
            case 0:
                frame[at] = any_value(dice, ())
            case 1:
                frame.insert(at, dice.choice(dice.choice(FRAMES)))
            case _:
                del frame[at]
        return _packed(frame)
    key = dice.choice(list(element))
    match dice.randrange(4):
        case 0:
            del element[key]
        case 1:
            # A timestamp of whatever instant: the library writes none that there is not.
            instant = dice.randbytes(dice.choice((4, 8, 12)))
            element[key] = msgpack.ExtType(5, instant)
            return _packed(frame).replace(b"\x05" + instant, b"\xff" + instant)
        case _:
            element[key] = any_value(dice, ("b", "q", "s", "error"))
    return _packed(frame)


FILL = {
    "stream": "trade_updates",
    "data": {
        "event": "partial_fill",
        "execution_id": "2dd83c45-96b7-4d44-ba74-ff30a10b5795",
        "price": "41.262",
        "qty": "5",
        "position_qty": "5",
        "timestamp": "2026-11-23T14:31:09.001144Z",
        "order": order_json(filled_qty="5", status="partially_filled"),
    },
}
UPDATES: tuple[dict[str, Any], ...] = (
    FILL,
    {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}},
    {"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}},
    {"stream": "listening", "data": {"streams": ["trade_updates"]}},
    *(
        {
            "stream": "trade_updates",
            "data": {
                "event": event,
                "timestamp": "2026-11-23T14:31:09.001144Z",
                "order": order_json(status=status),
            },
        }
        for event, status in (
            ("new", "new"),
            ("canceled", "canceled"),
            ("rejected", "rejected"),
            ("expired", "expired"),
            ("replaced", "replaced"),
            ("order_cancel_rejected", "filled"),
            ("trade_bust", "new"),
        )
    ),
)
EVENTS = (
    *("new", "fill", "partial_fill", "canceled", "expired", "rejected", "replaced", "held"),
    *("trade_bust", "restated", "trade_updates", "authorization", "listening", "buy"),
    *("execution_id", "previous_execution_id", "legs"),
)


HUGE_UPDATES = (
    lambda: b"[" * 1_000_000,
    lambda: b'{"stream":' * 100_000,
    lambda: b'{"stream":"trade_updates","data":{"event":"new","order":' + b'{"legs":[' * 50_000,
    lambda: json.dumps(FILL).replace("41.262", "9" * 1_000_000).encode(),
    lambda: json.dumps(FILL).replace('"5"', "9" * 1_000_000).encode(),
    lambda: b'{"stream":"' + b"x" * 4_000_000 + b'","data":1}',
)


@contextmanager
def trade_updates(folder: Path) -> Iterator[Target]:
    """One message of the trading stream, heard twice, as it may come again."""

    def feed(data: bytes) -> Verdict:
        conversation = TradingConversation("KEY", "SECRET")
        conversation.opened()
        heard, again = conversation.hear(data), conversation.hear(data)
        said_again = [each for each in again.tell if not isinstance(each, StreamGap)]
        said = [each for each in heard.tell if not isinstance(each, StreamGap)]
        require(said == said_again, "the same message means something else the second time")
        is_something = heard.tell or heard.send or heard.is_live or heard.failure
        if not is_something:
            tree = tree_of(data)
            event = tree["data"]["event"] if isinstance(tree, dict) else None
            require(event in _SAYS_NOTHING_NEW, f"silence about {data[:300]!r}")
        for report in said:
            if isinstance(report, OrderFilled):
                fill = report.fill
                require(is_amount(fill.quantity) and fill.quantity > 0, "a fill of no quantity")
                require(is_amount(fill.price), "a fill at no price")
                require_written([fill.quantity, fill.price], data)
        _require_heard(data, heard)
        return Verdict.ACCEPTED if said or heard.send or heard.is_live else Verdict.REFUSED

    seeds = tuple(json.dumps(each).encode() for each in UPDATES)
    yield Target(
        name="trade_updates", feed=feed, seeds=seeds, spoil=json_text(EVENTS), huge=HUGE_UPDATES
    )


_SAYS_NOTHING_NEW = frozenset(
    {
        *("held", "pending_cancel", "pending_replace", "pending_review", "done_for_day"),
        *("stopped", "suspended", "calculated", "order_cancel_rejected"),
        "order_replace_rejected",
    }
)


def _require_heard(data: bytes, heard: Heard) -> None:
    """An execution in an update of ours is told as one, or there is a gap."""
    tree = tree_of(data)
    if not (isinstance(tree, dict) and tree.get("stream") == "trade_updates"):
        return
    update = tree.get("data")
    if isinstance(update, dict) and update.get("event") in ("fill", "partial_fill"):
        told = [each for each in heard.tell if isinstance(each, OrderFilled | StreamGap)]
        require(bool(told), f"a fill was neither told nor a gap: {data[:300]!r}")
        filled = [each for each in told if isinstance(each, OrderFilled)]
        if filled:
            quantity = update["qty"]
            require(Decimal(quantity) == filled[0].fill.quantity, f"{quantity} was told as another")


def _shaken_hands() -> ClientProtocol:
    protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"), max_size=MESSAGE_SIZE_MAX)
    protocol.send_request(protocol.connect())
    protocol.data_to_send()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    protocol.receive_data(head.encode())
    protocol.events_received()
    assert protocol.state is State.OPEN, "the handshake is ours on both sides"
    return protocol


def _frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False, extensions=[])


WIRE: tuple[bytes, ...] = (
    _frame(Opcode.TEXT, b'{"stream":"listening"}') + _frame(Opcode.PING, b"x"),
    _frame(Opcode.BINARY, b"\x91\xc0") + _frame(Opcode.CLOSE, b"\x03\xe8bye"),
    _frame(Opcode.TEXT, b"one, ", fin=False)
    + _frame(Opcode.PING, b"")
    + _frame(Opcode.CONT, b"two", fin=False)
    + _frame(Opcode.CONT, b"three"),
    _frame(Opcode.TEXT, b"\xff\xfe") + _frame(Opcode.BINARY, b"x" * 200),
    _frame(Opcode.PONG, b"") + _frame(Opcode.BINARY, b"y" * 70_000),
)


HUGE_WIRE = (
    lambda: b"\x82\x7f" + b"\xff" * 8,
    lambda: b"\x82\x7f\x00\x00\x00\x00\x01\x00\x00\x01" + b"x" * 70_000,
    lambda: b"".join([_frame(Opcode.PING, b"x" * 125)] * 2_000),
    lambda: _frame(Opcode.TEXT, b"x", fin=False) + _frame(Opcode.CONT, b"y", fin=False) * 10_000,
)


@contextmanager
def websocket(folder: Path) -> Iterator[Target]:
    """The bytes of an open connection: messages, and at its end a loss with a reason."""

    def feed(data: bytes) -> Verdict:
        theirs, ours = socket.socketpair()
        with theirs, ours:
            protocol = _shaken_hands()
            opened = WebSocket(ours, protocol)
            theirs.settimeout(1.0)
            messages: list[str | bytes] = []
            pieces = [data[at : at + 8_192] for at in range(0, len(data), 8_192)]
            try:
                for piece in pieces:
                    theirs.sendall(piece)
                    while (message := opened.receive(0.0005)) is not None:
                        messages.append(message)
                theirs.shutdown(socket.SHUT_WR)
                while (message := opened.receive(1.0)) is not None:
                    messages.append(message)
                require(False, "the end of the connection was not noticed")
            except ConnectionLost as lost:
                require(bool(str(lost)) and "\n" not in str(lost), "a loss without one line")
            finally:
                opened.close()
            size = sum(len(each if isinstance(each, bytes) else each.encode()) for each in messages)
            require(size <= len(data), "more was heard than was said")
        return Verdict.ACCEPTED if messages else Verdict.REFUSED

    yield Target(
        name="websocket",
        feed=feed,
        seeds=WIRE,
        spoil=spoilt_bytes,
        refusals=(BrokenPipeError,),
        huge=HUGE_WIRE,
        input_bytes_max=100_000,
    )
