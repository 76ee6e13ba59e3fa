"""The watch's words for whoever sits before it, which must keep no alert from people.

Its output may be a file on a disk that is full, a pipe whose reader is gone, or a terminal that
somebody has halted: a line that nobody takes is left out, and nobody waits for it.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from queue import SimpleQueue

WAITING_MAX = 1_000
"""Lines; more are left out."""

STANDARD_OUTPUT = 1


class Printing:
    """Prints on a thread of its own, from when it is made on."""

    def __init__(self, descriptor: int = STANDARD_OUTPUT) -> None:
        self._descriptor = descriptor
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._keep_printing, name="printing", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Print one line, soon."""
        if self._lines.qsize() < WAITING_MAX:
            self._lines.put(line)

    def close(self, within_s: float) -> None:
        """Print no more once all is printed; waits no longer than that."""
        self._lines.put(None)
        self._thread.join(within_s)

    def _keep_printing(self) -> None:
        while (line := self._lines.get()) is not None:
            left = f"{line}\n".encode(errors="replace")
            with suppress(OSError):
                while left:
                    left = left[os.write(self._descriptor, left) :]
