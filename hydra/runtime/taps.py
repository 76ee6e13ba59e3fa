"""Taps: an onlooker sees what chosen actors receive and send, while it looks and at no other time.

A tap costs nothing until there is one: a cell asks for its taps only when its user lane opens, and
when `Retap` tells it to ask again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hydra.runtime.envelope import Envelope
from hydra.runtime.system import Retap

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell
    from hydra.runtime.context import ActorContext


class Seen(Enum):
    """What happened to the message."""

    RECEIVED = "in"
    TIMER = "timer"
    """Received too, but from the actor's own timer or as an answer to its question."""
    SENT = "out"
    REPLIED = "reply"
    """The message was a question and has been answered."""
    FAILED = "failed"
    """The handler raised on it."""


class Tapped(msgspec.Struct, frozen=True):
    """One thing that a tap saw. `path` is the tapped actor's; `to` only of what was sent."""

    seen: Seen
    at: int
    path: str
    envelope: Envelope
    to: str = ""


class Tap(Protocol):
    """Somebody who looks. Both methods run in the actors' threads: never wait, never raise."""

    def wants(self, path: str) -> bool:
        """Whether it looks at the actor of this path."""

    def saw(self, tapped: Tapped) -> None:
        """Take note of it."""


class Taps:
    """The taps of one runtime. Adding replaces a tuple under a lock; reading takes none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taps: tuple[Tap, ...] = ()

    def on(self, path: str) -> tuple[Tap, ...]:
        """Who looks at this actor."""
        taps = self._taps
        return tuple(tap for tap in taps if tap.wants(path)) if taps else taps

    def open(self, tap: Tap, cells: Iterable[Cell]) -> None:
        """Begin to look. `cells` are all there are; those that start later ask by themselves."""
        with self._lock:
            self._taps = (*self._taps, tap)
        self._tell(tap, cells)

    def close(self, tap: Tap, cells: Iterable[Cell]) -> None:
        """Look no longer. Closing what is not open does nothing."""
        with self._lock:
            if tap not in self._taps:
                return
            self._taps = tuple(other for other in self._taps if other is not tap)
        self._tell(tap, cells)

    @staticmethod
    def _tell(tap: Tap, cells: Iterable[Cell]) -> None:
        for cell in cells:
            # One is enough, because it asks anew: so looking often cannot fill the lane of an actor
            # that hangs, which would be taken for a fault.
            is_told = any(type(each.message) is Retap for each in list(cell.mailbox.control))
            if tap.wants(cell.path) and not is_told:
                cell.put(Envelope(Retap(), ("~tap", 0, 0), None, None, cell.runtime.now()))


Receive = Callable[[Any, "ActorContext"], None]
Deliver = Callable[["Cell", Envelope], None]


def receiving(taps: tuple[Tap, ...], path: str, receive: Receive) -> Receive:
    """`receive`, with the taps told before it, and after it if it answered or raised."""

    def tell(seen: Seen, envelope: Envelope, at: int) -> None:
        tapped = Tapped(seen, at, path, envelope)
        for tap in taps:
            tap.saw(tapped)

    def receive_tapped(message: Any, context: ActorContext) -> None:
        envelope = context.envelope
        special = envelope.special
        timed = special is not None and special.timer is not None
        tell(Seen.TIMER if timed else Seen.RECEIVED, envelope, context.moment)
        try:
            receive(message, context)
        except BaseException:
            tell(Seen.FAILED, envelope, context.moment)
            raise
        if special is not None and special.answered:
            tell(Seen.REPLIED, envelope, context.moment)

    return receive_tapped


def sending(taps: tuple[Tap, ...], context: ActorContext, deliver: Deliver) -> Deliver:
    """`deliver`, with the taps told before it."""

    def deliver_tapped(cell: Cell, envelope: Envelope) -> None:
        tapped = Tapped(Seen.SENT, context.moment, context.path, envelope, cell.path)
        for tap in taps:
            tap.saw(tapped)
        deliver(cell, envelope)

    return deliver_tapped
