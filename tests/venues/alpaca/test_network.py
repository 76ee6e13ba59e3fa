"""Connections: in time or not at all, and to this machine only where that is asked (D6)."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hydra.settings.secret import Secret
from hydra.venues.alpaca.connection import require_hook
from hydra.venues.alpaca.http import Failure, HttpClient, Keys, Request
from hydra.venues.alpaca.network import Network, NetworkRefused, NoConnection, SocketAddress
from tests.waiting import Timed

ELSEWHERE = [
    "93.184.216.34",
    "10.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "2606:2800:220:1::1",
    "::ffff:93.184.216.34",
    "::ffff:127.0.0.1",
    "paper-api.alpaca.markets",
    "localhost.example.com",
    "127.1",
    "2130706433",
]


class Attempted(Exception):
    """A socket was about to connect."""


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that any socket of this process is told to connect to; none of them is.

    But for threads that were there before: they belong to another test, and have still to end.
    """
    made: list[object] = []
    others = set(threading.enumerate()) - {threading.current_thread()}

    def instead_of(real: Callable[..., Any]) -> Callable[..., Any]:
        def attempted(*arguments: object, **named: object) -> Any:
            if threading.current_thread() in others:
                return real(*arguments, **named)
            made.append(arguments)
            raise Attempted

        return attempted

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, instead_of(getattr(socket.socket, name)))
    monkeypatch.setattr(socket, "getaddrinfo", instead_of(socket.getaddrinfo))
    return made


@pytest.mark.parametrize("host", ELSEWHERE)
def test_no_socket_is_connected_and_no_name_looked_up_where_the_network_is_off(
    attempts: list[object], host: str
) -> None:
    network = Network(loopback_only=True)

    with pytest.raises(NetworkRefused, match="connections to other machines are switched off"):
        network.connect((host, 443), 1.0)

    assert attempts == []


@pytest.mark.parametrize("places", [["93.184.216.34"], ["127.0.0.1", "93.184.216.34"]])
def test_a_local_name_that_stands_for_another_machine_is_refused_before_any_attempt(
    attempts: list[object], places: list[str]
) -> None:
    def resolve(host: str, port: int) -> list[tuple[int, SocketAddress]]:
        return [(socket.AF_INET, (place, port)) for place in places]

    network = Network(loopback_only=True, resolve=resolve)

    with pytest.raises(NetworkRefused):
        network.connect(("localhost", 443), 1.0)

    assert attempts == []


def test_a_client_whose_network_is_off_attempts_nothing_and_says_so(
    attempts: list[object],
) -> None:
    keys = Keys(Secret("PK-a-key-of-paper"), Secret("a-secret-of-paper"))
    client = HttpClient("https://paper-api.alpaca.markets", keys, Network(loopback_only=True))

    failed = client.call(Request(method="POST", target="/v2/orders", body=b"{}"))

    assert failed == Failure(
        cause="cannot connect: connections to other machines are switched off, and"
        " paper-api.alpaca.markets is one",
        sent=False,
    )
    assert attempts == []


def test_with_the_network_on_a_name_is_looked_up_and_its_addresses_tried_in_turn() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def resolve(host: str, asked: int) -> list[tuple[int, SocketAddress]]:
            assert (host, asked) == ("broker.example.com", port)
            return [(socket.AF_INET, ("127.0.0.1", 1)), (socket.AF_INET, ("127.0.0.1", port))]

        network = Network(loopback_only=False, resolve=resolve)
        with network.connect(("broker.example.com", port), 5.0) as connected:
            assert connected.getpeername() == ("127.0.0.1", port)


@contextlib.contextmanager
def swallowing() -> Iterator[SocketAddress]:
    """An address that neither takes nor refuses a connection: its queue is full."""
    with contextlib.ExitStack() as open_ones:
        listener = open_ones.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        place = listener.getsockname()
        for _ in range(6):
            waiting = open_ones.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(place)
        yield place


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
@pytest.mark.parametrize(
    "order", [("deaf", "good"), ("deaf", "deaf", "good"), ("deaf", "deaf", "other", "deaf")]
)
def test_an_address_that_swallows_what_is_sent_to_it_leaves_time_for_the_others_i21(
    order: tuple[str, ...],
) -> None:
    """As those of IPv6 do where a machine has it and the way out has not."""
    with swallowing() as deaf, socket.create_server(("127.0.0.1", 0)) as listener:
        good = listener.getsockname()
        mapped = (f"::ffff:{good[0]}", good[1], 0, 0)
        places = {
            "deaf": (socket.AF_INET, deaf),
            "good": (socket.AF_INET, good),
            "other": (socket.AF_INET6, mapped),
        }
        network = Network(loopback_only=False, resolve=lambda *_: [places[each] for each in order])
        began = time.monotonic()
        with Timed() as timed:
            connected = network.connect(("broker.example.com", 443), 3.0)
        took_s = time.monotonic() - began

        with connected:
            assert connected.getpeername()[1] == good[1]
            assert timed.took_s < 2.9
            left_s = connected.gettimeout()
            assert left_s is not None
            assert 3.0 - took_s <= left_s < 2.9


def test_addresses_that_all_swallow_what_is_sent_to_them_are_given_up_in_time_i21() -> None:
    with swallowing() as deaf:
        network = Network(loopback_only=False, resolve=lambda *_: [(socket.AF_INET, deaf)] * 9)
        with Timed() as timed, pytest.raises(OSError, match="time"):
            network.connect(("broker.example.com", 443), 0.3)

    assert timed.took_s < 1.3


def test_a_name_that_is_not_resolved_in_time_is_given_up_i21_i70() -> None:
    resolved, asked = threading.Event(), []

    def resolve(host: str, port: int) -> list[tuple[int, SocketAddress]]:
        asked.append(host)
        resolved.wait(10.0)
        return []

    network = Network(loopback_only=False, resolve=resolve)
    with Timed() as timed:
        for _ in range(2):
            with pytest.raises(NoConnection, match="not resolved in time"):
                network.connect(("broker.example.com", 443), 0.1)
    resolved.set()

    assert timed.took_s < 2.0
    assert asked == ["broker.example.com"]  # the second waited for the first one's answer


def test_a_name_without_an_address_is_no_connection() -> None:
    def resolve(host: str, port: int) -> list[tuple[int, SocketAddress]]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(NoConnection, match=r"there is no address of nobody\.example\.com"):
        Network(loopback_only=False, resolve=resolve).connect(("nobody.example.com", 443), 5.0)


def test_a_urllib3_that_opens_its_sockets_elsewhere_is_not_used_i83() -> None:
    class Renamed:
        def _open(self) -> None: ...

    with pytest.raises(ImportError, match="install the urllib3 of requirements"):
        require_hook(Renamed)
