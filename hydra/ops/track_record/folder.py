"""The snapshots on the disk: a file a day that is never written again, each naming the one before.

Who has the last file's hash from elsewhere can prove that none of those before it was changed,
added or taken away; `ledger` in each names all that was on record by then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hydra.ops.track_record.snapshots import (
    Previous,
    Snapshot,
    decoded,
    encoded,
    sha256_of,
)
from hydra.store.private_files import FILE_RIGHTS, make_private_folder
from hydra.store.syncing import sync_file, sync_folder

SNAPSHOTS, LATEST = "snapshots", "latest.json"
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}\.json", re.ASCII)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class TrackRecordBroken(Exception):
    """The snapshots are not what was written: the file, what was found and what was wanted."""


class TakenAlready(Exception):
    """There is one of this day, or a later one: they are added at the end, and never changed."""


class TrackRecord:
    """The folder of one account's snapshots."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made or read yet."""
        self.folder = folder

    @property
    def snapshots(self) -> Path:
        """Where the days lie."""
        return self.folder / SNAPSHOTS

    def read(self) -> tuple[Snapshot, ...]:
        """All days, the oldest first. Raises `TrackRecordBroken` unless each names the last."""
        return tuple(snapshot for snapshot, _ in self._checked())

    def last(self) -> Previous | None:
        """The newest, as the next one names it. Raises `TrackRecordBroken`."""
        newest = None
        for snapshot, digest in self._checked():
            newest = Previous(snapshot.date, digest)
        return newest

    def add(self, snapshot: Snapshot) -> Path:
        """Put the day's file in place, for good: its `previous` is `last()`.

        Raises `TakenAlready`, OSError, RightsTooOpen.
        """
        self.require_new(snapshot)
        make_private_folder(self.folder)
        make_private_folder(self.snapshots)
        path = self.snapshots / f"{snapshot.date}.json"
        partial = self.snapshots / f".{path.name}.partial"
        content = encoded(snapshot)
        _write(partial, content)
        try:
            os.link(partial, path)  # which, unlike a rename, takes no other's place
        finally:
            partial.unlink()
        sync_folder(self.snapshots)
        write_whole(self.folder / LATEST, content)
        return path

    def require_new(self, snapshot: Snapshot) -> None:
        """Raise `TakenAlready` unless it is of a later day than all that are there."""
        before = snapshot.previous
        if before is not None and before.date >= snapshot.date:
            raise TakenAlready(
                f"{self.snapshots}: found a snapshot of {before.date}, wanted to add one of"
                f" {snapshot.date}; what is there is never changed"
            )

    def _checked(self) -> Iterator[tuple[Snapshot, str]]:
        expected: Previous | None = None
        for path in self._files():
            content = path.read_bytes()
            try:
                snapshot = decoded(content)
            except (UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
                raise TrackRecordBroken(f"{path}: found no snapshot ({error})") from error
            if f"{snapshot.date}.json" != path.name:
                raise TrackRecordBroken(f"{path}: found the day {snapshot.date}, wanted its own")
            if snapshot.previous != expected:
                raise TrackRecordBroken(
                    f"{path}: found {_named(snapshot.previous)} before it, wanted"
                    f" {_named(expected)}: a snapshot was changed, added or taken away"
                )
            digest = sha256_of(content)
            expected = Previous(snapshot.date, digest)
            yield snapshot, digest

    def _files(self) -> list[Path]:
        if not self.snapshots.is_dir():
            return []
        return sorted(path for path in self.snapshots.iterdir() if _NAME.fullmatch(path.name))


def write_whole(path: Path, content: bytes) -> None:
    """In the place of what is there, at once. Raises OSError."""
    partial = path.with_name(f".{path.name}.partial")
    _write(partial, content)
    partial.replace(path)
    sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, _NEW, FILE_RIGHTS), "wb") as file:
        file.write(content)
        file.flush()
        sync_file(file.fileno())


def _named(previous: Previous | None) -> str:
    return "none" if previous is None else f"{previous.date} ({previous.sha256[:12]})"
