"""Looks at an engine for the page, as long as somebody looks at that.

However many look, the engine is asked once: what it told is good for all of them (I87).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from hydra.ops.alerts.kept import KeptFiles
from hydra.ops.control.place import Place
from hydra.ops.dashboard.curve import Curve
from hydra.ops.dashboard.picture import Alerts, Glimpse, Tree, picture_of
from hydra.ops.debug.client import CommandFailed, DebugClient, NoEngine
from hydra.ops.health import NO_ENGINE, NOT_WELL, Look, look_at
from hydra.ops.last_decisions import LastDecisions
from hydra.ops.offline import Ended
from hydra.ops.status import told_without_engine
from hydra.ops.surfaces.reading import Surface, surfaces_in
from hydra.runtime.life import in_words
from hydra.store.private_files import RightsTooOpen
from hydra.trading.findings import Finding

LOOK_EVERY_S = 1.0
CURVE_EVERY_S = 5.0
"""As often as the engine writes what it is worth."""
WATCHED_FOR_S = 10.0
"""After somebody has asked: a page asks every second."""
ON_RECORD_EVERY_S = 10.0
"""To read the record of an engine that is gone may take a second where that is long."""
TREE_WITHIN_S = 1.0
ACTORS_MAX = 300
"""Of a tree that has more the rest is counted."""
TOLD = 20


class Shown(msgspec.Struct, frozen=True):
    """One look, as the page reads it. `looked_at` is of the machine's monotonic clock (s)."""

    content: bytes
    looked_at: float

    def age_s(self, now: float) -> float:
        """How long ago that was."""
        return now - self.looked_at


class _OnRecord(msgspec.Struct, frozen=True):
    """What was read (`told`) where no engine answered, for this reason; or what kept us from it."""

    read_at: float
    why: str
    told: Mapping[str, Any] | None
    fault: str | None = None


NOTHING_READ = _OnRecord(0.0, "", None)


class Looker:
    """Looks again and again, on a thread of its own."""

    def __init__(self, place: Place) -> None:
        """Nothing is looked at before `start`."""
        self._place = place
        self._decisions = LastDecisions(place.files.journal)
        self._curve = Curve()
        self._on_record: _OnRecord | None = None
        self._asked_at = -WATCHED_FOR_S
        self._shown: Shown | None = None
        self._changed = threading.Condition()
        self._is_closed = self._is_wanted = False
        self._thread = threading.Thread(target=self._keep_looking, name="looker", daemon=True)

    def start(self) -> None:
        """Look, until `close`."""
        self._asked_at += time.monotonic()
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether there will be another look."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Look no more. A look that hangs is left behind."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(LOOK_EVERY_S)

    def newest(self, within_s: float) -> Shown | None:
        """The newest look, waited for where it is of before anybody was watching; None: there is
        none yet.
        """
        with self._changed:
            now = time.monotonic()
            is_first = now - self._asked_at > WATCHED_FOR_S
            self._asked_at = now
            if is_first:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_closed or self._is_of(now), within_s)
            return self._shown

    def look_soon(self) -> None:
        """Something was done to the engine: whoever looks should not see what was before."""
        with self._changed:
            self._is_wanted = True
            self._changed.notify_all()

    def _is_of(self, moment: float) -> bool:
        return self._shown is not None and self._shown.looked_at >= moment

    def _keep_looking(self) -> None:
        while True:
            surfaces = surfaces_in(self._place.files.surfaces)
            self._add_to_curve(surfaces)
            if time.monotonic() - self._asked_at <= WATCHED_FOR_S:
                began = time.monotonic()
                content = msgspec.json.encode(picture_of(self._look(surfaces)))
                with self._changed:
                    self._shown = Shown(content, began)
                    self._changed.notify_all()
            if self._is_over(time.monotonic()):
                return

    def _is_over(self, now: float) -> bool:
        """Wait for the next look; or, where nobody watches, until somebody does."""
        with self._changed:
            is_watched = now - self._asked_at <= WATCHED_FOR_S
            if is_watched:
                self._changed.wait_for(lambda: self._is_closed or self._is_wanted, LOOK_EVERY_S)
            else:
                self._changed.wait_for(
                    lambda: self._is_closed or self._asked_at > now, CURVE_EVERY_S
                )
            if self._is_wanted:
                self._on_record = None  # what was done may be on it
            self._is_wanted = False
            return self._is_closed

    def _add_to_curve(self, surfaces: tuple[Surface, ...]) -> None:
        for each in surfaces:
            if each.name == "nav" and each.document is not None and each.fault is None:
                of = f"{each.document.get('venue')} {each.document.get('account')}"
                at, equity = each.document.get("market_time"), each.document.get("equity")
                if isinstance(at, str) and isinstance(equity, str):
                    self._curve.take(of, at, equity)

    def _look(self, surfaces: tuple[Surface, ...]) -> Glimpse:
        place = self._place
        try:
            found = look_at(place, at_surfaces=True)
        except (OSError, RightsTooOpen) as error:
            line = f"nobody can see whether one runs: {in_words(error)}"
            found = Look((Finding("engine", False, line),), NOT_WELL)
        told, why = found.told, found.findings[0].line
        on_record = NOTHING_READ if told is not None else self._read(why)
        self._decisions.read()
        return Glimpse(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            venue=place.venue,
            folder=str(place.files.lock.parent.absolute()),
            findings=found.findings,
            surfaces=surfaces,
            told=told,
            none_runs=found.code == NO_ENGINE,
            on_record=on_record.told,
            fault=on_record.fault,
            tree=None if told is None else self._tree(),
            decisions=tuple(self._decisions.decisions),
            words=dict(self._decisions.words),
            alerts=self._alerts(),
            curve=tuple(self._curve.points),
            said=place.said,
        )

    def _read(self, why: str) -> _OnRecord:
        """What is on record where nobody answers, or why that cannot be read."""
        now, kept = time.monotonic(), self._on_record
        if kept is not None and kept.why == why and now - kept.read_at <= ON_RECORD_EVERY_S:
            return kept
        try:
            read = _OnRecord(now, why, told_without_engine(self._place, why))
        except Ended as ended:
            read = _OnRecord(now, why, None, ended.text)
        self._on_record = read
        return read

    def _tree(self) -> Tree | None:
        try:
            with DebugClient(self._place.files.debug_socket, TREE_WITHIN_S) as client:
                found = client.call("tree", limit=ACTORS_MAX)
        except (NoEngine, CommandFailed):
            return None
        try:
            return Tree(found["rows"], found["total"])
        except KeyError:  # another version of the engine
            return None

    def _alerts(self) -> Alerts | None:
        """None where nobody watches, or nobody can read what was told."""
        files = KeptFiles(self._place.files.alerts)
        with suppress(OSError, ValueError):
            if not files.state.exists():
                return None
            kept = files.look()
            standing = [
                {
                    "severity": each.severity.word,
                    "title": each.title,
                    "text": self._place.said.in_words(each.text),
                    "began_at": each.began_at,
                    "came_up": each.came_up,
                    "is_standing": each.is_standing,
                }
                for each in kept.incidents.values()
                if each.told_at is not None
            ]
            return Alerts(standing, files.told(TOLD))
        return None
