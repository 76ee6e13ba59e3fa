"""Connections for HTTP: opened by urllib3, on sockets of ours with a deadline for the whole call.

What is said on them is not left to it. Writing a request takes it a quarter of an order's time, and
it sends head and body apart.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from http.client import HTTPResponse
from time import monotonic
from typing import Any

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection

from hydra.venues.alpaca.network import Network, NoConnection, TimedSocket, arm


class TimedTlsSocket(ssl.SSLSocket):
    """As `TimedSocket`, encrypted. The handshake is one operation, so its timeout holds already."""

    deadline: float | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """As of `ssl.SSLSocket`."""
        arm(self)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        """As of `ssl.SSLSocket`; its `sendall` is made of these."""
        arm(self)
        return super().send(*args, **kwargs)


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name checked.

    Trusted is what the broker's own client trusts, and not what the environment says; nor are the
    session's secrets written to a file that it names. `ca_file` is trusted alone, if given.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks both by itself
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=ca_file or certifi.where())
    context.sslsocket_class = TimedTlsSocket
    return context


class Connection:
    """One connection to the broker, opened when it is needed and kept while it is of use."""

    def __init__(
        self, network: Network, host: str, port: int, context: ssl.SSLContext | None
    ) -> None:
        self.http: HTTPConnection = (
            _Plain(network, host, port)
            if context is None
            else _Encrypted(network, host, port, context)
        )
        self.last_used = 0.0
        self._stream: socket.socket | None = None

    def open(self, within_s: float, idle_s_max: float) -> None:
        """Have a live connection within the time. Raises OSError or `ssl.SSLError`.

        One that the broker has closed, that has something to say unasked, or that was idle for so
        long that it may be closed any moment is not used again: what is sent on it could be lost.
        """
        is_stale = monotonic() - self.last_used > idle_s_max
        if is_stale or not self.http.is_connected:
            self.http.close()
            self.http.timeout = within_s
            self.http.connect()
            self._stream = self.http.sock

    def limit(self, deadline: float) -> None:
        """No operation goes on beyond this moment of the monotonic clock."""
        stream = self._stream
        assert isinstance(stream, TimedSocket | TimedTlsSocket), "no other keeps a deadline"
        stream.deadline = deadline

    def exchange(self, method: str, request: bytes) -> HTTPResponse:
        """Send the whole request at once and read the answer's head. Raises as `http.client` does.

        The method says whether the answer has a body.
        """
        stream = self._stream
        assert stream is not None, "it has been opened"
        stream.sendall(request)
        # Not urllib3's, which logs what it finds odd in an answer, keys included.
        response = HTTPResponse(stream, method=method)
        response.begin()
        if response.will_close:
            self.http.close()  # what is still to be read can be read
        return response

    def cut(self) -> None:
        """From any thread: whoever waits for this connection waits no longer."""
        if self._stream is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                # Not a TLS socket's own method, which is for the thread that uses it.
                socket.socket.shutdown(self._stream, socket.SHUT_RDWR)

    def close(self) -> None:
        """It is of no use any more."""
        self.http.close()


def require_hook(connection: type) -> None:
    """Raise ImportError if this class of urllib3's does not open its sockets in `_new_conn`.

    That name is urllib3's own affair. Were it called something else in a later one, ours would be
    passed by, and with it the guard that keeps connections on this machine.
    """
    if not callable(vars(connection).get("_new_conn")):
        raise ImportError(
            f"{connection.__module__}.{connection.__name__} has no _new_conn of its own, which"
            " Hydra's connections stand on; install the urllib3 of requirements.lock"
        )


require_hook(HTTPConnection)


class _Plain(HTTPConnection):
    """HTTP without TLS, for this machine only."""

    def __init__(self, network: Network, host: str, port: int) -> None:
        super().__init__(host, port)
        self._network = network

    def _new_conn(self) -> socket.socket:
        return _dialed(self._network, self)


class _Encrypted(HTTPSConnection):
    """HTTP over TLS."""

    def __init__(self, network: Network, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port, ssl_context=context)
        self._network = network

    def _new_conn(self) -> socket.socket:
        return _dialed(self._network, self)


def _dialed(network: Network, connection: HTTPConnection) -> socket.socket:
    within_s = connection.timeout
    if within_s is None or within_s <= 0:
        raise NoConnection("no time left to connect in")
    return network.connect((connection.host, connection.port), within_s)
