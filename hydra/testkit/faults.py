"""Faults between actors: messages lost, late, doubled, out of order, or in nobody's inbox."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from hydra.actor import MILLISECOND, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope
from hydra.runtime.sim_runtime import EdgeFilter
from messages.lifecycle import ChildFailed, ChildStarted, ChildStopped
from messages.message import Message


class Gibberish(Message, frozen=True, kw_only=True):
    """In nobody's inbox: whoever gets it fails."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are meant; what is None does not matter.

    What the runtime says to cells, and what it reports of children, never is: no supervision could
    work without it.
    """

    sender: Ref[Any] | None = None
    receiver: Ref[Any] | None = None
    message: type[Message] | None = None

    def has(self, cell: Cell, envelope: Envelope) -> bool:
        """Whether this message, on its way to this cell, is meant."""
        return (
            isinstance(envelope.message, self.message or Message)
            and not isinstance(envelope.message, ChildStarted | ChildFailed | ChildStopped)
            and (self.receiver is None or self.receiver.path == cell.path)
            and (self.sender is None or self.sender.path == envelope.id[0])
        )


def disturbing(
    edge: Edge,
    delays: Callable[[], tuple[int, ...] | None],
    *,
    count: int | None,
    probability: float,
    dice: random.Random,
) -> EdgeFilter:
    """A filter that does `delays()` to the first `count` messages that the dice choose."""
    left = count

    def filter_(cell: Cell, envelope: Envelope) -> tuple[int, ...] | None:
        nonlocal left
        if left == 0 or not edge.has(cell, envelope) or dice.random() >= probability:
            return None
        if left is not None:
            left -= 1
        return delays()

    return filter_


def lost() -> tuple[int, ...]:
    """No copy arrives; the message becomes a dead letter (DROPPED)."""
    return ()


def late(by: int) -> Callable[[], tuple[int, ...]]:
    """One copy arrives, later."""
    return lambda: (by,)


def doubled(after: int) -> Callable[[], tuple[int, ...]]:
    """Two copies arrive, one at once and one later."""
    return lambda: (0, after)


def shuffled(spread: int, dice: random.Random) -> Callable[[], tuple[int, ...]]:
    """One copy arrives, at a drawn time within `spread`: later messages may overtake it."""
    return lambda: (dice.randrange(max(1, spread)),)


DEFAULT_DELAY = 10 * MILLISECOND
