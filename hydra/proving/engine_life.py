"""One process of the engine in a simulated day, from its start to its end, however that comes.

Production actors, supervisors, record and start-up on real files, in virtual time on one thread.
What outlives it is the day's: the market, the venue, the files.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

import msgspec

from hydra import __version__
from hydra.actor import SECOND, ChildSpec, Ref
from hydra.assembly import assemble
from hydra.ops.embedded import MARKET, OVER
from hydra.ops.embedded_account import embedded_run
from hydra.ops.ending import LastResort
from hydra.ops.session import RunOptions, Session, close_gate
from hydra.proving.option_feed import CONTRACT_STREAM, OptionFeed
from hydra.runtime.cell import Cell
from hydra.runtime.life import Status
from hydra.runtime.runtime import NobodyThere, NoReplyInTime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.record import RECORD_REFUSED, EngineRecord, Owner
from hydra.testkit.faults import Gibberish
from hydra.trading.bars import Bar, late_after
from hydra.trading.trading_state import Cause, TradingState
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import Happening, TimedHappening
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.control import Flatten, Halt, Resume
from messages.lifecycle import IS_QUARANTINED, StartChild
from messages.message import Message
from supervisors import paths

OPERATOR = "the proof"
STARTS_IN = 5 * SECOND
STOPS_WITHIN = 10 * SECOND


class Place(msgspec.Struct, frozen=True):
    """What a process finds."""

    settings: Settings
    files: EngineFiles
    data: MarketData
    exchange: SimulatedExchange
    feed: Callable[[], OptionFeed] | None = None
    """Live prices and chains for one process; None: there are bars alone, and no options."""
    dressed: Callable[[ChildSpec], ChildSpec] = lambda tree: tree
    """What is started in the place of the tree."""


class EngineLife:
    """See the module. Raises what `EngineRecord.open` raises."""

    def __init__(self, place: Place, at: int, schedule: int | None) -> None:
        """It begins at market time `at`; `schedule` as of `DayPlan`."""
        settings = place.settings
        owner = Owner(
            venue=settings.broker.venue.value,
            account=EMBEDDED_ACCOUNT,
            version=__version__,
            configuration=settings.digest,
            at=at,
        )
        self.record = EngineRecord.open(place.files, owner, goes_on=lambda _: True)
        with ExitStack() as begun:
            begun.callback(self.record.close)
            begun.callback(self.record.ledger.abandon)
            self._begin(place, at, schedule)
            begun.callback(self._leave_kill_switch)
            begun.callback(self._leave_signals)
            self._ended = begun.pop_all()
        self.runtime.advance(STARTS_IN)

    def _begin(self, place: Place, at: int, schedule: int | None) -> None:
        """Everything between having the record and the first messages of actors."""
        settings, data = place.settings, place.data
        self.runtime = SimRuntime(journal=paths.JOURNAL_WRITER, start_at=at, explore=schedule)
        options = RunOptions(seed=0, speed=None, dry_run=False)
        market = embedded_run(data, EMBEDDED_ACCOUNT, at)
        session = Session(
            settings, place.files, options, self.record, market, io.StringIO(), LastResort()
        )
        self._session = session
        self._kill_watch = session.watch_kill_switch(self.runtime)
        bridge = session.open_signals(self.runtime, lambda: 0.0)  # looks come when there is news
        self._bridge = bridge
        self._feed = feed = None if place.feed is None else place.feed()
        engine = assemble(
            settings,
            data,
            runtime=self.runtime,
            market_time=self.runtime.now,
            ledger=self.record.ledger,
            journal=self.record.journal,
            exchange=place.exchange,
            conditions=session.conditions,
            price_feed=feed,
            price_age_max=late_after(data.bar_interval),
            option_chains=feed,
            signals=session.signals,
        )
        self._market = engine.market
        session.begin(self.runtime, engine)
        self.runtime.start_root(place.dressed(engine.tree))
        if feed is not None:
            feed.begin(self.runtime)
        self.look_at_signals()

    @property
    def now(self) -> int:
        """Market time, and machine time."""
        return self.runtime.now()

    @property
    def has_failed(self) -> bool:
        """It has failed closed: a service manager would find the process ended."""
        return self.runtime.failed_closed is not None

    @property
    def standing(self) -> tuple[Cause, ...]:
        """What stands against trading."""
        return self.runtime.gate.standing()

    @property
    def state(self) -> TradingState:
        """Of the gate."""
        return self.runtime.gate.state

    @property
    def given_up(self) -> tuple[Cell, ...]:
        """Whom their supervisors have in quarantine: they stay down until somebody starts them."""
        cells = tuple(self.runtime.cells.values())
        return tuple(cell for cell in cells if cell.shown_status == IS_QUARANTINED)

    def play(self, events: Iterable[TimedHappening], happen: Callable[[Happening], None]) -> None:
        """Let time come to each of these, and then it happen."""
        self.runtime.play(events, happen)

    def happen(self, event: Happening, told: tuple[Bar, ...] | None = None) -> None:
        """It is happening now; see `Market.happen`."""
        self._market.happen(event, told)

    def advance_to(self, at: int) -> None:
        """Time passes, and the market is silent."""
        self.runtime.advance(max(0, at - self.now))

    # What happens to it

    def fail_actor(self, ref: Ref[Message]) -> None:
        """This actor raises at the next message that it handles."""
        self._tell(ref, Gibberish())

    def lose_contracts(self) -> None:
        """The connection on which quotes of contracts come is cut, if there is one."""
        if self._feed is not None:
            self._feed.lose(CONTRACT_STREAM, "it was cut")
            self.runtime.settle()

    def halt(self, cause: Cause) -> None:
        """A person halts it."""
        self._tell(paths.RISK_GUARDIAN, Halt(cause=cause))

    def flatten(self) -> None:
        """A person has everything closed."""
        wish = Flatten(reason=OPERATOR, operator=OPERATOR, pause=TradingState.CLOSE_ONLY)
        self._ask(paths.FLATTENER, wish)

    def resume(self) -> None:
        """A person has looked into whatever stands."""
        self._ask(paths.RISK_GUARDIAN, Resume(reason=OPERATOR, operator=OPERATOR, codes=()))

    def look_at_kill_switch(self) -> None:
        """What a look does that comes four times a second in life."""
        self._leave_kill_switch()
        self._kill_watch = self._session.watch_kill_switch(self.runtime)

    def look_at_signals(self) -> None:
        """What the bridge to the outside strategy does four times a second."""
        if self._bridge is not None:
            self._bridge.look_once()

    def freeze(self, duration: int) -> None:
        """Nothing of it runs for so long."""
        self.runtime.freeze(duration)

    def restart_what_is_down(self) -> None:
        """A person has every actor that its supervisor gave up started again."""
        for cell in self.given_up:
            assert cell.parent is not None, "somebody gave it up"
            self._tell(Ref(cell.parent.path), StartChild(name=cell.name))

    def kill(self) -> None:
        """As with kill -9: it says nothing more, and what it had not committed is gone."""
        with suppress(*RECORD_REFUSED):  # a disk that fails holds nobody up who is killed
            self._ended.close()

    def stop(self, *, market_is_over: bool = False) -> bool:
        """In order, as upon SIGTERM; whether it did in time. `market_is_over`: of the account too,
        there is nothing left to come.
        """
        close_gate(self.runtime, "it is asked to stop")
        self.runtime.advance(SECOND)
        assert self.runtime.root is not None, "it was started"
        self.runtime.stop_cell(self.runtime.root, "it is asked to stop")
        self.runtime.advance(STOPS_WITHIN)
        has_stopped = self.runtime.root.status is Status.STOPPED and not self.has_failed
        if has_stopped:
            try:
                self._end_record(market_is_over=market_is_over)
            except RECORD_REFUSED:
                has_stopped = False
        self.kill()
        return has_stopped

    def _end_record(self, *, market_is_over: bool) -> None:
        if market_is_over:
            self.record.ledger.put(MARKET, OVER, self.now)
        self.record.end("it was asked to stop", self.now)
        self.record.ledger.close()

    def _leave_signals(self) -> None:
        if self._bridge is not None:
            self._bridge.abandon()

    def _leave_kill_switch(self) -> None:
        self._session.conditions.watches.remove(self._kill_watch)
        self._kill_watch.stop(within_s=1.0)

    def _tell(self, ref: Ref[Message], message: Message) -> None:
        self.runtime.tell(ref, message)
        self.runtime.settle()

    def _ask(self, ref: Ref[Message], message: Message) -> None:
        """The answer does not matter: whoever is down cannot give one."""
        with suppress(NobodyThere, NoReplyInTime):
            self.runtime.ask(ref, message, within=2.0)
