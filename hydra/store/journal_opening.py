"""Opening a journal: what is there is proven, before anything is written to it."""

import os
from pathlib import Path

import msgspec

from hydra.ports import LedgerMark
from hydra.store.journal_files import (
    NEW_FILE,
    FileEnd,
    JournalDamaged,
    JournalFailed,
    files_of,
    first_record,
    link_fault,
    require_no_file_missing,
    segments_of,
)
from hydra.store.journal_line import seq_of
from hydra.store.journal_tail import MARK_EVERY_BYTES, Tail, tail_of, tail_of_segment
from hydra.store.private_files import FILE_RIGHTS, make_private_folder, require_private_file

_ANY_FILE = NEW_FILE & ~os.O_EXCL


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A live file that may be written to, and what is known of it."""

    descriptor: int
    size: int
    """Of its whole lines."""
    torn_bytes: int
    """What comes after them and must be cut."""
    first_seq: int
    last_seq: int
    kept_from: int
    """The first line of the journal that was not pruned."""
    before: FileEnd | None
    """What the live file goes on from."""
    lacks_link: bool
    """It has no line yet, and must begin with one that says what it goes on from."""
    live_file: str | None
    """`missing` or `empty` if a file was to be begun and was not: a crash, or somebody took it."""
    mark: LedgerMark | None
    mark_due: int
    """Where the file must not grow to without another line with the mark."""


class JournalEnd(msgspec.Struct, frozen=True):
    """Where a journal ends: its last whole line, and the newest mark of the ledger in it."""

    last_seq: int
    mark: LedgerMark | None


def journal_end(path: Path) -> JournalEnd:
    """Where the journal ends as it was left; line 0 if nothing is there. Changes nothing.

    To be compared with what others saw of it before `JournalFile.open`, which adds lines where it
    makes good what a crash left: they could stand where lines were lost. Raises what `opened` does.
    """
    if not path.parent.is_dir() or not files_of(path):
        return JournalEnd(0, None)
    if path.exists():
        found = opened(path, 1)
        os.close(found.descriptor)
        return JournalEnd(found.last_seq, found.mark)
    try:
        segments = segments_of(path)
        newest = tail_of_segment(segments[-1])
        require_no_file_missing(segments)
    except OSError as error:
        raise JournalFailed(f"cannot read the journal {path}: {error}") from error
    assert newest.end is not None, "tail_of_segment looked at it"
    return JournalEnd(newest.end.seq, newest.mark)


def opened(path: Path, first_seq: int) -> Opened:
    """Open or create the live file `path`; a journal of which nothing is there gets `first_seq`.

    Changes nothing that is there. Raises JournalDamaged, RightsTooOpen, JournalFailed.
    """
    try:
        make_private_folder(path.parent)
        segments = segments_of(path)
        newest = tail_of_segment(segments[-1]) if segments else None
        was_there = path.exists()
        descriptor = os.open(path, _ANY_FILE, FILE_RIGHTS)
    except OSError as error:
        raise JournalFailed(f"cannot open the journal {path}: {error}") from error
    try:
        require_private_file(path, os.fstat(descriptor))
        live = tail_of(path, descriptor)
        if live.end is None:
            return _to_be_begun(descriptor, first_seq, segments, newest, live, was_there=was_there)
        return _to_go_on(descriptor, path, segments, newest, live)
    except OSError as error:
        os.close(descriptor)
        raise JournalFailed(f"cannot open the journal {path}: {error}") from error
    except BaseException:
        os.close(descriptor)
        raise


def _to_be_begun(
    descriptor: int,
    first_seq: int,
    segments: list[Path],
    newest: Tail | None,
    live: Tail,
    *,
    was_there: bool,
) -> Opened:
    before = None if newest is None else newest.end
    if before is not None:
        first_seq = before.seq + 1
    return Opened(
        descriptor=descriptor,
        size=0,
        torn_bytes=live.torn_bytes,
        first_seq=first_seq,
        last_seq=first_seq - 1,
        kept_from=require_no_file_missing(segments) if segments else first_seq,
        before=before,
        lacks_link=first_seq > 1,
        live_file=None if before is None else "empty" if was_there else "missing",
        mark=None if newest is None else newest.mark,
        mark_due=0,
    )


def _to_go_on(
    descriptor: int, path: Path, segments: list[Path], newest: Tail | None, live: Tail
) -> Opened:
    assert live.end is not None, "it was looked at"
    before = None if newest is None else newest.end
    first = first_record(path)
    fault = link_fault(first, before)
    if fault is not None:
        raise JournalDamaged(path, 1, 0, fault)
    if live.mark is not None or newest is None:
        mark, mark_due = live.mark, live.marked_bytes + MARK_EVERY_BYTES
    else:
        mark, mark_due = newest.mark, 0
    return Opened(
        descriptor=descriptor,
        size=live.whole_bytes,
        torn_bytes=live.torn_bytes,
        first_seq=seq_of(first),
        last_seq=live.end.seq,
        kept_from=require_no_file_missing([*segments, path]),
        before=before,
        lacks_link=False,
        live_file=None,
        mark=mark,
        mark_due=mark_due,
    )
