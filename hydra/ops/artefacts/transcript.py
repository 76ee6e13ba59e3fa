"""What a run says to whoever started it, kept in `logs/run.log` too."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from hydra.ops.artefacts.folder import append


class Transcript(io.TextIOBase):
    """Passes text on, and keeps it. Neither of the two can get into the other's way, or fail."""

    def __init__(self, out: TextIO, path: Path, clean: Callable[[str], str]) -> None:
        """`clean` takes out of a line what must not be kept."""
        super().__init__()
        self._out = out
        self._path = path
        self._clean = clean
        self._is_heard = True
        self._is_kept = True
        self._line = ""

    def write(self, text: str) -> int:
        """Never raises; what is not heard, or not kept, once is not so from then on."""
        if self._is_heard:
            try:
                self._out.write(text)
            except (OSError, ValueError):
                self._is_heard = False
        *lines, self._line = (self._line + text).split("\n")
        if lines and self._is_kept:
            content = "".join(f"{self._clean(line)}\n" for line in lines)
            try:
                append(self._path, content.encode(errors="replace"))
            except OSError:
                self._is_kept = False
        return len(text)

    def flush(self) -> None:
        """What is written is kept already."""
        if self._is_heard:
            try:
                self._out.flush()
            except (OSError, ValueError):
                self._is_heard = False

    def isatty(self) -> bool:
        """As it is heard."""
        return self._is_heard and self._out.isatty()

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base has it as a plain attribute
        """As it is heard."""
        return self._out.encoding
