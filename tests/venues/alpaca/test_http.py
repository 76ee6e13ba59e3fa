"""The HTTP client: one request is one request, in time, and the keys are told to nobody else."""

import base64
import http.client
import logging
import socket
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hydra.settings.secret import Secret
from hydra.venues.alpaca.connection import tls_context
from hydra.venues.alpaca.http import (
    BODY_SIZE_MAX,
    Answer,
    EndpointRefused,
    Failure,
    HttpClient,
    Keys,
    Request,
    endpoint,
)
from hydra.venues.alpaca.network import Network
from tests.venues.alpaca.fake_alpaca import (
    Answer as Scripted,
)
from tests.venues.alpaca.fake_alpaca import (
    Bytes,
    Received,
    Reply,
    Reset,
    Silence,
    Trickle,
    fake_alpaca,
)
from tests.waiting import Timed

KEY, SECRET = "HYDRA-canary-key%/+", 'canary"secret\\+/=%'
KEYS = Keys(Secret(KEY), Secret(SECRET))
POST = Request(method="POST", target="/v2/orders", body=b'{"qty":"1"}')
GET = Request(method="GET", target="/v2/account")
SOON_S = 0.3
IN_TIME_S = 2.0
"""What a deadline of `SOON_S` may take on a busy machine."""


_clients: list[HttpClient] = []


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    while _clients:
        _clients.pop().close()


def client_of(url: str, call_within_s: float = SOON_S, **options: object) -> HttpClient:
    client = HttpClient(
        url,
        KEYS,
        Network(loopback_only=True),
        call_within_s=call_within_s,
        **options,  # type: ignore[arg-type]  # by name, as the constructor has them
    )
    _clients.append(client)
    return client


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What would lead other clients elsewhere."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.mark.usefixtures("environment")
def test_what_is_asked_goes_out_as_it_is_with_the_keys_whatever_the_environment_says() -> None:
    with fake_alpaca(lambda _: Reply(200, {"id": "1"}, {"X-Request-ID": "abc"})) as broker:
        answer = client_of(broker.url).call(POST)

    (received,) = broker.received
    assert answer == Answer(status=200, headers={"x-request-id": "abc"}, body=b'{"id": "1"}')
    assert (str(received), received.body) == ("POST /v2/orders", POST.body)
    headers = {name: value for name, value in received.headers.items() if name != "User-Agent"}
    assert headers == {
        "Host": f"127.0.0.1:{broker.port}",
        "Accept-Encoding": "identity",
        "Content-Length": "11",
        "Content-Type": "application/json",
        "APCA-API-KEY-ID": KEY,
        "APCA-API-SECRET-KEY": SECRET,
    }


def test_a_connection_is_used_again_and_opened_anew_where_the_broker_has_closed_it() -> None:
    answers: Iterator[Scripted] = iter(
        [Reply(), Reply(), Reply(headers={"Connection": "close"}), Reply()]
    )
    with fake_alpaca(lambda _: next(answers)) as broker:
        client = client_of(broker.url, call_within_s=5.0)
        statuses = [client.call(GET).status for _ in range(4)]  # type: ignore[union-attr]

        assert statuses == [200] * 4
        assert broker.connections == 2


FAILING: dict[str, Scripted] = {
    "reset": Reset(),
    "closed": Bytes(b""),
    "no HTTP": Bytes(b"SSH-2.0-somebody\r\n\r\n"),
    "half a head": Bytes(b"HTTP/1.1 200 OK\r\nContent-"),
    "cut short": Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}"),
    "silence": Silence(),
    "a byte at a time": Trickle(Reply(200, {"id": "1"}), pause_s=0.05),
    "a body a byte at a time": Trickle(Reply(200, b"x" * 300), pause_s=0.05, step=20),
}


@pytest.mark.parametrize("how", FAILING)
def test_a_call_without_a_whole_answer_ends_in_time_and_was_one_request_i20_i21(how: str) -> None:
    with fake_alpaca(lambda _: FAILING[how]) as broker, Timed() as timed:
        failed = client_of(broker.url).call(POST)

    assert isinstance(failed, Failure)
    assert failed.sent
    assert timed.took_s < IN_TIME_S
    assert broker.asked == ["POST /v2/orders"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "is_read"), [(50_000_000, True), (BODY_SIZE_MAX, True), (BODY_SIZE_MAX + 1, False)]
)
def test_no_answer_is_so_long_that_all_of_it_is_taken(size: int, is_read: bool) -> None:
    with fake_alpaca(lambda _: Reply(200, b"x" * size)) as broker:
        answer = client_of(broker.url, call_within_s=60.0).call(POST)

    if is_read:
        assert isinstance(answer, Answer)
        assert len(answer.body) == size
    else:
        assert answer == Failure(cause=f"an answer of more than {BODY_SIZE_MAX} bytes", sent=True)
    assert broker.asked == ["POST /v2/orders"]


