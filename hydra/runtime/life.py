"""Where a cell is in its life, and the ways in which an incarnation can fail."""

from __future__ import annotations

from enum import Enum

import msgspec

from messages.lifecycle import Phase

HISTORY = 64
"""How many handled messages and failures a cell remembers for the debugger."""


class Status(Enum):
    """Where a cell is in its life."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    STOPPING = "stopping"
    KEPT = "kept"
    """Stopped for a restart: no incarnation, but address and mailbox stay."""
    STOPPED = "stopped"


class ActorHung(Exception):
    """A handler ran longer than its `hang_after`; its thread was fenced and left behind."""


class StartTimedOut(Exception):
    """A start that was deferred did not complete within `start_within`."""


class LinkedChildFailed(Exception):
    """A child of an actor that does not supervise failed; they are one unit of failure."""


class MailboxFull(Exception):
    """A mailbox on the order path overflowed, so at least one message is lost."""


class NoReply(Exception):
    """The asked actor handled the message without answering it."""


class Failure(msgspec.Struct, frozen=True):
    """One failure, for the history."""

    at: int
    incarnation: int
    phase: Phase
    error: str
    trace: str


def in_words(error: BaseException) -> str:
    """Its kind and what it says. The class may be anybody's, and its text an error as well."""
    kind = type(error).__name__
    try:
        return f"{kind}: {error}"
    except Exception as second:  # whatever a plug-in's class raises for its own text
        return f"{kind} ({type(second).__name__} in its text)"
