"""Scenarios are played: one here and now, or many over the cores, some of them twice."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import orjson
from msgspec.structs import replace

from hydra.actor import ChildSpec
from hydra.certifying.prices import SHAPES
from hydra.certifying.rules import ENTRY, RAISES, Found, Seen, Wish, broken, enters_beside
from hydra.certifying.scenarios import BOT, Scenario, scenario_of
from hydra.certifying.witness import Witness, watched
from hydra.proving import scene
from hydra.proving.day import DayOutcome, lived
from hydra.proving.option_market import OptionMarket
from hydra.proving.plan import DayPlan, Happening, OperatorResumes
from hydra.proving.stage import Dressed, Stage
from hydra.research.crew import Done, Failed, attempted, work_through
from hydra.settings import Settings
from hydra.settings.outside_sections import PluginBotSettings
from hydra.trading.durations import MINUTE
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData

HASH_SEED = "PYTHONHASHSEED"
FIRST_HASHES, OTHER_HASHES = "1", "4099"
"""Two processes in which a set of texts is in two orders."""
AGAIN_EACH = 9
"""One of so many scenarios is played in a second process. Not a part of the number of kinds: each
kind has its turn.
"""
TAKEN_OVER = "position_taken_over"
SYMBOLS = ("AAPL", "MSFT")
"""Where the configuration names none for the bot."""
SYMBOLS_MAX = 4
"""Of those that it names: more would only take longer."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """The bot that is tried: its entry point, its parameters, and what it trades."""

    kind: str
    parameters: dict[str, Any]
    symbols: tuple[str, ...] = SYMBOLS


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in a scenario; `lines` are when (market ns) and what, for people."""

    seen: Seen
    lines: tuple[tuple[int, str], ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """All that was played, in order, and what is broken. `is_whole`: all that was asked for."""

    scenarios: tuple[Seen, ...]
    found: tuple[Found, ...]
    is_whole: bool


class _Scene(Stage):
    """The candidate alone, on the scenario's market, with a witness."""

    def __init__(self, candidate: Candidate, scenario: Scenario) -> None:
        self._candidate = candidate
        self._scenario = scenario
        self.witness: Witness | None = None

    def settings_in(self, folder: Path, plan: DayPlan) -> Settings:
        """See `Stage`."""
        return settings_for(self._candidate, self._scenario)

    def market_of(self, plan: DayPlan) -> tuple[MarketData, OptionMarket | None]:
        """See `Stage`."""
        data = scene.market_of(plan.market, plan.minutes, self._candidate.symbols)
        dice = random.Random(f"prices|{plan.market}")
        bars = SHAPES[self._scenario.shape](data.bars, dice)
        return replace(data, bars=bars), None

    def dressed(self, exchange: SimulatedExchange) -> Dressed:
        """See `Stage`."""
        witness = self.witness = Witness(exchange)

        def with_witness(tree: ChildSpec) -> ChildSpec:
            return watched(tree, BOT, witness)

        return with_witness


def settings_for(candidate: Candidate, scenario: Scenario) -> Settings:
    """What the engine is configured to in a scenario: this bot, and no other."""
    found = scene.settings(*scenario.settings)
    bot = PluginBotSettings.model_validate(
        {
            "bot_id": BOT,
            "enabled": True,
            "kind": candidate.kind,
            "bucket": "momentum",
            "symbols": candidate.symbols,
            "session": {"trade_start": "06:31", "trade_end": "12:30", "manage_until": "12:55"},
            "execution": {"default_notional_usd": Decimal(scenario.notional_usd)},
            "params": MappingProxyType(candidate.parameters),
        }
    )
    off = {"enabled": False}
    return found.model_copy(
        update={
            "plugin_bots": (bot,),
            "momentum_bots": tuple(each.model_copy(update=off) for each in found.momentum_bots),
            "optionsbot": found.optionsbot.model_copy(update=off),
            "cryptobot": found.cryptobot.model_copy(update=off),
            "signalbot": found.signalbot.model_copy(update=off),
        }
    )


def played(candidate: Candidate, scenario: Scenario) -> Played:
    """What comes of it, here and now. To be called by the main thread.

    Where the bot or its engine is to begin again it is played twice: the first time without, to see
    when the bot enters, so that it begins again while it holds something.
    """
    if not scenario.restarts:
        return _played(candidate, scenario)
    calm = replace(scenario, plan=replace(scenario.plan, acts=()))
    wishes = _played(candidate, calm).seen.wishes
    found = _played(candidate, _aimed(scenario, wishes))
    return replace(found, seen=replace(found.seen, stacks=enters_beside(wishes)))


def _played(candidate: Candidate, scenario: Scenario) -> Played:
    stage = _Scene(candidate, scenario)
    with tempfile.TemporaryDirectory(prefix="certify-") as name:
        folder = Path(name) / "day"
        with redirect_stdout(sys.stderr):  # what a bot prints is none of what we say
            outcome = attempted(lambda _: lived(scenario.plan, folder, stage), None)
        lines = tuple(_journal_lines(folder / "logs" / "journal.jsonl"))
    return _seen(scenario, outcome, stage.witness, lines)


def _aimed(scenario: Scenario, wishes: Sequence[Wish]) -> Scenario:
    """What is done in it comes within a minute after the entries, as far as there are any."""
    dice = random.Random(f"aimed|{scenario.plan.market}")
    plan = scenario.plan
    begins_at = scene.market_of(plan.market, plan.minutes).begins_at
    entries = [wish.at - begins_at for wish in wishes if wish.role == ENTRY and not wish.holds]
    places = iter(entries[: len(plan.acts)])
    acts: list[Happening] = []
    for act in plan.acts:
        at = act.at if isinstance(act, OperatorResumes) else next(places, act.at)
        near = at + dice.randrange(MINUTE)
        acts.append(replace(act, at=near if near < plan.trouble_ends else act.at))
    ordered = tuple(sorted(acts, key=lambda act: (act.at, act.kind)))
    return replace(scenario, plan=replace(plan, acts=ordered))


def tried(
    candidate: Candidate,
    count: int,
    seed: int,
    *,
    jobs: int,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Trial:
    """Play so many scenarios of the seed, so many at once, and hold what was seen against the
    rules. `seen` is told how many are over; some are played once more, in processes with other
    hashes. To be called by the main thread.
    """
    numbers = range(count)
    with _hashing(FIRST_HASHES):
        first = _work(candidate, numbers, seed, jobs, seen, is_stopping)
    repeated = [number for number in numbers if number % AGAIN_EACH == 0]
    with _hashing(OTHER_HASHES):
        again = _work(candidate, repeated, seed, jobs, lambda over: seen(count + over), is_stopping)
    digests = {each.number: each.digest for each in again}
    is_whole = len(first) == count and len(again) == len(repeated)
    return Trial(scenarios=first, found=broken(first, digests), is_whole=is_whole)


def repeats(count: int) -> int:
    """How many of so many scenarios are played twice."""
    return -(-count // AGAIN_EACH)


class _Given(msgspec.Struct, frozen=True):
    candidate: Candidate
    seed: int


def _work(
    candidate: Candidate,
    numbers: Sequence[int],
    seed: int,
    jobs: int,
    seen: Callable[[int], None],
    is_stopping: Callable[[], bool],
) -> tuple[Seen, ...]:
    outcomes = work_through(
        numbers,
        _ready,
        _Given(candidate, seed),
        jobs=min(jobs, len(numbers)),
        seen=seen,
        is_stopping=is_stopping,
    )
    found: list[Seen] = []
    for number, outcome in zip(numbers, outcomes, strict=True):
        match outcome:
            case Done(result=result):
                found.append(result)
            case Failed(why=why):  # the process died of it: whatever that was, the bot was in it
                scenario = scenario_of(number, seed)
                found.append(_bare(scenario, failures=((RAISES, 0, why),)))
            case None:
                pass
    return tuple(found)


def _ready(given: _Given) -> Callable[[int], Seen]:
    return lambda number: played(given.candidate, scenario_of(number, given.seed)).seen


@contextmanager
def _hashing(seed: str) -> Iterator[None]:
    """Processes that begin meanwhile hash texts by this seed."""
    before = os.environ.get(HASH_SEED)
    os.environ[HASH_SEED] = seed
    try:
        yield
    finally:
        if before is None:
            del os.environ[HASH_SEED]
        else:
            os.environ[HASH_SEED] = before


def _seen(
    scenario: Scenario,
    outcome: Done[DayOutcome] | Failed,
    witness: Witness | None,
    journal: Sequence[Mapping[str, Any]],
) -> Played:
    breaches: tuple[tuple[str, str], ...]
    executions = 0
    match outcome:
        case Done(result=day):
            breaches = tuple((each.invariants, each.what) for each in day.breaches)
            executions = day.executions
        case Failed(why=why):
            breaches = (("raised", why),)
    if witness is None:
        return Played(seen=_bare(scenario, breaches=breaches))
    seen = replace(
        _bare(scenario, breaches=breaches, failures=tuple(witness.failures)),
        wishes=tuple(witness.wishes),
        taken_over=tuple(
            f"{line['symbol']} was taken over: {line['reason']}"
            for line in journal
            if line.get("event") == TAKEN_OVER and line.get("bot") == BOT
        ),
        digest=witness.digest,
        executions=executions,
    )
    return Played(seen=seen, lines=tuple(witness.lines))


def _bare(
    scenario: Scenario,
    *,
    breaches: tuple[tuple[str, str], ...] = (),
    failures: tuple[tuple[str, int, str], ...] = (),
) -> Seen:
    return Seen(
        number=scenario.number,
        kind=scenario.kind,
        calm=scenario.calm,
        restarts=scenario.restarts,
        breaches=breaches,
        failures=failures,
    )


def _journal_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Of all files of the journal, as far as they can be read: the judge has looked at the rest."""
    for file in sorted(path.parent.glob(f"{path.stem}*")):
        for line in file.read_bytes().splitlines():
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(found, dict):
                yield found
