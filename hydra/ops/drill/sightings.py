"""What an engine leaves on the disk while it runs, looked at from outside, again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec
import orjson

from hydra.store.engine_files import EngineFiles
from hydra.store.events import HaltLatched, LedgerEvent, decoded
from hydra.store.halt_marker import Halted, read_halt_marker
from hydra.store.looking import looked_at
from hydra.trading.trading_state import Cause

E = TypeVar("E")


class Sight(msgspec.Struct, frozen=True):
    """Something came to be between two looks, at these moments (monotonic seconds)."""

    not_before: float
    """The last look that did not see it yet."""
    by: float
    """The end of the first one that did."""


class Sightings:
    """Of one state folder, from its first engine on. A look sees only what is new."""

    def __init__(self, files: EngineFiles) -> None:
        self._files = files
        self._seq = 0
        self._events: list[LedgerEvent] = []
        self._tail = _Tail(files.journal)

    def events(self, kind: type[E]) -> tuple[E, ...]:
        """All events of this kind that are in the ledger, durable, in their order."""
        self._look_at_ledger()
        return tuple(event for event in self._events if isinstance(event, kind))

    def halts(self, code: str) -> tuple[Cause, ...]:
        """The halts in the ledger whose code begins so."""
        latched = self.events(HaltLatched)
        return tuple(each.cause for each in latched if each.cause.code.startswith(code))

    def lines(self, event: str) -> tuple[dict[str, Any], ...]:
        """All lines of the journal that say this."""
        return tuple(line for line in self._tail.lines() if line["event"] == event)

    def all_lines(self) -> tuple[dict[str, Any], ...]:
        """The whole journal, as far as it has whole lines."""
        return self._tail.lines()

    @property
    def marked_halt(self) -> Cause | None:
        """The halt that the marker has; None: it has none, or cannot be read now."""
        found = read_halt_marker(self._files.halt_marker)
        return found.cause if isinstance(found, Halted) else None

    def _look_at_ledger(self) -> None:
        if not self._files.ledger.exists():
            return

        def look(connection: apsw.Connection) -> list[tuple[int, Any]]:
            if connection.pragma("user_version") == 0:
                return []  # it is being made
            rows = connection.execute(
                "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq", (self._seq,)
            )
            return [(seq, body) for seq, body in rows]

        for seq, body in looked_at(self._files.ledger, self._files.lock, look):
            self._seq = seq
            self._events.append(decoded(body))


class _Tail:
    """The lines of a file that only grows; one without its end is not there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._lines: list[dict[str, Any]] = []

    def lines(self) -> tuple[dict[str, Any], ...]:
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._offset += len(whole)
            self._lines += [orjson.loads(line) for line in whole.splitlines()]
        return tuple(self._lines)