def test_a_peer_that_falls_silent_half_way_gets_no_more_time_for_what_it_has_said_i21() -> None:
    said_late = Trickle(Reply(200, b"x"), pause_s=0.6, step=10)
    with fake_alpaca(lambda _: said_late) as broker, Timed() as timed:
        failed = client_of(broker.url, call_within_s=0.7).call(POST)

    assert isinstance(failed, Failure)
    assert timed.took_s < 1.1


@pytest.mark.parametrize("is_late_before_the_next", [True, False])
def test_a_late_answer_is_never_taken_for_the_next_one(is_late_before_the_next: bool) -> None:
    released = threading.Event()

    def answer(received: Received) -> Scripted:
        if received.method == "GET":
            return Reply(200, b"next")
        released.wait(5.0)
        return Reply(200, b"late")

    with fake_alpaca(answer) as broker:
        client = client_of(broker.url)
        first = client.call(POST)
        if is_late_before_the_next:
            released.set()
            time.sleep(0.1)
        second = client.call(GET)
        released.set()

    assert isinstance(first, Failure)
    assert second == Answer(status=200, headers={}, body=b"next")
    assert broker.connections == 2


@pytest.mark.parametrize("status", [101, 102, 103])
def test_a_word_before_the_answer_is_no_answer_and_what_follows_is_not_the_next_one_s_i19(
    status: int,
) -> None:
    def answer(received: Received) -> Scripted:
        if received.method == "POST":
            return Reply(status)
        return Reply(200, b"of the order" if broker.connections == 1 else b"of the account")

    with fake_alpaca(answer) as broker:
        client = client_of(broker.url, call_within_s=5.0)
        first = client.call(POST)
        second = client.call(GET)

    assert first == Failure(cause=f"no whole answer: only {status}, with one to follow", sent=True)
    assert second == Answer(status=200, headers={}, body=b"of the account")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 429, 500, 502, 503, 504])
def test_no_answer_makes_a_second_request_i20(status: int) -> None:
    elsewhere = {"Location": "/v2/elsewhere", "Retry-After": "0"}
    with fake_alpaca(lambda _: Reply(status, b"", elsewhere)) as broker:
        answer = client_of(broker.url).call(POST)

    assert isinstance(answer, Answer)
    assert answer.status == status
    assert broker.asked == ["POST /v2/orders"]


def test_a_peer_that_does_not_shake_hands_is_given_up_in_time_and_nothing_was_sent_i21() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = client_of(url, call_within_s=5.0, connect_within_s=SOON_S)
        with Timed() as timed:
            failed = client.call(POST)

    assert failed == Failure(cause="cannot connect: time ran out", sent=False)
    assert timed.took_s < IN_TIME_S


def test_a_handshake_a_byte_at_a_time_is_given_up_in_time_i21() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ending = threading.Event()

        def trickle() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    for byte in b"\x16\x03\x03\x40\x00" + bytes(500):
                        connection.sendall(bytes([byte]))
                        if ending.wait(0.05):
                            return
                except OSError:
                    return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = client_of(url, call_within_s=5.0, connect_within_s=SOON_S)
        with Timed() as timed:
            failed = client.call(POST)
        ending.set()
        thread.join(5.0)

    assert isinstance(failed, Failure)
    assert not failed.sent
    assert timed.took_s < IN_TIME_S


def test_nobody_listening_is_a_failure_before_anything_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    failed = client_of(url).call(POST)

    assert isinstance(failed, Failure)
    assert not failed.sent


def test_what_is_stopped_at_the_last_instant_is_not_sent() -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with fake_alpaca(lambda _: Reply()) as broker:
        client = client_of(broker.url)
        with pytest.raises(Stopped):
            client.call(POST, before_sending=stop)
        client.call(GET)

    assert broker.asked == ["GET /v2/account"]


def test_a_call_that_is_cut_ends_at_once_and_may_have_been_sent_i01() -> None:
    arrived = threading.Event()

    def silent(_: object) -> Scripted:
        arrived.set()
        return Silence()

    with fake_alpaca(silent) as broker:
        client = client_of(broker.url, call_within_s=10.0)
        ended: list[object] = []
        thread = threading.Thread(target=lambda: ended.append(client.call(POST, name="hy1-x")))
        thread.start()
        arrived.wait(5.0)
        client.cut(["hy1-x", "hy1-other"])
        thread.join(5.0)

    (failed,) = ended
    assert isinstance(failed, Failure)
    assert failed.sent


def test_a_call_that_is_cut_once_it_was_let_through_sends_nothing_more_i01() -> None:
    with fake_alpaca(lambda _: Reply()) as broker:
        client = client_of(broker.url, call_within_s=5.0)
        # Its thread was let through, and stood still until the time for sending was over.
        failed = client.call(POST, before_sending=lambda: client.cut(["hy1-x"]), name="hy1-x")
        client.call(GET)

    assert isinstance(failed, Failure)
    assert failed.sent
    assert broker.asked == ["GET /v2/account"]


