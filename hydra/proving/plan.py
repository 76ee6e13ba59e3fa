"""What a day goes through, drawn from its seed: swarm testing.

Each seed draws which kinds of trouble there are at all, and how much of each (Groce, Zhang, Eide,
Chen and Regehr, "Swarm Testing", ISSTA 2012: leaving some out lets the others get further). Some
days are calm. A plan is a value, so that a smaller one can be made of it and played again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from hydra.proving.lies import LIES
from hydra.testkit.disk.failing import Failure
from hydra.testkit.disk.power_cut import Style
from hydra.trading.durations import MINUTE, SECOND
from hydra.venues.simulated.faults import Fault, HoldCancel
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE, random_plan
from supervisors import paths

SYMBOLS = ("AAPL", "BTC/USD")
WHOLE_DAY, HALF_DAY = 390, 165
"""Minutes from bell to bell."""
HEALS_BEFORE_THE_END = 30 * MINUTE
"""So long before the close trouble ends."""
HELD_FOR_LONG = 12
"""Market events, of which there are two a minute: what was begun while there was trouble is over in
time to heal.
"""
CALM_SHARE = 0.05
EXPLORED_SHARE = 0.06
"""Of the days: those in which everything takes time, and who is next is drawn."""
HALF_SHARE = 0.9
GRAVE_SHARE = 0.15
"""Of the days: those in which the venue also does what has to halt an engine."""
TRADING_BOTS = ("mom_AAPL", "mom_AAPL_cross", "crypto_core", "signal_bot")
MAY_FAIL = (
    paths.RISK_GUARDIAN,
    paths.BROKER_GATEWAY,
    paths.STATE_PERSISTER,
    paths.JOURNAL_WRITER,
    paths.FLATTENER,
    paths.HEALTH_MONITOR,
    paths.DATA_FEED,
    paths.EXIT_BOT,
    paths.PORTFOLIO_BOT,
    *(paths.bot(each) for each in TRADING_BOTS),
    paths.EXECUTION_MONITOR,
    paths.REPORTER,
)
"""Everybody in a day's tree but the supervisors."""
GIVEN_UP_AFTER = 5
"""Failures in a row: more than any supervisor bears within a minute."""

FAILING_CALLS = (
    ("xWrite", Failure.IO_ERROR),
    ("xWrite", Failure.DISK_FULL),
    ("xSync", Failure.IO_ERROR),
    ("xSync", Failure.DISK_FULL),
    ("xTruncate", Failure.IO_ERROR),
    ("xRead", Failure.IO_ERROR),
    ("xOpen", Failure.IO_ERROR),
    ("xLock", Failure.BUSY),
)
"""In which ways the ledger's disk fails. A disk that lies is for tests of the ledger by itself."""
JOURNAL_FAILURES = ("full", "read-only")
SIGNAL_ACTIONS = ("buy", "sell", "nonsense")
KILL_WORDS = ("halt_all", "close_only", "", "close-only", "HALT")


