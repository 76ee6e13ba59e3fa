"""Hot reload: a running engine follows the files of its settings, as far as that is safe.

What is tighter is taken at once, whole, and before the next order. What loosens, and what cannot
change while actors run, waits for a restart; `status` tells of it. What is not fit changes nothing,
and closes entries until the files are fit again (I79). Nothing that happens to the files makes
anything looser: not that they vanish, are saved by half, or cannot be read.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from hydra.actor import ChildSpec
from hydra.ops.config.history import Content
from hydra.ops.mode_watch import ModeWatch
from hydra.ops.reload_source import ConfigSource, Unreadable, name_of
from hydra.ops.reload_tree import (
    CannotTake,
    NotTaken,
    guardian_terms_in,
    held_to,
    replacements,
    take_up,
)
from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.runtime import Runtime
from hydra.settings import Settings, SettingsRefused
from hydra.settings.changes import Change, ReloadVerdict, changes_between, reload_verdict
from hydra.settings.closed_bots import ClosedTo, still_managed
from hydra.settings.strategy_mode import in_mode
from hydra.trading.causes import BAD_RELOAD, BOT_CLOSED
from hydra.trading.strategy_modes import StrategyMode
from hydra.trading.trading_state import Cause
from messages.positions import PositionsReported, ReportPositions
from supervisors import paths

PERIOD_S = 0.5
SOURCE = "reload"

Rebuilt = Callable[[Settings], ChildSpec]
"""The parts list of the running engine, made of other settings."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the files and is not in force. `since` is market time."""

    configuration: str
    changes: tuple[Change, ...]
    verdict: ReloadVerdict
    since: int


