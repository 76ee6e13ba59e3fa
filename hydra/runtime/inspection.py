"""Looking at cells from any thread without taking part: nothing here locks, waits or changes."""

from __future__ import annotations

import sys
import threading
import traceback
from typing import Any

import msgspec

from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope
from hydra.runtime.sim_runtime import SimCell
from hydra.runtime.thread_runtime import ThreadCell

FRAMES = 50


class Running(msgspec.Struct, frozen=True):
    """What runs in a cell. `envelope` is None while it is the runtime's own work (a start, say)."""

    since: int
    envelope: Envelope | None
    thread: threading.Thread | None


def running_in(cell: Cell) -> Running | None:
    """What runs in the cell right now; None: nothing, it waits for messages or for its turn.

    Read beside the thread that does it, so in a rare case it may speak of the message before.
    """
    if isinstance(cell, ThreadCell):
        turn = cell.turn
        since, thread, context = turn.busy_since(), turn.thread, cell.context
        if since is None:
            return None
        # The clock of a context is set when it begins a message; what is older is the last one.
        envelope = context.envelope if context.moment >= since else None
        return Running(since, _with_message(envelope), thread)
    if isinstance(cell, SimCell) and cell.stuck:
        return Running(cell.stuck_since, cell.stuck_on, None)
    return None


def _with_message(envelope: Envelope | None) -> Envelope | None:
    return envelope if envelope is not None and envelope.message is not None else None


def hangs(cell: Cell, busy_ns: int) -> bool:
    """Whether a handler has run longer than its actor's spec allows."""
    return busy_ns > cell.spec.hang_after


def stack_of(thread: threading.Thread | None) -> list[str]:
    """Where the thread is, innermost call last, as `file:line function`; empty if it has ended."""
    if thread is None or thread.ident is None:
        return []
    frame = sys._current_frames().get(thread.ident)
    if frame is None:
        return []
    # Without the source lines: those would be read from the disk, in the middle of trading.
    summary = traceback.StackSummary.extract(
        traceback.walk_stack(frame), limit=FRAMES, lookup_lines=False
    )
    return [f"{entry.filename}:{entry.lineno} {entry.name}" for entry in reversed(summary)]


def shown(value: Any, longest: int = 200) -> str:
    """A value as text of at most `longest` characters, whatever its `repr` does."""
    try:
        text = repr(value)
    except Exception as error:  # a debugger's question must not fail over a broken repr
        text = f"<{type(value).__name__}, its repr raised {type(error).__name__}>"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
