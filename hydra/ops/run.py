"""`run`: one session of the embedded engine, in machine time or in virtual time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TextIO

import msgspec

from hydra import __version__
from hydra.actor import MILLISECOND, SECOND
from hydra.assembly import Engine, assemble
from hydra.crash_points import reached
from hydra.ops.clock_watch import ClockWatch
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.server import ControlServer
from hydra.ops.debug.server import DebugServer
from hydra.ops.embedded import LEAD, MARKET, OVER, EmbeddedVenue, market_goes_on, open_venue
from hydra.ops.exit_codes import ExitCode
from hydra.ops.kill_watch import KillWatch
from hydra.ops.notify import ServiceNotifier
from hydra.ops.summary import HEADING, progress_line, total_lines, trade_line
from hydra.ops.watching import halt_for_good, keep_pruned, watch_over
from hydra.ports import Service
from hydra.runtime.clock import ScaledClock, machine_time
from hydra.runtime.life import Status
from hydra.runtime.runtime import NobodyThere, NoReplyInTime, Runtime
from hydra.runtime.shutdown import Phase, PhaseResult, shut_down
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.settings.traps import warnings_of
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.store.watch import RecordWatch
from hydra.terms import clearing_policy
from hydra.trading.clearing import earliest_clearing
from hydra.trading.kill_switch import Source, is_kill
from hydra.trading.restarts import WINDOW_NS, cause_after_unclean_end, storm
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import MarketEvent, Playback, market_events
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.summary import SessionSummary, Summarize
from supervisors import paths

READY_WITHIN_S = 10.0
STOP_WITHIN_S = 4.5
GONE_WITHIN_S = 10.0
"""T_STOP: after a stop signal or a failure the process ends within this, whatever is stuck."""
WATCH_STOPS_WITHIN_S = 1.0
PROGRESS_EVERY_S = 10


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a session, by the command line and, for the kill switch, the environment.

    `speed` None: virtual time, as fast as it goes. `kill_switch` is the word as it stands there,
    None: not set.
    """

    seed: int
    speed: float | None
    dry_run: bool
    kill_switch: str | None = None
    kill_switch_file: Path | None = None


def run_session(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    out: TextIO,
    redactor: Redactor | None = None,
) -> ExitCode:
    """Open the record, play the session to its end or to a signal, and say what was traded.

    Raises what `EngineRecord.open` raises; then nothing was started.
    """
    owner = Owner(
        venue=settings.broker.venue.value,
        account=EMBEDDED_ACCOUNT,
        version=__version__,
        configuration=settings.digest,
        at=data.begins_at - LEAD,
        # In virtual time nothing may depend on when it was run.
        wall_at=0 if options.speed is None else time.time_ns(),
    )
    record = EngineRecord.open(files, owner, redactor, goes_on=market_goes_on(files, data))
    return play_session(settings, data, files, options, record, out)


def play_session(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    record: EngineRecord,
    out: TextIO,
) -> ExitCode:
    """The session itself, on a record that is open and is closed at its end."""
    last_resort = _LastResort(GONE_WITHIN_S)
    try:
        wall_clock = time.time_ns if options.speed is not None else lambda: 0
        venue = open_venue(
            files, data, seed=options.seed, speed=options.speed, wall_clock=wall_clock
        )
        try:
            session = _Session(settings, data, files, options, record, venue, out, last_resort)
            code = session.play_live() if options.speed is not None else session.play_virtual()
            last_resort.arm()  # a disk that does not answer must not keep the process either
            reached("run.played")
            if code is not ExitCode.FAIL_CLOSED:
                if session.market_over:
                    record.ledger.put(MARKET, OVER, session.ended_at)
                record.end(f"exit code {int(code)}", session.ended_at)
            return code
        finally:
            venue.log.close()
    finally:
        record.close()
        last_resort.disarm()


class _Conditions:
    """What the watches of a run find now; see `Conditions`."""

    def __init__(self) -> None:
        self.watches: list[KillWatch | RecordWatch] = []

    def present(self) -> frozenset[str]:
        """See `Conditions.present`."""
        return frozenset().union(*(watch.present for watch in self.watches))


