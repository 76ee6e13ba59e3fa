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

from hydra.proving.lies import LIES, QUOTE_LIES
from hydra.testkit.disk.failing import Failure
from hydra.testkit.disk.power_cut import Style
from hydra.trading.durations import MINUTE, SECOND
from hydra.venues.simulated.faults import Delay, Fault, HoldCancel, MomentFault, RejectLater
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour, Rule
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE, random_plan
from supervisors import paths

SYMBOLS = ("AAPL", "BTC/USD")
"""Of every day."""
UNDERLYING = "SPY"
CONTRACTS = ("SPY260116C00100000", "SPY260116C00102000", "SPY260116P00100000", "SPY260116P00098000")
"""Of a day with options: what they are on, and what there is of them."""
WHOLE_DAY, HALF_DAY = 390, 165
"""Minutes from bell to bell."""
HEALS_BEFORE_THE_END = 30 * MINUTE
"""So long before the close trouble ends."""
HELD_FOR_LONG = 12
"""Market events where there are two a minute: what was begun while there was trouble is over in
time to heal.
"""
CALM_SHARE = 0.05
EXPLORED_SHARE = 0.06
"""Of the days: those in which everything takes time, and who is next is drawn."""
HALF_SHARE = 0.9
GRAVE_SHARE = 0.15
"""Of the days: those in which the venue also does what has to halt an engine."""
OPTION_SHARE = 0.3
"""Of the days, calm ones too: those in which there are options. They are drawn apart, so that what
else a day goes through is the same with and without.
"""
PREMIUMS_USD = (500, 1_000, 1_000, 2_000, 12_000)
"""What an entry may pay at most, drawn for each day: the last is more than a symbol may be worth,
so that it must be denied.
"""
OPTIONS_BOT = "opt_core"
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
"""Everybody in a day's tree but the supervisors, and the options bot, which is in some."""
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
CHAIN_FAULTS = ("unanswered", "late", "unread", "twice", "empty", "unquoted")
"""What comes of a question about a chain."""
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


class ChainFails(Act, frozen=True, kw_only=True):
    """For so long questions about option chains are answered so: one of `CHAIN_FAULTS`."""

    how: str
    lasts: int


class ContractsLost(Act, frozen=True, kw_only=True):
    """The stream of contracts is lost, and cannot be reached for so long."""

    lasts: int


class ContractsMute(Act, frozen=True, kw_only=True):
    """The stream of contracts is connected, and tells nothing for so long."""

    lasts: int


class QuotesLie(Act, frozen=True, kw_only=True):
    """For so long quotes of contracts are not as they should be: one of `QUOTE_LIES`."""

    how: str
    lasts: int


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
    | ChainFails
    | ContractsLost
    | ContractsMute
    | QuotesLie
)


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A day. The same plan gives the same day, to the last message.

    `market` is the seed of its prices, `minutes` how long it is open; `schedule` is the seed of the
    explore schedule, None: canonical. `premium_usd` is what an entry into an option may pay at
    most, None: there are none.
    """

    market: int
    minutes: int
    schedule: int | None
    venue: Misbehaviour
    acts: tuple[Happening, ...]
    premium_usd: int | None = None

    @property
    def has_options(self) -> bool:
        """Whether contracts are traded in it."""
        return self.premium_usd is not None

    @property
    def trouble_ends(self) -> int:
        """How long after the market's beginning (ns)."""
        return self.minutes * MINUTE - HEALS_BEFORE_THE_END

    @property
    def size(self) -> int:
        """How much there is in it, to be made less."""
        extras = (self.schedule, self.premium_usd)
        return len(self.acts) + len(self.venue.rules) + sum(each is not None for each in extras)


