"""What every run of the engine has in common, in whatever time it runs and on whichever venue.

A run has a record, a market and somebody who reads what it says. How it begins, what latches its
gate from the start, and how it tells of trades and halts is here; the two clocks are in
`live_session` and `virtual_session`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

import msgspec

from hydra.actor import ChildSpec
from hydra.assembly import Tree
from hydra.certifying.certificate import uncertified_bots
from hydra.crash_points import reached
from hydra.ops.as_said import NOTHING_SAID, AsSaid
from hydra.ops.bot_failures import failures_of_bots
from hydra.ops.broker_account import NoAccount
from hydra.ops.config.loosening import acceptance, loosened
from hydra.ops.control.facts import EngineFacts
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.going_live.judging import LiveVerdict
from hydra.ops.kill_watch import KillWatch
from hydra.ops.live_view_look import Entering, LiveLook
from hydra.ops.live_view_screen import LiveScreen
from hydra.ops.loop_limit import LoopLimit
from hydra.ops.mode_watch import ModeWatch
from hydra.ops.reload import Reload
from hydra.ops.reload_keeping import Kept
from hydra.ops.reload_source import ConfigSource
from hydra.ops.said_causes import SaidCauses
from hydra.ops.signal_bridge import SignalBridge
from hydra.ops.summary import HEADING, total_lines, trade_line
from hydra.outsiders import NO_SIGNALS
from hydra.plugins import plugins_in_use
from hydra.ports import Signals
from hydra.runtime.runtime import Runtime
from hydra.settings import Settings
from hydra.settings.strategy_mode import in_mode
from hydra.settings.traps import warnings_of
from hydra.store.engine_files import EngineFiles
from hydra.store.private_files import RightsTooOpen
from hydra.store.record import EngineRecord
from hydra.store.signal_record import SignalRecord, SignalRecordDamaged
from hydra.terms import MarketFacts, clearing_policy, plans_of
from hydra.trading.causes import remedy_of
from hydra.trading.clearing import earliest_clearing
from hydra.trading.kill_switch import Source
from hydra.trading.restarts import WINDOW_NS, storm
from hydra.trading.sessions import hours_of
from hydra.trading.strategy_modes import STRATEGY_MODE, StrategyMode, followed, read
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state
from messages.summary import SessionSummary, Summarize
from supervisors import paths

NONE = StrategyMode.NONE


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run, by the command line and, for the kill switch, the environment.

    `speed` None: virtual time, as fast as it goes. `kill_switch` is the word as it stands there,
    None: not set.
    """

    seed: int
    speed: float | None
    dry_run: bool
    loops: int | None = None
    """Stop after so many; None: go on until the market is over, or somebody asks to stop."""
    kill_switch: str | None = None
    kill_switch_file: Path | None = None
    strategy_mode: StrategyMode | None = None
    """Named by the environment."""
    source: ConfigSource | None = None
    """Where the settings are read again from while it runs; None: they are not."""
    screen: LiveScreen | None = None
    """Where the live view is shown; None: nowhere."""
    said: AsSaid = NOTHING_SAID
    """What named this engine on the command line, for commands that people are told to type."""


class RunMarket(msgspec.Struct, frozen=True, kw_only=True):
    """The market and the account that a run finds.

    `at` is market time when it begins, `ends_at` when nothing more will happen, None: that is not
    known. `said_first` is what whoever starts it has to know of it, a line each.
    """

    mode: str
    account: str
    facts: MarketFacts
    at: int
    ends_at: int | None
    said_first: tuple[str, ...]
    live: LiveVerdict | None = None
    """On what ground it may be real money; None: it is not."""


class Condition(Protocol):
    """Something watched outside of the actors."""

    @property
    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition it still finds."""


class WatchedConditions:
    """What the watches of a run find now; see `Conditions`."""

    def __init__(self) -> None:
        self.watches: list[Condition] = []

    def present(self) -> frozenset[str]:
        """See `Conditions.present`."""
        return frozenset().union(*(watch.present for watch in self.watches))


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a session that can be replayed is recorded, and what no record may hold."""

    folder: Path
    """Of the run's bundle."""
    clean: Callable[[str], str]
    """Takes secrets out of text that a library made."""


