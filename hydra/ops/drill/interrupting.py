"""The first signal to stop ends a run by an exception, so that all is cleared away behind it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody wants it to end."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raises `Interrupted` at the first signal; the ones after it cannot cut the clearing short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = False

    def heard(_number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        if not seen:
            seen = True
            raise Interrupted

    before = {number: signal.signal(number, heard) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
