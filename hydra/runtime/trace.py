"""The record of a simulation: what was handled, in which order, and one hash over all of it."""

from __future__ import annotations

import hashlib
from collections import deque

import msgspec

from hydra.runtime.envelope import Envelope, MessageId, name_of

LINES_KEPT = 100_000


class Handled(msgspec.Struct, frozen=True):
    """One message handled by one actor."""

    at: int
    path: str
    message_type: str
    id: MessageId
    cause: MessageId | None
    corr: str | None

    def __str__(self) -> str:
        return (
            f"{self.at} {self.path} {self.message_type} {name_of(self.id)} <- {name_of(self.cause)}"
        )


def _plain(value: object) -> str:
    """What msgspec does not know goes into the hash by its type, never by its address."""
    return f"<{type(value).__name__}>"


class Trace:
    """Keeps the newest lines and hashes them all. The hash covers the messages' content.

    Equal for two runs exactly when they handled the same messages in the same order at the same
    times, in whatever process, under whatever hash seed or Python version.
    """

    def __init__(self) -> None:
        self.lines: deque[Handled] = deque(maxlen=LINES_KEPT)
        self.count = 0
        self._hash = hashlib.blake2b(digest_size=16)
        self._encoder = msgspec.json.Encoder(enc_hook=_plain, order="deterministic")

    def add(self, at: int, path: str, envelope: Envelope) -> None:
        """One more message was handled."""
        message = envelope.message
        handled = Handled(
            at, path, type(message).__name__, envelope.id, envelope.cause, envelope.corr
        )
        self.lines.append(handled)
        self.count += 1
        self._hash.update(str(handled).encode())
        self._hash.update(self._content(message))

    def _content(self, message: object) -> bytes:
        try:
            return self._encoder.encode(message)
        except (TypeError, ValueError):  # a key that JSON does not have, at whatever depth
            return _plain(message).encode()

    @property
    def hash(self) -> str:
        """Hex digest of everything handled so far."""
        return self._hash.hexdigest()