class _Session:
    """One run from start to exit code. Start-up and shutdown are mirror images."""

    def __init__(
        self,
        settings: Settings,
        data: MarketData,
        files: EngineFiles,
        options: RunOptions,
        record: EngineRecord,
        venue: EmbeddedVenue,
        out: TextIO,
        last_resort: _LastResort,
    ) -> None:
        self._settings = settings
        self._data = data
        self._files = files
        self._options = options
        self._record = record
        self._venue = venue
        self._conditions = _Conditions()
        self._out = out
        self._last_resort = last_resort
        self._stopping = threading.Event()
        self._heard = True
        self._trades_said = 0
        self._causes_said: set[tuple[str, TradingState]] = set()
        self.ended_at = venue.at
        """Market time at which the last actor had stopped."""
        self.market_over = False
        """Everything that there was to play has been played."""

    def play_virtual(self) -> ExitCode:
        """The whole session in virtual time, on this thread."""
        runtime = SimRuntime(
            seed=self._options.seed, journal=paths.JOURNAL_WRITER, start_at=self._venue.at
        )
        kill_watch = self._kill_watch(runtime)
        kill_watch.stop(WATCH_STOPS_WITHIN_S)  # virtual time is over soon: one look will do
        engine = self._assembled(runtime, runtime.now)
        with _StopSignals(self._stopping.set):
            runtime.start_root(engine.tree)
            runtime.advance(SECOND)
            ready = self._may_play(runtime)
            if ready:
                events = _not_before(runtime.now(), self._events())
                runtime.play(_until(self._stopping, events), engine.market.happen)
                self.market_over = not self._stopping.is_set()
                runtime.advance(SECOND)
                self._say_what_halted(runtime)
            else:
                self._say(f"preflight did not pass: {_causes(runtime)}")
            summary = _summary_of(runtime)
            _close_gate(runtime, "the session is over")
            runtime.advance(SECOND)
            assert runtime.root is not None
            runtime.stop_cell(runtime.root, "the session is over")
            runtime.advance(10 * SECOND)
        stopped = runtime.root.status is Status.STOPPED
        if not ready and stopped:
            self.ended_at = runtime.now()
            return ExitCode.PREFLIGHT_FAILED
        return self._ended(runtime, summary, None if stopped else "the tree did not stop")

    def play_live(self) -> ExitCode:
        """The session on threads, `speed` times as fast as the market was."""
        assert self._options.speed is not None
        clock = ScaledClock(self._venue.at, self._options.speed)
        runtime = ThreadRuntime(
            seed=self._options.seed, journal=paths.JOURNAL_WRITER, market_clock=clock
        )
        kill_watch = self._kill_watch(runtime)
        clock_watch = ClockWatch(runtime)
        clock_watch.look_once()
        engine = self._assembled(runtime, lambda: clock.at(machine_time()), self._services(runtime))
        playback = Playback(
            self._events(),
            engine.market,
            clock,
            lambda failure: self._market_over(runtime, failure),
        )

        def fail_closed(reason: str) -> None:
            self._last_resort.arm()
            halt_for_good(self._record, runtime, "fail-closed", reason)

        runtime.on_fail_closed(fail_closed)
        watch = watch_over(self._record, self._files, runtime, self._say)
        self._conditions.watches.append(watch)
        passed = threading.Event()
        notifier = ServiceNotifier(runtime, os.environ, passed.is_set)

        def stop() -> None:
            self._last_resort.arm()
            self._stopping.set()
            runtime.finish()

        try:
            with _StopSignals(stop):
                kill_watch.start()
                clock_watch.start()
                notifier.start()
                runtime.start_watch()
                watch.start()
                started = runtime.start_and_wait(engine.tree, within=READY_WITHIN_S)
                ready = started and self._comes_ready(runtime)
                asked_to_stop = self._stopping.is_set()
                if not ready and not asked_to_stop and runtime.failed_closed is None:
                    causes = _causes(runtime)
                    _close_gate(runtime, "preflight did not pass")
                    results = self._stop_tree(runtime)
                    self._say(f"preflight did not pass: {causes}")
                    stopped = all(result.outcome == "done" for result in results)
                    return ExitCode.PREFLIGHT_FAILED if stopped else ExitCode.FAIL_CLOSED
                if ready and not asked_to_stop:
                    passed.set()
                    keep_pruned(runtime)
                    playback.open()
                    self._follow(runtime)
                if self._stopping.is_set():
                    _close_gate(runtime, "asked to stop")  # first of all, whatever still runs
                notifier.stop(WATCH_STOPS_WITHIN_S)
                playback.close()
                runtime.settle(within=1.0)
                self._say_what_halted(runtime)
                summary = _summary_of(runtime)
                results = self._stop_tree(runtime)
            late = [f"{r.name}: {r.outcome}" for r in results if r.outcome != "done"]
            return self._ended(runtime, summary, "; ".join(late) or None)
        finally:
            notifier.stop(WATCH_STOPS_WITHIN_S)
            clock_watch.stop(WATCH_STOPS_WITHIN_S)
            watch.stop(WATCH_STOPS_WITHIN_S)
            kill_watch.stop(WATCH_STOPS_WITHIN_S)
            runtime.close()

    def _services(self, runtime: ThreadRuntime) -> dict[str, Service]:
        """What people ask the engine through."""
        settings, record = self._settings, self._record
        facts = EngineFacts(
            mode="embedded",
            venue=settings.broker.venue.value,
            account=EMBEDDED_ACCOUNT,
            sessions=self._data.sessions,
            clearing=clearing_policy(settings),
            configuration=settings.digest,
            dry_run=self._options.dry_run,
        )
        return {
            "debug_server": DebugServer(runtime, self._files.debug_socket),
            "control_server": ControlServer(
                runtime, self._files.control_socket, facts, mark_halt=record.halt_marker.halt
            ),
        }

    def _kill_watch(self, runtime: Runtime) -> KillWatch:
        """The watch over the kill switch, after its first look: nothing comes before that."""
        files = {Source.STATE_FILE: self._files.kill_switch}
        if self._options.kill_switch_file is not None:
            files[Source.NAMED_FILE] = self._options.kill_switch_file
        kill_watch = KillWatch(runtime, self._options.kill_switch, files)
        self._conditions.watches.append(kill_watch)
        kill_watch.look_once()
        reached("run.kill_switch_read")
        self._say_new_causes(runtime)
        return kill_watch

    def _assembled(
        self,
        runtime: Runtime,
        market_time: Callable[[], int],
        services: Mapping[str, Service] | None = None,
    ) -> Engine:
        engine = assemble(
            self._settings,
            self._data,
            runtime=runtime,
            market_time=market_time,
            ledger=self._record.ledger,
            journal=self._record.journal,
            exchange=self._venue.exchange,
            conditions=self._conditions,
            services=services,
            dry_run=self._options.dry_run,
        )
        for cause in self._causes_at_start():
            runtime.gate.trip(cause)  # a halt survives restarts; only what cleared it ends it
        reached("run.latched_at_start")
        self._say("EMBEDDED VENUE: not real money, not real fills")
        self._say(f"market: {self._data.origin}; {len(self._data.bars)} bars")
        self._say(f"bots: {', '.join(engine.bots)}")
        for bot in engine.left_out:
            self._say(f"left out: {bot}, because this market does not have its symbol")
        runtime.log(
            "session_started",
            "main",
            {
                "origin": self._data.origin,
                "seed": self._options.seed,
                "configuration": self._settings.digest,
                "bots": engine.bots,
            },
        )
        for warning in warnings_of(self._settings):
            self._say(f"warning: {warning}")
            runtime.log("config_warning", "main", {"warning": warning})
        return engine

    def _causes_at_start(self) -> tuple[Cause, ...]:
        """What stands on record, and what follows from how the process before ended (I03, I75)."""
        record, at, now = self._record, self._venue.at, time.time_ns()
        standing = tuple(cause for cause in record.standing if cause.is_global)
        follows = (
            cause_after_unclean_end(
                ended_unclean=record.ended_unclean, standing=standing, since=at
            ),
            storm(record.unclean_starts(now - WINDOW_NS), now, at),
        )
        return (*standing, *(cause for cause in follows if cause is not None))

    def _events(self) -> Iterator[tuple[int, MarketEvent]]:
        seen = self._venue.exchange.events_seen
        return market_events(self._data.bars, self._data.sessions, seen)

    def _market_over(self, runtime: ThreadRuntime, failure: str | None) -> None:
        self.market_over = failure is None and not self._stopping.is_set()
        if failure is not None:
            runtime.fail_closed(f"the market's playback failed: {failure}")
        runtime.finish()

    def _follow(self, runtime: ThreadRuntime) -> None:
        """Say what happens until the session is over."""
        waited = 0
        while not runtime.wait(1.0):
            waited += 1
            self._say_new_causes(runtime)
            summary = _summary_of(runtime)
            if summary is None:
                continue
            self._say_new_trades(summary)
            if waited % PROGRESS_EVERY_S == 0:
                at = runtime.market_time_at(runtime.now())
                self._say(progress_line(summary, runtime.gate.state.name, at))

    def _say_new_causes(self, runtime: Runtime) -> None:
        """Told from here, not by what halts: whoever reads this may be slow, and it must not be."""
        for cause in runtime.gate.standing():
            said = (cause.code, cause.state)
            if cause.cause_class is CauseClass.START or said in self._causes_said:
                continue
            self._causes_said.add(said)
            who = "KILL SWITCH: " if is_kill(cause) else ""
            self._say(f"{who}trading is {cause.state.name}: {cause.detail}")

    def _say_new_trades(self, summary: SessionSummary) -> None:
        if summary.trades and not self._trades_said:
            self._say(HEADING)
        for trade in summary.trades[self._trades_said :]:
            self._say(trade_line(trade))
        self._trades_said = len(summary.trades)

    def _stop_tree(self, runtime: ThreadRuntime) -> tuple[PhaseResult, ...]:
        """In the order of the kernel's coordinated shutdown."""

        def close_gate() -> bool:
            _close_gate(runtime, "the session is over")
            return True

        def drain() -> bool:
            drained = threading.Event()
            runtime.gate.when_drained(lambda _epoch: drained.set())
            return drained.wait(0.2)

        return shut_down(
            (
                Phase("close the gate", 1.0, close_gate),
                Phase("drain the sends", 0.5, drain),
                Phase(
                    "stop the actors",
                    STOP_WITHIN_S,
                    lambda: runtime.stop_tree("the session is over", within=STOP_WITHIN_S),
                ),
            )
        )

    def _ended(
        self, runtime: Runtime, summary: SessionSummary | None, unclean: str | None
    ) -> ExitCode:
        if summary is not None:
            self._say_new_trades(summary)
            for line in total_lines(summary):
                self._say(line)
            if summary.orders and self._options.speed is not None:
                self._say(self._slowest_line(summary, self._options.speed))
        else:
            self._say("no summary: the reporter is gone; the journal has everything")
        self._say(f"record: {self._files.ledger}, journal: {self._files.journal}")
        self.ended_at = runtime.market_time_at(runtime.now())
        reason = runtime.failed_closed or unclean
        if reason is not None:
            self._say(f"FAILED CLOSED: {reason}")
            return ExitCode.FAIL_CLOSED
        return ExitCode.CLEAN

    def _slowest_line(self, summary: SessionSummary, speed: float) -> str:
        """Whether every order came before its bar was over: then virtual time trades the same."""
        bar = self._data.bars[0]
        slowest_ms = summary.slowest_decision / speed / MILLISECOND
        bar_ms = (bar.end_at - bar.start_at) / speed / MILLISECOND
        line = f"slowest decision to acceptance: {slowest_ms:.1f} ms; a bar lasts {bar_ms:.1f} ms"
        if slowest_ms < bar_ms:
            return line
        return f"{line}: TOO FAST for this machine, orders came late; use a lower --speed"

    def _comes_ready(self, runtime: ThreadRuntime) -> bool:
        """Wait until the start is over, unless somebody asks to stop before; then see what stands.

        What only a person clears is not waited for: the market would be over before.
        """
        deadline = machine_time() + int(READY_WITHIN_S * SECOND)
        while _starting(runtime):
            if machine_time() > deadline or runtime.failed_closed is not None:
                return False
            if self._stopping.wait(0.005):
                return False
        return self._may_play(runtime)

    def _may_play(self, runtime: Runtime) -> bool:
        """Whether there is anything to be done in this market: entries, or closing what is held."""
        causes = runtime.gate.standing()
        if _starting(runtime):
            return False
        ends_at = self._data.bars[-1].end_at
        policy, sessions = clearing_policy(self._settings), self._data.sessions
        for cause in causes:
            if cause.state is not TradingState.HALTED:
                continue
            earliest = earliest_clearing(cause, policy, sessions)
            if earliest is None or earliest >= ends_at or not policy.limit_resumes_itself:
                return False
        return True

    def _say_what_halted(self, runtime: Runtime) -> None:
        """A session that ended halted says why: its last trades are not all that was wanted."""
        if runtime.gate.state is not TradingState.ACTIVE and not self._stopping.is_set():
            self._say(f"trading is {runtime.gate.state.name}: {_causes(runtime)}")

    def _say(self, line: str) -> None:
        """Tell whoever started this. That nobody reads it must not disturb trading."""
        if not self._heard:
            return
        try:
            print(line, file=self._out, flush=True)
        except (OSError, ValueError):
            self._heard = False