def day_of(seed: int) -> DayPlan:
    """The day of a seed."""
    dice = random.Random(f"day|{seed}")
    option_dice = random.Random(f"options|{seed}")
    premium = option_dice.choice(PREMIUMS_USD) if option_dice.random() < OPTION_SHARE else None
    if dice.random() < CALM_SHARE:
        return DayPlan(
            market=seed,
            minutes=WHOLE_DAY,
            schedule=None,
            venue=Misbehaviour(),
            acts=(),
            premium_usd=premium,
        )
    is_explored = dice.random() < EXPLORED_SHARE
    day = DayPlan(
        market=seed,
        # Where everything takes time it takes the proof's as well.
        minutes=HALF_DAY if is_explored or dice.random() < HALF_SHARE else WHOLE_DAY,
        schedule=seed if is_explored else None,
        venue=Misbehaviour(),
        acts=(),
        premium_usd=premium,
    )
    rates = {**RECOVERABLE, **GRAVE} if dice.random() < GRAVE_SHARE else RECOVERABLE
    symbols = symbols_of(day)
    venue = _in_time(random_plan(seed, symbols, rates), day.trouble_ends, len(symbols))
    acts = _acts(dice, day.trouble_ends, _DRAWN)
    if day.has_options:
        acts += _acts(option_dice, day.trouble_ends, _DRAWN_OF_OPTIONS)
    return replace(day, venue=venue, acts=tuple(sorted(acts, key=lambda act: (act.at, act.kind))))


def symbols_of(plan: DayPlan) -> tuple[str, ...]:
    """All that the venue has bars of, each one a minute."""
    return (*SYMBOLS, UNDERLYING, *CONTRACTS) if plan.has_options else SYMBOLS


def _in_time(plan: Misbehaviour, until: int, events_a_minute: int) -> Misbehaviour:
    """The same up to then; what would last for ever lasts for long.

    What goes by events of the market lasts as long, and comes as often, however many symbols
    have them.
    """
    match = Match(until_event=until // MINUTE * events_a_minute)
    rules = tuple(
        replace(_paced(rule, events_a_minute / len(SYMBOLS)), match=match) for rule in plan.rules
    )
    return replace(plan, rules=rules)


def _paced(rule: Rule, pace: float) -> Rule:
    fault: Fault = rule.fault
    if isinstance(fault, HoldCancel) and fault.events is None:
        fault = replace(fault, events=HELD_FOR_LONG)
    if isinstance(fault, HoldCancel | RejectLater | Delay):
        assert fault.events is not None, "it has an end by now"
        fault = replace(fault, events=round(fault.events * pace))
    rate = rule.rate / pace if isinstance(fault, MomentFault) else rule.rate
    return replace(rule, fault=fault, rate=rate)


def _acts(dice: random.Random, until: int, drawn: Mapping[Draw, int]) -> list[Happening]:
    acts: list[Happening] = []
    for draw, times_max in drawn.items():
        if draw is _resumes or dice.random() < 0.5:
            times = dice.randint(1, times_max)
            acts += (draw(dice, dice.randrange(until)) for _ in range(times))
    return acts


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

_LASTS_MINUTES = (1, 3, 10)

_DRAWN_OF_OPTIONS: Mapping[Draw, int] = {
    lambda dice, at: ActorFails(
        at=at, path=paths.bot(OPTIONS_BOT).path, times=dice.choice((1, 1, 1, GIVEN_UP_AFTER))
    ): 6,
    lambda dice, at: ChainFails(
        at=at, how=dice.choice(CHAIN_FAULTS), lasts=dice.choice(_LASTS_MINUTES) * MINUTE
    ): 6,
    lambda dice, at: ContractsLost(at=at, lasts=dice.choice((0, *_LASTS_MINUTES)) * MINUTE): 4,
    lambda dice, at: ContractsMute(at=at, lasts=dice.choice(_LASTS_MINUTES) * MINUTE): 4,
    lambda dice, at: QuotesLie(
        at=at, how=dice.choice(sorted(QUOTE_LIES)), lasts=dice.choice(_LASTS_MINUTES) * MINUTE
    ): 8,
}
"""What comes besides where there are options."""


def smaller(plan: DayPlan) -> Iterator[DayPlan]:
    """Plans with less in them, the boldest cuts first (delta debugging: Zeller and Hildebrandt,
    "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28, 2002)."""
    if plan.schedule is not None:
        yield replace(plan, schedule=None)
    if plan.has_options:
        yield replace(plan, premium_usd=None)
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
