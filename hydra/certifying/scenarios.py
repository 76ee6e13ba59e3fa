"""What a bot has to live through, one kind after the other, each drawn from the seed.

A scenario is a plan of the proof (`hydra.proving.plan`) with prices that do something on purpose
and, in some, an engine that is set so that it grants nothing or denies much.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from hydra.certifying.prices import SHAPES
from hydra.proving.lies import LIES
from hydra.proving.plan import (
    HALF_DAY,
    WHOLE_DAY,
    ActorFails,
    DayPlan,
    FeedLies,
    FeedSilent,
    Happening,
    KillSwitchThrown,
    OperatorFlattens,
    OperatorHalts,
    OperatorResumes,
    ProcessFrozen,
    ProcessKilled,
    ProcessStopped,
    SignalWritten,
    day_of,
)
from hydra.trading.durations import MINUTE, SECOND
from hydra.venues.simulated.faults import (
    Delay,
    Fault,
    FillPart,
    HideEquity,
    HoldCancel,
    Ignore,
    Lose,
    Overtake,
    RejectLater,
    Repeat,
)
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour, Rule
from hydra.venues.simulated.random_plan import GRAVE
from supervisors import paths

BOT = "certified"
"""What the bot is called in a scenario."""
NOTIONALS_USD = (500, 1_000, 2_000, 4_000)
"""What one entry of it buys, drawn for each scenario."""
LIVELY = ("wild", "swinging", "gapping", "cheap")
"""Prices at which a bot has something to do while it is disturbed."""
NO_BUDGET = ("portfoliobot.buckets.momentum_bucket_pct_of_daily_risk=0.0001",)
DENIED = ("guards.exposure.max_bot_usd=50",)
SELDOM = ("risk.max_orders_per_minute=1", "guards.order.similar_order_seconds=300")


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `shape` is one of `SHAPES`, `settings` are `KEY=VALUE` of the engine.

    `calm`: nothing is done to the bot, its engine or what they are told, so that all that is
    missing is the bot's. `restarts`: the bot or its engine begins again, and nothing else happens.
    """

    number: int
    kind: str
    plan: DayPlan
    shape: str = "plain"
    settings: tuple[str, ...] = ()
    notional_usd: int = 1_000
    calm: bool = False
    restarts: bool = False


Draw: TypeAlias = Callable[[random.Random, DayPlan], Scenario]


def scenario_of(number: int, seed: int) -> Scenario:
    """The scenario of a number: each kind comes again after all others."""
    dice = random.Random(f"certify|{seed}|{number}")
    kind = KINDS[number % len(KINDS)]
    plan = DayPlan(
        market=dice.randrange(10**9),
        minutes=HALF_DAY,
        schedule=None,
        venue=Misbehaviour(),
        acts=(),
    )
    drawn = _DRAWN[kind](dice, plan)
    return replace(drawn, number=number, kind=kind, notional_usd=dice.choice(NOTIONALS_USD))


def _priced(shape: str, *settings: str, minutes: int = HALF_DAY) -> Draw:
    def drawn(dice: random.Random, plan: DayPlan) -> Scenario:
        return Scenario(
            number=0,
            kind="",
            plan=replace(plan, minutes=minutes),
            shape=shape,
            settings=settings,
            calm=shape not in ("halted", "missing"),
        )

    return drawn


def _acting(*acts: Callable[[random.Random, int], Happening], restarts: bool = False) -> Draw:
    """Each of them some times, and a person who looks into what stands."""

    def drawn(dice: random.Random, plan: DayPlan) -> Scenario:
        until = plan.trouble_ends
        found = [
            act(dice, dice.randrange(10 * MINUTE, until))
            for act in acts
            for _ in range(dice.randint(2, 6))
        ]
        found += [OperatorResumes(at=at) for at in range(15 * MINUTE, until, 10 * MINUTE)]
        ordered = tuple(sorted(found, key=lambda act: (act.at, act.kind)))
        shape = dice.choice(LIVELY)
        return Scenario(
            number=0,
            kind="",
            plan=replace(plan, acts=ordered),
            shape=shape,
            restarts=restarts,
        )

    return drawn