def _not_before(
    now: int, events: Iterator[tuple[int, MarketEvent]]
) -> Iterator[tuple[int, MarketEvent]]:
    """A run that was killed may have left the venue less than a start's time before an event."""
    for at, event in events:
        yield max(now, at), event


def _until(
    stopping: threading.Event, events: Iterator[tuple[int, MarketEvent]]
) -> Iterator[tuple[int, MarketEvent]]:
    for event in events:
        if stopping.is_set():
            return
        yield event


def _summary_of(runtime: Runtime) -> SessionSummary | None:
    """None if the reporter is gone: people then have the journal."""
    try:
        summary = runtime.ask(paths.REPORTER, Summarize(), within=0.5)
    except (NoReplyInTime, NobodyThere):
        return None
    return summary if isinstance(summary, SessionSummary) else None


def _close_gate(runtime: Runtime, reason: str) -> None:
    runtime.gate.trip(
        Cause(
            code="stopping",
            cause_class=CauseClass.START,
            state=TradingState.HALTED,
            since=runtime.market_time_at(runtime.now()),
            detail=reason,
        )
    )


class _LastResort:
    """Ends the process when a stop hangs: it needs no actor, no mailbox, and nobody's lock."""

    def __init__(self, within: float) -> None:
        self._timer = threading.Timer(within, os._exit, (int(ExitCode.FAIL_CLOSED),))
        self._timer.daemon = True
        self._armed = threading.Lock()

    def arm(self) -> None:
        """The process has to be gone within the time, counted from the first call."""
        if self._armed.acquire(False):
            self._timer.start()

    def disarm(self) -> None:
        """The stop has come to its end by itself."""
        self._timer.cancel()


def _starting(runtime: Runtime) -> bool:
    """Whether preflight and reconciliation have still to pass."""
    return any(cause.cause_class is CauseClass.START for cause in runtime.gate.standing())


def _causes(runtime: Runtime) -> str:
    return "; ".join(f"{cause.code}: {cause.detail}" for cause in runtime.gate.standing())


class _StopSignals:
    """Within this, the first SIGTERM or SIGINT asks for a clean stop and the second ends it all."""

    def __init__(self, first: Callable[[], None]) -> None:
        self._first = first
        self._seen = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._received)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal gave us

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self._seen += 1
        if self._seen > 1:
            os._exit(128 + number)
        self._first()
