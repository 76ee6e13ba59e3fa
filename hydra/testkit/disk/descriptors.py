"""The descriptors by which this process holds a file, and another thing in their place."""

import os
from collections.abc import Iterator
from pathlib import Path


def descriptors_of(path: Path) -> Iterator[int]:
    """Those by which this process holds the file open."""
    wanted = path.stat()
    for descriptor in range(3, 512):
        try:
            facts = os.fstat(descriptor)
        except OSError:
            continue
        if (facts.st_dev, facts.st_ino) == (wanted.st_dev, wanted.st_ino):
            yield descriptor


def put_in_place_of(path: Path, other: int) -> None:
    """Whoever writes to `path` writes to the descriptor `other` from now on; it is taken over."""
    (descriptor,) = (each for each in descriptors_of(path) if each != other)
    os.dup2(other, descriptor, inheritable=False)
    os.close(other)
