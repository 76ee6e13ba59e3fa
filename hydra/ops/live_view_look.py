"""What the live view shows, looked up in a running engine from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hydra.actor import MINUTE
from hydra.ops.control.configuring import Reloading
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.reporting import StatusReport
from hydra.ops.debug.asking import Caller, shown_by
from hydra.ops.debug.describing import utc_text
from hydra.ops.debug.looking import NoArguments
from hydra.ops.last_decisions import LastDecisions
from hydra.ops.live_view import Look
from hydra.runtime.runtime import Runtime
from hydra.trading.durations import DAY, MILLISECOND
from hydra.trading.sessions import Hours, Window
from supervisors import paths

CALLER = Caller("live view", runs_simulation=False)
EXIT_BOT_WITHIN = 100 * MILLISECOND
AHEAD = 8 * DAY
"""Further than this nobody plans: a long weekend and a day."""

Entering = tuple[Window, Hours]
"""When a bot may enter: its own window, and the hours of what it trades."""


class LiveLook:
    """One look after the other. `windows` gives when each bot may enter, as it is in force now."""

    def __init__(
        self,
        runtime: Runtime,
        facts: EngineFacts,
        reload: Reloading,
        windows: Callable[[], Mapping[str, Entering]],
        journal: Path,
    ) -> None:
        self._runtime = runtime
        self._report = StatusReport(facts, reload)
        self._windows = windows
        self._opening: dict[str, Opening] = {}
        self._of_configuration = ""
        self._tail = LastDecisions(journal)

    def __call__(self, said: str) -> Look:
        """Ask those of the engine who know, none of them for long; `said`: see `Look`."""
        told = self._report.status(self._runtime, NoArguments(), CALLER)
        self._tail.read()
        return Look(
            told=told,
            hours=self._hours(told),
            words=self._tail.words,
            protected=self._protected(),
            decisions=tuple(self._tail.decisions),
            said=said,
        )

    def _hours(self, told: Mapping[str, Any]) -> Mapping[str, str]:
        now = self._runtime.market_time_at(self._runtime.now())
        digest = str(told["versions"]["configuration"])
        is_stale = any(
            each.changes_at is not None and now >= each.changes_at
            for each in self._opening.values()
        )
        if is_stale or digest != self._of_configuration:
            self._of_configuration = digest
            windows = self._windows()
            opening = {when: opening_of(*when, now) for when in set(windows.values())}
            self._opening = {bot: opening[when] for bot, when in windows.items()}
        return {bot: opening.words(now) for bot, opening in self._opening.items()}

    def _protected(self) -> Mapping[str, str]:
        """In the exit bot's words; nothing of what it does not say."""
        view = shown_by(self._runtime, paths.bot("exit_bot"), EXIT_BOT_WITHIN, CALLER)
        lines = view.get("lines")
        return lines if isinstance(lines, Mapping) else {}


class Opening(msgspec.Struct, frozen=True):
    """Whether a bot may enter, and until when that is so; None: for as long as anybody plans."""

    is_open: bool
    changes_at: int | None

    def words(self, now: int) -> str:
        """Short, in UTC."""
        if self.changes_at is None:
            return "round the clock" if self.is_open else "no session ahead"
        at = utc_text(self.changes_at)
        day = "" if at[:10] == utc_text(now)[:10] else f"{at[5:10]} "
        return f"until {day}{at[11:16]}" if self.is_open else f"from {day}{at[11:16]}"


def opening_of(window: Window, hours: Hours, now: int) -> Opening:
    """Whether both are open at `now` (UTC ns), and the minute at which that changes."""

    def is_open(at: int) -> bool:
        return hours.at(at) is not None and window.contains(at)

    begins_open = is_open(now)
    minute = now - now % MINUTE
    for at in range(minute + MINUTE, minute + AHEAD, MINUTE):
        if is_open(at) is not begins_open:
            return Opening(begins_open, at)
    return Opening(begins_open, None)