def test_a_closed_client_sends_nothing_more() -> None:
    with fake_alpaca(lambda _: Reply()) as broker:
        client = client_of(broker.url)
        client.call(GET)
        client.close()
        after = client.call(POST)

    assert after == Failure(cause="the adapter has been closed", sent=False)
    assert broker.asked == ["GET /v2/account"]


@pytest.mark.parametrize(
    "url",
    [
        "http://paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets/v2",
        "https://paper-api.alpaca.markets/",
        "https://somebody@paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets?x=1",
        "https://",
        "ftp://127.0.0.1",
        "http://127.0.0.1:port",
        "paper-api.alpaca.markets",
        "http://127.0.0.1.example.com",
    ],
)
def test_keys_are_sent_to_no_address_that_is_not_a_plain_one(url: str) -> None:
    with pytest.raises(EndpointRefused):
        endpoint(url)


def test_an_address_says_host_port_and_encryption() -> None:
    assert endpoint("https://api.alpaca.markets") == ("api.alpaca.markets", 443, True)
    assert endpoint("http://127.0.0.1:8123") == ("127.0.0.1", 8123, False)
    assert endpoint("http://[::1]:80") == ("::1", 80, False)


@pytest.mark.parametrize("key", ["", "with blank", "line\nend", "ü-key-of-eight"])
def test_a_key_that_could_be_no_key_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(EndpointRefused) as refused:
        Keys(Secret(key), Secret(SECRET))

    assert str(refused.value) == "a key has characters that are in no key"


def forms(value: str) -> list[str]:
    encoded = base64.b64encode(value.encode()).decode().rstrip("=")
    return [value, quote(value, safe=""), encoded]


def test_no_text_that_leaves_the_client_has_a_key_in_it_i83(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    told = " ".join(form for value in (KEY, SECRET) for form in forms(value))
    repeating: list[Scripted] = [
        Reply(400, {"message": told, "code": 40010001}),
        Reply(401, told.encode()),
        Reply(500, told.encode(), {"X-Request-ID": "1"}),
        Bytes(f"{told}\r\n\r\n".encode()),
        Bytes(f"HTTP/1.1 {told}\r\n\r\n".encode()),
        Bytes(f"HTTP/1.1 200 OK\r\n{told}\r\nX: {told}\r\n\r\n".encode()),
        Bytes(f"HTTP/1.1 200 OK\r\nContent-Length: {SECRET}\r\n\r\n".encode()),
        Bytes(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n".encode()),
        Reset(),
        Silence(),
    ]
    answers = iter(repeating)
    left: list[str] = []
    with fake_alpaca(lambda _: next(answers)) as broker:
        client = client_of(broker.url)
        left += [repr(client.call(POST)) for _ in repeating]
        try:
            client.call(Request(method="GET", target="/bad target", body=None))
        except Exception:  # noqa: BLE001 (whatever comes out)
            left.append(traceback.format_exc())
    left += [repr(KEYS), str(KEYS), repr(client), caplog.text, *capfd.readouterr()]

    everything = "\n".join(left)
    assert len(left) >= len(repeating) + 5
    assert [form for value in (KEY, SECRET) for form in forms(value) if form in everything] == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of nobody's for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=nobody", "-addext"]
    command += ["subjectAltName=IP:127.0.0.1", "-out", str(made[0]), "-keyout", str(made[1])]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no openssl that could make a certificate: {error}")
    return made


def test_an_encrypted_answer_a_byte_at_a_time_ends_in_time_too_i21(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    ending = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.recv(65536)
                for byte in Reply(200, b"x" * 300).raw:
                    stream.sendall(bytes([byte]))
                    if ending.wait(0.05):
                        return
        except OSError:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = client_of(url, call_within_s=0.5, context=tls_context(str(certificate[0])))
        with Timed() as timed:
            failed = client.call(POST)
        ending.set()
        thread.join(5.0)

    assert failed == Failure(cause="no whole answer: time ran out", sent=True)
    assert timed.took_s < IN_TIME_S


@pytest.mark.parametrize("is_trusted", [True, False])
def test_nothing_is_sent_to_a_host_whose_certificate_does_not_hold(
    certificate: tuple[Path, Path], is_trusted: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    got: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as stream:
                got.append(stream.recv(65536))
                stream.sendall(Reply(200, {"id": "1"}).raw)
        except OSError:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        trusted = tls_context(str(certificate[0])) if is_trusted else tls_context()
        answer = client_of(url, call_within_s=5.0, context=trusted).call(GET)
        thread.join(5.0)

    if is_trusted:
        assert answer == Answer(status=200, headers={}, body=b'{"id": "1"}')
    else:
        assert isinstance(answer, Failure)
        assert answer.cause.startswith("cannot connect: the certificate does not hold: self")
        assert (answer.sent, answer.untrusted) == (False, True)
        assert got == []
