"""The pack as a folder: its files, and a manifest by which it is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

MANIFEST = "manifest.json"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was written."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All files of the pack, by name; `at` and `code` are those of the pack."""

    at: str
    code: str
    files: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]*$")], Listed]


class NotAPack(OSError):
    """The folder has files that no pack has left; nothing was written over them."""


def write_pack(folder: Path, files: Mapping[str, bytes], *, at: str, code: str) -> str:
    """Write them, and their manifest last; gives the manifest's own hash.

    What an earlier pack has left there goes first. Raises `NotAPack`, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: _listed(content) for name, content in sorted(files.items())}
    manifest = msgspec.json.encode(Manifest(at=at, code=code, files=listed))
    written = msgspec.json.format(manifest, indent=2) + b"\n"
    (folder / MANIFEST).write_bytes(written)
    return hashlib.sha256(written).hexdigest()


def faults_in(folder: Path) -> Iterator[str]:
    """What is not as it was written, a line each. Raises OSError."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        yield f"{path}: found none; wanted the manifest of a pack"
        return
    except msgspec.MsgspecError as error:
        yield f"{path}: found no manifest ({error})"
        return
    there = set(_names_in(folder)) - {MANIFEST}
    for name, listed in manifest.files.items():
        if name not in there:
            yield f"{folder / name}: found none; it is in the manifest"
        elif _listed((folder / name).read_bytes()) != listed:
            yield f"{folder / name}: found another content than the manifest's"
    for name in sorted(there - set(manifest.files)):
        yield f"{folder / name}: found a file that is not in the manifest"


def hash_of_manifest(folder: Path) -> str:
    """By which the whole pack is known: its manifest names every file. Raises OSError."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _clear(folder: Path) -> None:
    names = _names_in(folder)
    if not names:
        return
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.MsgspecError) as error:
        raise NotAPack(f"{folder}: found {names[0]} and no manifest; wanted an empty folder, or one"
                       " with an earlier pack") from error  # fmt: skip
    strange = [name for name in names if name not in manifest.files and name != MANIFEST]
    if strange:
        raise NotAPack(f"{folder}: found {strange[0]}, which is of no pack; move it away")
    for name in manifest.files:
        (folder / name).unlink(missing_ok=True)
    (folder / MANIFEST).unlink()


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _listed(content: bytes) -> Listed:
    return Listed(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
