"""A day of the engine under a plan, and what was done in it that never may be.

The process under test begins, is killed, ends and begins again on the same files, while market and
venue go on. What happened is judged twice: at the venue, event by event, for what the account is
exposed to; and by the judge of every other suite (`hydra.testkit.judge`), which believes nothing
but the venue's log, the ledger and the journal, when the day is over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from hydra.actor import Ref
from hydra.ops.embedded import LEAD
from hydra.proving import scene
from hydra.proving.engine_life import EngineLife, Place
from hydra.proving.exposures import excesses
from hydra.proving.lies import LIES
from hydra.proving.machine import Machine
from hydra.proving.option_feed import OptionFeed, OptionTrouble
from hydra.proving.phases import Phase, in_engine, phase_of
from hydra.proving.plan import (
    CONTRACTS,
    SYMBOLS,
    UNDERLYING,
    ActorFails,
    ChainFails,
    ContractsLost,
    ContractsMute,
    DayPlan,
    DiskFails,
    FeedLies,
    FeedSilent,
    Happening,
    JournalFails,
    KillSwitchThrown,
    OperatorFlattens,
    OperatorHalts,
    OperatorResumes,
    PowerFails,
    ProcessFrozen,
    ProcessKilled,
    ProcessStopped,
    QuotesLie,
    SignalWritten,
)
from hydra.proving.stage import PROOF, Stage
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import LedgerFailed
from hydra.store.record import RECORD_REFUSED
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.bars import Bar
from hydra.trading.causes import (
    DAILY_LOSS,
    DRAWDOWN,
    DRAWDOWN_FLAPPING,
    OPERATOR_HALT,
    UNMANAGED,
    kind_of,
)
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.trading_state import CauseClass
from hydra.venues.simulated.faults import Fault, PlantOrder
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.playback import Happening as MarketHappening
from hydra.venues.simulated.playback import MarketEnded, TimedEvent, by_moment, market_events
from hydra.venues.simulated.random_plan import GRAVE
from hydra.venues.simulated.rebuild import open_exchange, play_until
from hydra.venues.simulated.request_log import FileLog

CLEARABLE_WITHIN = 10 * MINUTE
"""After trouble ends: within this trading has to be open again, with a person there."""
STEP = 20 * SECOND
"""So finely time is cut while there is trouble: who waits for an answer looks again in between."""
BEGINS_AGAIN_IN = 5 * SECOND
FAILS_AGAIN_IN = 2 * SECOND
"""An actor that fails in a row: by then it has been started again."""
STREAMS = {"stocks": (SYMBOLS[0], UNDERLYING), "crypto": (SYMBOLS[1],)}
"""Of a day with options."""
MAY_STAND = frozenset((DAILY_LOSS.code, DRAWDOWN.code))
"""Of a day that is lost: nobody can clear these before the next one."""
STANDS_FOR_AN_HOUR = DRAWDOWN_FLAPPING.code
"""Where prices lied: the account's worth went up and down with them, and that is looked at for so
long. It may be more than is left of the day.
"""


_GRAVE = frozenset(kind.__name__ for kind in GRAVE)


class Breach(msgspec.Struct, frozen=True):
    """What was done, and the invariants that it breaks."""

    invariants: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariants}: {self.what}"


class DayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a day."""

    breaches: tuple[Breach, ...]
    hits: dict[str, dict[str, int]]
    """How often each kind of trouble struck, by the phase of life that it struck in."""
    orders: int
    executions: int
    lives: int


def lived(plan: DayPlan, folder: Path, stage: Stage = PROOF) -> DayOutcome:
    """Play the day; its files are left in the folder, which is new.

    `stage`: with which bots, and on which market. Whatever the engine raises through its
    supervisors is passed on: that may never be either.
    """
    files = EngineFiles.under(folder, folder / "logs", "ledger.db", "journal.jsonl")
    with Machine.of(files) as machine:
        day = _Day(plan, files, machine, stage)
        day.live()
    day.be_judged()
    return day.outcome()


