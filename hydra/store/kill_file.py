"""Reads a kill file without waiting for anybody, and without believing anybody but its owner.

A pipe that nobody writes to, a device, a link that leads elsewhere: what is not a small ordinary
file of ours is never opened. Only a disk that does not answer at all (a dead mount) can hold up
whoever calls this, and no way of asking changes that: ask in a thread that can be spared.
"""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from hydra.trading.kill_switch import CONTENT_BYTES_MAX, Absent, Sight, Unreadable, Written

SHELL_NEEDS_S = 0.05
"""`echo close_only > FILE` makes the file first and writes to it then: so long it may be empty."""

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS = stat.S_IXGRP | stat.S_IXOTH


def _give_the_shell_time() -> None:
    time.sleep(SHELL_NEEDS_S)


def read_kill_file(path: Path, pause: Callable[[], None] = _give_the_shell_time) -> Sight:
    """What stands in the file. `Absent` only if its folder is ours, readable and ours to change.

    An empty file is looked at again after `pause`, so that a shell that is just about to write
    `close_only` into it does not halt. Nothing is raised for what the disk says.
    """
    sight = _seen(path)
    if sight != Written(b""):
        return sight
    pause()
    sight = _seen(path)
    return Written(b"") if isinstance(sight, Absent) else sight


def _seen(path: Path) -> Sight:
    if not path.name:
        return Unreadable("is a folder, wanted a file")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        folder = os.open(path.parent, flags)
    except OSError as error:
        return Unreadable(
            f"is in a folder that cannot be read ({_words(error)}), wanted {path.parent} to be ours"
        )
    try:
        return _seen_in(folder, path)
    except OSError as error:
        return Unreadable(f"cannot be read ({_words(error)})")
    finally:
        os.close(folder)


def _seen_in(folder: int, path: Path) -> Sight:
    """By way of the folder that was looked at, so that no other can be put in its place."""
    folder_facts = os.fstat(folder)
    flaw = _flaw_of_folder(folder_facts, path.parent)
    if flaw is not None:
        return Unreadable(flaw)
    try:
        facts = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return Absent()
    flaw = _flaw_of_file(facts, folder_facts, path)
    if flaw is not None:
        return Unreadable(flaw)
    # From here on it was there: that it is gone now is no "nothing is there".
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path.name, flags, dir_fd=folder)
    try:
        flaw = _flaw_of_file(os.fstat(descriptor), folder_facts, path)
        if flaw is not None:
            return Unreadable(flaw)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return Written(file.read(CONTENT_BYTES_MAX + 1))
    finally:
        os.close(descriptor)


def _flaw_of_folder(facts: os.stat_result, folder: Path) -> str | None:
    """Why the folder's word that there is no file cannot be taken."""
    if facts.st_uid != os.geteuid():
        return (
            f"is in {folder}, which belongs to user {facts.st_uid}, wanted {os.geteuid()}, who "
            "runs this"
        )
    if facts.st_mode & _WRITABLE_BY_OTHERS:
        return (
            f"is in {folder}, which has rights {stat.S_IMODE(facts.st_mode):04o}, so others can "
            "take it away; wanted a folder that only we can write to"
        )
    return None


def _flaw_of_file(facts: os.stat_result, folder: os.stat_result, path: Path) -> str | None:
    """Why what it says cannot be read, or cannot be taken for the operator's word."""
    if stat.S_ISLNK(facts.st_mode):
        return "is a link, wanted the file itself"
    if not stat.S_ISREG(facts.st_mode):
        return f"is {_kind(facts.st_mode)}, wanted an ordinary file"
    if facts.st_uid != os.geteuid():
        return f"belongs to user {facts.st_uid}, wanted {os.geteuid()}, who runs this"
    if facts.st_mode & _WRITABLE_BY_OTHERS and folder.st_mode & _OPEN_TO_OTHERS:
        return (
            f"has rights {stat.S_IMODE(facts.st_mode):04o}, so others can change it: "
            f"chmod go-w {path}"
        )
    if facts.st_size > CONTENT_BYTES_MAX:
        # Nor is it opened: were it the ledger, closing it would drop SQLite's locks.
        return f"has {facts.st_size} bytes, wanted a word of at most {CONTENT_BYTES_MAX}"
    return None


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _words(error: OSError) -> str:
    return error.strerror or str(error)