class Session:
    """One run from start to exit code."""

    def __init__(
        self,
        settings: Settings,
        files: EngineFiles,
        options: RunOptions,
        record: EngineRecord,
        market: RunMarket,
        out: TextIO,
        last_resort: LastResort,
        recorded: Recorded | None = None,
    ) -> None:
        word = read(record.ledger.get(STRATEGY_MODE))
        self.mode = followed(options.strategy_mode or settings.modes.selected, word)
        self.base = settings
        """As the files have them, before the strategy mode took anything away."""
        self.settings = settings if self.mode is NONE else in_mode(settings, self.mode)
        self.files = files
        self.options = options
        self.record = record
        self.market = market
        self.conditions = WatchedConditions()
        self.last_resort = last_resort
        self.stopping = threading.Event()
        """Set once somebody has asked for a clean stop."""
        self.ended_at = market.at
        """Market time at which the last actor had stopped."""
        self.loop_failed = ""
        """How the last of the loops that were asked for failed; "": it did not, or there was none.
        """
        self.market_over = False
        """Everything that there was to play has been played."""
        self.reload: Reload | None = None
        """The watch over the files of the settings, once there is one."""
        self.restart_wanted: str | None = None
        """Why it ends, to be started again with another configuration."""
        self.signals: Signals = NO_SIGNALS
        """Of the outside strategy, if one was opened."""
        self.uncertified = uncertified_bots(settings, files.certificates)
        """Bots of other distributions that may enter nothing here, and why."""
        self.recorded = recorded
        self.configured: Callable[[Settings], None] = _nobody_asks
        """Hears of settings that actors may be given recipes of while it runs."""
        self._plugins = tuple(str(each) for each in plugins_in_use(settings))
        self._out = out
        self._heard = True
        self._trades_said = 0
        self._causes_said = SaidCauses()
        self._quarantined_said: set[str] = set()

    @property
    def facts(self) -> EngineFacts:
        """What this engine is, for whoever looks at it."""
        return EngineFacts(
            mode=self.market.mode,
            venue=self.settings.broker.venue.value,
            account=self.market.account,
            sessions=self.market.facts.sessions,
            clearing=clearing_policy(self.settings),
            configuration=self.settings.digest,
            traded_as=self.settings.traded_as,
            live=self.market.live,
            dry_run=self.options.dry_run,
            plugins=self._plugins,
        )

    def watch_kill_switch(self, runtime: Runtime) -> KillWatch:
        """The watch over the kill switch, after its first look: nothing comes before that."""
        files = {Source.STATE_FILE: self.files.kill_switch}
        if self.options.kill_switch_file is not None:
            files[Source.NAMED_FILE] = self.options.kill_switch_file
        kill_watch = KillWatch(runtime, self.options.kill_switch, files)
        self.conditions.watches.append(kill_watch)
        kill_watch.look_once()
        reached("run.kill_switch_read")
        self.say_new_causes(runtime.gate.standing())
        return kill_watch

    def open_signals(self, runtime: Runtime, monotonic: Callable[[], float]) -> SignalBridge | None:
        """The bridge to the outside strategy, not looking yet; None: the signal bot is off.

        `monotonic` (s) is what its looks grow old by. Raises `NoAccount` if what was done with
        earlier signals cannot be kept or read.
        """
        bot = self.settings.signalbot
        if not bot.enabled:
            return None
        try:
            kept = SignalRecord(self.files.signals)
        except (OSError, RightsTooOpen, SignalRecordDamaged) as error:
            raise NoAccount(str(error), ExitCode.DURABILITY_REFUSED) from error
        bridge = SignalBridge(
            runtime,
            paths.bot(bot.bot_id),
            bot.signals_file,
            self.files.signals_kill,
            kept,
            monotonic=monotonic,
        )
        self.signals = bridge
        return bridge

    def watch_configuration(self, runtime: Runtime, tree: Tree) -> Reload | None:
        """The watch over the files of the settings, not looking yet; None: there are none."""
        source = self.options.source
        if source is None:
            return None
        modes = ModeWatch(
            runtime,
            self.base,
            self.options.strategy_mode,
            read(self.record.ledger.get(STRATEGY_MODE)),
            self.say,
        )

        def rebuilt(settings: Settings) -> ChildSpec:
            self.configured(settings)
            return tree.rebuilt(settings).tree

        kept = Kept(self.files.configurations, self.settings.broker.venue.value, self.say)
        self.reload = Reload(
            runtime,
            source,
            self.base,
            tree.tree,
            rebuilt,
            modes,
            say=self.say,
            keep=kept.in_force,
        )
        self.conditions.watches.append(self.reload)
        return self.reload

    def begin(self, runtime: Runtime, tree: Tree) -> None:
        """Latch what stands, and say what is about to run."""
        for cause in self._causes_at_start():
            runtime.gate.trip(cause)  # a halt survives restarts; only what cleared it ends it
        reached("run.latched_at_start")
        for line in self.market.said_first:
            self.say(line)
        if self.record.set_aside is not None:
            self.say(self.record.set_aside.words)
        if self.market.live is not None:
            self._say_live(runtime, self.market.live)
        if self.mode is not NONE:
            self._say_mode(runtime)
        self.say(f"bots: {', '.join(tree.bots)}")
        for plugin in self._plugins:
            self.say(f"plug-in: {plugin}")
        for line in self._without_certificate(tree):
            self.say(line)
        for bot in tree.left_out:
            self.say(f"left out: {bot}, because this market does not have its symbol")
        runtime.log("session_started", "main", self._as_logged(tree))
        self._say_what_is_looser(runtime)
        for warning in warnings_of(self.settings):
            self.say(f"warning: {warning}")
            runtime.log("config_warning", "main", {"warning": warning})

    def _without_certificate(self, tree: Tree) -> Iterator[str]:
        is_needed = self.settings.plugins.require_certificate
        for bot, why in self.uncertified.items():
            if bot in tree.bots:
                closed = "enters nothing" if is_needed else "has no certificate, and trades"
                yield self.options.said.in_words(f"ALARM: {bot} {closed}: {why}")

    def shown(self, runtime: Runtime) -> AbstractContextManager[None]:
        """Within this the live view is up, if somebody looks at a terminal."""
        screen = self.options.screen
        if screen is None:
            return nullcontext()
        look = LiveLook(
            runtime, self.facts, lambda: self.reload, self._entering, self.files.journal
        )
        return screen.showing(look)

    def _entering(self) -> Mapping[str, Entering]:
        """When each bot may enter, by the settings that are in force."""
        settings = self.settings if self.reload is None else self.reload.in_force
        facts = self.market.facts
        plans = plans_of(settings, facts, self.signals)
        return {
            plan.bot_id: (plan.trade_window, hours_of(symbol, facts.sessions))
            for plan in plans.all
            for symbol in sorted(plan.warm_ups)[:1]
        }

    def _say_live(self, runtime: Runtime, live: LiveVerdict) -> None:
        """H6: on what ground real money is traded, or why nothing is entered."""
        self.say(f"live: {live.line}" if live.allowed else f"LIVE ENTERS NOTHING: {live.line}")
        told = {key: value for key, value in live.told().items() if key != "line"}
        runtime.log("live_judged", "main", {**told, "detail": live.line})

    def _say_mode(self, runtime: Runtime) -> None:
        """The session trades otherwise than the bots are configured: that is told, and why."""
        word = read(self.record.ledger.get(STRATEGY_MODE))
        is_configured = followed(self.mode, word) is not word.mode
        why = "as it is configured" if is_configured else word.reason
        fields = {
            "mode": self.mode.value,
            "before": self.mode.value,
            "reason": why,
            "by": "" if is_configured else word.by,
        }
        runtime.log("strategy_mode", "reload", fields)
        self.say(f"strategy mode: {self.mode.value} ({why})")

    def _say_what_is_looser(self, runtime: Runtime) -> None:
        """K12: a restart that loosens something is on record, with the reason if one was given."""
        if self.options.source is None:
            return
        looser = loosened(self.files.configurations, self.base)
        if not looser:
            return
        word = acceptance(self.files.configurations)
        is_of_this = word is not None and word.digest == self.base.digest
        for each in looser:
            self.say(f"looser than last time: {each}")
        runtime.log(
            "config_loosened",
            "main",
            {
                "configuration": self.base.digest,
                "changes": [str(each) for each in looser],
                "reason": word.reason if word is not None and is_of_this else None,
                "by": word.by if word is not None and is_of_this else None,
            },
        )

    def may_play(self, runtime: Runtime) -> bool:
        """Whether there is anything to be done in this market: entries, or closing what is held."""
        if is_starting(runtime):
            return False
        ends_at = self.market.ends_at
        if ends_at is None:
            return True  # whatever stands may be cleared in time
        policy, sessions = clearing_policy(self.settings), self.market.facts.sessions
        for cause in runtime.gate.standing():
            if cause.state is not TradingState.HALTED:
                continue
            earliest = earliest_clearing(cause, policy, sessions)
            if earliest is None or earliest >= ends_at or not policy.limit_resumes_itself:
                return False
        return True

    def say_what_halted(self, runtime: Runtime) -> None:
        """A session that ended halted says why: its last trades are not all that was wanted."""
        if runtime.gate.state is not TradingState.ACTIVE and not self.stopping.is_set():
            self.say(f"trading is {runtime.gate.state.name}: {causes_of(runtime)}")

    def say_what_failed(self, runtime: Runtime) -> None:
        """A bot that failed has not wished for all that it would have."""
        for failure in failures_of_bots(runtime):
            self.say(str(failure))

    def say_new_quarantines(self, runtime: Runtime) -> None:
        """Each bot that is not started again any more, once."""
        for failure in failures_of_bots(runtime):
            if failure.is_quarantined and failure.bot not in self._quarantined_said:
                self._quarantined_said.add(failure.bot)
                self.say(str(failure))

    def say_new_causes(self, standing: tuple[Cause, ...]) -> None:
        """Told from here, not by what halts: whoever reads this may be slow, and it must not be."""
        for line in self._causes_said.lines(standing, effective_state(standing)):
            self.say(line)

    def say_new_trades(self, summary: SessionSummary) -> None:
        """Those that were not said yet."""
        if summary.trades and not self._trades_said:
            self.say(HEADING)
        for trade in summary.trades[self._trades_said :]:
            self.say(trade_line(trade))
        self._trades_said = len(summary.trades)

    def ended(
        self,
        runtime: Runtime,
        summary: SessionSummary | None,
        unclean: str | None,
        closing_lines: tuple[str, ...] = (),
    ) -> ExitCode:
        """Say how it ended. `unclean` is what did not end in order, None: nothing."""
        if summary is not None:
            self.say_new_trades(summary)
            for line in (*total_lines(summary), *closing_lines):
                self.say(line)
        else:
            self.say("no summary: the reporter is gone; the journal has everything")
        self.say(f"record: {self.files.ledger}, journal: {self.files.journal}")
        self.ended_at = runtime.market_time_at(runtime.now())
        reason = runtime.failed_closed or unclean
        if reason is not None:
            self.say(f"FAILED CLOSED: {reason}")
            return ExitCode.FAIL_CLOSED
        if self.restart_wanted is not None:
            self.say(f"start it again, it is to be restarted: {self.restart_wanted}")
            return ExitCode.RESTART_ASKED
        if self.loop_failed:
            self.say(self.loop_failed)
            return ExitCode.PREFLIGHT_FAILED
        return ExitCode.CLEAN

    def loops_done(self, limit: LoopLimit) -> bool:
        """Whether the loops that were asked for are over; then this is a clean stop."""
        if not limit.is_reached():
            return False
        self.loop_failed = limit.failed
        self.stopping.set()
        return True

    def say(self, line: str) -> None:
        """Tell whoever started this. That nobody reads it must not disturb trading."""
        if not self._heard:
            return
        try:
            print(self.options.said.in_words(line), file=self._out, flush=True)
        except (OSError, ValueError):
            self._heard = False

    def _causes_at_start(self) -> tuple[Cause, ...]:
        """What stands on record, and what follows from how the process before ended (I03, I75)."""
        record, at, now = self.record, self.market.at, time.time_ns()
        needs_person = clearing_policy(self.settings).operator_only
        follows = (
            record.after_unclean_end(needs_person=needs_person, at=at),
            storm(record.unclean_starts(now - WINDOW_NS), now, at),
        )
        standing = tuple(cause for cause in record.standing if cause.is_global)
        return (*standing, *(cause for cause in follows if cause and cause not in standing))

    def _as_logged(self, tree: Tree) -> Mapping[str, object]:
        return {
            "origin": self.market.facts.origin,
            "seed": self.options.seed,
            "configuration": self.settings.digest,
            "bots": tree.bots,
            "plugins": self._plugins,
        }


