"""One look at an engine from outside: what it answers, who has its record, what its journal got."""

from __future__ import annotations

import time
from contextlib import suppress

import apsw
import msgspec

from hydra.ops.alerts.conditions import Line, Seen
from hydra.ops.artefacts.following import JournalTail
from hydra.ops.control.place import Place, holder_of
from hydra.ops.health import look_at
from hydra.runtime.life import in_words
from hydra.store.journal_files import JournalDamaged, JournalFailed
from hydra.store.journal_opening import journal_end
from hydra.store.ledger_facts import NoLedger
from hydra.store.private_files import RightsTooOpen
from hydra.store.record import RECORD_REFUSED
from hydra.store.schema import NewerThanThisHydra
from hydra.trading.findings import Finding

AT_REST_EVERY_S = 60.0
"""Reading the record of an engine that is gone may take a second where that is long."""


class Looking:
    """Looks at the engine of one place, again and again."""

    def __init__(self, place: Place, journal_seq: int | None = None) -> None:
        """`journal_seq`: the last line that was seen before; None: none was."""
        self._place = place
        self._journal_seq = journal_seq
        self._tail: JournalTail | None = None
        self._at_rest: tuple[float, int | None, bool | None] | None = None
        """When its record was read, since when its lock was as it was then, and how it ended."""

    def close(self) -> None:
        """Look no more."""
        if self._tail is not None:
            self._tail.close()

    def look(self) -> Seen:
        """One look, as a rule within two seconds. What cannot be looked at is a finding."""
        lines = self._lines()
        try:
            found, holder = look_at(self._place), holder_of(self._place)
        except (OSError, RightsTooOpen) as error:
            line = f"nobody can see whether one runs: {in_words(error)}"
            unseen = Finding("engine", False, line)
            return Seen(findings=(unseen,), lines=lines, journal_seq=self._journal_seq)
        if found.told is not None:
            self._at_rest = None
        ended = self._ended_in_order() if found.told is None and holder is None else None
        return Seen(
            findings=found.findings,
            told=found.told,
            process=None if holder is None else str(holder),
            ended_in_order=ended,
            lines=lines,
            journal_seq=self._journal_seq,
        )

    def _lines(self) -> tuple[Line, ...]:
        """Those since the last look. None at the very first, nor where they cannot be read: what
        lasts is seen without them, and a damaged journal is a fault of the record.
        """
        journal = self._place.files.journal
        with suppress(OSError, JournalDamaged, JournalFailed, RightsTooOpen):
            if self._tail is None:
                last_seq = journal_end(journal).last_seq
                # A number that this journal has not come to yet is of another one.
                known = last_seq if self._journal_seq is None else self._journal_seq
                self._tail = JournalTail(journal, min(known, last_seq) + 1, begins_anew=True)
            lines = tuple(self._tail.read())
            self._journal_seq = self._tail.next_seq - 1
            return lines
        return ()

    def _ended_in_order(self) -> bool | None:
        """How the last engine ended; None: nobody knows."""
        now, began_at = time.monotonic(), self._lock_written_at()
        known = self._at_rest
        # One may have begun and ended between two looks: each start writes into its lock.
        if known is None or now - known[0] > AT_REST_EVERY_S or known[1] != began_at:
            self._at_rest = known = now, began_at, self._read_at_rest()
        return known[2]

    def _lock_written_at(self) -> int | None:
        try:
            return self._place.files.lock.stat().st_mtime_ns
        except OSError:
            return None

    def _read_at_rest(self) -> bool | None:
        from hydra.ops.control.recorded import status_at_rest

        try:
            told = status_at_rest(self._place.files, self._place.venue)
        except RECORD_REFUSED:
            return None
        except (NewerThanThisHydra, NoLedger, OSError, apsw.Error, msgspec.MsgspecError):
            return None
        ended: bool | None = told["ended_in_order"]
        return ended
