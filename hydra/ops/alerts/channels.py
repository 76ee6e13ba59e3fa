"""The ways to people: whatever service apprise knows, by the address that it wants for it.

An address has keys in it: no piece of one is ever part of a name, an error or a line.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from hashlib import blake2b
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from hydra.ops.alerts.conditions import Severity
from hydra.ops.alerts.heartbeat import LOOPBACK
from hydra.ops.alerts.wording import Message
from hydra.settings.secret import Secret
from hydra.store.redaction import Redactor

if TYPE_CHECKING:
    import apprise

WITHIN_S = 30.0
HANGING_MAX = 5
"""Tries that one service may leave hanging; then it is not asked until one of them has ended."""

ERROR_MAX = 200
PIECE_MIN = 6
"""Characters; shorter pieces of an address are ordinary words."""

_BETWEEN_PIECES = re.compile(r"[/:@?&=,#%]+")
_BETWEEN_ENCODED = re.compile(r"[/:@?&=,#]+")


class ChannelsRefused(Exception):
    """An address cannot be used: which one, and what is wanted, in one line."""


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """What it is called; it has no part of a key, and stays the same over restarts."""
        ...

    def send(self, message: Message) -> str | None:
        """Bring it there, however long that takes; gives why it did not arrive, or None."""
        ...


class AppriseChannel:
    """One address. It is used from one thread at a time."""

    def __init__(
        self, service: apprise.NotifyBase, name: str, address: Secret, within_s: float
    ) -> None:
        """`within_s`: how long an answer is waited for."""
        import apprise

        if service.overflow_mode is apprise.OverflowMode.UPSTREAM:
            # A service refuses what is longer than it takes, each time anew, and all that came up
            # meanwhile with it. So that goes in parts, unless the address says otherwise.
            service.overflow_mode = apprise.OverflowMode.SPLIT
        self._apprise = apprise.Apprise()
        self._apprise.add(service)
        self._name = name
        self._within_s = within_s
        self._redactor = Redactor(_pieces_of(address.reveal()))
        self._trying: list[threading.Thread] = []

    @property
    def name(self) -> str:
        """The service and a number that is made from the address."""
        return self._name

    def send(self, message: Message) -> str | None:
        """Bring it there; gives why it did not arrive, as apprise says it, or None.

        Each try has a thread of its own: apprise's own time limit leaves those that hang in a pool
        that all channels share, and that keeps the process from ending.
        """
        self._trying = [thread for thread in self._trying if thread.is_alive()]
        if len(self._trying) >= HANGING_MAX:
            return f"{len(self._trying)} earlier tries have not come to an end yet"
        answers: list[str | None] = []

        def bring() -> None:
            answers.append(self._bring(message))

        trying = threading.Thread(target=bring, name="alert", daemon=True)
        trying.start()
        trying.join(self._within_s)
        if trying.is_alive():
            self._trying.append(trying)
            return f"it did not come to an end within {self._within_s:g} s"
        return answers[0] if answers else "apprise failed"

    def _bring(self, message: Message) -> str | None:
        import apprise

        kinds = {
            Severity.NOTICE: apprise.NotifyType.INFO,
            Severity.WARNING: apprise.NotifyType.WARNING,
            Severity.CRITICAL: apprise.NotifyType.FAILURE,
        }
        with self._apprise.notify(
            title=message.title,
            body=message.body,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=kinds[message.severity],
        ) as result:
            if result:
                return None
            said = "; ".join(entry.message for entry in result.logs())
        words = said or f"{result.status.name.lower()}: the service did not take it"
        return self._redactor.text(words)[:ERROR_MAX]


def channels_of(
    addresses: Sequence[Secret], *, loopback_only: bool, within_s: float = WITHIN_S
) -> tuple[AppriseChannel, ...]:
    """One for each address, in their order. Raises ChannelsRefused; nothing is connected to.

    `loopback_only`: connections to other machines are switched off.
    """
    if not addresses:
        return ()
    import apprise

    logging.getLogger("apprise").addHandler(logging.NullHandler())  # it would print addresses
    channels: list[AppriseChannel] = []
    for number, address in enumerate(addresses, 1):
        service = apprise.Apprise.instantiate(address.reveal())
        if service is None:
            raise ChannelsRefused(
                f"HYDRA_ALERT_URLS: address {number} of {len(addresses)} is none that apprise can"
                f" use (it begins with {_scheme_of(address)}); wanted one as its page of services"
                " says, such as json://host/path or mailto://user:password@host"
            )
        if loopback_only and not _is_loopback(address):
            raise ChannelsRefused(
                f"HYDRA_ALERT_URLS: address {number} is of another machine, and"
                ' LIVE_DISABLE_NETWORK refuses every connection; set LIVE_DISABLE_NETWORK="0"'
            )
        name = f"{service.service_name} {_fingerprint(address)}"
        if any(channel.name == name for channel in channels):
            raise ChannelsRefused(f"HYDRA_ALERT_URLS: address {number} is there twice")
        channels.append(AppriseChannel(service, name, address, within_s))
    return tuple(channels)


def _scheme_of(address: Secret) -> str:
    scheme = address.reveal().partition("://")[0]
    return f"{scheme}://" if re.fullmatch("[a-z0-9]{1,20}", scheme) else "no scheme"


def _is_loopback(address: Secret) -> bool:
    """Only of the services that speak to the host in the address, and to no other."""
    parts = urlsplit(address.reveal())
    own_host = {"json", "xml", "form"}
    return parts.scheme in own_host and parts.hostname in LOOPBACK


def _fingerprint(address: Secret) -> str:
    return blake2b(address.reveal().encode(), digest_size=3).hexdigest()


def _pieces_of(address: str) -> set[str]:
    """What of it may be a key, also as it is meant where it stands percent-encoded. A host's name
    is none; but what stands in its place is one where the service has a host of its own.
    """
    encoded = [*_BETWEEN_PIECES.split(address), *_BETWEEN_ENCODED.split(address)]
    pieces = {each for piece in encoded for each in (piece, unquote(piece))}
    host = urlsplit(address).hostname or ""
    is_name = "." in host or host in LOOPBACK
    return {address} | {
        piece for piece in pieces if len(piece) >= PIECE_MIN and not (is_name and piece == host)
    }


class Sent(msgspec.Struct, frozen=True):
    """What came of a delivery: `end` as it was given; no error: it arrived."""

    channel: str
    end: int
    error: str | None


class Sender:
    """Brings messages to one channel on a thread of its own: a slow service holds up nobody."""

    def __init__(self, channel: Channel, done: SimpleQueue[Sent]) -> None:
        """`done` hears what came of each. Nothing is sent yet."""
        self.name = channel.name
        self.is_busy = False
        """From `send` until whoever takes from `done` sets it back."""
        self._channel = channel
        self._done = done
        self._jobs: SimpleQueue[tuple[Message, int]] = SimpleQueue()
        self._thread = threading.Thread(
            target=self._keep_sending, name=f"alerts-{channel.name}", daemon=True
        )

    def start(self) -> None:
        """Begin to take messages."""
        self._thread.start()

    def send(self, message: Message, end: int) -> None:
        """Take one; not before the one before it is done."""
        self.is_busy = True
        self._jobs.put((message, end))

    def _keep_sending(self) -> None:
        while True:
            message, end = self._jobs.get()
            self._done.put(Sent(self.name, end, self._channel.send(message)))
