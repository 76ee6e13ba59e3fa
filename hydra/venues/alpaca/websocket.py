"""One WebSocket connection on a plain socket, for one thread, with a deadline on everything.

The wire format is the websockets library's (its part without I/O); the socket is ours. So there is
no thread between the bytes and whoever waits for them, every step has a deadline, and no event loop
has to be alive for a watchdog to notice that it is not.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import TypeAlias

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from hydra import __version__
from hydra.venues.alpaca.connection import tls_context
from hydra.venues.one_line import one_line

MESSAGE_SIZE_MAX = 16 * 1024 * 1024
"""Bytes. What is larger is no message of any stream that we know."""
READ_SIZE = 65_536
CLOSE_WITHIN_S = 1.0
ANSWER_WITHIN_S = 1.0
"""What the protocol itself answers, such as a ping, is few bytes."""
STATUS_LINE_MAX = 64
SWITCHING_PROTOCOLS = 101
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})\b")

Message: TypeAlias = str | bytes
Connect: TypeAlias = Callable[[tuple[str, int], float], socket.socket]
"""Opens a TCP connection to (host, port) within so many seconds, or raises OSError."""


class ConnectionLost(Exception):
    """There is no connection, or no longer one. Its text says why, in one line.

    `status` is the HTTP status with which the handshake was refused, None if it was not that.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class WebSocket:
    """An open connection. Only the thread that uses it may touch it."""

    def __init__(self, stream: socket.socket, protocol: ClientProtocol) -> None:
        self._socket = stream
        self._protocol = protocol
        self._parts: list[bytes] = []
        self._parts_are_text = False
        self._messages: deque[Message] = deque()
        self._head = b""
        """What came first, up to where a status must have been."""
        self.heard_at = monotonic()
        """When a frame last came that ended, of the handshake any byte, in seconds of the machine's
        monotonic clock. While a message is unfinished only its end counts: what comes a byte at a
        time, or in pieces without an end, holds back all that would follow it.
        """

    @classmethod
    def open(
        cls, url: str, headers: Mapping[str, str], within_s: float, connect: Connect
    ) -> WebSocket:
        """Connect, encrypt (wss) and shake hands, all within the time. Raises `ConnectionLost`."""
        deadline = monotonic() + within_s
        uri = parse_uri(url)
        stream: socket.socket | None = None
        try:
            stream = connect((uri.host, uri.port), _left(deadline))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if uri.secure:
                stream.settimeout(_left(deadline))
                stream = tls_context().wrap_socket(stream, server_hostname=uri.host)
            protocol = ClientProtocol(uri, max_size=MESSAGE_SIZE_MAX)
            request = protocol.connect()
            request.headers["User-Agent"] = f"hydra-trader/{__version__}"
            for name, value in headers.items():
                request.headers[name] = value
            protocol.send_request(request)
            opened = cls(stream, protocol)
            opened._shake_hands(deadline)
        except ConnectionLost:
            _close(stream)
            raise
        except (OSError, WebSocketException) as error:
            _close(stream)
            raise ConnectionLost(f"cannot connect: {_text_of(error)}") from error
        return opened

    def send(self, message: Message, within_s: float) -> None:
        """Send one message. Raises `ConnectionLost`; then it may have been sent or not."""
        with self._lost_if_closed():
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
        self._flush(monotonic() + within_s)

    def ping(self, within_s: float) -> None:
        """Ask for a sign of life; any answer moves `heard_at`. Raises `ConnectionLost`."""
        with self._lost_if_closed():
            self._protocol.send_ping(b"")
        self._flush(monotonic() + within_s)

    def receive(self, within_s: float) -> Message | None:
        """The next message; None if none came in time. Raises `ConnectionLost`, once all that had
        come before was given.
        """
        deadline = monotonic() + within_s
        while not self._messages:
            if self._protocol.state is not State.OPEN:
                raise ConnectionLost(self._why_closed())
            if not self._read(deadline):
                return None
        return self._messages.popleft()

    def close(self) -> None:
        """Say goodbye without waiting for an answer."""
        with contextlib.suppress(ConnectionLost, WebSocketException):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close()
                self._flush(monotonic() + CLOSE_WITHIN_S)
        _close(self._socket)

    def _shake_hands(self, deadline: float) -> None:
        """A venue may let us in, say why it does not want us, and close, all in one piece: then
        what it said is still to be heard.
        """
        self._flush(deadline)
        protocol, is_answered = self._protocol, True
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None and is_answered:
            is_answered = self._read(deadline)
        if protocol.handshake_exc is not None:
            why = _text_of(protocol.handshake_exc)
            raise ConnectionLost(f"the handshake was refused: {why}", _status_in(self._head))
        if not is_answered:
            status = _status_in(self._head)  # of an answer whose end does not come
            raise ConnectionLost("the handshake was not answered in time", status)
        if protocol.state is not State.OPEN and not self._messages:
            raise ConnectionLost(self._why_closed())

    def _read(self, deadline: float) -> bool:
        """Take in what has come; False if nothing came in time."""
        left = deadline - monotonic()
        if left <= 0:
            return False
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(READ_SIZE)
        except TimeoutError:
            return False
        except OSError as error:
            raise ConnectionLost(f"the connection broke: {_text_of(error)}") from error
        if data:
            if self._protocol.state is State.CONNECTING:
                self.heard_at = monotonic()
                self._head = (self._head + data)[:STATUS_LINE_MAX]
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        if self._protocol.state is not State.CLOSED:
            # Time of its own: what came as the waiting ended is answered all the same.
            self._flush(monotonic() + ANSWER_WITHIN_S)
        elif not data and not self._messages and self._protocol.handshake_exc is None:
            raise ConnectionLost(self._why_closed())
        return True

    def _take(self, frame: Frame) -> None:
        """Messages may come in pieces, with other frames between them."""
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            self._parts, self._parts_are_text = [], frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            if not self._parts:
                self.heard_at = monotonic()
            return  # pings are answered by the protocol; a close shows in its state
        self._parts.append(bytes(frame.data))
        if frame.fin:
            self.heard_at = monotonic()
            whole = b"".join(self._parts)
            self._parts = []
            # What is no text is handed on as bytes: whoever reads it says what is wrong with it.
            self._messages.append(_decoded(whole) if self._parts_are_text else whole)

    def _flush(self, deadline: float) -> None:
        for data in self._protocol.data_to_send():
            try:
                if data:
                    self._socket.settimeout(_left(deadline))
                    self._socket.sendall(data)
                else:
                    self._socket.shutdown(socket.SHUT_WR)
            except OSError as error:
                raise ConnectionLost(f"the connection broke: {_text_of(error)}") from error

    @contextlib.contextmanager
    def _lost_if_closed(self) -> Iterator[None]:
        """The protocol says nothing more on a connection that the venue has closed."""
        try:
            yield
        except WebSocketException as error:
            raise ConnectionLost(self._why_closed()) from error

    def _why_closed(self) -> str:
        said = self._protocol.close_rcvd
        if said is None:
            return "the connection was closed"
        reason = f" ({one_line(said.reason)})" if said.reason else ""
        return f"the connection was closed with {said.code}{reason}"


def _status_in(head: bytes) -> int | None:
    """The HTTP status with which an answer begins, whatever became of the rest; None of a 101."""
    found = _STATUS.match(head)
    status = None if found is None else int(found.group(1))
    return None if status == SWITCHING_PROTOCOLS else status


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _decoded(text: bytes) -> Message:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text


def _text_of(error: BaseException) -> str:
    return one_line(error) or type(error).__name__


def _close(stream: socket.socket | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.close()
