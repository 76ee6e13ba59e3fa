"""A disk that a test may fill: an ext4 file system in a file. It takes rights to mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BALLAST = "ballast"
MKFS_WITHIN_S = 60.0


class SmallDisk:
    """The disk at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / BALLAST

    def fill(self) -> None:
        """No byte is free any more."""
        with self._ballast.open("wb") as ballast:
            step = 1 << 26
            while step >= 1 << 12:
                size = os.fstat(ballast.fileno()).st_size
                try:
                    os.posix_fallocate(ballast.fileno(), size, step)
                except OSError:
                    step //= 2

    def take_all_names(self) -> None:
        """There is room, but not for one more file: the table of inodes is full."""
        self._ballast.mkdir()
        with suppress(OSError):
            for number in range(1 << 20):
                (self._ballast / str(number)).touch()
            raise AssertionError("it never ends")

    def free(self) -> None:
        """As it was."""
        if self._ballast.is_dir():
            for path in self._ballast.iterdir():
                path.unlink()
            self._ballast.rmdir()
        else:
            self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(image: Path, folder: Path, *, mib: int, inodes: int) -> Iterator[SmallDisk]:
    """Mounted at `folder` in the block. Skips the test where that is not allowed."""
    with image.open("wb") as file:
        file.truncate(mib << 20)
    folder.mkdir()
    # Nothing is kept back for root, who would still find room on a disk that is full.
    made = said_by("mkfs.ext4", "-q", "-m", "0", "-N", str(inodes), str(image))
    made = made or said_by("mount", "-o", "loop", str(image), str(folder))
    if made:
        pytest.skip(f"needs a disk of its own: {made}")
    try:
        yield SmallDisk(folder)
    finally:
        # Processes that are on their way out may still have a file open there.
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=MKFS_WITHIN_S)


def said_by(*words: str) -> str:
    """What a command complains of; "" if it worked."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=MKFS_WITHIN_S, check=False
        )
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"{words[0]} failed"
