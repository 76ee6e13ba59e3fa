"""A folder on the disk to be measured, and the least that keeping anything there costs."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns

from hydra.ops.bench.rows import CouldNotMeasure

PAGE = b"\0" * 4096


@contextmanager
def folder_of_its_own(folder: Path) -> Iterator[Path]:
    """A folder below this one, taken away afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as own:
            yield Path(own)
    except OSError as error:
        raise CouldNotMeasure(f"cannot write below {folder}: {error}") from error


@contextmanager
def one_page(path: Path) -> Iterator[Callable[[], int]]:
    """A function that writes the same page anew and waits for the disk; gives its nanoseconds."""
    with _synced(path, lambda descriptor: os.pwrite(descriptor, PAGE, 0)) as write:
        write()  # the file's size is settled before anything is timed
        yield write


@contextmanager
def appending(path: Path) -> Iterator[Callable[[], int]]:
    """The same, and each page is a new one: the least that keeping something new can cost."""
    with _synced(path, lambda descriptor: os.write(descriptor, PAGE)) as write:
        yield write


@contextmanager
def _synced(path: Path, put: Callable[[int], object]) -> Iterator[Callable[[], int]]:
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def write() -> int:
        began = perf_counter_ns()
        put(descriptor)
        sync(descriptor)
        return perf_counter_ns() - began

    try:
        yield write
    finally:
        os.close(descriptor)
