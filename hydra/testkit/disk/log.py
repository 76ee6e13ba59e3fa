"""What a disk was asked to do, in order: enough to say what it may hold after a power cut."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias


class Written(NamedTuple):
    """Bytes were put into a file."""

    file: int
    offset: int
    data: bytes


class Truncated(NamedTuple):
    """A file was given this length; what is new of it is zeros."""

    file: int
    size: int


class Synced(NamedTuple):
    """Everything put into the file before is on the platter."""

    file: int


class SyncFailed(NamedTuple):
    """The system gave up on what was put into the file before: it may be on the platter or not,
    and no later sync brings it there (it counts as written, and is not tried again).
    """

    file: int


class Linked(NamedTuple):
    """A name stands for this file from here on; `instead_of` is a name that it had till now."""

    name: str
    file: int
    instead_of: str | None


class Unlinked(NamedTuple):
    """A name stands for nothing any more."""

    name: str


class FolderSynced(NamedTuple):
    """Every name made, changed or taken away in this folder before is so on the platter."""

    folder: str


class Acknowledged(NamedTuple):
    """Somebody was told that everything up to this number is durable."""

    number: int


Entry: TypeAlias = (
    Written | Truncated | Synced | SyncFailed | Linked | Unlinked | FolderSynced | Acknowledged
)


class DiskLog:
    """The entries, in order, of everything below one folder.

    A file is a number; names come and go, and stand for numbers. A name is relative to the folder,
    with "/" between its parts. `found` is what was on the platter at the beginning.
    """

    def __init__(self, root: Path, found: Mapping[str, bytes] | None = None) -> None:
        self.root = root.resolve()
        self.entries: list[Entry] = []
        self.found = dict(found or {})
        self._files = {name: number for number, name in enumerate(self.found)}
        self._numbers = len(self._files)

    @classmethod
    def of(cls, root: Path) -> "DiskLog":
        """Begin with what lies in the folder now, as if it had been there for long."""
        return cls(root, contents_of(root))

    def __len__(self) -> int:
        return len(self.entries)

    def name_of(self, path: str | Path) -> str | None:
        """The name of a path, or None if it is outside the folder."""
        try:
            return PurePosixPath(Path(path).relative_to(self.root)).as_posix()
        except ValueError:
            return None

    def opened(self, name: str) -> int:
        """The file that a name stands for; a new one if it stands for none."""
        file = self._files.get(name)
        if file is None:
            file = self._numbers
            self._numbers += 1
            self._link(Linked(name, file, None))
        return file

    def wrote(self, file: int, offset: int, data: bytes) -> None:
        """`data` was put in from `offset` on."""
        self.entries.append(Written(file, offset, data))

    def truncated(self, file: int, size: int) -> None:
        """The file was given this length."""
        self.entries.append(Truncated(file, size))

    def synced(self, file: int) -> None:
        """A sync of the file came to a good end."""
        self.entries.append(Synced(file))

    def sync_failed(self, file: int) -> None:
        """A sync of the file came to a bad end."""
        self.entries.append(SyncFailed(file))

    def renamed(self, name: str, new_name: str) -> None:
        """A file's name was changed, in one step; what had the new name has none any more."""
        self._link(Linked(new_name, self._files[name], name))
        del self._files[name]

    def deleted(self, name: str) -> None:
        """A name was taken away. Whoever has the file open may still write to it."""
        if self._files.pop(name, None) is not None:
            self.entries.append(Unlinked(name))

    def folder_synced(self, folder: str) -> None:
        """A sync of a folder ("." for the outermost) came to a good end."""
        self.entries.append(FolderSynced(folder))

    def acknowledge(self, number: int) -> None:
        """From here on everything up to `number` must survive."""
        self.entries.append(Acknowledged(number))

    def _link(self, entry: Linked) -> None:
        self._files[entry.name] = entry.file
        self.entries.append(entry)


def folder_of(name: str) -> str:
    """The folder that a name is in; "." is the outermost one."""
    return name.rpartition("/")[0] or "."


def contents_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by name. SQLite's shared memory is none: it dies with power."""
    return {
        PurePosixPath(path.relative_to(folder)).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


def write_into(content: bytearray, offset: int, data: bytes) -> None:
    """Put bytes in as a file would take them: what lies between its end and them is zeros."""
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def resize(content: bytearray, size: int) -> None:
    """Cut it, or add zeros."""
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))
