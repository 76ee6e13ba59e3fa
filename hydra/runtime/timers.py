"""The thread that waits for the live runtime's timers. It only puts messages into mailboxes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from hydra.runtime.clock import machine_time
from hydra.runtime.life import in_words

LONGEST_WAIT_S = 3600.0


class TimerThread:
    """Runs small callables when they are due, on machine time; none of them runs an actor."""

    def __init__(self, on_death: Callable[[str], None]) -> None:
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._closed = False
        self._on_death = on_death
        self._thread = threading.Thread(target=self._work, name="hydra-timers", daemon=True)
        self._thread.start()

    def at(self, due: int, action: Callable[[], None]) -> None:
        """Run `action` once `due` has come."""
        with self._changed:
            first = self._heap[0][0] if self._heap else None
            heapq.heappush(self._heap, (due, next(self._numbers), action))
            if first is None or due < first:
                self._changed.notify()

    def close(self) -> None:
        """Forget everything and end the thread."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()

    @property
    def alive(self) -> bool:
        """Whether timers are still being seen to."""
        return self._thread.is_alive()

    def __len__(self) -> int:
        return len(self._heap)

    def _work(self) -> None:
        try:
            while True:
                with self._changed:
                    if self._closed:
                        return
                    now = machine_time()
                    due: list[Callable[[], None]] = []
                    while self._heap and self._heap[0][0] <= now:
                        due.append(heapq.heappop(self._heap)[2])
                    if not due:
                        wait = LONGEST_WAIT_S
                        if self._heap:
                            wait = min(wait, (self._heap[0][0] - now) / 1e9)
                        self._changed.wait(wait)
                        continue
                for action in due:
                    action()
        except BaseException as error:  # without timers nothing is watched any more
            self._on_death(f"the timer thread died: {in_words(error)}")
            raise
