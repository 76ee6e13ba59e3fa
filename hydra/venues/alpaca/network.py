"""Opening a TCP connection, in time or not at all, and to this machine only where that is asked.

`LIVE_DISABLE_NETWORK=1` and the embedded venue ask it: then no name but `localhost` is even looked
up, and nothing is connected whose address is not loopback. No proxy and no environment is involved.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import zip_longest
from time import monotonic
from typing import Any, TypeAlias

Address: TypeAlias = tuple[str, int]
SocketAddress: TypeAlias = tuple[Any, ...]
Resolve: TypeAlias = Callable[[str, int], list[tuple[int, SocketAddress]]]
"""Family and address of every socket that a name and port stand for. Raises OSError."""


TRY_S_MIN = 1.0
"""Each address is given at least so long, if there is: one that is far away, say."""


class NetworkRefused(OSError):
    """Connections to other machines are switched off; nothing was attempted."""


class NoConnection(OSError):
    """There was none in time, or nothing that it could go to. Its text says which."""


class Network:
    """Where the adapter gets its connections from. Safe to use from any thread."""

    def __init__(self, *, loopback_only: bool, resolve: Resolve | None = None) -> None:
        self._loopback_only = loopback_only
        self._resolver = _Resolver(resolve or _look_up)

    def connect(self, address: Address, within_s: float) -> socket.socket:
        """A connected socket to (host, port); its timeout is what is left of the time.

        Tries each address of the name in turn, and leaves time for those that follow. Raises
        OSError.
        """
        deadline = monotonic() + within_s
        failure: OSError = NoConnection(f"there is no address of {address[0]}")
        places = _alternating(self._places(address, deadline))
        for number, (family, place) in enumerate(places):
            share_s = (deadline - monotonic()) / (len(places) - number)
            try:
                return _connected(family, place, max(share_s, TRY_S_MIN), deadline)
            except OSError as error:
                failure = error
        raise failure

    def _places(self, address: Address, deadline: float) -> list[tuple[int, SocketAddress]]:
        host, port = address
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            if self._loopback_only and host != "localhost":
                raise NetworkRefused(_refusal(host)) from None
            places = self._resolver.places(host, port, deadline)
        else:
            family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
            places = [(family, (str(literal), port))]
        if self._loopback_only:
            for _, place in places:
                if not ipaddress.ip_address(place[0]).is_loopback:
                    raise NetworkRefused(_refusal(host))
        return places


class _Resolver:
    """Looks names up on threads of their own, since the system's resolver knows no deadline.

    A name that takes too long goes on being looked up, once, and whoever asks next waits for that.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._pending: dict[Address, Future[list[tuple[int, SocketAddress]]]] = {}

    def places(self, host: str, port: int, deadline: float) -> list[tuple[int, SocketAddress]]:
        asked = host, port
        with self._lock:
            future = self._pending.get(asked)
            if future is None:
                future = self._pending[asked] = Future()
                name = f"alpaca-resolve-{host}"
                threading.Thread(target=self._run, args=(asked,), name=name, daemon=True).start()
        try:
            return future.result(timeout=max(0.0, deadline - monotonic()))
        except TimeoutError:
            raise NoConnection("the name was not resolved in time") from None

    def _run(self, asked: Address) -> None:
        future = self._pending[asked]
        try:
            found = self._resolve(*asked)
        except (OSError, ValueError):  # ValueError: it can be no name at all
            found = []
        with self._lock:
            del self._pending[asked]
        future.set_result(found)


def _look_up(host: str, port: int) -> list[tuple[int, SocketAddress]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in found]


def _alternating(places: list[tuple[int, SocketAddress]]) -> list[tuple[int, SocketAddress]]:
    """One of each family after the other: what cannot be reached is often a whole one (IPv6)."""
    families: dict[int, list[tuple[int, SocketAddress]]] = {}
    for each in places:
        families.setdefault(each[0], []).append(each)
    rounds = zip_longest(*families.values())
    return [place for each in rounds for place in each if place is not None]


def _connected(
    family: int, place: SocketAddress, within_s: float, deadline: float
) -> socket.socket:
    """Connected within the time; its timeout is what is left until the deadline."""
    left = min(within_s, deadline - monotonic())
    if left <= 0:
        raise NoConnection("not connected in time")
    opened = TimedSocket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(left)
        opened.connect(place)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(max(0.001, deadline - monotonic()))
    except BaseException:  # also when we are interrupted: nobody else has the socket to close it
        opened.close()
        raise
    return opened


def _refusal(host: str) -> str:
    return f"connections to other machines are switched off, and {host} is one"


class TimedSocket(socket.socket):
    """A socket whose reads and writes end at one moment, however slowly bytes trickle.

    The timeout of an ordinary socket begins anew with each byte, so that a peer that sends one a
    second can hold its reader for hours.
    """

    deadline: float | None = None
    """On the monotonic clock, in seconds; None: the socket's own timeout alone counts."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """As of `socket.socket`."""
        arm(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """As of `socket.socket`, whose timeout counts for all of it."""
        arm(self)
        super().sendall(*args, **kwargs)


def arm(timed: socket.socket) -> None:
    """Let the next operation take as long as is left to the socket's deadline."""
    deadline: float | None = getattr(timed, "deadline", None)
    if deadline is None:
        return
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the whole call has passed")
    timed.settimeout(left)
