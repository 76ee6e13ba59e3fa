"""An engine that nobody else runs, without bots: for what an operator wants done all the same.

It is the engine itself, on its record and its venue, so that there is one way to flatten and one to
decide about a difference. Two parts are left out: the bots, who want things, and the health
monitor, on whose word alone trading is opened. So the gate, which starts shut, stays shut, and
nothing passes it but cancels and what an operator's flatten closes.

It runs in virtual time, in which the market goes on when the command lets it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import Any

from msgspec import structs

from hydra import __version__
from hydra.actor import SECOND, ChildSpec
from hydra.assembly import Engine, assemble
from hydra.ops.at_rest.market import MarketAtRest
from hydra.ops.control.commands import control_table
from hydra.ops.control.facts import EngineFacts
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.client import CommandFailed
from hydra.ops.debug.describing import Refused
from hydra.ops.embedded import LEAD, EmbeddedVenue, open_venue
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarkerFailed
from hydra.store.record import EngineRecord, Owner
from hydra.terms import clearing_policy
from hydra.trading.bars import Bar
from hydra.trading.orders import Fill, Role
from hydra.trading.restarts import cause_after_unclean_end
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import SKIP_GAPS_OVER, TimedEvent, market_events
from hydra.venues.simulated.rebuild import play_until
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.reconciliation import DifferencesReported, ReportDifferences
from supervisors import paths
from supervisors.bots import bots

FAIL_CLOSED = "fail-closed"
"""The code of the runtime's own cause."""
COMPARED_WITHIN = 10 * SECOND
"""What differs is read three times, a second apart."""
STOP_WITHIN = 10 * SECOND


class FailedClosed(Exception):
    """The engine could not go on and shut itself: what it was asked to do is not done."""


@contextmanager
def engine_at_rest(
    files: EngineFiles,
    settings: Settings,
    market: MarketAtRest,
    by: str,
    *,
    when_it_trades: bool = False,
) -> Iterator["EngineAtRest"]:
    """The engine of these files, under its lock, for as long as the block lasts.

    `by` is who asks, for the record. With `when_it_trades` a pause of the market, a night, is over
    when the block begins.

    Raises what `EngineRecord.open` and `open_venue` raise, and `FailedClosed`. Whatever ends the
    block in any other way than in order, or by a `CommandFailed`, is on record as an unclean end.
    """
    owner = Owner(
        venue=settings.broker.venue.value,
        account=EMBEDDED_ACCOUNT,
        version=__version__,
        configuration=settings.digest,
        at=market.data.begins_at - LEAD,
        wall_at=time.time_ns(),
    )
    record = EngineRecord.open(files, owner, goes_on=lambda _: True)
    try:
        venue = open_venue(
            files, market.data, seed=market.seed, speed=market.speed, wall_clock=time.time_ns
        )
        try:
            if when_it_trades:
                venue = _when_it_trades(venue, market.data)
            engine = EngineAtRest(settings, market.data, record, venue, by)
            try:
                yield engine
            except CommandFailed:
                engine.stop()
                raise
            engine.stop()
        finally:
            venue.log.close()
    finally:
        record.close()


