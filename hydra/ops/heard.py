"""What a run says to whoever started it, passed on by a thread of its own.

A terminal that was stopped (Ctrl-S), a pager that nobody scrolls, a pipe that is full: each keeps
whoever writes to it, for as long as it likes. Here only that thread is kept; the run, its watches
and its end go on. `logs/run.log` of the run's bundle has what was left out.
"""

from __future__ import annotations

import atexit
import io
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO, cast

PATIENCE_S = 0.5
"""So long a reader is waited for, once; from then on until he has caught up he is not."""
WAITING_MAX = 1_000
"""Texts that may wait for a reader. What comes then is left out."""


class Heard(io.TextIOBase):
    """Stands in for `out`. Raises what `out` raises, at the latest at the next text."""

    def __init__(self, out: TextIO, patience_s: float = PATIENCE_S) -> None:
        super().__init__()
        self._out = out
        self._patience_s = patience_s
        self._unsent = ""
        self._changed = threading.Condition()
        """Guards what follows. Held for moments, never while anything is written."""
        self._waiting: deque[str] = deque()
        self._taken = self._passed_on = 0
        self._is_slow = False
        self._is_over = False
        self._error: OSError | ValueError | None = None
        self._thread = threading.Thread(target=self._pass_on, name="said", daemon=True)
        self._thread.start()

    @property
    def text(self) -> TextIO:
        """Itself, as what it stands in for."""
        return cast("TextIO", self)

    def write(self, text: str) -> int:
        """It goes on with the next flush."""
        with self._changed:
            if self._error is not None:
                raise self._error
            self._unsent += text
        return len(text)

    def flush(self) -> None:
        """Pass on what was written; wait for it only while the reader keeps up."""
        with self._changed:
            if self._error is not None:
                raise self._error
            text, self._unsent = self._unsent, ""
            if not text or len(self._waiting) >= WAITING_MAX:
                return
            self._waiting.append(text)
            self._taken += 1
            self._changed.notify_all()
            if not self._is_slow:
                self._is_slow = not self._changed.wait_for(self._is_through, self._patience_s)
            if self._error is not None:
                raise self._error

    def end(self) -> bool:
        """Nothing more is said; False if something waits for its reader all the same."""
        try:
            self.flush()
        except (OSError, ValueError):
            return True
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            return self._changed.wait_for(self._is_through, self._patience_s)

    def isatty(self) -> bool:
        """As what it stands in for."""
        return self._out.isatty()

    def fileno(self) -> int:
        """As what it stands in for."""
        return self._out.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base has it as a plain attribute
        """As what it stands in for."""
        return self._out.encoding

    def _is_through(self) -> bool:
        return self._passed_on == self._taken or self._error is not None

    def _pass_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
                if not self._waiting:
                    return
                text = self._waiting.popleft()
            error: OSError | ValueError | None = None
            try:
                self._out.write(text)
                self._out.flush()
            except (OSError, ValueError) as failed:
                error = failed
            with self._changed:
                self._passed_on += 1
                self._error = error
                self._is_slow = self._is_slow and bool(self._waiting)
                self._changed.notify_all()
            if error is not None:
                return


def heard_by(out: TextIO, run: Callable[[Heard], int], patience_s: float = PATIENCE_S) -> int:
    """The exit code of a run that says what it says to `out`, and waits for nobody."""
    heard = Heard(out, patience_s)
    is_through = True
    try:
        code = run(heard)
    finally:
        is_through = heard.end()
    if not is_through:
        # At its end the interpreter would wait for the same reader, and then abort.
        atexit.register(os._exit, code)
    return code