def _venue(*faults: tuple[Fault, float]) -> Draw:
    """The venue does this, at these rates, until half an hour before the close."""

    def drawn(dice: random.Random, plan: DayPlan) -> Scenario:
        match = Match(until_event=plan.trouble_ends // MINUTE)
        rules = tuple(
            Rule(fault=fault, times=None, rate=rate, match=match) for fault, rate in faults
        )
        return Scenario(
            number=0,
            kind="",
            plan=replace(plan, venue=Misbehaviour(rules=rules, seed=plan.market)),
            shape=dice.choice(LIVELY),
        )

    return drawn


def _other_orders(dice: random.Random, plan: DayPlan) -> Scenario:
    shape = dice.choice(LIVELY)
    return Scenario(number=0, kind="", plan=replace(plan, schedule=plan.market), shape=shape)


def _everything(dice: random.Random, plan: DayPlan) -> Scenario:
    """A day of the proof, but for what needs its bots, and what breaks an account."""
    day = day_of(plan.market)
    core = {paths.DATA_FEED.path, paths.RISK_GUARDIAN.path, paths.BROKER_GATEWAY.path}
    acts = tuple(
        replace(act, path=act.path if act.path in core else paths.bot(BOT).path, times=1)
        if isinstance(act, ActorFails)
        else act
        for act in day.acts
        if not isinstance(act, SignalWritten)
    )
    rules = tuple(rule for rule in day.venue.rules if type(rule.fault) not in GRAVE)
    return Scenario(
        number=0,
        kind="",
        plan=replace(day, acts=acts, venue=replace(day.venue, rules=rules), premium_usd=None),
        shape=dice.choice(tuple(SHAPES)),
    )


def _killed(dice: random.Random, at: int) -> Happening:
    return ProcessKilled(at=at, down=dice.choice((1, 5, 30, 90)) * SECOND)


_DRAWN: Mapping[str, Draw] = {
    "calm": _priced("plain"),
    "rising prices": _priced("rising"),
    "falling prices": _priced("falling"),
    "flat prices": _priced("flat"),
    "gaps": _priced("gapping"),
    "wild prices": _priced("wild"),
    "swinging prices": _priced("swinging"),
    "very cheap": _priced("cheap"),
    "very dear": _priced("dear"),
    "a whole day": _priced("wild", minutes=WHOLE_DAY),
    "halted symbol": _priced("halted"),
    "missing bars": _priced("missing"),
    "no budget": _priced("swinging", *NO_BUDGET),
    "everything denied": _priced("swinging", *DENIED),
    "most denied": _priced("wild", *SELDOM),
    "bars told wrong or twice": _acting(
        lambda dice, at: FeedLies(at=at, how=dice.choice(sorted(LIES)), bars=dice.randint(1, 4))
    ),
    "no bars for a while": _acting(
        lambda dice, at: FeedSilent(at=at, lasts=dice.choice((20, 60, 200, 600)) * SECOND),
        lambda dice, at: ProcessFrozen(at=at, lasts=dice.choice((3, 60, 300)) * SECOND),
    ),
    "orders rejected": _venue((RejectLater(), 0.5)),
    "fills in parts": _venue((FillPart(), 0.7)),
    "outcomes unknown": _venue((Ignore(), 0.1), (Lose(), 0.1), (HideEquity(), 0.05)),
    "slow and double answers": _venue(
        (Delay(events=2), 0.3),
        (Repeat(copies=2), 0.3),
        (Overtake(), 0.2),
        (HoldCancel(events=2), 0.3),
    ),
    "the bot crashes": _acting(
        lambda dice, at: ActorFails(at=at, path=paths.bot(BOT).path), restarts=True
    ),
    "the engine is killed": _acting(_killed, restarts=True),
    "the engine stops and starts": _acting(
        lambda dice, at: ProcessStopped(at=at, down=dice.choice((1, 30, 300)) * SECOND),
        restarts=True,
    ),
    "halted and resumed": _acting(
        lambda dice, at: OperatorHalts(at=at),
        lambda dice, at: KillSwitchThrown(at=at, word="close_only", lasts=60 * SECOND),
    ),
    "flattened by a person": _acting(lambda dice, at: OperatorFlattens(at=at)),
    "messages in other orders": _other_orders,
    "everything at once": _everything,
}
KINDS = tuple(_DRAWN)
"""All kinds there are, in the order in which they come."""
