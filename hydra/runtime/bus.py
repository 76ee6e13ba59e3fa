"""Topics: a plain fan-out to whoever subscribed, in the order they did."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell


class Bus:
    """Publishing reads a topic's tuple without a lock; it is built anew after a change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribed: dict[str, dict[Cell, None]] = {}
        self._topics_of: dict[Cell, dict[str, None]] = {}
        self._told: dict[str, tuple[Cell, ...]] = {}

    def subscribers(self, topic: str) -> tuple[Cell, ...]:
        """Who is told what is published on the topic."""
        told = self._told.get(topic)
        if told is None:
            with self._lock:
                told = self._told[topic] = tuple(self._subscribed.get(topic, ()))
        return told

    def subscribe(self, topic: str, cell: Cell) -> None:
        """Once per cell, however often it is called."""
        with self._lock:
            self._subscribed.setdefault(topic, {})[cell] = None
            self._topics_of.setdefault(cell, {})[topic] = None
            self._told.pop(topic, None)

    def unsubscribe(self, topic: str, cell: Cell) -> None:
        """Not subscribed: nothing happens."""
        with self._lock:
            self._subscribed.get(topic, {}).pop(cell, None)
            self._topics_of.get(cell, {}).pop(topic, None)
            self._told.pop(topic, None)

    def forget(self, cell: Cell) -> None:
        """The cell is gone: it subscribes to nothing."""
        with self._lock:
            for topic in self._topics_of.pop(cell, ()):
                del self._subscribed[topic][cell]
                self._told.pop(topic, None)

    def topics(self) -> dict[str, tuple[str, ...]]:
        """Every topic with the paths of its subscribers, for the debugger."""
        with self._lock:
            return {
                topic: tuple(cell.path for cell in cells)
                for topic, cells in self._subscribed.items()
            }
