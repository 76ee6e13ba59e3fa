"""The folder of one bundle, and the folder of all of them: names, and how files are written."""

import hashlib
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path

from hydra.ops.artefacts.rows import COLUMNS
from hydra.store.private_files import FILE_RIGHTS, FOLDER_RIGHTS, make_private_folder

STORY, STATE, PAGE, PROVENANCE = "state.jsonl", "state.json", "session.md", "provenance.json"
LOG = "logs/run.log"
PLOTS = ("equity.svg", "pnl_by_bot.svg")
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-(\d{3,})", re.ASCII)


def begun_folder(runs: Path, day: date) -> Path:
    """A new folder for a session of that day, numbered after all that are there.

    The number counts the starts, whatever their days: sessions of the past are played too.
    """
    make_private_folder(runs)
    number = max((number_of(folder) for folder in bundles_in(runs)), default=0)
    while True:
        number += 1
        folder = runs / f"{day.isoformat()}-{number:03d}"
        with suppress(FileExistsError):  # another engine's, that began in this moment
            folder.mkdir(mode=FOLDER_RIGHTS)
            (folder / LOG).parent.mkdir(mode=FOLDER_RIGHTS)
            return folder


def bundles_in(runs: Path) -> list[Path]:
    """Every bundle, the oldest first."""
    if not runs.is_dir():
        return []
    found = [path for path in runs.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: (number_of(path), path.name))


def number_of(folder: Path) -> int:
    """Which start it was, by the folder's name."""
    name = _NAME.fullmatch(folder.name)
    return int(name[2]) if name else 0


def append(path: Path, content: bytes) -> None:
    """Put whole lines at the end of a file. If not all of it goes, none of it is left."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_RIGHTS)
    try:
        before = os.fstat(descriptor).st_size
        written = 0
        try:
            while written < len(content):
                written += os.write(descriptor, content[written:])
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """The file is the old one or the new one, at every moment."""
    partial = path.with_name(f".{path.name}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(partial, flags, FILE_RIGHTS), "wb") as file:  # noqa: PTH123 (by its descriptor)
        file.write(content)
    partial.replace(path)


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """What names the content of each of these files that is there."""
    return {
        name: hashlib.blake2b((folder / name).read_bytes(), digest_size=16).hexdigest()
        for name in names
        if (folder / name).exists()
    }


NAMED = (*COLUMNS, STATE, STORY, PAGE, LOG, *PLOTS)
"""The files whose contents `provenance.json` names."""
