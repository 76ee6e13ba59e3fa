"""Waiting for what other threads and processes do, which say nothing when they have done it."""

import math
import threading
import time
from collections.abc import Callable
from typing import Self

LOOKS_EVERY_S = 0.01
STANDSTILL_S = 0.05
"""Who wakes up so much too late had no turn."""


def eventually(holds: Callable[[], object], within_s: float = 10.0) -> bool:
    """Look again and again until it holds; False if it does not within that time.

    It looks once more when the time is over: the machine may have stood still for all of it.
    """
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return bool(holds())
        pause.wait(LOOKS_EVERY_S)
    return True


class Timed:
    """How long a block takes (s), but for what the machine kept from this process meanwhile.

    A thread that looks at the clock all the time is late as well when the process stands still, or
    has no turn on a machine with much to do; nothing that only waits makes it late.
    """

    took_s = math.inf

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._stood_still_s = 0.0
        self._looking = threading.Thread(target=self._look, name="stopwatch", daemon=True)
        self._began = time.monotonic()
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        ended = time.monotonic()
        self._over.set()
        self._looking.join()
        self.took_s = ended - self._began - self._stood_still_s

    def _look(self) -> None:
        looked, is_over = self._began, False
        while not is_over:
            is_over = self._over.wait(LOOKS_EVERY_S)
            before, looked = looked, time.monotonic()
            late_s = looked - before - LOOKS_EVERY_S
            if late_s > STANDSTILL_S:
                self._stood_still_s += late_s
