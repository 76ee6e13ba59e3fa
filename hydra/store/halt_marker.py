"""Halts that the ledger could not take are written here, into space that is there already (I03).

The file is made and synced at the first start; from then on it is only written in place. So a halt
is kept on a full disk too. (btrfs, ZFS and APFS write elsewhere first; for them the record's watch
halts while there still is room.)

It has two blocks, each of one disk page, and a write goes to the older. Both have to be whole for
the marker to be clear: whatever a torn write leaves, it never reads as clear. A block is text, for
people: a title, one line of JSON, padding, and the checksum of all of it.

The worst halt stands whole; of the others there is what fits, and at the least that there are more.
"""

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import structs

from hydra.crash_points import reached
from hydra.store.private_files import (
    FILE_RIGHTS,
    RightsTooOpen,
    make_private_folder,
    require_private_file,
)
from hydra.store.syncing import sync_folder
from hydra.trading.clearing import is_another
from hydra.trading.trading_state import Cause, CauseClass, TradingState

BLOCK_BYTES = 4096
MARKER_BYTES = 2 * BLOCK_BYTES
UNREADABLE = "halt_marker_unreadable"
"""The code of the halt that stands when the marker cannot say which."""

CODE_CHARACTERS_MAX = 200
DETAIL_CHARACTERS_MAX = 400
"""A cause of more is cut: at its worst, with every character escaped, it still fits a block, and
besides it that there are more.
"""
OF_OTHERS = (DETAIL_CHARACTERS_MAX, 80, 0)
"""Characters of the other causes' details: as many as there is room for."""
MORE_HALTS = "more_halts"
"""The code of the halt that stands for those that there was no room for."""

_TITLE = b"HYDRA HALT MARKER 1\n"
_CHECKSUM_BYTES = 32
_ROOM = BLOCK_BYTES - 2 * _CHECKSUM_BYTES - 1


class Clear(msgspec.Struct, frozen=True):
    """No halt stands, and none was being written."""


