"""A disk that fails when it is told to, and knows what a power cut would leave."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw


class Disk(apsw.VFS):
    """SQLite's default disk while it is in use: see `disk_in_use`."""

    def __init__(self) -> None:
        self.calls_before_failure: int | None = None
        self.failures = 0
        self.written: dict[str, bytearray] = {}
        self.synced: dict[str, bytes] = {}
        super().__init__("disk-of-the-tests", "", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "File":  # noqa: N802 (apsw calls it so)
        return File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 (apsw calls it so)
        super().xDelete(filename, syncdir)
        self.written.pop(filename, None)
        self.synced.pop(filename, None)

    def may_fail(self) -> None:
        """Count one write, sync or truncation down; the chosen one and all after it fail."""
        if self.calls_before_failure is None:
            return
        if self.calls_before_failure == 0:
            self.failures += 1
            raise apsw.IOError("the disk is broken")
        self.calls_before_failure -= 1

    def after_a_power_cut(self, folder: Path) -> Path:
        """Lay out what would be found if power went now: nothing but what was synced."""
        folder.mkdir(mode=0o700)
        database = min(self.synced, key=len)
        for name, content in self.synced.items():
            if not name.endswith("-shm"):
                copy = folder / Path(name).name
                copy.write_bytes(content)
                copy.chmod(0o600)
        return folder / Path(database).name


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = filename or "unnamed"
        disk.written.setdefault(self._name, bytearray())

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 (apsw calls it so)
        self._disk.may_fail()
        super().xWrite(data, offset)
        content = self._disk.written[self._name]
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset : offset + len(data)] = data

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 (apsw calls it so)
        self._disk.may_fail()
        super().xTruncate(newsize)
        del self._disk.written[self._name][newsize:]

    def xSync(self, flags: int) -> None:  # noqa: N802 (apsw calls it so)
        self._disk.may_fail()
        super().xSync(flags)
        self._disk.synced[self._name] = bytes(self._disk.written[self._name])


@contextmanager
def disk_in_use() -> Iterator[Disk]:
    disk = Disk()
    try:
        yield disk
    finally:
        disk.unregister()


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The quota is used up: what would make a file longer than this is not written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