class _Day:
    def __init__(self, plan: DayPlan, files: EngineFiles, machine: Machine, stage: Stage) -> None:
        self._plan = plan
        self._data, contracts = stage.market_of(plan)
        self._files = files
        self._machine = machine
        self._now = self._data.begins_at - LEAD
        self._events = tuple(market_events(self._data.bars, self._data.sessions))
        self._times = tuple(at for at, _ in self._events)
        self._log = FileLog.open(self._files.venue_log)
        self._exchange = open_exchange(
            self._log,
            self._data,
            until=self._now,
            seed=plan.market,
            speed=None,
            wall_clock=lambda: 0,
            misbehaviour=plan.venue,
        )
        if isinstance(self._exchange, MisbehavingExchange):
            self._exchange.tell_strikes(self._struck)
        folder = files.ledger.parent
        self._signals = folder / "signals.jsonl"
        settings = stage.settings_in(folder, plan)
        self._option_trouble = trouble = OptionTrouble()
        feed = None if contracts is None else partial(OptionFeed, contracts, STREAMS, trouble)
        dressed = stage.dressed(self._exchange)
        self._place = Place(settings, self._files, self._data, self._exchange, feed, dressed)
        self._life: EngineLife | None = None
        self._silent_until = 0
        self._mended_at: int | None = None
        """When the disk that fails works again."""
        self._unkilled_at: int | None = None
        """When the kill switch's file is taken away."""
        self._lies: list[str] = []
        self._lives = 0
        self._breaches: dict[tuple[str, str], None] = {}
        self._hits: Counter[tuple[str, Phase]] = Counter()
        self._requests_seen = 0
        self._limit = self._place.settings.guards.exposure.max_symbol_usd
        self._exceeded: set[str] = set()
        self._unanswered: set[str] = set()
        """What the venue did that has to halt an engine, and has not yet."""
        self._planted: set[str] = set()
        """The names of a stranger's orders."""
        self._is_market_over = False

    # The course of the day

    def live(self) -> None:
        """From before the bell until after the close."""
        self._begin()
        for act in self._plan.acts:
            self._go_to(self._data.begins_at + act.at, STEP)
            self._count(type(act).__name__)
            self._do(act)
        self._go_to(self._data.begins_at + self._plan.trouble_ends, STEP)
        self._heal()
        self._go_to(self._times[-1], MINUTE)
        life = self._living()
        life.advance_to(life.now + MINUTE)
        self._watch()
        self._be_flat()
        if all(self._was_refused(name) for name in self._planted):
            self._unanswered.discard(PlantOrder.__name__)
        for kind in sorted(self._unanswered):
            self.breached("I22 I27 I29 I44 I60", f"{kind} halted nothing to the end of the day")
        if not life.stop(market_is_over=True):
            self.breached("I76", "it did not stop in order at the end of the day")
        self._life = None

    def _heal(self) -> None:
        """Trouble is over. A person looks into what stands, again and again."""
        self._silent_until, self._lies = 0, []
        self._option_trouble.heal()
        self._mend()
        self._take_back_kill()
        until = self._now + CLEARABLE_WITHIN
        while self._now < until and not (self._is_open() and not self._living().given_up):
            life = self._living()
            life.restart_what_is_down()
            if any(kind_of(cause.code) is UNMANAGED for cause in life.standing):
                life.flatten()  # as its remedy says: it stands for as long as anything is held
            life.resume()
            self._go_to(self._now + MINUTE, STEP)
        if not self._is_open() and not self._is_for_a_person:
            standing = ", ".join(
                f"{cause.code} ({cause.detail})" for cause in self._living().standing
            )
            self.breached("liveness", f"10 minutes after trouble ended there stands {standing}")
        if self._living().given_up:
            down = ", ".join(cell.name for cell in self._living().given_up)
            self.breached("liveness", f"10 minutes after trouble ended {down} cannot be started")

    def _be_flat(self) -> None:
        """No bot keeps a share or a contract over night, and each had the time to sell it."""
        if self._is_for_a_person or not self._is_open():
            return
        for held in self._exchange.engine.account.positions():
            if not is_crypto(held.symbol):
                self.breached("I43", f"{held.quantity} {held.symbol} are held after the close")

    def _is_open(self) -> bool:
        """Whether trading is, or can only be open again on another day."""
        standing = {cause.code for cause in self._living().standing} - MAY_STAND
        return not standing or (standing == {STANDS_FOR_AN_HOUR} and self._have_prices_lied)

    @property
    def _have_prices_lied(self) -> bool:
        return any(kind == QuotesLie.__name__ for kind, _ in self._hits)

    @property
    def _is_for_a_person(self) -> bool:
        """The venue did what no engine can make good: it may stay halted, and what is at the venue
        is not all ours.
        """
        return any(kind in _GRAVE for kind, _ in self._hits)

    def _do(self, act: Happening) -> None:
        life = self._living()
        match act:
            case ActorFails(path=path, times=times):
                life.fail_actor(Ref(path))
                for _ in range(times - 1):
                    self._go_to(self._now + FAILS_AGAIN_IN, STEP)
                    self._living().fail_actor(Ref(path))
            case ProcessKilled(down=down):
                self._kill()
                self._stay_down(down)
            case ProcessStopped(down=down):
                life.stop()
                self._life, self._now = None, life.now
                self._stay_down(down)
            case ProcessFrozen(lasts=lasts):
                life.freeze(lasts)
            case PowerFails(down=down):
                image = self._machine.power_fails(act)
                self._kill()
                self._machine.power_is_back(image)
                self._stay_down(down)
            case DiskFails(lasts=lasts):
                self._machine.fail(act)
                self._mended_at = self._now + lasts
            case JournalFails():
                self._machine.fail_journal(act)
            case KillSwitchThrown(word=word, lasts=lasts):
                self._files.kill_switch.write_text(word)
                self._unkilled_at = self._now + lasts
                life.look_at_kill_switch()
            case SignalWritten(number=number, action=action):
                with self._signals.open("a") as file:
                    file.write(scene.signal_line(number, action, self._now) + "\n")
                life.look_at_signals()
            case OperatorHalts():
                life.halt(OPERATOR_HALT.cause(since=self._now, detail="looks wrong"))
            case OperatorFlattens():
                life.flatten()
            case OperatorResumes():
                life.restart_what_is_down()
                life.resume()
            case FeedSilent(lasts=lasts):
                self._silent_until = max(self._silent_until, self._now + lasts)
            case FeedLies(how=how, bars=bars):
                self._lies += [how] * bars
            case ChainFails(how=how, lasts=lasts):
                self._option_trouble.fail_chains(how, self._now + lasts)
            case ContractsLost(lasts=lasts):
                self._option_trouble.lose(self._now + lasts)
                life.lose_contracts()
            case ContractsMute(lasts=lasts):
                self._option_trouble.mute(self._now + lasts)
            case QuotesLie(how=how, lasts=lasts):
                self._option_trouble.lie(how, self._now + lasts)
        if self._life is not None:
            self._now = self._life.now

    # Lives

    def _mend(self) -> None:
        self._machine.mend()
        self._mended_at = None

    def _take_back_kill(self) -> None:
        self._files.kill_switch.unlink(missing_ok=True)
        self._unkilled_at = None
        if self._life is not None:
            self._life.look_at_kill_switch()

    def _begin(self) -> None:
        """A process begins; one that cannot for its disk is begun again and again."""
        while self._life is None:
            self._machine.begins()
            try:
                self._begin_once()
            except RECORD_REFUSED:
                if self._mended_at is None:
                    raise
                self._pass_without(BEGINS_AGAIN_IN)

    def _begin_once(self) -> None:
        self._exchange.forget_untold()
        self._lives += 1
        schedule = self._plan.schedule
        if schedule is not None:
            schedule = schedule * 1_000 + self._lives
        self._life = EngineLife(self._place, self._now, schedule)
        self._now = self._life.now

    def _living(self) -> EngineLife:
        """The process, which is started again if there is none."""
        if self._life is None:
            self._begin()
        assert self._life is not None, "it has just begun"
        return self._life

    def _kill(self) -> None:
        assert self._life is not None, "there is a process"
        self._life.kill()
        self._life = None

    def _stay_down(self, duration: int) -> None:
        """The market goes on, and what it does is told to nobody."""
        self._pass_without(duration)
        self._begin()

    def _pass_without(self, duration: int) -> None:
        until = self._now + duration
        play_until(self._exchange, self._ahead(until), until)
        self._exchange.forget_untold()
        self._now = until
        self._end_what_is_over()

    def _end_what_is_over(self) -> None:
        """Of the trouble that ends by itself."""
        if self._mended_at is not None and self._now >= self._mended_at:
            self._mend()
        if self._unkilled_at is not None and self._now >= self._unkilled_at:
            self._take_back_kill()

    def _go_to(self, until: int, step: int) -> None:
        while self._now < until:
            life = self._living()
            self._now = life.now  # what was asked of it may have taken a moment
            to = min(until, self._now + step)
            life.play(by_moment(self._ahead(to)), self._happen)
            life.advance_to(to)
            life.look_at_signals()
            self._now = life.now
            self._watch()
            self._end_what_is_over()
            if life.has_failed:
                self._kill()
                self._stay_down(BEGINS_AGAIN_IN)

    def _ahead(self, until: int) -> Sequence[TimedEvent]:
        """What of the market has not happened yet, up to then. Nothing comes in the past."""
        found = self._events[self._exchange.events_seen : bisect_right(self._times, until)]
        return [
            (max(at, self._now), event)
            for at, event in found
            if not (isinstance(event, MarketEnded) and self._is_market_over)
        ]

    def _happen(self, event: MarketHappening) -> None:
        assert self._life is not None, "who else plays"
        self._is_market_over = isinstance(event, MarketEnded)
        told: tuple[Bar, ...] | None = None
        if isinstance(event, tuple):
            told = tuple(bar for bar in event if bar.symbol not in CONTRACTS)  # of them: quotes
            if self._life.now < self._silent_until:
                told = ()
            elif self._lies:
                lie = LIES[self._lies.pop()]
                told = tuple(wrong for bar in told for wrong in lie(bar))
        self._life.happen(event, told)

    # Watching

    def _watch(self) -> None:
        """After each step; for exposure, if something came to the venue in it."""
        life, exchange = self._life, self._exchange
        assert life is not None, "it has just been played"
        is_halted = any(cause.cause_class is CauseClass.INTEGRITY for cause in life.standing)
        if is_halted:
            self._unanswered.clear()
        if self._machine.has_refused() and not is_halted and not life.has_failed:
            self.breached("I56", "the ledger's disk failed, and nothing halted")
        if life.has_failed:  # nothing can be asked of its record
            return
        if exchange.requests_seen == self._requests_seen:
            return
        if self._is_for_a_person:
            return
        try:
            heard = {fill.execution_id for fill in life.record.ledger.fills()}
        except LedgerFailed:  # the engine is about to fail closed over it
            return
        self._requests_seen = exchange.requests_seen
        for symbol, excess in excesses(exchange.engine, self._data.symbols, self._limit, heard):
            if symbol not in self._exceeded:  # it lasts, and is one
                self._exceeded.add(symbol)
                self.breached("I31", excess)

    def _struck(self, fault: Fault) -> None:
        kind = type(fault).__name__
        self._count(kind)
        if kind in _GRAVE:
            self._unanswered.add(kind)
        if isinstance(fault, PlantOrder):
            self._planted.add(fault.order.client_order_id)

    def _was_refused(self, name: str) -> bool:
        """Whether the venue never took that order: then there is nothing of it to be found."""
        order = self._exchange.engine.find(name)
        return order is None or not order.venue_order_id

    def _count(self, kind: str) -> None:
        standing = None if self._life is None else self._life.standing
        self._hits[kind, phase_of(standing, in_engine(self._exchange.engine))] += 1

    def be_judged(self) -> None:
        """All of it, by what was left on the disk."""
        self._log.close()
        plan = self._plan.venue if self._plan.venue.rules else None
        for violation in violations_in(self._files, (self._data,), plan):
            self.breached(violation.invariants, violation.what)

    def breached(self, invariants: str, what: str) -> None:
        """Once each, however often it is seen."""
        self._breaches[invariants, what] = None

    def outcome(self) -> DayOutcome:
        """What there is to tell."""
        seen = self._exchange.engine.snapshot(self._now, 0)
        hits: dict[str, dict[str, int]] = {}
        for (kind, phase), times in sorted(self._hits.items(), key=lambda hit: hit[0][0]):
            hits.setdefault(kind, {})[phase.value] = times
        return DayOutcome(
            breaches=tuple(Breach(*each) for each in self._breaches),
            hits=hits,
            orders=len(seen.orders),
            executions=len(seen.fills),
            lives=self._lives,
        )
