"""What was written is on the disk itself, and not in a cache of the system or of the drive."""

import fcntl
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Wait until names made, changed or taken away in `folder` are so on the disk."""
    _sync_opened(folder, os.O_DIRECTORY)


def sync_path(path: Path) -> None:
    """Wait until a file that somebody else has written, SQLite say, is on the disk."""
    _sync_opened(path, 0)


def sync_file(descriptor: int) -> None:
    """Wait until everything written to it is on the disk."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        # On macOS fsync leaves it in the drive's cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def _sync_opened(path: Path, flags: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)