class Reload(RepeatedLook):
    """See the module. Looks twice a second; whatever is found has to be found twice in a row."""

    def __init__(
        self,
        runtime: Runtime,
        source: ConfigSource,
        settings: Settings,
        running: ChildSpec,
        rebuilt: Rebuilt,
        modes: ModeWatch,
        *,
        say: Callable[[str], None],
        keep: Callable[[Content, Settings, str], None],
        period_s: float = PERIOD_S,
    ) -> None:
        """`settings` are those of the files at the start, before any mode took something away;
        `running` is what was built of them. `keep` is told what has come in force.
        """
        super().__init__(runtime, name="reload", period_s=period_s)
        self._source = source
        self._base = self._base_in_force = settings
        self._rebuilt = rebuilt
        self._modes = modes
        self._say = say
        self._keep = keep
        self._tree = running
        self._closed: tuple[ClosedTo, ...] = ()
        self._closed_for = ""
        """Why all entries are closed until a restart; empty: they are not."""
        self._lock = threading.Lock()
        self._judged = self._candidate = ""
        """Nothing yet: the files may have changed since the start has read them."""
        self._bad: tuple[str, int] | None = None
        self._died = False
        self._unfinished: Callable[[], bool] | None = None
        """What somebody has not taken, or did not say so, to be tried again; None: all have."""
        self._managed_in = modes.mode if modes.mode is not StrategyMode.FLAT else StrategyMode.NONE
        """In flat, what is held is managed as in the mode before."""
        self.in_force = self._managed = in_mode(settings, modes.mode)
        self.mode_in_force = modes.mode
        self.since = self._now()
        self.pending: Pending | None = None
        self._restart: Callable[[str], None] | None = None

    @property
    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition still holds; see `Conditions.present`."""
        return frozenset({BAD_RELOAD.code}) if self._bad or self._died else frozenset()

    @property
    def running(self) -> ChildSpec:
        """The parts list that is in force, with the terms that the guardian is held to."""
        return self._tree

    @property
    def wants_restart(self) -> str | None:
        """Why the engine is to be started again, which brings what is pending; None: it is not."""
        pending = self.pending
        if pending is None or not pending.verdict.restart_will_do:
            return None
        return pending.verdict.reasons[0]

    def told(self) -> dict[str, Any]:
        """For people and programs: what is in force, and what waits for a restart."""
        pending, bad, word = self.pending, self._bad, self._modes.word
        is_said = word.by != "" and word.mode is self._modes.mode
        return {
            "in_force": self.in_force.digest,
            "since": self.since,
            "refused": None if bad is None else bad[0],
            "refused_since": None if bad is None else bad[1],
            "pending": None if pending is None else [str(each) for each in pending.changes],
            "pending_since": None if pending is None else pending.since,
            "pending_why": [] if pending is None else list(pending.verdict.reasons),
            "wants_restart": self.wants_restart,
            "mode": self.mode_in_force.value,
            "mode_wanted": self._modes.mode.value,
            "mode_why": word.reason if is_said else "as it is configured",
            "mode_by": word.by if is_said else "",
        }

    def on_restart(self, restart: Callable[[str], None]) -> None:
        """`restart(reason)` is called once what is pending is to be brought by a restart, and
        nothing is held and nothing works that would be left alone meanwhile.
        """
        self._restart = restart

    def look_once(self) -> None:
        """Look at the files and at what has halted, and do what follows."""
        with self._lock:
            again = self._unfinished is not None
            if self._modes.look(self.in_force) or again:
                self._follow("strategy mode")
            self._look_at_files(again=again)
            self._ask_for_restart()

    def _ask_for_restart(self) -> None:
        reason, restart = self.wants_restart, self._restart
        if reason is None or restart is None or not self._is_flat():
            return
        self._restart = None
        self._runtime.log("restart_asked", SOURCE, {"reason": reason})
        restart(reason)

    def _is_flat(self) -> bool:
        found = self._runtime.answer_to(paths.RISK_GUARDIAN, ReportPositions(), within=1.0)
        if not isinstance(found, PositionsReported):
            return False
        return not found.is_anything_to_sell and not found.open_orders

    def choose_mode(self, mode: StrategyMode, reason: str, by: str) -> None:
        """An operator's choice: on record first, then in force as far as it is tighter.

        Raises `NotAllowed`, and `NotTaken` if it could not be put on record.
        """
        with self._lock:
            try:
                self._modes.choose(mode, reason, by)
            except NotTaken:
                self._follow("strategy mode")  # what is safer counts, on record or not
                raise
            self._follow("strategy mode")

    def _look_at_files(self, *, again: bool) -> None:
        seen = self._source.look()
        name = name_of(seen)
        if name == self._judged and not again:
            self._candidate = name
            return
        if name != self._candidate:  # half-way through saving, maybe
            self._candidate = name
            return
        if isinstance(seen, Unreadable):
            self._refuse((seen.reason,))
        else:
            try:
                settings = self._source.read()
            except SettingsRefused as refused:
                if name_of(self._source.look()) != name:
                    return
                self._refuse(tuple(str(error) for error in refused.errors))
            else:
                if name_of(self._source.look()) != name:
                    return
                self._accept(seen, settings)
        self._judged = name

    def _refuse(self, errors: tuple[str, ...]) -> None:
        at = self._now()
        detail = f"the changed configuration is refused: {errors[0]}"
        if len(errors) > 1:
            detail += f" (and {len(errors) - 1} more)"
        self._bad = (detail, at)
        self._runtime.log(
            "config_refused",
            SOURCE,
            {"configuration": self.in_force.digest, "errors": errors},
        )
        self._say(f"ALARM: {detail}; what was in force still is, and no position is opened")
        self._halt(BAD_RELOAD.cause(since=at, detail=detail))

    def _accept(self, content: Content, settings: Settings) -> None:
        """The files are fit: whatever was wrong with them is over."""
        self._bad = None
        self._base = settings
        self._modes.configured_in(settings)
        if self._follow("files"):
            self._keep(content, settings, "reload" if self._judged else "start")

    def _follow(self, what: str) -> bool:
        """Take up what the files and the mode say together, if it may be; whether it is in force.

        `what` has changed, for the journal. What was begun is finished first: part of it may be in
        force, and it is tighter than what would be gone back to.
        """
        if self._unfinished is not None and not self._unfinished():
            return False
        mode = self._modes.mode
        wanted = in_mode(self._base, mode, self._managed_in)
        changes = changes_between(self.in_force, wanted)
        if not changes:
            self._pend(self._reopening(wanted))
            return True
        verdict = reload_verdict(changes)
        if verdict.is_taken:
            try:
                return self._take(self._base, wanted, mode, changes, what)
            except CannotTake as cannot:
                verdict = ReloadVerdict(False, (str(cannot),), restart_will_do=True)
        if self._base.digest == self._base_in_force.digest:
            # Only the mode differs, and whoever wanted that has said why.
            word = self._modes.word
            why = f"strategy mode {mode.value} ({word.reason}) comes with a restart"
            verdict = replace(verdict, reasons=(why, *verdict.reasons), restart_will_do=True)
        self._pend(
            Pending(
                configuration=wanted.digest, changes=changes, verdict=verdict, since=self._now()
            )
        )
        if mode.rank > self.mode_in_force.rank:
            self._close_all(f"strategy mode {mode.value} needs a restart")
        return False

    def _take(
        self,
        base: Settings,
        wanted: Settings,
        mode: StrategyMode,
        changes: tuple[Change, ...],
        what: str,
    ) -> bool:
        managed, closed = still_managed(self._managed, wanted)
        tree = self._rebuilt(managed)
        closed = (*self._closed, *closed)
        terms = guardian_terms_in(tree)
        terms = structs.replace(
            terms, configuration=wanted.digest, closed=self._causes(closed, terms.closed)
        )
        if not self._taken_up(held_to(tree, terms)):
            self._unfinished = partial(self._take, base, wanted, mode, changes, what)
            return False
        self._unfinished = None
        before, self.in_force, self._managed = self.in_force.digest, wanted, managed
        self._base_in_force = base
        self._managed_in = self._managed_in if mode is StrategyMode.FLAT else mode
        self.mode_in_force, self._closed, self.since = mode, closed, self._now()
        self._pend(self._reopening(wanted))
        self._runtime.log(
            "config_reloaded",
            SOURCE,
            {
                "configuration": wanted.digest,
                "before": before,
                "what": what,
                "mode": mode.value,
                "why": self._modes.word.reason,
                "changes": [str(each) for each in changes],
            },
        )
        self._say(f"configuration {wanted.digest[:8]} in force ({what}): {_in_short(changes)}")
        return True

    def _reopening(self, wanted: Settings) -> Pending | None:
        """Entries that were closed for a mode nobody wants any more are opened by a restart."""
        if not self._closed_for or self.mode_in_force is StrategyMode.FLAT:
            return None
        why = f"entries are closed because {self._closed_for}, which nobody wants any more"
        verdict = ReloadVerdict(False, (f"{why}; a restart opens them",), restart_will_do=True)
        at = self._now()
        return Pending(configuration=wanted.digest, changes=(), verdict=verdict, since=at)

    def _close_all(self, why: str) -> bool:
        """No entries until the restart: what is tighter does not wait for it."""
        closed = (*self._closed, *self._all_bots(why))
        terms = guardian_terms_in(self._tree)
        terms = structs.replace(terms, closed=self._causes(closed, terms.closed))
        if not self._taken_up(held_to(self._tree, terms)):
            self._unfinished = partial(self._close_all, why)
            return False
        self._unfinished = None
        self._closed, self._closed_for = closed, why
        return True

    def _taken_up(self, tree: ChildSpec) -> bool:
        try:
            take_up(self._runtime, replacements(self._tree, tree))
        except NotTaken as late:
            # What is tighter may be in force in part; it is tried again at the next look.
            self._runtime.log("config_not_taken", SOURCE, {"reason": str(late)})
            self._say(f"ALARM: the changed configuration is not in force yet: {late}")
            return False
        self._tree = tree
        return True

    def _pend(self, pending: Pending | None) -> None:
        was, self.pending = self.pending, pending
        if pending is None:
            return
        if was is not None and was.configuration == pending.configuration:
            self.pending = structs.replace(pending, since=was.since)
            return
        self._runtime.log(
            "config_pending",
            SOURCE,
            {
                "configuration": pending.configuration,
                "changes": [str(each) for each in pending.changes],
                "reasons": pending.verdict.reasons,
                "restart_will_do": pending.verdict.restart_will_do,
            },
        )
        first, *others = pending.verdict.reasons
        more = f" (and {len(others)} more)" if others else ""
        self._say(f"configuration {pending.configuration[:8]} waits for a restart: {first}{more}")

    def _all_bots(self, why: str) -> tuple[ClosedTo, ...]:
        bots = guardian_terms_in(self._tree).desk.windows
        return tuple(ClosedTo(bot, None, why) for bot in bots)

    def _causes(self, closed: tuple[ClosedTo, ...], others: tuple[Cause, ...]) -> tuple[Cause, ...]:
        """One for each bot, or for a bot and a symbol of it; the first to say so counts."""
        at = self._now()
        standing = {each.code: each.since for each in guardian_terms_in(self._tree).closed}
        found = {each.code: each for each in others}
        for taken in closed:
            cause = BOT_CLOSED.cause(subject=taken.bot, since=0, detail=taken.why)
            if taken.symbol is not None:
                code = f"{cause.code}:{taken.symbol}"
                cause = structs.replace(cause, code=code, symbol=taken.symbol)
            found.setdefault(cause.code, cause)
        return tuple(
            structs.replace(each, since=each.since or standing.get(code) or at)
            for code, each in found.items()
        )

    def _now(self) -> int:
        return self._runtime.market_time_at(self._runtime.now())

    def _cannot_go_on(self, reason: str) -> Cause:
        self._died = True
        detail = f"the watch over the configuration died: {reason}"
        return BAD_RELOAD.cause(since=self._now(), detail=detail)


def _in_short(changes: tuple[Change, ...]) -> str:
    first, *others = changes
    return f"{first}{f' (and {len(others)} more)' if others else ''}"
