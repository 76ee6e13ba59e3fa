"""A session on threads and in the machine's time, whatever its market: played, embedded or real.

Start-up and shutdown are mirror images.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from hydra.actor import SECOND
from hydra.assembly import Tree
from hydra.ops.clock_watch import ClockWatch
from hydra.ops.control.server import ControlServer
from hydra.ops.debug.server import DebugServer
from hydra.ops.ending import StopSignals
from hydra.ops.exit_codes import ExitCode
from hydra.ops.flight import Flight
from hydra.ops.loop_limit import LoopLimit
from hydra.ops.memory_watch import MemoryWatch
from hydra.ops.notify import ServiceNotifier
from hydra.ops.session import (
    Session,
    causes_of,
    close_gate,
    is_starting,
    summary_of,
    why_not_ready,
)
from hydra.ops.summary import progress_line
from hydra.ops.surfaces.writer import SurfaceWriter
from hydra.ops.watching import halt_for_good, keep_pruned, watch_over
from hydra.ports import Service
from hydra.runtime.clock import MarketClock, machine_time
from hydra.runtime.shutdown import Phase, PhaseResult, shut_down
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.account_reading import AccountStatement
from supervisors import paths

READY_WITHIN_S = 10.0
STOP_WITHIN_S = 4.5
WATCH_STOPS_WITHIN_S = 1.0
SETTLES_WITHIN_S = 1.0
PROGRESS_EVERY_S = 10
LOOK_AT_LOOPS_EVERY_S = 0.125
"""A part of a second that adds up exactly."""


class LiveMarket(Protocol):
    """Where a live session gets its prices and sends its orders. Made for one run."""

    @property
    def clock(self) -> MarketClock:
        """Market time by the machine's."""

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        """Put the engine together with this market's venue; nothing is started."""

    def connect(self) -> None:
        """Everybody is there: what the market and the venue say may come from now on."""

    def open(self, finished: Callable[[str | None], None]) -> None:
        """Let the market begin. `finished` is called once when it is over: why, if it failed."""

    def close(self, within_s: float) -> None:
        """No price comes any more. Closing what is not open does nothing."""

    def settle(self, within_s: float) -> bool:
        """Wait until the venue has answered all that it was asked; False if it takes longer."""

    def disconnect(self, within_s: float) -> None:
        """The venue is asked nothing any more, and says nothing. To do it twice does nothing."""

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        """What the venue shows of the account; as `ReadAccount`. From any thread."""

    def last_words(self) -> tuple[str, ...]:
        """For people, when the session is over: how the engine kept up with it."""


def play_live(session: Session, market: LiveMarket) -> ExitCode:
    """The session, to its end or to a signal."""
    return _LiveSession(session, market).play()


