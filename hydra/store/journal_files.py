"""The files of one journal: the live one, and the full ones beside it, its segments.

The live file bears the journal's name; a full one is renamed to `<stem>.<first seq>.<ending>`. Each
file but the very first begins with a `journal_continued` line, which names the file before it and
that one's last line, and says from which line on everything is kept. So nothing can be taken away,
in the middle or at the beginning, that the rest would not miss.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from hydra.crash_points import reached
from hydra.store.journal_line import MAX_LINE_BYTES, BadLine, record_in, seq_of
from hydra.store.private_files import FILE_RIGHTS
from hydra.store.syncing import sync_folder
from hydra.trading.durations import DAY

CONTINUED = "journal_continued"
PRUNED = "journal_pruned"
NEW_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
KEPT_FOR_NS = 14 * DAY


class JournalFailed(Exception):
    """A record could not be written whole. Trading stops; only a restart may try it again."""


BEGIN_ANEW = (
    "keep the files as they are, and find out what changed them; a ledger that is whole loses"
    " nothing with `hydra-trader backup`, then `hydra-trader restore BACKUP --reason …` of that"
    " very backup: it begins a journal anew, halted, and keeps the old one"
)
"""What to do about a journal that is lost or damaged."""


class JournalDamaged(Exception):
    """The files are not what was written: a line was changed, cut, moved or taken away.

    Nothing is written to them any more; `BEGIN_ANEW` says how to go on.
    """

    def __init__(self, path: Path, line_number: int, offset: int, reason: str) -> None:
        super().__init__(f"{path}, line {line_number} (byte {offset}): {reason}")
        self.path = path
        self.line_number = line_number
        self.offset = offset
        self.reason = reason


class FileEnd(msgspec.Struct, frozen=True):
    """The last line of a file, as the one after it names it."""

    name: str
    seq: int
    crc: str


class Expired(msgspec.Struct, frozen=True):
    """Segments that are kept long enough; everything from `kept_from` on stays."""

    segments: list[Path]
    first_seq: int
    kept_from: int
    size_bytes: int

    def record(self, at: int) -> dict[str, object]:
        """The line that says so."""
        return {
            "ts": at,
            "event": PRUNED,
            "first_seq": self.first_seq,
            "last_seq": self.kept_from - 1,
            "kept_from": self.kept_from,
            "files": len(self.segments),
            "bytes": self.size_bytes,
        }


def segments_of(path: Path) -> list[Path]:
    """The full files of the journal `path`, oldest first."""
    numbered = [
        (int(name[1]), found)
        for found in path.parent.iterdir()
        if (name := _segment_name(path).fullmatch(found.name)) is not None
    ]
    return [found for _, found in sorted(numbered)]


def files_of(path: Path) -> list[Path]:
    """All that is there of the journal `path`, in the order it was written."""
    return [*segments_of(path), *([path] if path.exists() else [])]


def segment_path(path: Path, first_seq: int) -> Path:
    """What the live file `path` is renamed to when it is full."""
    return path.with_name(f"{path.stem}.{first_seq:012d}{path.suffix}")


def first_seq_named(path: Path, segment: Path) -> int:
    """With which line a segment begins, by its name."""
    name = _segment_name(path).fullmatch(segment.name)
    assert name is not None, "it came from segments_of"
    return int(name[1])


def link_to(before: FileEnd | None, first_seq: int, kept_from: int) -> dict[str, object]:
    """The fields of the line with which a file begins that is not the first of the journal.

    `before` is None if there is no file to go on from, only a sequence that others remember.
    """
    return {
        "previous": None if before is None else before.name,
        "previous_seq": first_seq - 1,
        "previous_crc": None if before is None else before.crc,
        "kept_from": kept_from,
    }


def link_fault(record: Mapping[str, object], before: FileEnd | None) -> str | None:
    """What is wrong with the first line of a file that lies behind `before`; None if nothing is."""
    seq, is_link = record["seq"], record.get("event") == CONTINUED
    if before is None:
        return None if is_link or seq == 1 else f"it has seq {seq}, wanted 1"
    if seq != before.seq + 1:
        return f"it has seq {seq}, wanted {before.seq + 1}, to go on after {before.name}"
    if not is_link:
        return f"it does not say what it goes on from; wanted {CONTINUED} after {before.name}"
    found = (record.get("previous"), record.get("previous_seq"), record.get("previous_crc"))
    if found != (before.name, before.seq, before.crc):
        return f"it goes on from another line than the last one of {before.name}"
    return None


def kept_from_in(record: Mapping[str, object]) -> int:
    """From which line on everything is kept, as far as this line says: 1 if it says nothing."""
    kept_from = record.get("kept_from")
    speaks_of_it = record.get("event") in (CONTINUED, PRUNED)
    return kept_from if speaks_of_it and type(kept_from) is int else 1


def first_record(path: Path) -> dict[str, object]:
    """The first line of a file. Raises JournalDamaged if it has none that is whole."""
    with path.open("rb") as file:
        line = file.readline(MAX_LINE_BYTES + 1)
    try:
        return record_in(line)
    except BadLine as error:
        raise JournalDamaged(path, 1, 0, str(error)) from error


def require_no_file_missing(files: Sequence[Path]) -> int:
    """Follow the links from file to file, reading only first lines; gives what is kept from.

    Each of the files has whole lines. Raises JournalDamaged if one of them does not go on from the
    one before it, or if older ones are gone that nobody pruned.
    """
    firsts = [first_record(file) for file in files]
    for number, (file, first) in enumerate(zip(files, firsts, strict=True)):
        before = files[number - 1].name if number else None
        if before is not None and first.get("previous") != before:
            reason = f"it goes on from {first.get('previous')}, but before it lies {before}"
            raise JournalDamaged(file, 1, 0, reason)
    oldest, kept_from = seq_of(firsts[0]), kept_from_in(firsts[-1])
    if oldest > kept_from:
        kept_from = max(kept_from, _last_pruned_in(files[-1]))
    if oldest > kept_from:
        raise JournalDamaged(files[0], 1, 0, missing_beginning(oldest, kept_from))
    return max(oldest, kept_from)


def missing_beginning(oldest: int, kept_from: int) -> str:
    """The words for a journal whose first files were taken away."""
    return (
        f"the journal begins with seq {oldest}, wanted {kept_from}: what lies before was taken"
        " away, and not by pruning"
    )


def expired_segments(path: Path, wall_ns: int, kept_for_ns: int) -> Expired | None:
    """Those that were last written to longer ago than `kept_for_ns`; never the newest one.

    By the file's own time of change, not by the `ts` of its lines: that is market time, and a
    session that plays last year's bars would expire as soon as it was written. The file's time is
    the wall clock's, as `wall_ns` is, so the two can be compared; and copying a file makes it
    younger, which errs on the side of keeping it.
    """
    segments = segments_of(path)
    expired: list[Path] = []
    size_bytes = 0
    for segment in segments[:-1]:
        facts = segment.stat()
        # The first that is young ends it: what is kept has no holes.
        if wall_ns - facts.st_mtime_ns <= kept_for_ns:
            break
        expired.append(segment)
        size_bytes += facts.st_size
    if not expired:
        return None
    return Expired(
        segments=expired,
        first_seq=first_seq_named(path, expired[0]),
        kept_from=first_seq_named(path, segments[len(expired)]),
        size_bytes=size_bytes,
    )


def delete_segments(segments: Sequence[Path]) -> None:
    """The oldest first, so that what is left has no holes wherever this is cut short."""
    for segment in segments:
        reached("journal.prune.before")
        segment.unlink(missing_ok=True)
        reached("journal.prune.after")
    sync_folder(segments[0].parent)


def begin_after(full: Path, path: Path) -> int:
    """Rename the live file `path`, which is on the disk, to `full`; gives a new one's descriptor.

    Raises OSError, also if there is a `full` already.
    """
    # A rename would replace it. Nobody else may write here, so looking first is enough; a hard
    # link could not replace anything, but a crash would leave two names for one file.
    if os.path.lexists(full):
        raise FileExistsError(f"{full} is there already")
    reached("journal.rotate.before_rename")
    path.rename(full)
    sync_folder(path.parent)
    reached("journal.rotate.renamed")
    return os.open(path, NEW_FILE, FILE_RIGHTS)


def what_is_foreign(path: Path, facts: os.stat_result, size: int) -> str | None:
    """Why the file at `path` is not the one of `facts`, with `size` bytes; None if it is.

    Opens nothing.
    """
    try:
        found = path.lstat()
    except OSError as error:
        return f"{path} is not there any more: {error.strerror}"
    if (found.st_dev, found.st_ino) != (facts.st_dev, facts.st_ino):
        return f"{path} is another file than the one that is written to"
    if found.st_size != size:
        return (
            f"{path} has {found.st_size} bytes, wanted {size}: somebody else wrote to it or cut it"
        )
    return None


def _last_pruned_in(path: Path) -> int:
    kept_from = 1
    with path.open("rb") as file:
        for line in file:
            if PRUNED.encode() in line:
                kept_from = max(kept_from, _kept_from(line))
    return kept_from


def _kept_from(line: bytes) -> int:
    try:
        return kept_from_in(record_in(line))
    except BadLine:
        return 1  # reading the whole journal will tell


def _segment_name(path: Path) -> re.Pattern[str]:
    return re.compile(f"{re.escape(path.stem)}\\.([0-9]{{12,}}){re.escape(path.suffix)}", re.ASCII)