class Halted(msgspec.Struct, frozen=True):
    """This halt stands, the worst one; and these others do."""

    cause: Cause
    others: tuple[Cause, ...] = ()

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All of them, the worst first."""
        return (self.cause, *self.others)


class Unreadable(msgspec.Struct, frozen=True):
    """The marker is gone or damaged, or a halt was being written. It counts as halted."""

    reason: str


Reading: TypeAlias = Clear | Halted | Unreadable


class HaltMarkerFailed(Exception):
    """A halt, or its clearing, could not be made durable; or there can be no marker at all."""


class HaltMarker:
    """The one writer of the marker. It holds the file open, so that a halt needs nothing new."""

    def __init__(self, path: Path, descriptor: int, blocks: "tuple[_Block, _Block]") -> None:
        """Take over the descriptor of a file that consists of these blocks; see `open`."""
        self._path = path
        self._descriptor = descriptor
        self._blocks = blocks
        self._failed = False
        self._one_at_a_time = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, at: int, first_start: bool) -> "HaltMarker":
        """Open the marker. At the first start, and only then, a missing one is made, clear.

        Otherwise one that is missing or not whole is made anew, with the halts that were readable
        in it, or with one that says what was found, since `at` (UTC ns). Raises RightsTooOpen, or
        HaltMarkerFailed if there can be no marker.
        """
        try:
            make_private_folder(path.parent)
            if first_start and not path.exists():
                _make(path, ())
            content = _content_of(path)
            if not isinstance(content, tuple):
                _make(path, _causes_in(content, at))
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise HaltMarkerFailed(f"no halt marker {path}: {error}") from error
        try:
            blocks = _blocks_in(os.pread(descriptor, MARKER_BYTES + 1, 0))
            if not isinstance(blocks, tuple):
                raise HaltMarkerFailed(f"{path} changed while it was opened; start again")
            return cls(path, descriptor, blocks)
        except BaseException:
            os.close(descriptor)
            raise

    @property
    def standing(self) -> Cause | None:
        """The worst halt that stands; None if the marker is clear."""
        return _newest(self._blocks).cause

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every halt that stands, the worst first."""
        return _newest(self._blocks).causes

    def halt(self, cause: Cause) -> None:
        """Make this halt durable, in place, beside what stands. It takes the place of what stands
        under its code, as somebody may have let that go already, and is never milder.

        Raises HaltMarkerFailed. Then the file is taken away where that is possible, as a missing
        marker halts too. It may be called again: trying cannot make a halt less.
        """
        cause = _fitting(cause)
        with self._one_at_a_time:
            standing = next((each for each in self.causes if each.code == cause.code), None)
            if standing is not None and standing.state.severity >= cause.state.severity:
                cause = structs.replace(cause, state=standing.state)
                if not is_another(cause, standing):
                    return
            others = (each for each in self.causes if each.code != cause.code)
            try:
                self._write((*others, cause))
            except OSError as error:
                self._failed = True
                with suppress(OSError):
                    self._path.unlink()
                    sync_folder(self._path.parent)
                raise HaltMarkerFailed(f"cannot halt in {self._path}: {error}") from error

    def clear(self) -> None:
        """Make it durable that no halt stands. Refused after a failure: a restart finds more out.

        Raises HaltMarkerFailed; what was halted before it is halted after it.
        """
        with self._one_at_a_time:
            if self._failed:
                raise HaltMarkerFailed(f"{self._path}: not cleared, because it failed before")
            if self.standing is None:
                return
            try:
                self._write(())
            except OSError as error:
                self._failed = True
                raise HaltMarkerFailed(f"cannot clear {self._path}: {error}") from error

    def keep_only(self, standing: Callable[[], Collection[str]]) -> None:
        """Let go of what is cleared by now: every halt whose code stands nowhere any more.

        `standing` gives the codes that do. It is asked while no halt can come in between, so that
        one that was latched before it came here is never let go. After a failure nothing is.
        Raises HaltMarkerFailed; what was halted before it is halted after it.
        """
        with self._one_at_a_time:
            if self._failed or self.standing is None:
                return
            codes = {_text(code, CODE_CHARACTERS_MAX) for code in standing()}
            if codes:
                codes.add(MORE_HALTS)  # nobody can tell which these were
            kept = tuple(cause for cause in self.causes if cause.code in codes)
            if kept == self.causes:
                return
            try:
                self._write(kept)
            except OSError as error:
                self._failed = True
                raise HaltMarkerFailed(f"cannot let go in {self._path}: {error}") from error

    def close(self) -> None:
        """Let the file go. Closing twice does nothing."""
        with self._one_at_a_time:
            if self._descriptor >= 0:
                descriptor, self._descriptor = self._descriptor, -1
                os.close(descriptor)

    def _write(self, causes: tuple[Cause, ...]) -> None:
        first, second = self._blocks
        block = _block_of(max(first.number, second.number) + 1, causes)
        first_is_older = first.number < second.number
        content = _packed(block)
        reached("halt_marker.before")
        offset = 0 if first_is_older else BLOCK_BYTES
        written = os.pwrite(self._descriptor, content, offset)
        if written != len(content):
            raise OSError(f"only {written} of {len(content)} bytes went in")
        _sync(self._descriptor)
        reached("halt_marker.written")
        self._blocks = (block, second) if first_is_older else (first, block)
        self._require_in_place()

    def _require_in_place(self) -> None:
        """What was written to a file that is not there any more will not be found."""
        ours, there = os.fstat(self._descriptor), self._path.stat()
        if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino):
            raise OSError("another file is in its place")


def read_halt_marker(path: Path) -> Reading:
    """What the marker says, for whoever wants to know; nothing is changed."""
    try:
        content = _content_of(path)
    except (OSError, RightsTooOpen) as error:
        return Unreadable(str(error))
    if not isinstance(content, tuple):
        return content
    causes = _newest(content).causes
    return Halted(causes[0], causes[1:]) if causes else Clear()


