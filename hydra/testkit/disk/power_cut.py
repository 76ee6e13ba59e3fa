"""What may be found on a disk after power went, at any moment, in the middle of anything.

The model is what POSIX promises, and no more:

- A file's content is on the platter when a sync of the file came to a good end. Of what was
  written or truncated since, anything may be there: nothing, all, the first part, any of it in any
  order; and of a single write any of its sectors of 512 bytes. Bytes beside a write are untouched
  (SQLite asks for that too: "powersafe overwrite"). Where a later write is there and an earlier
  one is not, the file has zeros, or what it had before, between them.
- A name (made, changed, taken away) is on the platter when a sync of its folder came to a good end;
  a sync of the file does nothing for its name. Of the changes since, any may be there. A rename is
  there or not, in one. Folders themselves are taken to be there.
- A failed sync settles nothing, and what it was for is not written by a later sync that succeeds:
  the system counts it as written (so Linux does). It may have reached the platter, or not.
- What was on the platter stays there: power cuts do not flip bits. (Other faults do: `damage`.)
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from hydra.testkit.disk.log import (
    Acknowledged,
    DiskLog,
    FolderSynced,
    Linked,
    Synced,
    SyncFailed,
    Truncated,
    Unlinked,
    Written,
    folder_of,
    resize,
    write_into,
)

SECTOR_BYTES = 512
FRUITLESS_TRIES = 100
"""After so many, and two for each cut, that gave no new image there are taken to be no more."""


class Style(Enum):
    """What becomes of that which nobody synced."""

    LOST = "none of it is there"
    KEPT = "all of it is there"
    PREFIX = "what came first is there, and the beginning of the next write, in sectors"
    REORDERED = "any of it is there"
    TORN = "any sectors of it are there"


ORDERED = (Style.LOST, Style.KEPT, Style.PREFIX)
"""Those of a disk that keeps the order of writes to a file."""


@dataclass(frozen=True, slots=True)
class Image:
    """The files as they are found. Everything up to `acknowledged` was promised by then."""

    cut: int
    """Power went after so many entries of the log."""
    style: Style
    acknowledged: int
    files: dict[str, bytes]

    def lay_out(self, folder: Path) -> None:
        """Make the folder hold just this, readable by its owner alone."""
        lay_out(self.files, folder)


def lay_out(files: dict[str, bytes], folder: Path) -> None:
    """Make the folder hold just these files, readable by their owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)


def images(
    log: DiskLog,
    seed: int,
    count: int,
    *,
    styles: Sequence[Style] = tuple(Style),
    first_cut: int = 0,
) -> Iterator[Image]:
    """Up to `count` different images, of cuts between `first_cut` and the log's end.

    The same arguments give the same images. Cuts are spread evenly: over all of them again and
    again, or over a sample if there are more cuts than images. Fewer come if there are no more.
    """
    assert count > 0, "an image at least"
    rng = random.Random(seed)
    cuts = range(first_cut, len(log) + 1)
    seen: set[int] = set()
    fruitless = 0
    while fruitless < FRUITLESS_TRIES + 2 * len(cuts):
        chosen = set(cuts) if count >= len(cuts) else set(rng.sample(cuts, count))
        platter = _Platter(log)
        for cut in cuts:
            platter.go_to(cut)
            if cut not in chosen:
                continue
            image = platter.image(rng.choice(styles), rng)
            key = hash((image.acknowledged, *sorted(image.files.items())))
            fruitless += 1
            if key not in seen:
                seen.add(key)
                fruitless = 0
                yield image
            if len(seen) == count:
                return


def image_at(
    log: DiskLog,
    cut: int | None = None,
    style: Style = Style.LOST,
    rng: random.Random | None = None,
) -> Image:
    """An image of a cut; by default, of one now. What the style leaves open `rng` draws: `LOST` and
    `KEPT` leave nothing open, and need none.
    """
    assert rng is not None or style in (Style.LOST, Style.KEPT), "any other style is a choice"
    platter = _Platter(log)
    platter.go_to(len(log) if cut is None else cut)
    return platter.image(style, rng or random.Random(0))


_Change: TypeAlias = Written | Truncated


@dataclass(slots=True)
class _Unsettled:
    """A change that is not on the platter for sure, or lies above one that is not."""

    change: _Change
    is_settled: bool = False
    is_given_up: bool = False


