"""One engine per account: a lock outside the ledger, held for life by the process that trades.

What counts is the lock the system holds, not that the file exists, nor what stands in it: one line
for people, which says who holds it and for which account.
"""

import fcntl
import os
import socket
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import structs

from hydra.store.private_files import FILE_RIGHTS, make_private_folder, require_private_file

_ATTEMPTS = 10
_LINE_BYTES_MAX = 4096


class HeldByAnother(Exception):
    """Another engine runs on this state or log folder; two would trade one account twice."""


class LockOf(Enum):
    """What a lock keeps for one engine: what whoever has it does, and which option says where."""

    ACCOUNT = ("holds the account", "--state-dir")
    JOURNAL = ("writes this journal", "--log-dir")


class Holder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The line in the lock file. Venue and account stay in it after the process has ended.

    `command`: the verb that works on the record where no engine runs; None: it is an engine.
    """

    pid: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    host: str
    started_at: str
    venue: str | None = None
    account: str | None = None
    command: str | None = None

    @property
    def named(self) -> str:
        """What it is, and which process."""
        what = "an engine" if self.command is None else f"the command `{self.command}`"
        return f"{what} ({self})"

    def __str__(self) -> str:
        parts = [f"process {self.pid} on {self.host}", f"since {self.started_at}"]
        if self.venue is not None:
            parts.append(f"venue {self.venue}")
        if self.account is not None:
            parts.append(f"account {self.account}")
        return ", ".join(parts)


class EngineLock:
    """An exclusive lock on a file; the system lets go of it when the process ends.

    No child has it: a program that we start does not get the descriptor, and a copy of this
    process closes it at once. Else the lock would live as long as the child.
    """

    def __init__(
        self, path: Path, of: LockOf = LockOf.ACCOUNT, *, command: str | None = None
    ) -> None:
        """Take the lock or raise `HeldByAnother`, naming the process that has it.

        `command` as in `Holder`. Raises RightsTooOpen, OSError. The venue and account that the
        last holder named are kept.
        """
        make_private_folder(path.parent)
        self._us = Holder(
            pid=os.getpid(),
            host=socket.gethostname(),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
        )
        self._descriptor = _locked(path, of)
        _held.add(self)
        try:
            before = _holder_in(self._descriptor)
            if before is None:
                _write(self._descriptor, self._us)
            else:
                self.name(venue=before.venue, account=before.account)
        except BaseException:
            self.release()
            raise

    def name(self, *, venue: str | None, account: str | None = None) -> None:
        """Say what is traded, durably; to be called once the ledger is.

        From then on a ledger that is gone is known to be gone (see `engine_files.is_first_start`).
        """
        _write(self._descriptor, structs.replace(self._us, venue=venue, account=account))

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files."""
        _held.discard(self)
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def last_holder(path: Path) -> Holder | None:
    """Who holds the lock, or held it last, by the file's own words; None if it has none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _holder_in(descriptor)
    finally:
        os.close(descriptor)


def living_holder(path: Path) -> Holder | None:
    """Who holds the lock by the file's own words, unless it is certain that it has ended.

    Only looks, so that it cannot keep an engine from starting.
    """
    holder = last_holder(path)
    return None if holder is None or _has_ended(holder) else holder


def forget_account(path: Path) -> None:
    """Take venue and account out of the line: their life is over. For the lock's holder only."""
    holder = last_holder(path)
    if holder is None:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        _write(descriptor, structs.replace(holder, venue=None, account=None))
    finally:
        os.close(descriptor)


def _locked(path: Path, of: LockOf) -> int:
    """A descriptor that holds the lock of the file which is at `path`."""
    for _ in range(_ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_RIGHTS)
        try:
            require_private_file(path, os.fstat(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError as error:
            holder = _holder_in(descriptor)
            os.close(descriptor)
            raise HeldByAnother(f"{path}: {_who_has_it(holder, of)}") from error
        except OSError as error:
            os.close(descriptor)
            raise OSError(error.errno, f"cannot be locked: {error.strerror}", str(path)) from error
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # somebody removed it before we had it
    raise HeldByAnother(f"{path}: somebody removes it all the time; wanted it to stay")


def _is_at(path: Path, descriptor: int) -> bool:
    ours = os.fstat(descriptor)
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _who_has_it(holder: Holder | None, of: LockOf) -> str:
    """And what to do about it: a command ends by itself."""
    does, option = of.value
    if holder is not None and holder.command is not None and not _has_ended(holder):
        return (
            f"{holder.named} {does}, and no engine runs; wanted to be the only one; wait until it"
            f" is done, or use another {option}"
        )
    return (
        f"another engine ({_words(holder)}) {does}; wanted to be the only one; stop that one, or"
        f" use another {option}"
    )


def _words(holder: Holder | None) -> str:
    if holder is None:
        return "of an unknown process"
    if _has_ended(holder):
        return f"one that has only just started, or a child that outlived {holder}"
    return str(holder)


def _has_ended(holder: Holder) -> bool:
    """Whether it is certain that the process is no more."""
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _holder_in(descriptor: int) -> Holder | None:
    line = os.pread(descriptor, _LINE_BYTES_MAX, 0).partition(b"\n")[0]
    try:
        return msgspec.json.decode(line, type=Holder)
    except ValueError:  # it is no JSON, or no UTF-8
        return None


def _write(descriptor: int, holder: Holder) -> None:
    """Over the old line first, then cut: at no moment is there no line."""
    line = msgspec.json.encode(holder) + b"\n"
    os.pwrite(descriptor, line, 0)
    os.ftruncate(descriptor, len(line))
    os.fsync(descriptor)


_held: set[EngineLock] = set()


def _let_go_in_child() -> None:
    """A copy of this process shares its locks, but must not keep them. It closes, and no more:

    an unlock would take the lock from the parent too.
    """
    for lock in tuple(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
