"""A message on its way: who sent it, why, when, and what is special about it."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from hydra.runtime.life import HISTORY

MessageId = tuple[str, int, int]
"""(sender path, incarnation, counter): never random, so that a schedule can be replayed."""


class DeadLetterReason(Enum):
    """Why a message reached nobody."""

    STOPPED = "stopped"
    NO_SUCH_PATH = "no-such-path"
    FULL = "full"
    EXPIRED = "expired"
    POISON = "poison"
    UNHANDLED = "unhandled"
    STALE_EPOCH = "stale-epoch"
    FENCED = "fenced"
    DROPPED = "dropped"


class Timer(msgspec.Struct, eq=False):
    """One keyed timer of one incarnation, current only while the context holds this object."""

    key: str
    generation: int
    message: Any
    period: int
    coalesce: bool
    due: int
    fired: int = 0
    waiting: bool = False
    """Its message is in the mailbox and has not been handled: a further tick adds nothing."""


class AskedBy(msgspec.Struct, frozen=True):
    """An actor waits for the answer, which is admitted only while its timer is current."""

    path: str
    tag: str
    timer: Timer


class Special(msgspec.Struct):
    """What only few messages have. Kept apart so that the many pay one test for it."""

    reply_to: Any = None
    """A pykka future, an `AskedBy`, or None."""
    timer: Timer | None = None
    deadline: int = 0
    """Machine time after which it is worth nothing; 0: never."""
    deliveries: int = 0
    """How often it has crashed its receiver."""
    answered: bool = False


class Envelope(msgspec.Struct, gc=False):
    """A message with its identity and cause. Never changed after it was built.

    `cause` is the id of the message being handled when this one was sent; `corr` names the order or
    decision it belongs to; `at` is machine time. Not tracked by the garbage collector: it is only
    ever referred to, it never refers back to what holds it.
    """

    message: Any
    id: MessageId
    cause: MessageId | None
    corr: str | None
    at: int
    special: Special | None = None


Handled: TypeAlias = tuple[Envelope, int, int]
"""A message that was handled: when that began, and how long it took (machine time)."""


class Remembered(deque[Handled]):
    """The last messages that a cell handled; and apart, in `named`, the last of those that belong
    to an order or a decision, since prices would soon push them out.

    A message of that kind is added to both, as the same object.
    """

    def __init__(self) -> None:
        super().__init__(maxlen=HISTORY)
        self.named: deque[Handled] = deque(maxlen=HISTORY)

    def all(self) -> list[Handled]:
        """Every one of either, once, in the order of handling."""
        named = list(self.named)
        last = list(self)
        known = {id(each) for each in last}
        return [each for each in named if id(each) not in known] + last


def name_of(message_id: MessageId | None) -> str:
    """The id as people write it: `/bots/mom_AAPL#1.17`; empty for None."""
    if message_id is None:
        return ""
    path, incarnation, number = message_id
    return f"{path}#{incarnation}.{number}"
