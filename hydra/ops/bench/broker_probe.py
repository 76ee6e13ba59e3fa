"""Run in a process of its own by `loopback`: as much of a broker as the measurements need.

`python -m hydra.ops.bench.broker_probe accept|refuse` serves orders over REST and quotes over a
WebSocket, on loopback. The first line that it prints says where; then each line that it reads is
a command, and is answered by one line. It ends when there is nothing more to read. All moments are
of `time.monotonic_ns`, which the processes of one machine share.
"""

import contextlib
import os
import queue
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from queue import SimpleQueue
from time import monotonic_ns, sleep, time_ns
from typing import Any

import msgspec
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from hydra.ops.bench import broker_answers as answers
from hydra.trading.durations import SECOND
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.server.streams.encodings import MSGPACK, Message
from hydra.venues.simulated.server.streams.feeds import Kind
from hydra.venues.simulated.server.streams.market_messages import quote_message

READ_SIZE = 65_536
BID, ASK, SIZES = 99.99, 100.01, (100.0, 200.0, 300.0)
SOME_TIME = 1_234_567_890 * SECOND + 123_456_789
"""Its bytes are found nowhere else in a quote."""
ORDER_WITHIN_S = 2.0
QUOTES_AT_ONCE = 500
SLEEP_S = 0.0005
NAME = re.compile(rb'"client_order_id":\s*"([^"]+)"')
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class OrderDesk:
    """Answers requests as a broker with nothing on its books, and notes when each order was in."""

    def __init__(self, *, accepts: bool) -> None:
        self._accepts = accepts
        self.arrived: SimpleQueue[tuple[str, int]] = SimpleQueue()
        """Name of an order, and when its last byte was here."""

    def serve(self, connection: socket.socket) -> None:
        """One connection, to its end."""
        got = b""
        while True:
            while (head_ends := got.find(b"\r\n\r\n")) < 0:
                if not (data := connection.recv(READ_SIZE)):
                    return
                got += data
            stated = LENGTH.search(got, 0, head_ends)
            ends = head_ends + 4 + (int(stated[1]) if stated else 0)
            while len(got) < ends:
                if not (data := connection.recv(READ_SIZE)):
                    return
                got += data
            now = monotonic_ns()
            request, got = got[:ends], got[ends:]
            named = NAME.search(request, head_ends) if request.startswith(b"POST") else None
            connection.sendall(self._answer(request, named))
            if named is not None:
                self.arrived.put((named[1].decode(), now))

    def _answer(self, request: bytes, named: re.Match[bytes] | None) -> bytes:
        if named is None:
            return answers.to_read(request.split(b" ", 2)[1].partition(b"?")[0])
        return answers.to_order(named[1]) if self._accepts else answers.REFUSAL


class QuoteStream:
    """A data stream as the local venue has it, of whoever connected last."""

    def __init__(self, symbols: tuple[str, ...] = ("BENCH",)) -> None:
        """`symbols`: what it tells of until somebody subscribes."""
        self.ahead = time_ns() - monotonic_ns()
        """Of market time before machine time, in ns; it stays what it was at the beginning."""
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._quotes = timeless_quotes(symbols)

    def serve(self, connection: socket.socket) -> None:
        """One connection, to its end."""
        protocol = ServerProtocol()
        self._connection = connection
        while data := connection.recv(READ_SIZE):
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                    protocol.send_binary(packed({"T": "success", "msg": "connected"}))
                elif isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    protocol.send_binary(packed(self.answer(bytes(event.data))))
            with self._lock:
                connection.sendall(b"".join(protocol.data_to_send()))

    def send(self, data: bytes) -> None:
        """To whoever is connected."""
        assert self._connection is not None, "nobody has connected"
        with self._lock:
            self._connection.sendall(data)

    def next_quotes(self, moments: list[int]) -> bytes:
        """Quotes of these moments, each of the next symbol, as one frame holds them."""
        ahead, quotes = self.ahead, self._quotes
        return MSGPACK.many([encoded(moment + ahead).join(next(quotes)) for moment in moments])

    def answer(self, data: bytes) -> Message:
        """To what the client says: who it is, and then what it wants."""
        request: dict[str, Any] = MSGPACK.decode(data)
        if request.pop("action") == "auth":
            return {"T": "success", "msg": "authenticated"}
        self._quotes = timeless_quotes(request["quotes"])
        return {"T": "subscription", **request}


