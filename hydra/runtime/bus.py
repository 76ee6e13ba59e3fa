"""Topics: a plain fan-out to whoever subscribed, in the order they did."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell


class Bus:
    """Subscribing replaces a topic's tuple under a lock; publishing reads it without one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[str, tuple[Cell, ...]] = {}

    def subscribers(self, topic: str) -> tuple[Cell, ...]:
        """Who is told what is published on the topic."""
        return self._subscribers.get(topic, ())

    def subscribe(self, topic: str, cell: Cell) -> None:
        """Once per cell, however often it is called."""
        with self._lock:
            present = self._subscribers.get(topic, ())
            if cell not in present:
                self._subscribers[topic] = (*present, cell)

    def unsubscribe(self, topic: str, cell: Cell) -> None:
        """Not subscribed: nothing happens."""
        with self._lock:
            present = self._subscribers.get(topic, ())
            self._subscribers[topic] = tuple(other for other in present if other is not cell)

    def forget(self, cell: Cell) -> None:
        """The cell is gone: it subscribes to nothing."""
        with self._lock:
            for topic, present in self._subscribers.items():
                if cell in present:
                    self._subscribers[topic] = tuple(c for c in present if c is not cell)

    def topics(self) -> dict[str, tuple[str, ...]]:
        """Every topic with the paths of its subscribers, for the debugger."""
        return {
            topic: tuple(cell.path for cell in cells)
            for topic, cells in list(self._subscribers.items())
        }
