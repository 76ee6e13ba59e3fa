"""One engine per account: a lock outside the ledger, held for life by the process that trades."""

import fcntl
import os
from pathlib import Path

from hydra.store.private_files import FILE_RIGHTS, make_private_folder


class HeldByAnother(Exception):
    """Another engine runs on this state folder; two would trade one account twice."""


class EngineLock:
    """An exclusive lock on a file; the system lets go of it when the process ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock or raise `HeldByAnother`, naming the process that has it."""
        make_private_folder(path.parent)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_RIGHTS)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise HeldByAnother(
                f"{path}: another engine (process {holder}) holds the account; wanted to be the "
                "only one; stop that one, or use another --state-dir"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
