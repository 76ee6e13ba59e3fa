"""Who may see the dashboard, and halt from it: pure, by what a request says of itself (I86).

A page of somebody else's, open in the same browser, can send requests to this port too, and a name
of its own can be made to lead here. So the host has to be one of ours by name and port, and who
asks has to be nobody else's page; and nothing is told or done without the key, which no other page
knows, and which is never in an address that is sent.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec

from hydra.venues.loopback import HOST

Headers = Sequence[tuple[bytes, bytes]]
"""As they came, names in small letters."""

OWN_NAMES = (HOST, "localhost")
_OWN_SITES = (b"none", b"same-origin")
_SCHEME = b"Bearer "


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not answered, as an HTTP status and one line."""

    status: int
    text: str


class Access:
    """Who may ask, at one port and with one key."""

    def __init__(self, port: int, key: str) -> None:
        self._hosts = frozenset(f"{name}:{port}".encode() for name in OWN_NAMES)
        self._origins = frozenset(b"http://" + host for host in self._hosts)
        self._key = key.encode()
        self._wanted = " or ".join(sorted(host.decode() for host in self._hosts))

    def to_the_page(self, headers: Headers) -> Refusal | None:
        """Of the page itself, which tells nothing. None: it may be had."""
        if not self._is_one_of(headers, b"host", self._hosts, must=True):
            return Refusal(403, f"found another host than {self._wanted}")
        if not self._is_one_of(headers, b"origin", self._origins):
            return Refusal(403, f"asked for by a page of somebody else's, wanted {self._wanted}")
        if not self._is_one_of(headers, b"sec-fetch-site", _OWN_SITES):
            return Refusal(403, "asked for from a page of somebody else's: type the address")
        return None

    def to_the_engine(self, headers: Headers) -> Refusal | None:
        """Of what the page shows, and does. None: it may be had."""
        refusal = self.to_the_page(headers)
        if refusal is not None:
            return refusal
        given = _all_of(headers, b"authorization")
        if len(given) == 1 and given[0].startswith(_SCHEME):
            if hmac.compare_digest(given[0].removeprefix(_SCHEME), self._key):
                return None
            return Refusal(401, "found another key: it is of an earlier start")
        return Refusal(401, "found no key")

    @staticmethod
    def _is_one_of(
        headers: Headers,
        name: bytes,
        wanted: Sequence[bytes] | frozenset[bytes],
        *,
        must: bool = False,
    ) -> bool:
        given = _all_of(headers, name)
        if not given:
            return not must
        return len(given) == 1 and given[0] in wanted


def _all_of(headers: Headers, name: bytes) -> list[bytes]:
    return [value for each, value in headers if each == name]
