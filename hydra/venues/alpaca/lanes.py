"""Threads that make calls: one lane for each kind, so that no kind waits behind another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from queue import SimpleQueue
from time import monotonic
from typing import TypeAlias

Job: TypeAlias = Callable[[], None]


class Lane:
    """A few threads that do jobs, each as soon as one of them is free.

    At most `waiting_max` jobs wait; one more is refused. A job that raises is a bug: its thread
    ends, `died` is told the lane's name first, and another takes its place, so that the jobs that
    wait, and those to come, are still done.
    """

    def __init__(
        self, name: str, *, threads: int, waiting_max: int, died: Callable[[str], None]
    ) -> None:
        self.name = name
        self._waiting_max = waiting_max
        self._died = died
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._unfinished = 0
        self._size = threads
        self._threads: list[threading.Thread] = []
        self._numbers = count()
        for _ in range(threads):
            self._begin_thread()

    def add(self, job: Job) -> bool:
        """Have it done; False if it will not be, because too many wait or the lane is closed."""
        with self._lock:
            if self._is_closed or self._jobs.qsize() >= self._waiting_max:
                return False
            self._unfinished += 1
            self._jobs.put(job)
        return True

    @property
    def is_idle(self) -> bool:
        """Every job that was taken is done."""
        with self._lock:
            return not self._unfinished

    def close(self) -> None:
        """No job is taken any more; the threads end once those that wait are done."""
        with self._lock:
            self._is_closed = True
            for _ in range(self._size):
                self._jobs.put(None)

    def join(self, deadline: float) -> bool:
        """Wait for the threads until `deadline` (monotonic, s); False if some have not ended."""
        while (alive := self._alive()) and (left := deadline - monotonic()) > 0:
            alive[0].join(left)  # one may take its place meanwhile
        return not alive

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self._threads if thread.is_alive()]

    def _begin_thread(self) -> None:
        name = f"alpaca-{self.name}-{next(self._numbers)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        with self._lock:
            self._threads = [*self._alive(), thread]
            thread.start()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            # Whatever it is: nobody else sees this thread end, and whoever waits for its jobs would
            # take that for a slow broker.
            except BaseException:
                self._died(self.name)
                self._begin_thread()
                raise
            finally:
                with self._lock:
                    self._unfinished -= 1
