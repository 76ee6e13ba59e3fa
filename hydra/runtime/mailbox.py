"""A two-lane mailbox: bounded, peekable, never blocking, with a policy for the user lane."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

import msgspec

from hydra.actor import MailboxSpec
from hydra.runtime.envelope import DeadLetterReason, Envelope

CONTROL_BOUND = 100_000
"""More control messages than this waiting is a fault in itself: the runtime fails closed."""


class _Latest(msgspec.Struct, frozen=True):
    """Stands in the queue for whatever is the newest message of its key when its turn comes."""

    key: Hashable


class Mailbox:
    """Control lane and user lane, each first in, first out per sender.

    Any thread puts; only the turn's owner takes. `deque.append` and `popleft` are atomic, so the
    plain mailbox needs no lock; one that conflates does, because it changes two things at once.
    Copies for the debugger are made in C (`list(deque)`), which is safe beside writers where a
    Python loop is not.
    """

    __slots__ = (
        "_conflate",
        "_latest",
        "_lock",
        "bound",
        "closed",
        "conflated",
        "control",
        "high_water",
        "plain",
        "rejected",
        "room",
        "user",
    )

    def __init__(self, spec: MailboxSpec) -> None:
        self.control: deque[Envelope] = deque()
        self.user: deque[Any] = deque()
        self.bound = spec.bound
        self.closed = False
        # One comparison for "open, plain and not full", which is what nearly every message finds.
        self.room = spec.bound if spec.conflate is None else 0
        self.high_water = 0
        self.rejected = 0
        self.conflated = 0
        self.plain = spec.conflate is None
        """Whether a user message can be taken straight from `user`."""
        self._conflate: Callable[[Any], Hashable | None] | None = spec.conflate
        self._latest: dict[Hashable, Envelope] = {}
        self._lock = threading.Lock() if spec.conflate is not None else None

    def put_control(self, envelope: Envelope) -> DeadLetterReason | None:
        """Ahead of the whole user lane. None: it is in; else why it is not."""
        if self.closed:
            return DeadLetterReason.STOPPED
        if len(self.control) >= CONTROL_BOUND:
            return DeadLetterReason.FULL
        self.control.append(envelope)
        return None

    def put_user(self, envelope: Envelope) -> DeadLetterReason | None:
        """Behind all others. None: it is in; else why it is not.

        The bound is tested before the append without a lock, so that as many messages as there are
        producing threads may stand beyond it for a moment.
        """
        depth = len(self.user)
        if depth < self.room:
            self.user.append(envelope)
            if depth >= self.high_water:
                self.high_water = depth + 1
            return None
        if self.closed:
            return DeadLetterReason.STOPPED
        if self._conflate is not None:
            return self._put_conflating(envelope)
        self.rejected += 1
        return DeadLetterReason.FULL

    def close(self) -> None:
        """Take nothing more in. What is inside stays until it is swept."""
        self.closed = True
        self.room = 0

    def _put_conflating(self, envelope: Envelope) -> DeadLetterReason | None:
        assert self._lock is not None
        key = self._key_of(envelope.message)
        with self._lock:
            if key is not None and key in self._latest:
                self._latest[key] = envelope
                self.conflated += 1
                return None
            depth = len(self.user)
            if depth >= self.bound:
                self.rejected += 1
                return DeadLetterReason.FULL
            if key is None:
                self.user.append(envelope)
            else:
                self._latest[key] = envelope
                self.user.append(_Latest(key))
            if depth >= self.high_water:
                self.high_water = depth + 1
        return None

    def _key_of(self, message: Any) -> Hashable | None:
        assert self._conflate is not None
        try:
            key = self._conflate(message)
            hash(key)
        except (
            Exception
        ):  # this is the sender's thread, and no sender pays for a receiver's mistake
            return None  # it stands alone; the receiver will say what it thinks of it
        return key

    def take_user(self) -> Envelope:
        """The oldest of the user lane. Raises IndexError if there is none."""
        item = self.user.popleft()
        if self._lock is not None and isinstance(item, _Latest):
            with self._lock:
                return self._latest.pop(item.key)
        envelope: Envelope = item
        return envelope

    def put_back(self, envelopes: list[Envelope]) -> None:
        """At the head of the user lane, the first of the list in front. Ignores the bound."""
        self.user.extendleft(reversed(envelopes))

    def sweep(self) -> list[Envelope]:
        """Empty both lanes; for a mailbox that is closed. Every envelope is given exactly once."""
        swept: list[Envelope] = []
        for take in (self.control.popleft, self.take_user):
            while True:
                try:
                    swept.append(take())
                except IndexError:
                    break
        return swept

    def peek(self, count: int, *, control: bool = False) -> list[Envelope]:
        """Up to `count` envelopes from the head, without taking them."""
        if control:
            return list(self.control)[:count]
        waiting = list(self.user)[:count]
        envelopes = [
            self._latest.get(item.key) if isinstance(item, _Latest) else item for item in waiting
        ]
        return [envelope for envelope in envelopes if envelope is not None]  # None: taken meanwhile

    def head_age(self, now: int) -> int:
        """How long the oldest message of either lane has waited, in ns; 0 if there is none.

        Looks at the heads alone: unlike `peek` it costs the same however much is waiting.
        """
        oldest = now
        for lane in (self.control, self.user):
            try:
                head = lane[0]
            except IndexError:
                continue
            if isinstance(head, _Latest):
                head = self._latest.get(head.key)
            if head is not None:
                oldest = min(oldest, head.at)
        return now - oldest
