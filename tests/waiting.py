"""Waiting for what other threads and processes do, which say nothing when they have done it."""

import threading
import time
from collections.abc import Callable

LOOKS_EVERY_S = 0.01


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
