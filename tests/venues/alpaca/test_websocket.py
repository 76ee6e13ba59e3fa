"""One connection, against servers that behave and servers that do not."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection
from websockets.uri import parse_uri

from hydra.venues.alpaca.websocket import ConnectionLost, WebSocket
from tests.venues.alpaca.sockets import connect, raw_server, websocket_server
from tests.waiting import Timed

WITHIN_S = 5.0


@contextlib.contextmanager
def opened(url: str, headers: dict[str, str] | None = None) -> Iterator[WebSocket]:
    websocket = WebSocket.open(url, headers or {}, WITHIN_S, connect)
    try:
        yield websocket
    finally:
        websocket.close()


def echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        for message in connection:
            connection.send(message)


@pytest.fixture(scope="module")
def echoing() -> Iterator[str]:
    with websocket_server(echo) as url:
        yield url


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=st.lists(st.text() | st.binary(max_size=100_000), min_size=1, max_size=5))
def test_what_is_sent_arrives_whole_and_in_order_and_of_its_kind(
    echoing: str, messages: list[str | bytes]
) -> None:
    with opened(echoing) as websocket:
        for message in messages:
            websocket.send(message, WITHIN_S)

        assert [websocket.receive(WITHIN_S) for _ in messages] == messages


def test_messages_in_pieces_with_pings_between_them_are_one_message() -> None:
    def in_pieces(connection: ServerConnection) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"one, "
            connection.ping()
            yield b"two, "
            yield b"three"

        connection.send(pieces())
        echo(connection)

    with websocket_server(in_pieces) as url, opened(url) as websocket:
        assert websocket.receive(WITHIN_S) == b"one, two, three"


def test_that_nothing_comes_is_no_message_and_no_loss(echoing: str) -> None:
    with opened(echoing) as websocket:
        assert websocket.receive(0.05) is None
        websocket.send("still here", WITHIN_S)
        assert websocket.receive(WITHIN_S) == "still here"


class SlowToHear(socket.socket):
    """What comes is handed on when the time to wait for it is over: the machine was busy."""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        heard = super().recv(size, flags)
        if self.timeout is not None:
            threading.Event().wait(self.timeout)
        return heard


def test_a_ping_that_comes_as_the_wait_for_a_message_ends_is_answered_and_no_loss() -> None:
    near, far = socket.socketpair()
    stream = SlowToHear(fileno=near.detach())
    client = ClientProtocol(parse_uri("ws://127.0.0.1/stream"), state=State.OPEN)
    server = ServerProtocol(state=State.OPEN)
    websocket = WebSocket(stream, client)
    with stream, far:
        server.send_ping(b"")
        far.sendall(b"".join(server.data_to_send()))

        assert websocket.receive(0.02) is None

        far.settimeout(WITHIN_S)
        server.receive_data(far.recv(100))
        (answer,) = server.events_received()
        assert isinstance(answer, Frame)
        assert answer.opcode is Opcode.PONG


def test_an_answered_ping_is_a_sign_of_life(echoing: str) -> None:
    with opened(echoing) as websocket:
        before = websocket.heard_at

        websocket.ping(WITHIN_S)

        assert websocket.receive(0.2) is None
        assert websocket.heard_at > before


def test_headers_go_with_the_handshake() -> None:
    def tell_header(connection: ServerConnection) -> None:
        assert connection.request is not None
        connection.send(connection.request.headers["Content-Type"])
        echo(connection)

    with (
        websocket_server(tell_header) as url,
        opened(url, {"Content-Type": "application/msgpack"}) as websocket,
    ):
        assert websocket.receive(WITHIN_S) == "application/msgpack"


def test_what_was_said_before_the_end_is_heard_and_then_why_it_ended() -> None:
    def say_and_close(connection: ServerConnection) -> None:
        connection.send("last words")
        connection.close(1013, "come back later")

    with websocket_server(say_and_close) as url, opened(url) as websocket:
        assert websocket.receive(WITHIN_S) == "last words"
        with pytest.raises(ConnectionLost, match=r"closed with 1013 \(come back later\)"):
            websocket.receive(WITHIN_S)


def test_words_of_an_end_command_no_terminal() -> None:
    def say_and_close(connection: ServerConnection) -> None:
        connection.close(1013, "come\x1b[2J\nback\x9b")

    # They may come with the end of the handshake, so that it never was open.
    with (
        websocket_server(say_and_close) as url,
        pytest.raises(ConnectionLost) as lost,
        opened(url) as websocket,
    ):
        websocket.receive(WITHIN_S)

    assert str(lost.value) == "the connection was closed with 1013 (come [2J back)"


def test_a_connection_that_is_cut_is_lost() -> None:
    def cut(connection: ServerConnection) -> None:
        connection.send("hello")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with websocket_server(cut) as url, opened(url) as websocket:
        assert websocket.receive(WITHIN_S) == "hello"
        with pytest.raises(ConnectionLost):
            websocket.receive(WITHIN_S)


def test_nobody_there_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(ConnectionLost, match="cannot connect: ") as lost:
        WebSocket.open(f"ws://127.0.0.1:{port}/stream", {}, WITHIN_S, connect)

    assert "\n" not in str(lost.value)


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "Unauthorized"), (429, "Too Many Requests"), (502, "Bad Gateway")]
)
def test_a_refused_handshake_says_with_which_status(status: int, reason: str) -> None:
    def refuse(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\n\r\n".encode())

    with raw_server(refuse) as url, pytest.raises(ConnectionLost) as lost:
        WebSocket.open(url, {}, WITHIN_S, connect)

    assert lost.value.status == status


BUSY = b"HTTP/1.1 429 Too Many Requests\r\n"
REFUSALS: dict[str, tuple[bytes, int | None]] = {
    "its body ends with the connection": (BUSY + b"Connection: close\r\n\r\nno", 429),
    "no body": (BUSY + b"Connection: close\r\n\r\n", 429),
    "HTTP/1.0": (b"HTTP/1.0 503 Service Unavailable\r\n\r\n<html></html>\r\n", 503),
    "keys": (b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\n\r\n<html>", 401),
    "cut in its body": (BUSY + b"Content-Length: 20\r\n\r\nno", 429),
    "cut in its head": (BUSY + b"Content-Le", 429),
    "cut in its status": (b"HTTP/1.1 42", None),
    "nothing at all": (b"", None),
    "cut as it lets us in": (b"HTTP/1.1 101 Switching Protocols\r\nUpgr", None),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_an_answer_that_the_connection_ends_with_is_a_refusal_and_no_connection_i47(
    kind: str,
) -> None:
    answer, status = REFUSALS[kind]

    def refuse_and_leave(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(answer)
        stream.shutdown(socket.SHUT_WR)

    with raw_server(refuse_and_leave) as url, pytest.raises(ConnectionLost) as lost:
        WebSocket.open(url, {}, WITHIN_S, connect)

    assert lost.value.status == status
    assert "\n" not in str(lost.value)


def test_a_refusal_without_an_end_is_one_all_the_same_when_the_time_is_up() -> None:
    def refuse_and_stay(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(BUSY + b"\r\nno")

    with raw_server(refuse_and_stay) as url, pytest.raises(ConnectionLost) as lost:
        WebSocket.open(url, {}, 0.2, connect)

    assert lost.value.status == 429


def in_one_piece(*said: bytes) -> Callable[[socket.socket], None]:
    """Let the client in, say these, and close with 1013, in as few bytes as possible apart."""

    def script(stream: socket.socket) -> None:
        server = ServerProtocol()
        requests: list[object] = []
        while not requests:
            server.receive_data(stream.recv(4096))
            requests = [*server.events_received()]
        (request,) = requests
        assert isinstance(request, Request)
        server.send_response(server.accept(request))
        for message in said:
            server.send_binary(message)
        server.send_close(1013, "come back later")
        stream.sendall(b"".join(server.data_to_send()))

    return script


def test_what_is_said_with_the_handshake_is_heard_before_the_end() -> None:
    with raw_server(in_one_piece(b"one", b"two")) as url, opened(url) as websocket:
        assert [websocket.receive(WITHIN_S), websocket.receive(WITHIN_S)] == [b"one", b"two"]
        with pytest.raises(ConnectionLost, match="closed with 1013"):
            websocket.receive(WITHIN_S)


def test_who_is_let_in_and_shut_out_in_one_piece_is_not_let_in() -> None:
    with raw_server(in_one_piece()) as url, pytest.raises(ConnectionLost, match="closed with 1013"):
        WebSocket.open(url, {}, WITHIN_S, connect)


@pytest.mark.parametrize("say", ["text", b"bytes"], ids=repr)
def test_on_a_connection_that_the_venue_has_closed_nothing_can_be_said(say: str | bytes) -> None:
    with raw_server(in_one_piece(b"last words")) as url, opened(url) as websocket:
        with pytest.raises(ConnectionLost, match="closed with 1013"):
            websocket.send(say, WITHIN_S)

        assert websocket.receive(WITHIN_S) == b"last words"


@contextlib.contextmanager
def side_by_side() -> Iterator[tuple[WebSocket, ServerProtocol, Callable[[bytes], None]]]:
    """An open connection, what the other side says, and how its bytes are sent."""
    near, far = socket.socketpair()
    client = ClientProtocol(parse_uri("ws://127.0.0.1/stream"), state=State.OPEN)
    with near, far:
        yield WebSocket(near, client), ServerProtocol(state=State.OPEN), far.sendall


def test_bytes_of_a_frame_that_does_not_end_are_no_sign_of_life_i45() -> None:
    with side_by_side() as (websocket, server, send):
        heard_at = websocket.heard_at
        server.send_binary(b"x" * 1000)
        frame = b"".join(server.data_to_send())
        send(frame[:500])
        assert websocket.receive(0.05) is None
        unfinished = websocket.heard_at

        send(frame[500:])

        assert websocket.receive(WITHIN_S) == b"x" * 1000
        assert unfinished == heard_at < websocket.heard_at


def test_while_a_message_in_pieces_has_no_end_an_answered_ping_is_no_sign_of_life_i45() -> None:
    with side_by_side() as (websocket, server, send):
        heard_at = websocket.heard_at
        server.send_binary(b"begun, ", fin=False)
        server.send_pong(b"")
        send(b"".join(server.data_to_send()))
        assert websocket.receive(0.05) is None
        unfinished = websocket.heard_at

        server.send_continuation(b"done", fin=True)
        send(b"".join(server.data_to_send()))

        assert websocket.receive(WITHIN_S) == b"begun, done"
        assert unfinished == heard_at < websocket.heard_at


def say_nothing(stream: socket.socket) -> None:
    pass


def say_a_byte_at_a_time(stream: socket.socket) -> None:
    with contextlib.suppress(OSError):
        stream.settimeout(0.02)
        for letter in b"HTTP/1.1 101 Switching Protocols\r\n" * 1000:
            stream.sendall(bytes([letter]))
            with contextlib.suppress(TimeoutError):
                stream.recv(1 << 16)


@pytest.mark.parametrize("script", [say_nothing, say_a_byte_at_a_time])
def test_a_handshake_has_a_deadline_as_a_whole_i21(
    script: Callable[[socket.socket], None],
) -> None:
    with Timed() as timed, raw_server(script) as url, pytest.raises(ConnectionLost):
        WebSocket.open(url, {}, 0.3, connect)

    assert timed.took_s < 2.0


@pytest.mark.parametrize("script", [say_nothing, say_a_byte_at_a_time])
def test_a_tls_handshake_has_a_deadline_as_a_whole_i21(
    script: Callable[[socket.socket], None],
) -> None:
    with Timed() as timed, raw_server(script) as url, pytest.raises(ConnectionLost):
        WebSocket.open(url.replace("ws://", "wss://"), {}, 0.3, connect)

    assert timed.took_s < 2.0


def test_bytes_that_are_no_websocket_end_it() -> None:
    def nonsense(connection: ServerConnection) -> None:
        connection.socket.sendall(b"\xff" * 64)
        echo(connection)

    # They may come with the end of the handshake, so that it never was open.
    with websocket_server(nonsense) as url, pytest.raises(ConnectionLost), opened(url) as websocket:
        websocket.receive(WITHIN_S)
