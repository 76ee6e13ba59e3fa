"""The venue's own record of everything that was asked of it: append-only, whole lines, the judge.

A line is one `write` and is handed to the system before the request takes effect, so a process that
is killed leaves every request on record that it ever acted on. It is not forced to the disk: the
venue promises no more than a broker's machine that stays up while ours falls.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, Self

from hydra.venues.simulated.log_lines import FORMAT, LogLine
from hydra.venues.simulated.sealed_lines import (
    BadLogLine,
    L,
    LineFormat,
    line_start,
    version_of,
)

FIRST_LINE_MAX = 1 << 20
"""Bytes. No log begins with more."""


class VenueLogRefused(Exception):
    """The log is not of this venue, or not what was written. Keep it, and look into it.

    Nothing was changed. The message is one line: file, place, fault, remedy.
    """


class VenueLogFailed(Exception):
    """A line could not be written whole. Nothing took effect; only a restart may try it again."""


class RequestLog(Protocol):
    """Where the venue puts lines; whoever holds its lock calls."""

    def write(self, line: LogLine) -> None:
        """The line is on record, or it raises."""


class MemoryLog:
    """For virtual time and tests: gone with the process."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def write(self, line: LogLine) -> None:
        """See `RequestLog.write`."""
        self.lines.append(line)


class NoLog:
    """For what is on record already: a rebuild asks the same again."""

    def write(self, line: LogLine) -> None:
        """See `RequestLog.write`."""


class SealedFile(Generic[L]):
    """A file of ours alone (0600). `found` is what was in it when it was opened."""

    def __init__(
        self, path: Path, descriptor: int, found: tuple[L, ...], lines: LineFormat[L]
    ) -> None:
        self.path = path
        self.found = found
        self._lines = lines
        self._descriptor = descriptor
        self._number = len(found)
        self._failed = False

    @classmethod
    def of(cls, path: Path, lines: LineFormat[L]) -> Self:
        """Go on in this file, or begin it; a torn last line, which never took effect, is cut.

        Its folder is made if need be. Raises `VenueLogRefused` and OSError.
        """
        for folder in reversed((path.parent, *path.parent.parents)):
            if not folder.exists():  # `parents=True` would give the outer ones other rights
                folder.mkdir(mode=0o700)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        try:
            _require_private(path, os.fstat(descriptor))
            data = _all_of(descriptor)
            found = _lines_in(path, data, lines)
            torn = _torn_end_of(path, data, len(found) + 1)
            if torn:
                os.ftruncate(descriptor, len(data) - len(torn))
        except BaseException:  # also when we are interrupted: nobody else has it to close it
            os.close(descriptor)
            raise
        return cls(path, descriptor, found, lines)

    def write(self, line: L) -> None:
        """See `RequestLog.write`. Raises `VenueLogFailed` now and ever after if it could not."""
        if self._failed:
            raise VenueLogFailed(
                f"{self.path}: it is closed, or an earlier line could not be written"
            )
        data = self._lines.encoded(line, self._number + 1)
        self._failed = True
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            raise VenueLogFailed(f"{self.path}: {error.strerror or error}") from error
        if written != len(data):
            raise VenueLogFailed(
                f"{self.path}: only {written} of {len(data)} bytes were written; is the disk full?"
            )
        self._failed = False
        self._number += 1

    def close(self) -> None:
        """Nothing more will be written. To close it again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._failed = True


class FileLog(SealedFile[LogLine]):
    """The log of the in-process venue."""

    @classmethod
    def open(cls, path: Path) -> FileLog:
        """See `SealedFile.of`."""
        return cls.of(path, FORMAT)


def read_log(path: Path) -> tuple[LogLine, ...]:
    """All whole lines of a log, for a checker; nothing is changed, not even a torn end.

    Raises `VenueLogRefused` if it is damaged or of another version.
    """
    return read_lines(path, FORMAT)


def read_lines(path: Path, lines: LineFormat[L]) -> tuple[L, ...]:
    """The same of a log of any format."""
    return _lines_in(path, path.read_bytes(), lines)


def first_line(path: Path, lines: LineFormat[L]) -> L | None:
    """How a log begins, None if it has no whole line; nothing is changed: it may be in use.

    Raises `VenueLogRefused` if that is damaged or of another version, and OSError.
    """
    with path.open("rb") as file:
        data = file.readline(FIRST_LINE_MAX)
    found = _lines_in(path, data, lines)
    return found[0] if found else None


def _lines_in(path: Path, data: bytes, lines: LineFormat[L]) -> tuple[L, ...]:
    whole = data[: data.rfind(b"\n") + 1]
    return tuple(_decoded_lines(path, whole, lines))


def _torn_end_of(path: Path, data: bytes, number: int) -> bytes:
    """What is left of a line that a killed process was writing; refused if it cannot be ours."""
    torn = data[data.rfind(b"\n") + 1 :]
    begins = line_start(number)
    if torn[: len(begins)] != begins[: len(torn)]:
        raise VenueLogRefused(
            f"{path}, line {number}: found an end that is no line of the venue's;"
            " wanted its log; move the file away to begin anew"
        )
    return torn


def _decoded_lines(path: Path, whole: bytes, lines: LineFormat[L]) -> Iterator[L]:
    for number, text in enumerate(whole.splitlines(keepends=True), start=1):
        if number == 1 and (version := version_of(text)) not in (None, lines.version):
            raise VenueLogRefused(
                f"{path}: found a log of version {version}; wanted {lines.version};"
                " move it away to begin anew, or start the Hydra that wrote it"
            )
        try:
            line = lines.decoded(text, number)
        except BadLogLine as bad:
            raise VenueLogRefused(
                f"{path}, line {number}: found a damaged line ({bad}); wanted it as it was"
                " written; keep the file for whoever finds out why, and move it away to begin anew"
            ) from bad
        if isinstance(line, lines.first) != (number == 1):
            raise VenueLogRefused(
                f"{path}, line {number}: found a {type(line).__name__} line; wanted one"
                f" {lines.first.__name__} line, and it first; this is not a log as the venue"
                " writes it"
            )
        yield line


def _require_private(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise VenueLogRefused(f"{path}: found no ordinary file; wanted the venue's log; move it")
    rights = stat.S_IMODE(facts.st_mode)
    if facts.st_uid != os.geteuid() or rights & (stat.S_IRWXG | stat.S_IRWXO):
        raise VenueLogRefused(
            f"{path}: found rights {rights:04o} and owner {facts.st_uid}; wanted a file of user"
            f" {os.geteuid()} alone; correct owner and rights, if nobody changed it: chmod 600"
        )


def _all_of(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)
