"""The live view on a terminal: painted by a thread that nobody waits for."""

from __future__ import annotations

import io
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from hydra.ops.live_view import Look, picture

EVERY_S = 1.0
ENDS_WITHIN_S = 2.0
LINES_KEPT = 1_000
NO_SCREEN = ("", "dumb", "unknown")
"""Kinds of terminal that cannot be painted on."""


class LiveScreen(io.TextIOBase):
    """What a session says goes through here. While the view is up it is kept, and said afterwards.

    Only the newest lines are; `logs/run.log` of the session's bundle has them all.
    """

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._is_up = False
        self._kept: deque[str] = deque(maxlen=LINES_KEPT)
        self._missing = 0
        self._line = ""

    @property
    def text(self) -> TextIO:
        """Itself, as what it stands in for."""
        return cast("TextIO", self)

    @contextmanager
    def showing(self, look: Callable[[str], Look]) -> Iterator[None]:
        """Within this the view is up. `look` is given the last line that was said."""
        with self._lock:
            self._is_up = True
        self._over.clear()
        painter = threading.Thread(target=self._paint, args=(look,), name="live-view", daemon=True)
        painter.start()
        try:
            yield
        finally:
            self._over.set()
            painter.join(ENDS_WITHIN_S)  # one whose terminal takes nothing is left behind
            self._come_down()

    def write(self, text: str) -> int:
        """Raises what the terminal raises, and nothing while the view is up."""
        with self._lock:
            if not self._is_up:
                return self._out.write(text)
            *lines, self._line = (self._line + text).split("\n")
            for line in lines:
                self._missing += len(self._kept) == LINES_KEPT
                self._kept.append(line)
        return len(text)

    def flush(self) -> None:
        """Nothing while the view is up."""
        with self._lock:
            if not self._is_up:
                self._out.flush()

    def isatty(self) -> bool:
        """It is made for one."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base has it as a plain attribute
        """The terminal's."""
        return self._out.encoding

    def _paint(self, look: Callable[[str], Look]) -> None:
        from rich.console import Console, Group  # 100 ms that nobody else need wait for
        from rich.live import Live
        from rich.text import Text

        # A terminal that was closed, or takes no more, ends the view and nothing else.
        with suppress(OSError, ValueError):
            console = Console(file=self._out)
            with Live(
                console=console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            ) as live:
                while not self._over.is_set():
                    found = look(self._last_said())
                    width, height = console.size  # anew: the window may have been resized
                    lines = picture(found, width, height)
                    texts = [Text(each.text, style=each.style, no_wrap=True) for each in lines]
                    live.update(Group(*texts), refresh=True)
                    self._over.wait(EVERY_S)
        self._come_down()

    def _last_said(self) -> str:
        with self._lock:
            return self._kept[-1] if self._kept else ""

    def _come_down(self) -> None:
        """Say what was kept, once; from here on all is passed on."""
        with self._lock:
            if not self._is_up:
                return
            self._is_up = False
            earlier = [f"… {self._missing} earlier lines are in run.log"] if self._missing else []
            kept = "".join(f"{line}\n" for line in (*earlier, *self._kept)) + self._line
            self._kept.clear()
            self._line, self._missing = "", 0
            with suppress(OSError, ValueError):  # whoever says more next finds that out too
                self._out.write(kept)
                self._out.flush()


def screen_for(out: TextIO) -> LiveScreen | None:
    """The view on this terminal; None if it is none, or none that can be painted on."""
    if not out.isatty() or os.environ.get("TERM", "") in NO_SCREEN:
        return None
    return LiveScreen(out)
