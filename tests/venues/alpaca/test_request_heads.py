"""Requests as we write them are those that urllib3 would write, byte for byte."""

import socket
from string import ascii_letters, digits
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.connection import HTTPConnection, HTTPSConnection

from hydra import __version__
from hydra.settings.secret import Secret
from hydra.venues.alpaca.http import EndpointRefused, Heads, HttpClient, Keys, Request
from hydra.venues.alpaca.network import Network, TimedSocket
from tests.venues.alpaca.fake_alpaca import Reply, fake_alpaca

KEYS = Keys(Secret("HYDRA-key"), Secret("a-secret/+="))

targets = st.text(ascii_letters + digits + "/?&=%:-_.~,", max_size=60).map(lambda text: f"/{text}")
read = st.builds(Request, method=st.sampled_from(["GET", "DELETE"]), target=targets)
write = st.builds(
    Request, method=st.sampled_from(["POST", "PATCH"]), target=targets, body=st.binary(min_size=1)
)


class Wire:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def settimeout(self, seconds: float | None) -> None: ...

    def sendall(self, data: bytes) -> None:
        self.sent += data


def as_urllib3_writes(host: str, port: int, is_encrypted: bool, request: Request) -> bytes:
    kind = HTTPSConnection if is_encrypted else HTTPConnection
    connection = kind(host, port)
    wire: Any = Wire()
    connection.sock = wire
    headers = {**KEYS.headers(), "User-Agent": f"hydra-trader/{__version__}"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(request.method, request.target, body=request.body, headers=headers)
    sent: bytes = wire.sent
    return sent


@given(
    host=st.sampled_from(["127.0.0.1", "::1", "localhost", "paper-api.alpaca.markets"]),
    port=st.sampled_from([80, 443, 8080]),
    is_encrypted=st.booleans(),
    request_made=read | write,
)
def test_a_request_is_the_bytes_that_urllib3_would_send(
    host: str, port: int, is_encrypted: bool, request_made: Request
) -> None:
    written = Heads(host, port, is_encrypted, KEYS).written(request_made)

    assert written == as_urllib3_writes(host, port, is_encrypted, request_made)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v2/orders\r\nX: y"),
        ("GET", "/v2/orders HTTP/1.1"),
        ("GET /v2", "/orders"),
        ("GET", "/v2/or\tders"),
        ("GET", "/v2/ördërs"),
        ("GE\nT", "/v2/orders"),
    ],
)
def test_what_could_be_read_as_something_else_is_not_sent(method: str, target: str) -> None:
    request = Request(method=method, target=target)
    with pytest.raises(ValueError, match="have to be encoded"):
        Heads("localhost", 80, False, KEYS).written(request)

    with fake_alpaca(lambda _: Reply(200, {})) as broker:
        client = HttpClient(broker.url, KEYS, Network(loopback_only=True))
        client.call(request)
        client.close()

    assert broker.received == []


def test_a_host_that_no_head_can_name_is_refused() -> None:
    with pytest.raises(EndpointRefused, match="wanted https://HOST"):
        HttpClient("https://päper.example", KEYS, Network(loopback_only=True))


class NotedSocket(TimedSocket):
    """Keeps the pieces in which something is sent."""

    pieces: ClassVar[list[bytes]] = []

    def sendall(self, data: Any, *args: Any) -> None:
        self.pieces.append(data)
        super().sendall(data, *args)


class NotingNetwork(Network):
    """Connects with sockets that keep what is sent."""

    def connect(self, address: tuple[str, int], within_s: float) -> socket.socket:
        plain = super().connect(address, within_s)
        return NotedSocket(plain.family, plain.type, fileno=plain.detach())


def test_an_order_goes_out_in_one_piece() -> None:
    NotedSocket.pieces.clear()
    with fake_alpaca(lambda _: Reply(200, {})) as broker:
        client = HttpClient(broker.url, KEYS, NotingNetwork(loopback_only=True))
        client.call(Request(method="POST", target="/v2/orders", body=b"{}"))
        client.close()

    (piece,) = NotedSocket.pieces
    assert piece.startswith(b"POST /v2/orders ")
    assert piece.endswith(b"\r\n\r\n{}")