class EngineAtRest:
    """Answers what a running one answers over its control socket. Use `engine_at_rest`."""

    def __init__(
        self,
        settings: Settings,
        data: MarketData,
        record: EngineRecord,
        venue: EmbeddedVenue,
        by: str,
    ) -> None:
        """Start it. Raises `FailedClosed`."""
        self._record = record
        self._exchange = venue.exchange
        self._bars, self._origin = data.bars, data.origin
        self._fills_before = len(record.ledger.fills())
        self._events = _left(venue, data)
        self._next = next(self._events, None)
        self._runtime = SimRuntime(seed=0, journal=paths.JOURNAL_WRITER, start_at=venue.at)
        self._caller = Caller(by)
        engine = assemble(
            settings,
            data,
            runtime=self._runtime,
            market_time=self._runtime.now,
            ledger=record.ledger,
            journal=record.journal,
            exchange=venue.exchange,
        )
        self._market = engine.market
        facts = EngineFacts(
            mode="embedded",
            venue=settings.broker.venue.value,
            account=EMBEDDED_ACCOUNT,
            sessions=data.sessions,
            clearing=clearing_policy(settings),
            configuration=settings.digest,
        )
        self._commands = control_table(facts, record.halt_marker.halt)
        self._start(engine, venue.at)

    def _start(self, engine: Engine, at: int) -> None:
        standing = tuple(cause for cause in self._record.standing if cause.is_global)
        unclean = cause_after_unclean_end(
            ended_unclean=self._record.ended_unclean, standing=standing, since=at
        )
        for cause in (*standing, *(() if unclean is None else (unclean,))):
            self._runtime.gate.trip(cause)
        self._runtime.on_fail_closed(lambda _reason: self._halt_for_good())
        self._runtime.start_root(_halted_by_construction(engine))
        until = self.at + COMPARED_WITHIN
        self.go_on(SECOND)
        while not self._has_compared() and self.at < until:
            self.go_on(SECOND)

    @property
    def at(self) -> int:
        """Market time now."""
        return self._runtime.now()

    @property
    def origin(self) -> str:
        """Where its market is from, for people."""
        return self._origin

    @property
    def is_market_over(self) -> bool:
        """Something is held, and nothing of it trades any more, so it cannot be closed."""
        held = {each.symbol for each in self._exchange.engine.account.positions()}
        bars = reversed(self._bars)
        return bool(held) and not any(
            bar.symbol in held for bar in takewhile(lambda bar: bar.end_at > self.at, bars)
        )

    @property
    def closed(self) -> tuple[tuple[str, Fill], ...]:
        """What was executed since the start to close positions, each with whose it was."""
        ledger = self._record.ledger
        of_a_flatten = {
            order.state.order.client_order_id: order.intent.decision.bot
            for order in ledger.orders()
            if order.intent.decision.role is Role.FLATTEN
        }
        return tuple(
            (of_a_flatten[fill.client_order_id], fill)
            for fill in ledger.fills()[self._fills_before :]
            if fill.client_order_id in of_a_flatten
        )

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """As `EngineClient.call`. Raises `CommandFailed` and `FailedClosed`."""
        try:
            told: dict[str, Any] = self._commands.execute(
                self._runtime, command, arguments, self._caller
            )
        except Refused as refused:
            self._require_going()
            raise CommandFailed(str(refused)) from refused
        self._require_going()
        return told

    def go_on(self, duration: int) -> None:
        """Let `duration` ns pass, with what happens in the market."""
        until = self.at + duration
        due: list[TimedEvent] = []
        while self._next is not None and self._next[0] <= until:
            at, event = self._next
            due.append((max(at, self.at), event))
            self._next = next(self._events, None)
        self._runtime.play(due, self._market.happen)
        self._runtime.advance(until - self.at)
        self._require_going()

    def stop(self) -> None:
        """End it in order, and have that on record. Raises `FailedClosed`."""
        root = self._runtime.root
        assert root is not None, "it was started"
        self._runtime.stop_cell(root, "the command is done")
        stopped = self._runtime.run_until(lambda: root.status is Status.STOPPED, within=STOP_WITHIN)
        self._require_going()
        if not stopped:
            raise FailedClosed("the actors did not stop")
        by = self._caller.name
        self._record.end(f"it ran without bots, for one command of {by}", self.at)

    def _has_compared(self) -> bool:
        """A comparison with the venue has ended, so that there is something to decide about."""
        report = self._runtime.ask(paths.BROKER_GATEWAY, ReportDifferences(), within=1.0)
        return isinstance(report, DifferencesReported) and report.at > 0

    def _halt_for_good(self) -> None:
        """Have the next start find that this one failed, without the ledger's help (I03)."""
        worst = [cause for cause in self._runtime.gate.standing() if cause.code == FAIL_CLOSED]
        for cause in worst:
            with suppress(HaltMarkerFailed):  # then it took itself away, which halts as well
                self._record.halt_marker.halt(cause)

    def _require_going(self) -> None:
        if self._runtime.failed_closed is not None:
            raise FailedClosed(self._runtime.failed_closed)


def _halted_by_construction(engine: Engine) -> ChildSpec:
    """The whole tree, but nobody who wants a trade, and nobody who says that one may be made."""
    core, _, ops = engine.tree.args["children"]
    children = tuple(
        child for child in core.args["children"] if child.name != paths.HEALTH_MONITOR.name
    )
    core = structs.replace(core, args={**core.args, "children": children})
    args = {**engine.tree.args, "children": (core, bots(()), ops)}
    return structs.replace(engine.tree, args=args)


def _left(venue: EmbeddedVenue, data: MarketData) -> Iterator[TimedEvent]:
    """What of the market has not happened yet."""
    return market_events(data.bars, data.sessions, venue.exchange.events_seen)


def _when_it_trades(venue: EmbeddedVenue, data: MarketData) -> EmbeddedVenue:
    """The venue, after a pause of its market that is not waited for in a run either."""
    bar = next((event for _, event in _left(venue, data) if isinstance(event, Bar)), None)
    if bar is None or bar.start_at - venue.at <= SKIP_GAPS_OVER:
        return venue
    at = bar.start_at - LEAD
    play_until(venue.exchange, _left(venue, data), at)
    venue.exchange.forget_untold()
    return structs.replace(venue, at=at)
