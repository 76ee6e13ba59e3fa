"""What code does to files through the module `os`, recorded as a disk's log."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hydra.testkit.disk.log import DiskLog, folder_of


class Opened(NamedTuple):
    """What a descriptor leads to: a file of the log, or else a folder."""

    file: int | None
    folder: str
    appends: bool


class RecordedCalls:
    """The calls of `os` that change a disk: they do their work, and are written into the log.

    Only a sync goes no further than the log. Files that are opened otherwise (`open`) are not
    seen; whatever must be durable cannot be written so without a descriptor to sync.
    """

    def __init__(self, log: DiskLog) -> None:
        self._log = log
        self._opened: dict[int, Opened] = {}
        self._real: dict[str, Callable[..., Any]] = {}
        self._real_fcntl: Callable[..., Any] = fcntl.fcntl

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """From here on `os` is this."""
        calls: dict[str, Callable[..., Any]] = {
            "open": self._open,
            "dup": self._dup,
            "close": self._close,
            "write": self._write,
            "pwrite": self._pwrite,
            "ftruncate": self._ftruncate,
            "fsync": self._sync,
            "fdatasync": self._sync,
            "rename": self._rename,
            "replace": self._rename,
            "unlink": self._unlink,
            "remove": self._unlink,
        }
        self._real = {name: getattr(os, name) for name in calls if hasattr(os, name)}
        with pytest.MonkeyPatch.context() as patch:
            for name in self._real:
                patch.setattr(os, name, calls[name])
            patch.setattr(fcntl, "fcntl", self._fcntl)
            yield

    def _open(self, path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor: int = self._real["open"](path, flags, *rest, **options)
        name = self._name(path)
        if name is not None:
            is_folder = Path(path).is_dir()
            file = None if is_folder else self._log.opened(name)
            folder = name if is_folder else folder_of(name)
            self._opened[descriptor] = Opened(file, folder, bool(flags & os.O_APPEND))
            if file is not None and flags & os.O_TRUNC:
                self._log.truncated(file, 0)
        return descriptor

    def _dup(self, descriptor: int) -> int:
        twin: int = self._real["dup"](descriptor)
        if descriptor in self._opened:
            self._opened[twin] = self._opened[descriptor]
        return twin

    def _close(self, descriptor: int) -> None:
        self._opened.pop(descriptor, None)
        self._real["close"](descriptor)

    def _write(self, descriptor: int, data: bytes) -> int:
        opened = self._opened.get(descriptor)
        if opened is None or opened.file is None:
            return int(self._real["write"](descriptor, data))
        if opened.appends:
            offset = os.fstat(descriptor).st_size
        else:
            offset = os.lseek(descriptor, 0, os.SEEK_CUR)
        written: int = self._real["write"](descriptor, data)
        self._log.wrote(opened.file, offset, bytes(data[:written]))
        return written

    def _pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        written: int = self._real["pwrite"](descriptor, data, offset)
        opened = self._opened.get(descriptor)
        if opened is not None and opened.file is not None:
            self._log.wrote(opened.file, offset, bytes(data[:written]))
        return written

    def _ftruncate(self, descriptor: int, length: int) -> None:
        self._real["ftruncate"](descriptor, length)
        opened = self._opened.get(descriptor)
        if opened is not None and opened.file is not None:
            self._log.truncated(opened.file, length)

    def _sync(self, descriptor: int) -> None:
        opened = self._opened.get(descriptor)
        if opened is None:
            self._real["fsync"](descriptor)
        elif opened.file is None:
            self._log.folder_synced(opened.folder)
        else:
            self._log.synced(opened.file)

    def _fcntl(self, descriptor: int, command: int, *rest: Any) -> Any:
        if command == getattr(fcntl, "F_FULLFSYNC", None):
            return self._sync(descriptor)
        return self._real_fcntl(descriptor, command, *rest)

    def _rename(self, old: Any, new: Any, **options: Any) -> None:
        self._real["rename"](old, new, **options)
        old_name, new_name = self._name(old), self._name(new)
        if old_name is not None and new_name is not None:
            self._log.renamed(old_name, new_name)

    def _unlink(self, path: Any, **options: Any) -> None:
        self._real["unlink"](path, **options)
        name = self._name(path)
        if name is not None:
            self._log.deleted(name)

    def _name(self, path: Any) -> str | None:
        return self._log.name_of(Path(os.fsdecode(path)).absolute())