class _Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one write says. `number` goes up with each, so that the newer of two is known.

    `others` apart, because versions before this one knew one cause: they read the worst.
    """

    number: int
    cause: Cause | None
    others: tuple[Cause, ...] = ()

    @property
    def causes(self) -> tuple[Cause, ...]:
        return () if self.cause is None else (self.cause, *self.others)


_Content: TypeAlias = tuple[_Block, _Block] | Halted | Unreadable
"""Both blocks; or, if the file is not whole, what it means."""


def _content_of(path: Path) -> _Content:
    try:
        require_private_file(path, path.stat())
        with path.open("rb") as file:
            content = _blocks_in(file.read(MARKER_BYTES + 1))
    except FileNotFoundError:
        return Unreadable(f"{path} is missing")
    return content if isinstance(content, tuple) else _at(path, content)


def _at(path: Path, content: Halted | Unreadable) -> Halted | Unreadable:
    return content if isinstance(content, Halted) else Unreadable(f"{path}: {content.reason}")


def _blocks_in(content: bytes) -> _Content:
    if len(content) != MARKER_BYTES:
        found = f"{len(content)} bytes" if len(content) < MARKER_BYTES else "more"
        return Unreadable(f"found {found}, wanted {MARKER_BYTES}")
    first, second = _unpacked(content[:BLOCK_BYTES]), _unpacked(content[BLOCK_BYTES:])
    match first, second:
        case _Block(), _Block():
            if first.number == second.number:
                return Unreadable(f"two blocks have the number {first.number}")
            if abs(first.number - second.number) > 1:
                numbers = f"{first.number} and {second.number}"
                return Unreadable(f"its blocks have the numbers {numbers}: one between was lost")
            return first, second
        case (_Block(cause=Cause(state=TradingState.HALTED) as cause, others=others), str()) | (
            str(),
            _Block(cause=Cause(state=TradingState.HALTED) as cause, others=others),
        ):
            return Halted(cause, others)  # the other cannot have been worse
        case _:
            reasons = [
                f"block {number}: {reason}"
                for number, reason in enumerate((first, second), 1)
                if isinstance(reason, str)
            ]
            return Unreadable("; ".join(reasons))


def _newest(blocks: tuple[_Block, _Block]) -> _Block:
    return max(blocks, key=lambda block: block.number)


def _causes_in(content: Halted | Unreadable, at: int) -> tuple[Cause, ...]:
    if isinstance(content, Halted):
        return content.causes
    return (_fitting(_integrity(UNREADABLE, at, content.reason)),)


def _integrity(code: str, at: int, detail: str) -> Cause:
    return Cause(
        code=code,
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=at,
        detail=detail,
    )


def _fitting(cause: Cause) -> Cause:
    """What there is room for. A scope is not kept, so that it holds for every order: cut, it would
    hold for none.
    """
    return structs.replace(
        cause,
        bot=None,
        symbol=None,
        code=_text(cause.code, CODE_CHARACTERS_MAX),
        detail=_text(cause.detail, DETAIL_CHARACTERS_MAX),
    )


def _text(text: str, characters: int) -> str:
    """A halt must not fail for its words: what cannot be encoded becomes a question mark."""
    return text[:characters].encode(errors="replace").decode()


def _block_of(number: int, causes: tuple[Cause, ...]) -> _Block:
    """Of causes that fit one by one: the worst whole, and of the others what there is room for."""
    if not causes:
        return _Block(number, None)
    worst = max(causes, key=lambda cause: cause.state.severity)  # of equals the first
    others = tuple(cause for cause in causes if cause is not worst)
    for characters in OF_OTHERS:
        cut = tuple(structs.replace(each, detail=each.detail[:characters]) for each in others)
        block = _Block(number, worst, cut)
        if len(_text_of(block)) <= _ROOM:
            return block
    more = _integrity(MORE_HALTS, worst.since, "the journal has them")
    return _Block(number, worst, (more,))


def _text_of(block: _Block) -> bytes:
    return _TITLE + msgspec.json.encode(block) + b"\n"


def _packed(block: _Block) -> bytes:
    covered = _text_of(block).ljust(_ROOM, b"\0")
    content = covered + _checksum(covered) + b"\n"
    assert len(content) == BLOCK_BYTES
    return content


def _unpacked(content: bytes) -> _Block | str:
    """The block, or why it is none."""
    covered = content[: -2 * _CHECKSUM_BYTES - 1]
    if not covered.startswith(_TITLE):
        return "it does not begin as a halt marker of this version"
    if content != covered + _checksum(covered) + b"\n":
        return "its checksum does not fit; a write was torn, or the disk changed it"
    try:
        return msgspec.json.decode(covered[len(_TITLE) :].rstrip(b"\0"), type=_Block)
    except msgspec.DecodeError as error:
        return str(error)


def _checksum(covered: bytes) -> bytes:
    return blake2b(covered, digest_size=_CHECKSUM_BYTES).hexdigest().encode()


def _make(path: Path, causes: tuple[Cause, ...]) -> None:
    """Put a whole new marker in the place of whatever is there."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_RIGHTS)
    try:
        content = _packed(_block_of(1, causes)) + _packed(_block_of(2, causes))
        written = os.write(descriptor, content)
        if written != len(content):
            raise OSError(f"only {written} of {len(content)} bytes went in")
        _sync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(path)
    sync_folder(path.parent)


def _sync(descriptor: int) -> None:
    """Wait until it is on the disk itself. The length never changes, so the data will do."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)