def _nobody_asks(_: Settings) -> None:
    """It is not recorded."""


def summary_of(runtime: Runtime) -> SessionSummary | None:
    """None if the reporter is gone: people then have the journal."""
    summary = runtime.answer_to(paths.REPORTER, Summarize(), within=0.5)
    return summary if isinstance(summary, SessionSummary) else None


def close_gate(runtime: Runtime, reason: str) -> None:
    """Nothing is sent from here on."""
    runtime.gate.trip(
        Cause(
            code="stopping",
            cause_class=CauseClass.START,
            state=TradingState.HALTED,
            since=runtime.market_time_at(runtime.now()),
            detail=reason,
        )
    )


def is_starting(runtime: Runtime) -> bool:
    """Whether preflight and reconciliation have still to pass."""
    return any(cause.cause_class is CauseClass.START for cause in runtime.gate.standing())


def causes_of(runtime: Runtime) -> str:
    """What stands, in one line."""
    return "; ".join(f"{cause.code}: {cause.detail}" for cause in runtime.gate.standing())


def why_not_ready(runtime: Runtime) -> tuple[str, ...]:
    """What kept a session from beginning, how that ends, and what to do where it needs a person."""
    lines = [f"preflight did not pass: {causes_of(runtime)}"]
    of_people = [
        cause for cause in runtime.gate.standing() if cause.cause_class is not CauseClass.START
    ]
    lines += [f"  {cause.code}: {remedy_of(cause.code)}" for cause in of_people]
    if of_people:
        lines.append('when that is done: `hydra-trader resume --reason "…"`, then start it again')
    return tuple(lines)