@dataclass(slots=True)
class _File:
    platter: bytearray
    changes: list[_Unsettled] = field(default_factory=list)

    def sync(self) -> None:
        for unsettled in self.changes:
            unsettled.is_settled = not unsettled.is_given_up
        done = 0
        while done < len(self.changes) and self.changes[done].is_settled:
            _apply(self.platter, self.changes[done].change)
            done += 1
        del self.changes[:done]

    def give_up(self) -> None:
        for unsettled in self.changes:
            unsettled.is_given_up = not unsettled.is_settled

    def found(self, style: Style, rng: random.Random, likely: float) -> bytes:
        if not self.changes:
            return bytes(self.platter)
        content = bytearray(self.platter)
        whole = rng.randrange(len(self.changes) + 1) if style is Style.PREFIX else 0
        for number, unsettled in enumerate(self.changes):
            change = unsettled.change
            if unsettled.is_settled or style is Style.KEPT or number < whole:
                _apply(content, change)
            elif style is Style.PREFIX and number == whole:
                _apply_beginning(content, change, rng)
            elif style is Style.REORDERED and rng.random() < likely:
                _apply(content, change)
            elif style is Style.TORN:
                _apply_sectors(content, change, rng, likely)
        return bytes(content)


class _Platter:
    """What is on the platter for sure at a moment of the log, and what may be there besides."""

    def __init__(self, log: DiskLog) -> None:
        self._log = log
        self._at = 0
        self._acknowledged = 0
        self._files = {n: _File(bytearray(found)) for n, found in enumerate(log.found.values())}
        self._names = {name: number for number, name in enumerate(log.found)}
        self._changed_names: list[Linked | Unlinked] = []

    def go_to(self, cut: int) -> None:
        for entry in self._log.entries[self._at : cut]:
            match entry:
                case Written() | Truncated():
                    self._files[entry.file].changes.append(_Unsettled(entry))
                case Synced(file):
                    self._files[file].sync()
                case SyncFailed(file):
                    self._files[file].give_up()
                case Linked() | Unlinked():
                    if isinstance(entry, Linked):
                        self._files.setdefault(entry.file, _File(bytearray()))
                    self._changed_names.append(entry)
                case FolderSynced(folder):
                    self._sync_folder(folder)
                case Acknowledged(number):
                    self._acknowledged = number
        self._at = cut

    def image(self, style: Style, rng: random.Random) -> Image:
        likely = rng.choice(_LIKELY)
        names = dict(self._names)
        kept = self._changed_names
        match style:
            case Style.LOST:
                kept = []
            case Style.KEPT:
                pass
            case Style.PREFIX:
                kept = kept[: rng.randrange(len(kept) + 1)]
            case Style.REORDERED | Style.TORN:
                kept = [change for change in kept if rng.random() < likely]
        for change in kept:
            _rename(names, change)
        files = {name: self._files[file].found(style, rng, likely) for name, file in names.items()}
        return Image(self._at, style, self._acknowledged, files)

    def _sync_folder(self, folder: str) -> None:
        later: list[Linked | Unlinked] = []
        for change in self._changed_names:
            if folder_of(change.name) == folder:
                _rename(self._names, change)
            else:
                later.append(change)
        self._changed_names = later


_LIKELY = (0.1, 0.5, 0.9)
"""Of an image with holes: a few things are there, half of them, or nearly all."""


def _rename(names: dict[str, int], change: Linked | Unlinked) -> None:
    match change:
        case Linked(name, file, instead_of):
            if instead_of is not None and names.get(instead_of) == file:
                del names[instead_of]
            names[name] = file
        case Unlinked(name):
            names.pop(name, None)


def _apply(content: bytearray, change: _Change) -> None:
    match change:
        case Written(_, offset, data):
            write_into(content, offset, data)
        case Truncated(_, size):
            resize(content, size)


def _apply_beginning(content: bytearray, change: _Change, rng: random.Random) -> None:
    if isinstance(change, Written):
        sectors = _sectors(change)
        for offset, data in sectors[: rng.randrange(len(sectors))]:
            write_into(content, offset, data)


def _apply_sectors(content: bytearray, change: _Change, rng: random.Random, likely: float) -> None:
    if isinstance(change, Written):
        for offset, data in _sectors(change):
            if rng.random() < likely:
                write_into(content, offset, data)
    elif rng.random() < likely:
        _apply(content, change)


def _sectors(change: Written) -> list[tuple[int, bytes]]:
    """The write in pieces, each within one sector of the file."""
    _, start, data = change
    first_end = SECTOR_BYTES - start % SECTOR_BYTES
    bounds = [0, *range(first_end, len(data), SECTOR_BYTES), len(data)]
    return [(start + begin, data[begin:end]) for begin, end in pairwise(bounds)]
