"""Follows a file of lines that somebody else writes: every whole line, and each place only once.

The writer may append, begin the file again, cut it, rewrite it, or move it away and begin another.
Where it was read up to is a plain value that can be kept, with a fingerprint of what stood there: a
file that says something else at that place now is read from its beginning. Whoever takes the lines
has to know a line that comes again; this only promises that none is left out.
"""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

READ_BYTES = 1024 * 1024
"""At most so much is read in one look."""
_FINGERPRINT_BYTES = 1024
_OF_NOTHING = hashlib.blake2b(digest_size=16).hexdigest()


class FilePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place between two lines of a file. `fingerprint` names the bytes just before it."""

    inode: int
    offset: int
    lines: int
    """How many whole lines are before it."""
    fingerprint: str


class FollowedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was read, without its end. `is_whole` False: too long, or it had no end."""

    number: int
    content: bytes
    is_whole: bool = True


class Unfollowable(Exception):
    """The file cannot be read, or cannot be trusted: what it is and what was wanted."""


class FollowedFile:
    """One reader's view of it. Not for several threads at once."""

    def __init__(self, path: Path, place: FilePlace | None, line_bytes_max: int) -> None:
        """`place` is where an earlier reader came to; None: there was none. Nothing is opened."""
        self._path = path
        self._kept = place
        self._line_bytes_max = line_bytes_max
        self._descriptor: int | None = None
        self._inode = 0
        self._offset = 0
        self._lines = 0
        self._seen = _OF_NOTHING
        """The fingerprint of what stood before `_offset` when it was read."""
        self._passing_over = False
        """The line that is being read is too long, and was told."""
        self.changes: list[str] = []
        """What happened to the file since they were last taken, in words."""

    @property
    def place(self) -> FilePlace | None:
        """Where everything before has been given; None: nothing was ever read."""
        if self._descriptor is None:
            return self._kept
        return FilePlace(
            inode=self._inode,
            offset=self._offset,
            lines=self._lines,
            fingerprint=self._seen,
        )

    def read(self) -> list[FollowedLine]:
        """The whole lines that came since the last time, some of them if they are many.

        Nothing if there is no file. Raises `Unfollowable`.
        """
        try:
            return self._read()
        except OSError as error:
            raise Unfollowable(f"{self._path}: {error.strerror or error}") from error

    def close(self) -> None:
        """To close what is not open does nothing."""
        self._kept = self.place
        self._let_go()

    def _read(self) -> list[FollowedLine]:
        if self._descriptor is None and not self._open_first():
            return []
        lines = self._more()
        if lines:
            return lines
        facts = _facts_at(self._path)
        if facts is None or facts.st_ino == self._inode:
            return []
        lines = self._more()  # what came between that look at it and its being moved away
        if lines:
            return lines
        lines = self._last_piece()  # another file has its name: what is left of this one is all
        if not self._begin(self._path):
            return []  # it is gone again
        self.changes.append("another file is there now; it is read from its beginning")
        return lines or self._more()

    def _open_first(self) -> bool:
        """Go on where an earlier reader stopped, also in a file that was moved away since."""
        kept = self._kept  # for as long as nothing is open: what is there may not be trusted yet
        if kept is not None:
            for path in (self._path, *self._beside_with(kept.inode)):
                if self._begin(path) and self._go_on_from(kept):
                    return True
                self._let_go()
        if not self._begin(self._path):
            return False
        if kept is not None:
            self.changes.append(
                "it is not the file that was read before; it is read from its start"
            )
        return True

    def _go_on_from(self, kept: FilePlace) -> bool:
        """Whether what is open is the file that was read before, unchanged up to there."""
        assert self._descriptor is not None
        is_it = (
            self._inode == kept.inode
            and os.fstat(self._descriptor).st_size >= kept.offset
            and fingerprint(self._descriptor, kept.offset) == kept.fingerprint
        )
        if is_it:
            self._offset, self._lines, self._seen = kept.offset, kept.lines, kept.fingerprint
        return is_it

    def _beside_with(self, inode: int) -> list[Path]:
        """The files of the folder that may be the one that was read before."""
        folder = self._path.parent
        if not folder.is_dir():
            return []
        return [folder / each.name for each in os.scandir(folder) if each.inode() == inode]

    def _begin(self, path: Path) -> bool:
        """Open a file at its beginning; False if there is none."""
        facts = _facts_at(path)
        if facts is None:
            return False
        _require_trustworthy(path, facts)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(descriptor)
            _require_trustworthy(path, facts)  # what was opened, and not what was there before
        except BaseException:  # whatever it is goes on; only the descriptor must not stay open
            os.close(descriptor)
            raise
        self._let_go()
        self._descriptor = descriptor
        self._inode = facts.st_ino
        self._from_the_beginning()
        return True

    def _from_the_beginning(self) -> None:
        self._offset, self._lines, self._seen, self._passing_over = 0, 0, _OF_NOTHING, False

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _more(self) -> list[FollowedLine]:
        """What came since, of the file that is open."""
        descriptor = self._descriptor
        assert descriptor is not None
        facts = os.fstat(descriptor)
        if facts.st_size < self._offset:
            self._start_again("it became shorter")
        elif fingerprint(descriptor, self._offset) != self._seen:
            self._start_again("it was rewritten")
        block = os.pread(descriptor, READ_BYTES, self._offset)
        lines = self._taken(block)
        self._seen = fingerprint(descriptor, self._offset)
        return lines

    def _taken(self, block: bytes) -> list[FollowedLine]:
        lines: list[FollowedLine] = []
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            content, start = block[start:end], end + 1
            self._offset += len(content) + 1
            self._lines += 1
            if self._passing_over:
                self._passing_over = False
                continue
            lines.append(self._line(content))
        rest = block[start:]
        if len(rest) > self._line_bytes_max:
            if not self._passing_over:
                lines.append(self._line(rest, number=self._lines + 1))
            self._passing_over = True
            self._offset += len(rest)
        return lines

    def _line(self, content: bytes, number: int | None = None) -> FollowedLine:
        is_whole = number is None and len(content) <= self._line_bytes_max
        return FollowedLine(
            number=number or self._lines,
            content=content[: self._line_bytes_max],
            is_whole=is_whole,
        )

    def _last_piece(self) -> list[FollowedLine]:
        """A last line without an end never gets one: the file was moved away."""
        descriptor = self._descriptor
        assert descriptor is not None
        rest = os.pread(descriptor, READ_BYTES, self._offset)
        if not rest or self._passing_over:
            return []
        number = self._lines + 1
        content = rest[: self._line_bytes_max]
        return [FollowedLine(number=number, content=content, is_whole=False)]

    def _start_again(self, why: str) -> None:
        self.changes.append(f"{why}; it is read from its beginning")
        self._from_the_beginning()


def _facts_at(path: Path) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _require_trustworthy(path: Path, facts: os.stat_result) -> None:
    """Who can write to it can trade: it is ours, and not everybody's."""
    if not stat.S_ISREG(facts.st_mode):
        raise Unfollowable(f"{path} is no ordinary file, wanted the file itself")
    if facts.st_uid != os.geteuid():
        raise Unfollowable(
            f"{path} belongs to user {facts.st_uid}, wanted {os.geteuid()}, who runs this"
        )
    if facts.st_mode & stat.S_IWOTH:
        raise Unfollowable(f"{path} can be written to by everybody: chmod o-w {path}")


def fingerprint(descriptor: int, offset: int) -> str:
    """Names the bytes just before a place of an open file."""
    start = max(0, offset - _FINGERPRINT_BYTES)
    return hashlib.blake2b(os.pread(descriptor, offset - start, start), digest_size=16).hexdigest()
