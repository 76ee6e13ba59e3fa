"""A whole journal, read from its first line to its last, and held against the ledger's chain."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from hydra.ports import LedgerMark
from hydra.store.journal_files import files_of
from hydra.store.journal_line import mark_in, seq_of
from hydra.store.journal_reading import Finding, everything_in

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Is told what is done, how far it is, and how far it will go, where that is known."""

ATTEMPTS = 5
LINES_BETWEEN_TELLING = 2_000


class MarkAt(msgspec.Struct, frozen=True):
    """A mark of the ledger, and the journal's line that has it."""

    line: int
    mark: LedgerMark


class JournalRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal says. `lines` counts whole ones; of a journal without any the seqs are 0."""

    files: int
    lines: int
    first_seq: int
    last_seq: int
    marks: int
    """How many different ones."""
    newest: MarkAt | None
    differing: MarkAt | None
    """The first mark with another link than the ledger has at its event."""
    beyond: tuple[MarkAt, ...]
    """Marks of events that the ledger did not have."""
    findings: tuple[Finding, ...]

    @property
    def damage(self) -> tuple[Finding, ...]:
        """What needs a person."""
        return tuple(each for each in self.findings if not each.is_left_by_a_crash)


def journal_read(
    path: Path, link_at: Callable[[int], str | None], progress: Progress
) -> JournalRead:
    """Read all of it, also while it is written: what is found while files are renamed or pruned
    does not count, and all is read again. `link_at` gives the link of a ledger's event.

    Raises FileNotFoundError if nothing is there, OSError if it cannot be read.
    """
    for attempt in range(1, ATTEMPTS + 1):
        before = _names(path)
        try:
            found = _read_once(path, link_at, progress)
        except FileNotFoundError:
            if attempt == ATTEMPTS or _names(path) == before:
                raise
            continue
        if not found.damage or _names(path) == before or attempt == ATTEMPTS:
            return found
    raise AssertionError("the last attempt returns or raises")


def _names(path: Path) -> list[tuple[str, int]]:
    try:
        return [(file.name, file.stat().st_ino) for file in files_of(path)]
    except FileNotFoundError:
        return []


def _read_once(path: Path, link_at: Callable[[int], str | None], progress: Progress) -> JournalRead:
    files = len(files_of(path))
    lines = first_seq = last_seq = marks = 0
    last: LedgerMark | None = None
    newest: MarkAt | None = None
    differing: MarkAt | None = None
    beyond: list[MarkAt] = []
    findings: list[Finding] = []
    for item in everything_in(path):
        if isinstance(item, Finding):
            findings.append(item)
            continue
        lines += 1
        seq = seq_of(item)
        last_seq = max(last_seq, seq)
        first_seq = first_seq or seq
        if lines % LINES_BETWEEN_TELLING == 0:
            progress("journal", lines, None)
        mark = mark_in(item)
        if mark is None or mark == last:
            continue  # a mark is repeated every now and then
        last = mark
        marks += 1
        here = MarkAt(seq, mark)
        if newest is None or mark.seq >= newest.mark.seq:
            newest = here
        link = link_at(mark.seq)
        if link is None:
            beyond.append(here)
        elif link != mark.chain and differing is None:
            differing = here
    return JournalRead(
        files=files,
        lines=lines,
        first_seq=first_seq,
        last_seq=last_seq,
        marks=marks,
        newest=newest,
        differing=differing,
        beyond=tuple(beyond),
        findings=tuple(findings),
    )
