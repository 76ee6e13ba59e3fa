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


class Interruptions:
    """Raises `Interrupted` at the first signal; the ones after it cannot cut the clearing short."""

    def __init__(self) -> None:
        self._is_held = self._is_pending = self._was_raised = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within this it listens. Elsewhere than in the main thread nobody can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._signal) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within this a signal waits: what is begun here is known to whoever has to end it."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
        if self._is_pending:
            self._raise()

    def _signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_held:
            self._is_pending = True
        else:
            self._raise()

    def _raise(self) -> None:
        if not self._was_raised:
            self._was_raised = True
            raise Interrupted
