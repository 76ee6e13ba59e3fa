"""What the runtime itself says to cells: always in the control lane, never shown to an actor."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from hydra.runtime.envelope import Envelope


class System(msgspec.Struct):
    """The runtime's own messages: always in the control lane, never shown to an actor."""

    is_control: ClassVar[bool] = True


class Start(System):
    """Begin a new incarnation."""


class StartOverdue(System):
    """The incarnation should have started by now."""

    incarnation: int


class Stop(System):
    """Leave the loop, children first."""

    reason: str
    keep: bool = False


class StopOverdue(System):
    """A child should have stopped by now. Said to the parent."""

    name: str
    incarnation: int


class Hung(System):
    """The thread that ran this cell has been fenced after `busy_ns` in one handler.

    `envelope` is what it was handling; None if that was the runtime's own (a start or a stop).
    """

    incarnation: int
    busy_ns: int
    envelope: Envelope | None


class Watch(System):
    """Tell `watcher` when this cell is gone."""

    watcher: str


class Unwatch(System):
    """No longer tell `watcher`."""

    watcher: str


class Suspend(System):
    """Stop taking from the user lane."""


class Resume(System):
    """Take from the user lane again."""


class Ping(System):
    """Prove progress: a dead or stuck cell does not handle this."""


class Inspect(System):
    """Give the actor's `state_view` to the future that asks."""


class Retap(System):
    """Who looks at this cell's messages has changed: ask `Runtime.taps` again."""


class Foreign(System):
    """What came through a pykka proxy."""

    payload: Any


class Overflowed(System):
    """A message was lost where none may be."""

    incarnation: int
    bound: int
