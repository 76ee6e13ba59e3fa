"""The configurations that were in force, as files: what `config rollback` can put back.

Beside the engine's record, a folder for each: the two files as they were to the byte, and what is
to be known of them. Only what an engine has started with, or taken up while it ran, comes here, so
each of them was good; the newest is the last known good one.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from hydra.settings.strict_yaml import SIZE_MAX
from hydra.store.private_files import FILE_RIGHTS, make_private_folder
from hydra.store.syncing import sync_folder

FILES = ("settings.yaml", "bots.yaml")
ABOUT = "about.json"
KEPT = 50
REPLACED = "replaced"

UNREADABLE = (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError)
"""What comes of reading a small JSON file that is not there, or is not what was written."""

Content: TypeAlias = tuple[bytes, bytes]
"""Both files, to the byte, in the order of `FILES`."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is the machine's time (UTC ns) when it came in force, `how` by what."""

    digest: str
    venue: str
    at: int
    how: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration that was in force, and the folder that has its files."""

    folder: Path
    about: About

    @property
    def content(self) -> Content:
        """Its files. Raises OSError."""
        return read_files(self.folder)


def read_files(folder: Path) -> Content:
    """Both files as they are now. Raises OSError; what is no small ordinary file is one too."""
    engine, bots = (_read(folder / name) for name in FILES)
    return engine, bots


def keep(history: Path, content: Content, about: About) -> Path:
    """Put a configuration that is in force beside the others; gives its folder.

    One that is as the newest, to the byte, is there already. Raises OSError and `RightsTooOpen`.
    """
    known = versions(history)
    newest = known[-1] if known else None
    if newest is not None and newest.about.digest == about.digest and newest.content == content:
        return newest.folder
    make_private_folder(history)
    number = 1 if newest is None else int(newest.folder.name) + 1
    folder = history / f"{number:06d}"
    unfinished = history / f".{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_private_folder(unfinished)
    for name, text in zip((*FILES, ABOUT), (*content, msgspec.json.encode(about)), strict=True):
        write_whole(unfinished / name, text)
    unfinished.rename(folder)
    sync_folder(history)
    for old in known[: max(0, len(known) + 1 - KEPT)]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return folder


def versions(history: Path) -> tuple[Version, ...]:
    """All that are there, the oldest first. What cannot be read is left out."""
    if not history.is_dir():
        return ()
    return tuple(_found(history))


def put_back(content: Content, config: Path, history: Path, stamp: str) -> Path:
    """Replace the files in `config`, each whole; gives where those that were there are kept.

    Cut short, some are replaced and some are not: then it is to be done again. Raises OSError.
    """
    kept = history / REPLACED / stamp
    make_private_folder(kept)
    for name in FILES:
        with suppress(FileNotFoundError):
            shutil.copyfile(config / name, kept / name)
    for name, text in zip(FILES, content, strict=True):
        beside = config / f".{name}.new"
        rights = _rights_of(config / name)
        write_whole(beside, text, rights)
        beside.replace(config / name)
    sync_folder(config)
    return kept


def write_whole(path: Path, text: bytes, rights: int = FILE_RIGHTS) -> None:
    """The file with this content and these rights, on the disk when this returns."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, rights), "wb") as file:
        os.fchmod(file.fileno(), rights)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _found(history: Path) -> Iterator[Version]:
    for folder in sorted(history.iterdir()):
        if not (folder.name.isascii() and folder.name.isdecimal()):
            continue
        try:
            about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
            read_files(folder)
        except UNREADABLE:
            continue
        yield Version(folder=folder, about=about)


def _read(path: Path) -> bytes:
    # A pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", os.fspath(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            text = file.read(SIZE_MAX + 1)
    finally:
        os.close(descriptor)
    if len(text) > SIZE_MAX:
        raise OSError(errno.EFBIG, f"is longer than {SIZE_MAX} bytes", os.fspath(path))
    return text


def _rights_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return FILE_RIGHTS
