"""The journal, read while it is written: whole lines only, over the change of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from hydra.ops.artefacts.story import Line, told
from hydra.store.journal_files import files_of, first_seq_named
from hydra.store.journal_line import BadLine

READ_BYTES_MAX = 4 * 1024 * 1024


class JournalTail:
    """Goes on in a journal from where it stopped. Whoever writes it knows nothing of this."""

    def __init__(self, path: Path, first_seq: int, *, begins_anew: bool = False) -> None:
        """`begins_anew`: where the journal is set aside and another one begun in its place, that
        one is read from its first line; else it is waited for.
        """
        self._begins_anew = begins_anew
        self.next_seq = first_seq
        """The number of the first line that was not read yet."""
        self.unreadable = 0
        self._path = path
        self._descriptor: int | None = None
        self._rest = b""

    def read(self) -> list[Line]:
        """What came since the last time and belongs into the story, at most some MB of it.

        Raises OSError.
        """
        lines: list[Line] = []
        left = READ_BYTES_MAX
        while left > 0:
            if self._descriptor is None and not self._open():
                break
            assert self._descriptor is not None, "it was opened"
            # Whether it is the live file is asked first: what is read after that is all of a full
            # one, since nothing is written to a file that was renamed.
            is_live = self._is_live(self._descriptor)
            content = os.read(self._descriptor, left)
            if content:
                left -= len(content)
                lines.extend(self._lines(content))
            elif is_live or not self._go_on():
                break
        return lines

    def close(self) -> None:
        """Closing twice does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor, self._rest = None, b""

    def _lines(self, content: bytes) -> Iterator[Line]:
        *whole, self._rest = (self._rest + content).split(b"\n")
        for raw in whole:
            try:
                found = told(raw + b"\n")
            except BadLine:
                self.unreadable += 1
                continue
            if found.seq >= self.next_seq:
                self.next_seq = found.seq + 1
                if found.line is not None:
                    yield found.line

    def _open(self) -> bool:
        """Open the file in which the next line is, if there is one."""
        files = files_of(self._path) if self._path.parent.is_dir() else []
        for file, after in zip_longest(files, files[1:]):
            if not self._ends_before(after):
                return self._opened(file)
        return False

    def _ends_before(self, after: Path | None) -> bool:
        """Whether the file before `after` has nothing that was not read; the live one may have."""
        if after is None or after == self._path:
            return False
        return first_seq_named(self._path, after) <= self.next_seq

    def _opened(self, file: Path) -> bool:
        try:
            self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # it was renamed in this moment; the next time finds it
            return False
        self._rest = b""
        return True

    def _go_on(self) -> bool:
        """From a full file to the one after it."""
        assert self._descriptor is not None, "it was read to its end"
        done = os.fstat(self._descriptor)
        self.close()
        files = files_of(self._path)
        try:
            inodes = [file.stat().st_ino for file in files]
        except FileNotFoundError:  # renamed in this moment; the next time finds its way by numbers
            return False
        if self._begins_anew and done.st_ino not in inodes:
            self.next_seq = 1
        after = inodes.index(done.st_ino) + 1 if done.st_ino in inodes else 0
        return after < len(files) and self._opened(files[after])

    def _is_live(self, descriptor: int) -> bool:
        try:
            live = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(live, os.fstat(descriptor))
