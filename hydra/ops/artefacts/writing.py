"""Writes a session's bundle while it runs, by following the journal in a thread of its own.

Nobody who trades knows of it: it reads what is on the disk already. So it can be slow, or fail, and
cost no more than the bundle's freshness; what it did not write is made up for when it is closed.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import story
from hydra.ops.artefacts.following import JournalTail
from hydra.ops.artefacts.opening import Opening, first_line
from hydra.ops.artefacts.page import page_of
from hydra.ops.artefacts.provenance import Provenance
from hydra.ops.artefacts.report import Told, as_state, report_of
from hydra.ops.artefacts.rows import COLUMNS, Row, as_rows, header
from hydra.ops.artefacts.unhurt import Unhurt

POLL_S = 0.5
PAGE_EVERY_S = 10.0
PAGE_SHARE = 100
"""At most so many parts of the time, one is spent on the page."""


class BundleWriter:
    """One bundle, from its first line to the moment it is closed."""

    def __init__(
        self, folder: Path, provenance: Provenance, opening: Opening, journal: Path
    ) -> None:
        self._folder = folder
        self._provenance = provenance
        self._opening = opening
        self._told = Told(opening)
        self._tail = JournalTail(journal, opening.journal_seq)
        self._page_due = 0.0
        self._has_news = True

    def begin(self) -> None:
        """Everything that there is at the beginning."""
        for file in COLUMNS:
            files.append(self._folder / file, header(file))
        self._write([first_line(self._opening, self._provenance.began_at)])
        self._write_page()

    def step(self) -> None:
        """Write down what came since the last step. Raises OSError."""
        lines = self._tail.read()
        if lines:
            self._write(lines)
        if self._has_news and monotonic() >= self._page_due:
            began = monotonic()
            self._write_page()
            took = monotonic() - began
            self._page_due = monotonic() + max(PAGE_EVERY_S, PAGE_SHARE * took)

    def close(self) -> None:
        """Closing twice does nothing."""
        self._tail.close()

    def _write(self, lines: list[story.Line]) -> None:
        """The story first: what is not in it is not told."""
        files.append(self._folder / files.STORY, b"".join(map(story.encoded, lines)))
        rows: dict[str, list[Row]] = defaultdict(list)
        for line in lines:
            for file, row in self._told.take(line):
                rows[file].append(row)
        for file, new in rows.items():
            files.append(self._folder / file, as_rows(new))
        self._has_news = True

    def _write_page(self) -> None:
        report = report_of(self._provenance, self._told)
        files.replace(self._folder / files.STATE, as_state(report))
        files.replace(self._folder / files.PAGE, page_of(report).encode())
        self._has_news = False


class Following:
    """Has a bundle written until it is told to stop; a failure is said once, and ends it."""

    def __init__(self, writer: BundleWriter, unhurt: Unhurt, before: Callable[[], None]) -> None:
        """`before` is done first of all, in the thread."""
        self._writer = writer
        self._unhurt = unhurt
        self._before = before
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session-bundle", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Whether it has stopped; what it had not written yet is not written any more."""
        self._stopping.set()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._unhurt.do(
            "the session goes on; its bundle is not written before its end", self._follow
        )

    def _follow(self) -> None:
        self._before()
        try:
            while not self._stopping.wait(POLL_S):
                self._writer.step()
        finally:
            self._writer.close()