class _LiveSession:
    def __init__(self, session: Session, market: LiveMarket) -> None:
        self._session = session
        self._market = market
        self._flight: Flight | None = None
        self._runtime = ThreadRuntime(
            seed=session.options.seed, journal=paths.JOURNAL_WRITER, market_clock=market.clock
        )

    def play(self) -> ExitCode:
        session, runtime = self._session, self._runtime
        self._flight = flight = self._recorded()
        kill_watch = session.watch_kill_switch(runtime)
        clock_watch = ClockWatch(runtime)
        clock_watch.look_once()
        memory_watch = MemoryWatch(runtime, session.say)
        memory_watch.look_once()
        bridge = session.open_signals(runtime, time.monotonic)
        tree = self._market.assemble(session, runtime, self._services())
        reload = session.watch_configuration(runtime, tree)
        session.begin(runtime, tree)

        def fail_closed(reason: str) -> None:
            session.last_resort.arm()
            halt_for_good(session.record, runtime, "fail-closed", reason)

        runtime.on_fail_closed(fail_closed)
        watch = watch_over(session.record, session.files, runtime, session.say)
        session.conditions.watches += [watch, memory_watch]
        notifier = ServiceNotifier(runtime, os.environ, lambda: not is_starting(runtime))
        surfaces = SurfaceWriter(
            runtime, session.facts, session.files.surfaces, reload=lambda: session.reload
        )

        def stop() -> None:
            session.last_resort.arm()
            session.stopping.set()
            runtime.finish()

        def restart(reason: str) -> None:
            session.restart_wanted = reason
            stop()

        try:
            with StopSignals(stop):
                kill_watch.start()
                clock_watch.start()
                memory_watch.start()
                notifier.start()
                runtime.start_watch()
                watch.start()
                if flight is not None:
                    flight.begin(tree)
                started = runtime.start_and_wait(tree.tree, within=READY_WITHIN_S)
                if started:
                    surfaces.start()
                    self._market.connect()
                    if bridge is not None:
                        bridge.start()
                ready = started and (self._comes_ready() or self._waits())
                asked_to_stop = session.stopping.is_set()
                if not ready and not asked_to_stop and runtime.failed_closed is None:
                    return self._not_ready()
                if ready and not asked_to_stop:
                    keep_pruned(runtime)
                    if reload is not None:
                        reload.on_restart(restart)
                        reload.start()
                    self._market.open(self._market_over)
                    with session.shown(runtime):
                        self._follow()
                if session.stopping.is_set():
                    stood = runtime.gate.standing()
                    close_gate(runtime, "asked to stop")  # first of all, whatever still runs
                    session.say_new_causes(stood)
                notifier.stop(WATCH_STOPS_WITHIN_S)
                surfaces.stop(WATCH_STOPS_WITHIN_S)
                self._market.close(WATCH_STOPS_WITHIN_S)
                self._settle()
                session.say_what_halted(runtime)
                session.say_what_failed(runtime)
                summary = summary_of(runtime)
                results = self._stop_tree()
            late = [f"{r.name}: {r.outcome}" for r in results if r.outcome != "done"]
            return session.ended(
                runtime, summary, "; ".join(late) or None, self._market.last_words()
            )
        finally:
            self._market.disconnect(WATCH_STOPS_WITHIN_S)
            notifier.stop(WATCH_STOPS_WITHIN_S)
            surfaces.stop(WATCH_STOPS_WITHIN_S)
            clock_watch.stop(WATCH_STOPS_WITHIN_S)
            memory_watch.stop(WATCH_STOPS_WITHIN_S)
            if reload is not None:
                reload.stop(WATCH_STOPS_WITHIN_S)
            if bridge is not None:
                bridge.stop(WATCH_STOPS_WITHIN_S)
            watch.stop(WATCH_STOPS_WITHIN_S)
            kill_watch.stop(WATCH_STOPS_WITHIN_S)
            runtime.close()

    def _recorded(self) -> Flight | None:
        """The recording of this session, if it is wanted and has a bundle to keep it in."""
        session, wanted = self._session, self._session.settings.recorder
        if session.recorded is None or not wanted.enabled:
            return None
        return Flight(session.recorded, session, self._runtime, wanted.max_mb_per_session)

    def _settle(self) -> None:
        """Let what was begun come to its end: entries that still work are being canceled."""
        self._runtime.settle(within=SETTLES_WITHIN_S)
        self._market.settle(SETTLES_WITHIN_S)
        self._runtime.settle(within=SETTLES_WITHIN_S)

    def _services(self) -> dict[str, Service]:
        """What people ask the engine through."""
        session, runtime = self._session, self._runtime
        return {
            "debug_server": DebugServer(runtime, session.files.debug_socket),
            "control_server": ControlServer(
                runtime,
                session.files.control_socket,
                session.facts,
                reload=lambda: session.reload,
                mark_halt=session.record.halt_marker.halt,
                read_account=self._market.read_account,
            ),
        }

    def _comes_ready(self) -> bool:
        """Wait until the start is over, unless somebody asks to stop before; then see what stands.

        What only a person clears is not waited for: the market would be over before.
        """
        deadline = machine_time() + int(READY_WITHIN_S * SECOND)
        while is_starting(self._runtime):
            if machine_time() > deadline or self._runtime.failed_closed is not None:
                return False
            if self._session.stopping.wait(0.005):
                return False
        return self._session.may_play(self._runtime)

    def _waits(self) -> bool:
        """Whether what does not pass yet is waited for: a market that goes on may open later."""
        runtime, session = self._runtime, self._session
        if session.market.ends_at is not None or runtime.failed_closed is not None:
            return False
        if session.options.loops is not None:
            return False  # who asks for some loops wants to know now whether preflight passes
        session.say(f"preflight did not pass yet: {causes_of(runtime)}; waiting for it")
        return True

    def _not_ready(self) -> ExitCode:
        lines = why_not_ready(self._runtime)
        close_gate(self._runtime, "preflight did not pass")
        results = self._stop_tree()
        for line in lines:
            self._session.say(line)
        stopped = all(result.outcome == "done" for result in results)
        return ExitCode.PREFLIGHT_FAILED if stopped else ExitCode.FAIL_CLOSED

    def _market_over(self, failure: str | None) -> None:
        self._session.market_over = failure is None and not self._session.stopping.is_set()
        if failure is not None:
            self._runtime.fail_closed(failure)
        self._runtime.finish()

    def _follow(self) -> None:
        """Say what happens until the session is over."""
        session, runtime = self._session, self._runtime
        limit = LoopLimit(runtime, session.options.loops)
        limit.begin()
        waited, look_every_s = 0.0, 1.0 if session.options.loops is None else LOOK_AT_LOOPS_EVERY_S
        while not runtime.wait(look_every_s):
            if session.loops_done(limit):
                break
            before, waited = waited, waited + look_every_s
            if int(waited) == int(before):
                continue
            session.say_new_causes(runtime.gate.standing())
            session.say_new_quarantines(runtime)
            summary = summary_of(runtime)
            if summary is None:
                continue
            session.say_new_trades(summary)
            if int(waited) % PROGRESS_EVERY_S == 0:
                at = runtime.market_time_at(runtime.now())
                session.say(progress_line(summary, runtime.gate.state.name, at))

    def _stop_tree(self) -> tuple[PhaseResult, ...]:
        """In the order of the kernel's coordinated shutdown."""
        runtime = self._runtime

        def shut_gate() -> bool:
            close_gate(runtime, "the session is over")
            return True

        def drain() -> bool:
            drained = threading.Event()
            runtime.gate.when_drained(lambda _epoch: drained.set())
            return drained.wait(0.2)

        results = shut_down(
            (
                Phase("close the gate", 1.0, shut_gate),
                Phase("drain the sends", 0.5, drain),
                Phase(
                    "stop the actors",
                    STOP_WITHIN_S,
                    lambda: runtime.stop_tree("the session is over", within=STOP_WITHIN_S),
                ),
            )
        )
        if self._flight is not None:
            self._flight.end()
        return results
