"""A broker on loopback that answers as it is told, well or badly, and keeps every request.

It knows HTTP down to the bytes, so that it can break it: silence, resets, a byte at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. A `body` that is no bytes is written as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@dataclass(frozen=True, slots=True)
class Bytes:
    """Just these bytes, and then the connection is closed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Trickle:
    """A whole answer, a few bytes at a time, with so many seconds between them."""

    reply: Reply
    pause_s: float
    step: int = 1


class Reset:
    """The connection is reset."""


class Silence:
    """Nothing, for ever."""


Answer: TypeAlias = Reply | Bytes | Trickle | Reset | Silence
Broker: TypeAlias = Callable[[Received], Answer]


class FakeAlpaca:
    """Serves any number of connections, each on a thread of its own."""

    def __init__(self, answer: Broker) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.connections = 0
        self._ending = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    @property
    def asked(self) -> list[str]:
        """Method and path of every request, in the order of their coming."""
        return [str(each) for each in self.received]

    def close(self) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):  # so that it looks up from waiting for one
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        accepting, *serving = self._threads
        accepting.join(5.0)
        self._listener.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in serving:
            thread.join(5.0)

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                if self._ending.is_set():
                    connection.close()
                    return
                self.connections += 1
                self._sockets.append(connection)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                self.received.append(request)
                if not self._send(connection, self.answer(request)):
                    return

    def _send(self, connection: socket.socket, answer: Answer) -> bool:
        """Whether the connection goes on."""
        match answer:
            case Reply():
                connection.sendall(answer.raw)
                return True
            case Trickle():
                raw = answer.reply.raw
                for start in range(0, len(raw), answer.step):
                    connection.sendall(raw[start : start + answer.step])
                    if self._ending.wait(answer.pause_s):
                        break
                return True
            case Bytes():
                connection.sendall(answer.data)
                connection.shutdown(socket.SHUT_RDWR)
            case Reset():
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                os.close(connection.detach())
            case Silence():
                self._ending.wait(60.0)
        return False


def _read(stream: Any) -> Received | None:
    first = stream.readline()
    if not first:
        return None
    method, target, _ = first.decode().split(" ")
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    body = stream.read(int(headers.get("Content-Length", "0")))
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Received(method, parts.path, query, headers, body)


@contextlib.contextmanager
def fake_alpaca(answer: Broker) -> Iterator[FakeAlpaca]:
    """A broker that answers so, until the end of the block."""
    broker = FakeAlpaca(answer)
    try:
        yield broker
    finally:
        broker.close()
