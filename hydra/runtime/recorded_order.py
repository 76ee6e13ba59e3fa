"""The events of a recording in the order in which a replay has use for them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import TypeAlias

from hydra.runtime.recording import (
    Began,
    Called,
    Closed,
    Configured,
    Entry,
    Event,
    Failed,
    GateChanged,
    IncarnationEnded,
    Noted,
    Stopped,
)
from hydra.runtime.system import Hung

Scheduled: TypeAlias = Entry | GateChanged | Configured | Stopped | Closed
"""What happens at its place in the session, whatever cell has been doing meanwhile."""


CUT_OFF = "the recording was cut off"


class RecordedOrder:
    """The events of a recording: entries in order, and for each cell what it did within them.

    What a cell did stands in the recording behind its entry, among what others did meanwhile; it is
    looked for when it is asked for, at most up to the cell's next entry.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._is_closed = False
        self._cut_off = ""
        self._events = iter(events)
        self._ahead: deque[Scheduled] = deque()
        self._read = Counter[str]()
        self._handled = Counter[str]()
        self._noted: dict[str, deque[tuple[int, Noted]]] = {}

    def following(self) -> Scheduled | None:
        """The next thing in the order of the session; None: the recording ends here."""
        while not self._ahead:
            if not self._read_one():
                return None
        event = self._ahead.popleft()
        if isinstance(event, Entry):
            self._handled[event.cell] += 1
        return event

    def peeked(self, cell: str) -> Noted | None:
        """What the cell did next within what it handles; None: nothing more."""
        noted = self._noted.setdefault(cell, deque())
        while not noted:
            if self._read[cell] > self._handled[cell] or not self._read_one():
                return None
        ordinal, event = noted[0]
        return event if ordinal <= self._handled[cell] else None

    def taken(self, cell: str) -> Noted | None:
        """The same, and it is over with that."""
        event = self.peeked(cell)
        if event is not None:
            self._noted[cell].popleft()
        return event

    def ordinal(self, cell: str) -> int:
        """Which of the cell's entries is on: 1 for its first."""
        return self._handled[cell]

    def left_over(self, cell: str) -> Noted | None:
        """What the cell did within entries before the one that is on, and was not asked for."""
        noted = self._noted.get(cell)
        if noted and noted[0][0] < self._handled[cell]:
            return noted[0][1]
        return None

    def cut_off_within(self, cell: str) -> str:
        """Why the recording ends before its session did, and before the cell's next entry; "": it
        does not.
        """
        return self._cut_off if self._read[cell] == self._handled[cell] else ""

    def read_of(self, cell: str) -> Noted | None:
        """What the cell did and was not asked for, of all that had to be read so far."""
        noted = self._noted.get(cell)
        return noted[0][1] if noted else None

    def any_left_over(self) -> Noted | None:
        """What any cell did and was never asked for, once everything was read."""
        return next((noted[0][1] for noted in self._noted.values() if noted), None)

    def _read_one(self) -> bool:
        event = next(self._events, None)
        if event is None:
            self._cut_off = self._cut_off or ("" if self._is_closed else CUT_OFF)
            return False
        self._is_closed = isinstance(event, Closed)
        if isinstance(event, Stopped):
            self._cut_off = event.reason
        if isinstance(event, Began | Called | Failed | IncarnationEnded):
            noted = self._noted.setdefault(event.cell, deque())
            noted.append((self._read[event.cell], event))
            return True
        if isinstance(event, Entry):
            self._read[event.cell] += 1
        self._ahead.append(event)
        return True


def hangs_in(events: Iterable[Event]) -> frozenset[tuple[str, int]]:
    """Each cell's entries, counted from 1, whose handler was never through."""
    handled_so_far, hangs = Counter[str](), set[tuple[str, int]]()
    for event in events:
        if not isinstance(event, Entry):
            continue
        if event.payload is not None and event.kind == Hung.__qualname__:
            hangs.add((event.cell, handled_so_far[event.cell]))
        handled_so_far[event.cell] += 1
    return frozenset(hangs)