class Act(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happens to the engine, `at` ns after the market's beginning."""

    at: int

    @property
    def kind(self) -> str:
        """Its name in the report."""
        return type(self).__name__


class ActorFails(Act, frozen=True, kw_only=True):
    """The actor at this path raises at the next message that it handles, and so often in a row."""

    path: str
    times: int = 1


class ProcessKilled(Act, frozen=True, kw_only=True):
    """As with kill -9; the next process begins so much later, and the market goes on meanwhile."""

    down: int


class ProcessStopped(Act, frozen=True, kw_only=True):
    """As with SIGTERM: in order; the next process begins so much later."""

    down: int


class OperatorHalts(Act, frozen=True, kw_only=True):
    """A person halts trading."""


class OperatorFlattens(Act, frozen=True, kw_only=True):
    """A person has everything closed."""


class OperatorResumes(Act, frozen=True, kw_only=True):
    """A person has looked into whatever stands."""


class FeedSilent(Act, frozen=True, kw_only=True):
    """No bar is told for so long."""

    lasts: int


class FeedLies(Act, frozen=True, kw_only=True):
    """The next bars that are told are wrong; `how` says in what way: one of `LIES`."""

    how: str
    bars: int


class ProcessFrozen(Act, frozen=True, kw_only=True):
    """As with SIGSTOP, or a machine that sleeps: for so long nothing runs, and then all of it."""

    lasts: int


class PowerFails(Act, frozen=True, kw_only=True):
    """Process and unsynced writes are gone; of these the ledger's disk keeps what `style` says (a
    name of `Style`). The next process begins so much later.
    """

    style: str
    down: int


class DiskFails(Act, frozen=True, kw_only=True):
    """Of the calls that SQLite makes of the ledger's disk the `number`-th fails, or all from it on
    do, until the disk is mended so much later. `failure`: a name of `Failure`.
    """

    call: str
    failure: str
    number: int
    lasting: bool
    lasts: int


class JournalFails(Act, frozen=True, kw_only=True):
    """What this process writes to the journal does not go in any more: one of `JOURNAL_FAILURES`"""

    how: str


class KillSwitchThrown(Act, frozen=True, kw_only=True):
    """Somebody writes this into the kill switch's file, and takes the file away later."""

    word: str
    lasts: int


class SignalWritten(Act, frozen=True, kw_only=True):
    """The outside strategy writes a line: one of `SIGNAL_ACTIONS`, under this number. The same
    number again is the same signal, whatever else it says.
    """

    number: int
    action: str


Happening: TypeAlias = (
    ActorFails
    | ProcessKilled
    | ProcessStopped
    | ProcessFrozen
    | PowerFails
    | DiskFails
    | JournalFails
    | KillSwitchThrown
    | SignalWritten
    | OperatorHalts
    | OperatorFlattens
    | OperatorResumes
    | FeedSilent
    | FeedLies
)


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A day. The same plan gives the same day, to the last message.

    `market` is the seed of its prices, `minutes` how long it is open; `schedule` is the seed of the
    explore schedule, None: canonical.
    """

    market: int
    minutes: int
    schedule: int | None
    venue: Misbehaviour
    acts: tuple[Happening, ...]

    @property
    def trouble_ends(self) -> int:
        """How long after the market's beginning (ns)."""
        return self.minutes * MINUTE - HEALS_BEFORE_THE_END

    @property
    def size(self) -> int:
        """How much there is in it, to be made less."""
        return len(self.acts) + len(self.venue.rules) + (self.schedule is not None)


def day_of(seed: int) -> DayPlan:
    """The day of a seed."""
    dice = random.Random(f"day|{seed}")
    if dice.random() < CALM_SHARE:
        return DayPlan(market=seed, minutes=WHOLE_DAY, schedule=None, venue=Misbehaviour(), acts=())
    is_explored = dice.random() < EXPLORED_SHARE
    day = DayPlan(
        market=seed,
        # Where everything takes time it takes the proof's as well.
        minutes=HALF_DAY if is_explored or dice.random() < HALF_SHARE else WHOLE_DAY,
        schedule=seed if is_explored else None,
        venue=Misbehaviour(),
        acts=(),
    )
    rates = {**RECOVERABLE, **GRAVE} if dice.random() < GRAVE_SHARE else RECOVERABLE
    venue = _that_ends(random_plan(seed, SYMBOLS, rates), day.trouble_ends)
    return replace(day, venue=venue, acts=tuple(_acts(dice, day.trouble_ends)))


def _that_ends(plan: Misbehaviour, at: int) -> Misbehaviour:
    """The same until then; what would last for ever lasts for long."""
    match = Match(until_event=at // MINUTE * len(SYMBOLS))
    rules = tuple(replace(rule, fault=_finite(rule.fault), match=match) for rule in plan.rules)
    return replace(plan, rules=rules)


def _finite(fault: Fault) -> Fault:
    if isinstance(fault, HoldCancel) and fault.events is None:
        return replace(fault, events=HELD_FOR_LONG)
    return fault


def _acts(dice: random.Random, until: int) -> list[Happening]:
    acts: list[Happening] = []
    for draw, times_max in _DRAWN.items():
        if draw is _resumes or dice.random() < 0.5:
            times = dice.randint(1, times_max)
            acts += (draw(dice, dice.randrange(until)) for _ in range(times))
    return sorted(acts, key=lambda act: (act.at, act.kind))


def _resumes(dice: random.Random, at: int) -> Happening:
    return OperatorResumes(at=at)


def _disk_fails(dice: random.Random, at: int) -> Happening:
    call, failure = dice.choice(FAILING_CALLS)
    return DiskFails(
        at=at,
        call=call,
        failure=failure.name,
        number=dice.randint(1, 30),
        lasting=dice.random() < 0.5,
        lasts=dice.choice((1, 30, 200)) * SECOND,
    )


Draw: TypeAlias = Callable[[random.Random, int], Happening]

_DRAWN: Mapping[Draw, int] = {
    lambda dice, at: ActorFails(
        at=at, path=dice.choice(MAY_FAIL).path, times=dice.choice((1, 1, 1, GIVEN_UP_AFTER))
    ): 12,
    lambda dice, at: ProcessKilled(at=at, down=dice.choice((1, 5, 30, 90, 300)) * SECOND): 6,
    lambda dice, at: ProcessStopped(at=at, down=dice.choice((1, 30, 300)) * SECOND): 2,
    lambda dice, at: ProcessFrozen(at=at, lasts=dice.choice((3, 10, 60, 600)) * SECOND): 3,
    lambda dice, at: PowerFails(
        at=at, style=dice.choice(tuple(Style)).name, down=dice.choice((5, 60, 300)) * SECOND
    ): 2,
    _disk_fails: 3,
    lambda dice, at: JournalFails(at=at, how=dice.choice(JOURNAL_FAILURES)): 1,
    lambda dice, at: KillSwitchThrown(
        at=at, word=dice.choice(KILL_WORDS), lasts=dice.choice((1, 60, 600)) * SECOND
    ): 2,
    lambda dice, at: SignalWritten(
        at=at, number=dice.randrange(10), action=dice.choice(SIGNAL_ACTIONS)
    ): 30,
    lambda dice, at: OperatorHalts(at=at): 3,
    lambda dice, at: OperatorFlattens(at=at): 2,
    lambda dice, at: FeedSilent(at=at, lasts=dice.choice((20, 60, 200, 600)) * SECOND): 4,
    lambda dice, at: FeedLies(at=at, how=dice.choice(sorted(LIES)), bars=dice.randint(1, 5)): 12,
    _resumes: 40,
}
"""Each kind with how often it comes in a day at most."""


def smaller(plan: DayPlan) -> Iterator[DayPlan]:
    """Plans with less in them, the boldest cuts first (delta debugging: Zeller and Hildebrandt,
    "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28, 2002)."""
    if plan.schedule is not None:
        yield replace(plan, schedule=None)
    yield from (
        replace(plan, venue=replace(plan.venue, rules=rules))
        for rules in _without_parts(plan.venue.rules)
    )
    yield from (replace(plan, acts=acts) for acts in _without_parts(plan.acts))


def _without_parts(parts: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    """Without halves, quarters and so on, down to without one."""
    length = len(parts)
    while length:
        for start in range(0, len(parts), length):
            yield (*parts[:start], *parts[start + length :])
        length //= 2
