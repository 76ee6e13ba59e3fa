"""The thin HTTP client that everything said to the broker's REST API passes.

One request is one request: nothing is retried, no redirect is followed, no environment is read. A
call ends by its deadline whatever the other side does, and it never raises for what the other side
did: it gives an `Answer`, or a `Failure` that says whether bytes may have left. The keys go into
headers, and into no text that leaves this module.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import msgspec
from urllib3.exceptions import HTTPError

from hydra import __version__
from hydra.settings.secret import MASK, Secret
from hydra.venues.alpaca.connection import Connection, tls_context
from hydra.venues.alpaca.network import Network
from hydra.venues.one_line import one_line

CONNECT_WITHIN_S = 3.0
CALL_WITHIN_S = 15.0
"""T_REST: from the beginning of a call to its end, connecting included."""
IDLE_S_MAX = 20.0
"""A connection that was idle for longer is opened anew: somebody between may have forgotten it."""
BODY_SIZE_MAX = 64 * 1024 * 1024
READ_SIZE = 1024 * 1024
HEADERS_KEPT = (
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `target` is the path with its query, encoded; `yes` is the status by which the
    broker says that it was done.
    """

    method: str
    target: str
    body: bytes | None = None
    yes: int = 200


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `headers` are those of `HEADERS_KEPT`, in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing whole came back. Not `sent`: certainly no byte of the request has left.

    `untrusted`: somebody is there, and does not prove to be the broker.
    """

    cause: str
    sent: bool
    untrusted: bool = False


Result: TypeAlias = Answer | Failure


class EndpointRefused(ValueError):
    """The address of the broker is not one that keys may be sent to."""


class Keys:
    """The key pair as the headers of a request, and all the ways in which it could be told."""

    def __init__(self, key_id: Secret, secret: Secret) -> None:
        self._headers = {
            "APCA-API-KEY-ID": key_id.reveal(),
            "APCA-API-SECRET-KEY": secret.reveal(),
        }
        for value in self._headers.values():
            if not (value.isascii() and value.isprintable() and " " not in value and value):
                raise EndpointRefused("a key has characters that are in no key")
        self._forms = tuple(form for value in self._headers.values() for form in _forms_of(value))

    def headers(self) -> Mapping[str, str]:
        """To be sent, and nothing else."""
        return self._headers

    def scrubbed(self, text: bytes) -> bytes:
        """The text without the keys: an answer may repeat what was sent."""
        for form in self._forms:
            text = text.replace(form, MASK.encode())
        return text

    def words(self, text: object) -> str:
        """What others say, as of `one_line`, without the keys: no piece is left where it is cut."""
        return one_line(self.scrubbed(str(text).encode(errors="replace")).decode())

    def __repr__(self) -> str:
        return f"Keys({MASK!r})"


class Heads:
    """Requests as they are written to one host, with all that does not change made once."""

    def __init__(self, host: str, port: int, is_encrypted: bool, keys: Keys) -> None:
        name = f"[{host}]" if ":" in host else host
        where = name if port == _usual_port(is_encrypted) else f"{name}:{port}"
        self._host = f" HTTP/1.1\r\nHost: {where}\r\nAccept-Encoding: identity\r\n".encode("ascii")
        ours = {**keys.headers(), "User-Agent": f"hydra-trader/{__version__}"}
        self._ours = "".join(f"{name}: {text}\r\n" for name, text in ours.items()).encode("ascii")

    def written(self, request: Request) -> bytes:
        """Head and body, in one piece. Raises ValueError for what could be read as two requests."""
        line = f"{request.method} {request.target}"
        if not (line.isascii() and line.isprintable() and line.count(" ") == 1):
            raise ValueError("a method or target with characters that have to be encoded")
        head = line.encode("ascii") + self._host
        if request.body is None:
            return b"%b%b\r\n" % (head, self._ours)
        return b"%bContent-Length: %d\r\n%bContent-Type: application/json\r\n\r\n%b" % (
            head,
            len(request.body),
            self._ours,
            request.body,
        )


class HttpClient:
    """Speaks to one host. Safe to use from any thread; each call has a connection for itself."""

    def __init__(
        self,
        base_url: str,
        keys: Keys,
        network: Network,
        *,
        context: ssl.SSLContext | None = None,
        call_within_s: float = CALL_WITHIN_S,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        self._host, self._port, is_encrypted = endpoint(base_url)
        self._context = (context or tls_context()) if is_encrypted else None
        self._keys = keys
        self._heads = Heads(self._host, self._port, is_encrypted, keys)
        self._network = network
        self._call_within_s = call_within_s
        self._connect_within_s = connect_within_s
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: dict[str, Connection] = {}
        self._is_closed = False

    def call(
        self,
        request: Request,
        *,
        deadline: float | None = None,
        before_sending: Callable[[], None] | None = None,
        name: str = "",
    ) -> Result:
        """Send the request and wait for the answer, until `deadline` (monotonic, s) at most.

        `before_sending` runs at the last instant, with the connection open; what it raises goes to
        the caller, and nothing was sent. `name` is what `cut` knows the call by.
        """
        latest = monotonic() + self._call_within_s
        deadline = latest if deadline is None else min(deadline, latest)
        connection = self._taken()
        is_reusable = False
        try:
            failure = self._opened(connection, deadline)
            if failure is not None:
                return failure
            # First of the two: whoever is let through must be there to be cut from then on.
            self._note_busy(name, connection)
            if before_sending is not None:
                before_sending()
            result = self._exchanged(connection, request)
            is_reusable = isinstance(result, Answer)
            return result
        finally:
            self._give_back(connection, name, is_reusable)

    def cut(self, names: Iterable[str]) -> None:
        """End these calls at once if they are being sent: then their outcome is unknown."""
        with self._lock:
            connections = [self._busy[name] for name in names if name in self._busy]
        for connection in connections:
            connection.cut()

    def close(self) -> None:
        """No call begins any more, and those under way are cut."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy.values())
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.cut()

    def _opened(self, connection: Connection, deadline: float) -> Failure | None:
        if self._is_closed:
            return Failure(cause="the adapter has been closed", sent=False)
        left = min(self._connect_within_s, deadline - monotonic())
        if left <= 0:
            return Failure(cause="its time ran out before it was sent", sent=False)
        try:
            connection.open(left, IDLE_S_MAX)
            connection.limit(deadline)
        except (OSError, HTTPError) as error:
            untrusted = isinstance(error, ssl.SSLCertVerificationError)
            cause = f"cannot connect: {_words(error)}"
            return Failure(cause=cause, sent=False, untrusted=untrusted)
        return None

    def _exchanged(self, connection: Connection, request: Request) -> Result:
        try:
            written = self._heads.written(request)
            response = connection.exchange(request.method, written)
            body = _body_of(response)
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
            # The text of some of these repeats what the other side sent: only their kind is told.
            return Failure(cause=f"no whole answer: {_words(error)}", sent=True)
        if response.status < 200:  # the answer is still to come, and nobody may take it for theirs
            cause = f"no whole answer: only {response.status}, with one to follow"
            return Failure(cause=cause, sent=True)
        if len(body) > BODY_SIZE_MAX:
            return Failure(cause=f"an answer of more than {BODY_SIZE_MAX} bytes", sent=True)
        if response.status >= 300:
            body = self._keys.scrubbed(body)
        found = response.headers
        kept = {name: text for name in HEADERS_KEPT if (text := found.get(name)) is not None}
        return Answer(status=response.status, headers=kept, body=body)

    def _taken(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Connection(self._network, self._host, self._port, self._context)

    def _note_busy(self, name: str, connection: Connection) -> None:
        with self._lock:
            self._busy[name or f"call {id(connection)}"] = connection

    def _give_back(self, connection: Connection, name: str, is_reusable: bool) -> None:
        connection.last_used = monotonic()
        with self._lock:
            self._busy.pop(name or f"call {id(connection)}", None)
            if is_reusable and not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()


def _body_of(response: http.client.HTTPResponse) -> bytes:
    """The whole body, or more than is read at all. What is cut short raises."""
    if response.headers.defects:
        raise http.client.HTTPException("a head that is not whole")
    if response.length is not None and response.length <= BODY_SIZE_MAX:
        return response.read()  # the only way of reading that misses what is missing
    body = bytearray()
    while len(body) <= BODY_SIZE_MAX and (part := response.read(READ_SIZE)):
        body += part
    return bytes(body)


def endpoint(base_url: str) -> tuple[str, int, bool]:
    """Host, port, and whether it is encrypted. Raises `EndpointRefused`.

    Keys go out unencrypted to this machine only.
    """
    parts = urlsplit(base_url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    host = parts.hostname or ""
    is_plain = (parts.path, parts.query, parts.fragment, parts.username) == ("", "", "", None)
    is_named = host and host.isascii()
    if parts.scheme not in ("http", "https") or not is_named or port == -1 or not is_plain:
        raise EndpointRefused(
            f"found the address {base_url!r}, wanted https://HOST or http://127.0.0.1:PORT"
        )
    if parts.scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        raise EndpointRefused(f"found {base_url!r}: without TLS only this machine is spoken to")
    is_encrypted = parts.scheme == "https"
    return host, port or _usual_port(is_encrypted), is_encrypted


def _usual_port(is_encrypted: bool) -> int:
    return 443 if is_encrypted else 80


def _forms_of(value: str) -> tuple[bytes, ...]:
    """A key as it could stand in a text: plain, in a URL, in JSON, in base64."""
    raw = value.encode()
    escaped = msgspec.json.encode(value)[1:-1]
    return (raw, quote(value, safe="").encode(), escaped, base64.b64encode(raw).rstrip(b"="))


def _words(error: BaseException) -> str:
    """What went wrong, in words of this machine alone."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate does not hold: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "time ran out"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__} ({error.strerror})"
    if isinstance(error, OSError) and type(error).__module__.startswith("hydra."):
        return str(error)
    return type(error).__name__
