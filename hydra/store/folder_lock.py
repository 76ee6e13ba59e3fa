"""One process at a time puts something into a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderInUse(Exception):
    """Another process of ours is at work in this folder; try again when it has ended."""


@contextmanager
def held_alone(folder: Path, doing: str) -> Iterator[None]:
    """Hold the folder for as long as the block lasts; raises FolderInUse if somebody else does.

    What a killed process left in it may be removed meanwhile. There is no file for it: the system
    locks the folder itself, and lets go when the process ends.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(
                f"{folder}: found another {doing} at work, wanted to be the only one; try again"
                " when it has ended"
            ) from error
        yield
    finally:
        os.close(descriptor)
