"""The lines that a journal gets while somebody looks, over its rotations and its new beginnings."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import orjson

from hydra.ops.alerts.conditions import Line
from hydra.store.journal_files import first_seq_named, segments_of

BYTES_MAX = 8 * 1024 * 1024
"""Of one look; a journal that grew faster is looked at in several."""

TAIL_BYTES = 256 * 1024
"""Of its end; longer than any line of it, and shorter than BYTES_MAX."""


class JournalTail:
    """Follows one journal, from its end on when it is opened first.

    It judges nothing: a line that cannot be read is passed over, which `verify` and the engine's
    own start do not.
    """

    def __init__(self, journal: Path) -> None:
        """Nothing is opened yet."""
        self._journal = journal
        self._file: BinaryIO | None = None
        self._rest = b""
        self._seq: int | None = None
        self._was_missing = False

    def close(self) -> None:
        """Look no more. Again is harmless."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def new_lines(self) -> tuple[Line, ...]:
        """Those since the last time; the first time none. Raises OSError."""
        if self._file is None:
            if not self._journal.exists():
                self._was_missing = True
                return ()
            self._open(self._journal)
            if not self._was_missing:
                self._go_to_the_end()
        lines = self._read()
        if self._has_moved():
            lines += self._read()  # what was written in between
            for path in self._next_ones():
                self._open(path)
                lines += self._read()
        return tuple(lines)

    def _open(self, path: Path) -> None:
        self.close()
        self._file = path.open("rb", buffering=0)
        self._rest = b""

    def _go_to_the_end(self) -> None:
        """Behind its last whole line."""
        assert self._file is not None, "it was opened"
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - TAIL_BYTES))
        self._read()

    def _read(self) -> list[Line]:
        assert self._file is not None, "it was opened"
        *whole, self._rest = (self._rest + self._file.read(BYTES_MAX)).split(b"\n")
        lines = []
        for text in whole:
            with suppress(orjson.JSONDecodeError):
                line = orjson.loads(text)
                if isinstance(line, dict) and isinstance(line.get("seq"), int) and "event" in line:
                    self._seq = line["seq"]
                    lines.append(line)
        return lines

    def _has_moved(self) -> bool:
        """Whether the journal's name means another file by now: it was full, or begins anew."""
        assert self._file is not None, "it was opened"
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self._journal.stat())
        except FileNotFoundError:
            return False  # in between

    def _next_ones(self) -> list[Path]:
        """Behind the one that was open: full ones that came and went meanwhile, and the live one.

        A journal that begins with a line that there was before is another one.
        """
        with self._journal.open("rb") as live:
            try:
                first = int(orjson.loads(live.readline())["seq"])
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                return [self._journal]
        if self._seq is None or first <= self._seq + 1:
            return [self._journal]
        between = [
            segment
            for segment in segments_of(self._journal)
            if first_seq_named(self._journal, segment) > self._seq
        ]
        return [*between, self._journal]