def packed(message: Message) -> bytes:
    """A message in an array of one."""
    return MSGPACK.many([MSGPACK.one(message)])


def timeless_quotes(symbols: Sequence[str]) -> Iterator[list[bytes]]:
    """Encoded quotes without end, by turns of every symbol: what is before and after their time.

    No quote of a symbol is like the one before it.
    """
    quotes = [
        QuoteChanged(symbol, SOME_TIME, BID, ASK, size, 100.0)
        for size in SIZES
        for symbol in symbols
    ]
    time = encoded(SOME_TIME)
    return cycle([MSGPACK.one(quote_message(Kind.STOCKS, each)).split(time) for each in quotes])


def encoded(at: int) -> bytes:
    """A time (UTC ns) as msgpack has it, always in eight bytes."""
    seconds, nanoseconds = divmod(at, SECOND)
    return struct.pack(">Q", nanoseconds << 34 | seconds)


def frame(data: bytes) -> bytes:
    """The bytes of a WebSocket frame with this in it."""
    return Frame(Opcode.BINARY, data).serialize(mask=False)


def ticks(
    stream: QuoteStream, desk: OrderDesk, count: int, pause_s: float
) -> list[tuple[str, int, int]]:
    """Quotes, one at a time: the order that came of each, when it was sent, when the order came.

    Ends early with a nameless one if no order comes.
    """
    found: list[tuple[str, int, int]] = []
    for _ in range(count):
        sleep(pause_s)
        with contextlib.suppress(queue.Empty):
            while True:
                desk.arrived.get_nowait()  # of a tick that was given up
        quote = frame(stream.next_quotes([monotonic_ns()]))
        sent = monotonic_ns()
        stream.send(quote)
        try:
            name, arrived = desk.arrived.get(timeout=ORDER_WITHIN_S)
        except queue.Empty:
            return [*found, ("", sent, 0)]
        found.append((name, sent, arrived))
    return found


def flood(stream: QuoteStream, rate: float, count: int, a_frame: int) -> int:
    """So many quotes at so many a second; gives the moment that the last one was due at.

    Each bears the moment that it was due at, so that a peer that takes them too slowly sees them
    grow old, wherever they wait.
    """
    began = monotonic_ns()
    sent = due_at = 0
    while sent < count:
        due = min(count, int((monotonic_ns() - began) * rate / SECOND), sent + QUOTES_AT_ONCE)
        if due - sent < min(a_frame, count - sent):
            sleep(SLEEP_S)
            continue
        moments = [began + int(number * SECOND / rate) for number in range(sent, due)]
        parts = [moments[first : first + a_frame] for first in range(0, len(moments), a_frame)]
        stream.send(b"".join(frame(stream.next_quotes(part)) for part in parts))
        sent, due_at = due, moments[-1]
    return due_at


def listen(serve: Callable[[socket.socket], None]) -> int:
    """Serve every connection to a port of our own on a thread of its own; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(connection)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def obey(words: list[str], stream: QuoteStream, desk: OrderDesk) -> object:
    """Do what one line asks for, and give the answer."""
    match words:
        case ["clock"]:
            return monotonic_ns()
        case ["ticks", count, pause_s]:
            return ticks(stream, desk, int(count), float(pause_s))
        case ["flood", rate, count, a_frame]:
            return flood(stream, float(rate), int(count), int(a_frame))
        case _:
            raise SystemExit(f"found {words}, wanted clock, ticks or flood")


def main(kind: str) -> None:
    """Serve until the standard input ends."""
    desk, stream = OrderDesk(accepts=kind == "accept"), QuoteStream()
    replies: list[object] = [[listen(desk.serve), listen(stream.serve), stream.ahead]]
    while replies:
        sys.stdout.buffer.write(msgspec.json.encode(replies.pop()) + b"\n")
        sys.stdout.flush()
        if line := sys.stdin.readline():
            replies.append(obey(line.split(), stream, desk))


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)  # its threads wait for peers that are gone
