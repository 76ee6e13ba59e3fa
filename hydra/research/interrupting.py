"""Ctrl-C during a replay: it ends the command between two messages, and never within an actor.

A replay runs its actors on the main thread, which is where Python raises what Ctrl-C means. Raised
within an actor it would be taken for a failure of that actor, and what came of the replay for what
the engine does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from hydra.ops.ending import StopSignals


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives what a replay is to ask whether to stop.

    If it was asked to, this raises `KeyboardInterrupt` at its end, whatever came of the replay: it
    is of a part alone.
    """
    stopping = Event()
    with StopSignals(stopping.set):
        yield stopping.is_set
    if stopping.is_set():
        raise KeyboardInterrupt
