"""A session in virtual time: on one thread, as fast as it goes, on the venue in this process."""

from __future__ import annotations

from collections.abc import Iterator

from hydra.actor import SECOND
from hydra.assembly import assemble
from hydra.ops.embedded import EmbeddedVenue
from hydra.ops.ending import StopSignals
from hydra.ops.exit_codes import ExitCode
from hydra.ops.loop_limit import LoopLimit
from hydra.ops.session import Session, close_gate, summary_of, why_not_ready
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import SimRuntime
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import (
    TimedEvent,
    TimedHappening,
    by_moment,
    market_events,
)
from supervisors import paths

WATCH_STOPS_WITHIN_S = 1.0


def play_virtual(session: Session, data: MarketData, venue: EmbeddedVenue) -> ExitCode:
    """The whole session, on this thread."""
    runtime = SimRuntime(seed=session.options.seed, journal=paths.JOURNAL_WRITER, start_at=venue.at)
    kill_watch = session.watch_kill_switch(runtime)
    kill_watch.stop(WATCH_STOPS_WITHIN_S)  # virtual time is over soon: one look will do
    bridge = session.open_signals(runtime, lambda: 0.0)  # one look has to do here too
    engine = assemble(
        session.settings,
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=session.record.ledger,
        journal=session.record.journal,
        exchange=venue.exchange,
        conditions=session.conditions,
        dry_run=session.options.dry_run,
        signals=session.signals,
    )
    session.begin(runtime, engine)
    with StopSignals(session.stopping.set):
        runtime.start_root(engine.tree)
        runtime.advance(SECOND)
        ready = session.may_play(runtime)
        if ready:
            if bridge is not None:
                bridge.play(runtime.call_at, runtime.now())
            left = market_events(data.bars, data.sessions, venue.exchange.events_seen)
            events = by_moment(_not_before(runtime.now(), left))
            limit = LoopLimit(runtime, session.options.loops)
            limit.begin()
            runtime.play(_until_stopped(session, limit, events), engine.market.happen)
            session.market_over = not session.stopping.is_set()
            runtime.advance(SECOND)
            session.say_what_halted(runtime)
            session.say_what_failed(runtime)
        else:
            for line in why_not_ready(runtime):
                session.say(line)
        summary = summary_of(runtime)
        close_gate(runtime, "the session is over")
        runtime.advance(SECOND)
        assert runtime.root is not None
        runtime.stop_cell(runtime.root, "the session is over")
        runtime.advance(10 * SECOND)
    if bridge is not None:
        bridge.stop(WATCH_STOPS_WITHIN_S)
    stopped = runtime.root.status is Status.STOPPED
    if not ready and stopped:
        session.ended_at = runtime.now()
        return ExitCode.PREFLIGHT_FAILED
    return session.ended(runtime, summary, None if stopped else "the tree did not stop")


def _not_before(now: int, events: Iterator[TimedEvent]) -> Iterator[TimedEvent]:
    """A run that was killed may have left the venue less than a start's time before an event."""
    for at, event in events:
        yield max(now, at), event


def _until_stopped(
    session: Session, limit: LoopLimit, events: Iterator[TimedHappening]
) -> Iterator[TimedHappening]:
    for event in events:
        if session.stopping.is_set() or session.loops_done(limit):
            return
        yield event
