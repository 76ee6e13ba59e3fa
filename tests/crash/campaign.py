"""Accounts on which the installed program trades and is killed, over and over; and the judge.

`python -m tests.crash --kills 500` plays accounts until so many processes were killed, and reports;
`--seeds 17` plays one account again. What is drawn follows from the seed. When a kill
strikes does not, to the microsecond: so one that found something may have to be played more often.

The market runs fast and goes on while nobody is there. After each life the judge is asked, who
goes by the venue's log, the ledger and the journal. What only a person may resume, a person does.
In the end each account is played to the end of its market, and has to come out even.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.crash_points import CRASH_POINTS
from hydra.ops.exit_codes import ExitCode
from hydra.proving.phases import AtVenue, Phase, in_snapshot, phase_of
from hydra.testkit.judge.case import MARKET, OVER
from hydra.testkit.judge.evidence import Life
from hydra.testkit.judge.standing import standings
from hydra.testkit.judge.venue_evidence import Markets
from hydra.trading.causes import RESTART_STORM
from hydra.trading.trading_state import Cause, CauseClass
from hydra.venues.simulated.market_data import MarketData
from tests.crash.installed import Installed
from tests.crash.trading import BUSY, SHORT_COOL_OFFS, SYMBOLS, Running, served_market, wait_until
from tests.waiting import eventually

SPEED = 1_000
"""A bar takes 60 ms, and the second or so in which nobody is there a quarter of an hour or more."""
LAST_SPEED = 20_000
DEATHS = 8
"""Of an account. From the fourth start after a kill on each is for a person to allow (I75)."""
EXECUTED_EVERY = 10
"""Every tenth life is executed; the others are forked from a process that has all modules."""
LASTS_S = 3.0
"""From then on that preflight has passed, a life to which its moment does not come is killed."""
BUNDLES_KEPT_EVERY = 4
"""After most lives the bundles of earlier ones are taken away: to close what a killed run has left
costs the next one a process, as much as the rest of it.
"""
LAST_RUNS_MAX = 4

VENUES_PLACES = frozenset(
    {
        "venue.request.arrived",
        "venue.market.before",
        "venue.market.logged",
        "venue.rebuild.before",
        "venue.rebuild.played_again",
        "venue.rebuild.before_opened",
        "venue.request.logged",
    }
)
"""At these it is the venue's process that dies."""
VENUE_DIED = "the embedded venue ended with signal 9"
AT_FIRST = (
    "ledger.open.created",
    "ledger.migrate.step",
    "ledger.migrate.before_commit",
    "ledger.migrate.after",
)
"""Reached by the first life of an account alone."""
BETWEEN = (
    "recovery.set_aside",
    "recovery.carried_written",
    "recovery.carried_recorded",
    "recovery.carried_done",
)
"""Reached when one account is over and the next begins."""
OFTEN = {
    "ledger.migrate.step": 20,
    "recovery.set_aside": 4,
    "ledger.commit.before": 60,
    "ledger.commit.events_written": 60,
    "ledger.commit.tables_written": 60,
    "ledger.commit.after": 60,
    "journal.append.before": 200,
    "journal.append.after": 200,
    "venue.submit.asked": 4,
    "venue.request.before": 40,
    "venue.request.arrived": 40,
    "venue.request.logged": 6,
    "venue.request.answered": 40,
    "venue.told": 30,
    "venue.market.before": 3,
    "venue.market.logged": 3,
}
"""How often a life comes by, where it is more than once or twice."""
ELSEWHERE = frozenset(
    {
        "backup.started",
        "backup.copied",
        "backup.proven",
        "backup.renamed",
        "journal.rotate.before_rename",
        "journal.rotate.renamed",
        "journal.rotate.created",
        "journal.rotate.done",
        "journal.prune.before",
        "journal.prune.after",
        "ledger.migrate.backed_up",
        "halt_marker.before",
        "halt_marker.written",
        "journal.open.tail_cut",
        "restore.proven",
        "restore.set_aside",
        "restore.placed",
        "restore.done",
    }
)
"""No run comes here by itself in so short a time. `test_killed_record` and `test_killed_migration`
do; `tests/store/test_restoring` does at those of a restore.
"""
ANY_TIME = tuple(sorted(CRASH_POINTS - ELSEWHERE - set(AT_FIRST) - set(BETWEEN)))


class Moment(Enum):
    """What has to have happened in a life before a kill is counted down to."""

    BEGUN = "begun"
    READY = "preflight_passed"
    STORED = "intent_stored"
    FILLED = "OrderFilled"


class Victim(Enum):
    """Whom a kill strikes."""

    ENGINE = "the engine"
    VENUE = "the venue, and the engine after it"
    BOTH = "both"


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How a life ends: `delay_s` after its moment, or before that at `place`."""

    moment: Moment
    delay_s: float
    victim: Victim = Victim.ENGINE
    later_s: float = 0.0
    """After the venue was killed, or the engine was asked to stop."""
    asks_first: bool = False
    """SIGTERM, and then SIGKILL."""
    place: str | None = None

    def __str__(self) -> str:
        asked = ", asked to stop" if self.asks_first else ""
        at = f" or at {self.place}" if self.place else ""
        words = f"{self.delay_s:.3f} s after {self.moment.name}{at}: {self.victim.value}{asked}"
        return f"{words}, {self.later_s:.3f} s later" if self.later_s else words


class Broken(AssertionError):
    """An account on which something was done that may never be."""


class Tally(msgspec.Struct, kw_only=True):
    """What was played. `struck`: in which phase the engine was; `places`: of the named, those at
    which a process died.
    """

    accounts: int = 0
    lives: int = 0
    kills: int = 0
    venue_kills: int = 0
    traded_lives: int = 0
    storms: int = 0
    resumed: int = 0
    orders: int = 0
    fills: int = 0
    executed: int = 0
    struck: Counter[str] = msgspec.field(default_factory=Counter)
    places: Counter[str] = msgspec.field(default_factory=Counter)
    endings: Counter[int] = msgspec.field(default_factory=Counter)

    def words(self) -> str:
        """For people."""
        never = sorted(CRASH_POINTS - ELSEWHERE - set(self.places))
        struck = ", ".join(f"{phase} {times}" for phase, times in self.struck.most_common())
        ended = ", ".join(f"{code}: {times}" for code, times in sorted(self.endings.items()))
        lines = (
            f"{self.kills} kills of the engine, {self.venue_kills} of its venue",
            f"{self.lives} lives of {self.accounts} accounts, {self.executed} of them executed",
            f"{self.traded_lives} lives had sent an order: {self.orders} orders",
            f"{self.fills} fills, {self.storms} lives in a storm, {self.resumed} times resumed",
            f"struck while {struck}",
            f"died at {len(self.places)} named places, {self.places.total()} times",
            f"never at {', '.join(never) or 'none'}",
            f"ended by themselves, by exit code: {ended}",
        )
        return "\n".join(lines)


def deaths_of(seed: int, number: int = DEATHS) -> tuple[Death, ...]:
    """What is drawn for an account."""
    dice = random.Random(f"campaign {seed}")
    first = _death(dice, (*ANY_TIME, *AT_FIRST * 8))
    return (first, *(_death(dice, ANY_TIME) for _ in range(number - 1)))


def _death(dice: random.Random, places: tuple[str, ...]) -> Death:
    if dice.random() < _AT_A_PLACE:
        name = dice.choice(places)
        place = f"{name}:{round(OFTEN.get(name, 1) ** dice.random())}"
        # So late that it will have come by.
        return Death(moment=Moment.FILLED, delay_s=0.3 * dice.random(), place=place)
    moment = dice.choices(tuple(_MOMENTS), [weight for weight, _ in _MOMENTS.values()])[0]
    victim = dice.choices(tuple(_VICTIMS), tuple(_VICTIMS.values()))[0]
    asks_first = victim is Victim.ENGINE and dice.random() < _ASKED_FIRST
    has_more = asks_first or victim is Victim.VENUE
    return Death(
        moment=moment,
        delay_s=_MOMENTS[moment][1] * dice.random(),
        victim=victim,
        later_s=0.5 * dice.random() ** 2 if has_more else 0.0,
        asks_first=asks_first,
    )


_AT_A_PLACE = 0.35
_ASKED_FIRST = 0.15
_MOMENTS = {
    Moment.BEGUN: (2, 1.4),
    Moment.READY: (1, 0.5),
    Moment.STORED: (4, 0.1),
    Moment.FILLED: (4, 0.4),
}
"""How often each comes, compared with the others, and within how many seconds after it."""
_VICTIMS = {Victim.ENGINE: 8, Victim.VENUE: 1, Victim.BOTH: 1}

BOTS = (*(structs.replace(bot, protective_order="engine") for bot in BUSY[:2]), BUSY[2])
"""Beside an order that rests the venue takes no entry, so the two that share a symbol have none."""


class Account:
    """One account, from its first life to the end of its market."""

    def __init__(
        self, folder: Path, market: MarketData, calendar: Path, seed: int, tally: Tally
    ) -> None:
        folder.mkdir(parents=True)
        self._trader = Installed(folder, market, calendar, bots=BOTS, settings=SHORT_COOL_OFFS)
        self._markets = Markets(data=(market,), cache=calendar)
        self._folder = folder
        self._seed = seed
        self._tally = tally
        self._venue_deaths = 0

    def play(self, deaths: Iterable[Death], *, begins_another: bool = False) -> None:
        """All of it. Raises Broken."""
        self._tally.accounts += 1
        for death in deaths:
            self._resume()
            self._live(death)
            if self._trader.life.values.get(MARKET) == OVER:
                break
        self._play_on()
        if begins_another:
            # Killed in the middle of it, the record lies in two places: for the judge alone.
            for death in (self._death_between(), Death(moment=Moment.BEGUN, delay_s=2.0)):
                self._live(death, is_whole=False)

    def _death_between(self) -> Death:
        place = BETWEEN[self._seed % len(BETWEEN)]
        times = f":{1 + self._seed % 3}" if place == "recovery.set_aside" else ""
        return Death(moment=Moment.BEGUN, delay_s=2.0, place=f"{place}{times}")

    def _live(self, death: Death, *, is_whole: bool = True) -> None:
        tally, trader = self._tally, self._trader
        tally.lives += 1
        is_executed = tally.lives % EXECUTED_EVERY == 0
        if tally.lives % BUNDLES_KEPT_EVERY:
            shutil.rmtree(trader.files.runs, ignore_errors=True)
        tally.executed += is_executed
        before = trader.life
        said = {moment: trader.said(moment.value) for moment in Moment}
        self._venue_deaths = self._told_of_venue_deaths()
        words = ("run", "--speed", str(SPEED))
        process = trader.starts(*words, place=death.place, is_executed=is_executed)
        try:
            code = self._until_dead(process, death, lambda m: trader.said(m.value) > said[m])
        finally:
            trader.end(process)
        self._count(before, death, code)
        if is_whole:
            self._require_sound(str(death))
        elif self._trader.violations:
            self._broken(f"{death}: {'; '.join(self._trader.violations)}")

    def _until_dead(
        self, process: Running, death: Death, has_come: Callable[[Moment], bool]
    ) -> int | None:
        """The code with which it ended by itself, or at its place; None: it was killed."""
        if death.moment is not Moment.BEGUN:
            wait_until(lambda: has_come(Moment.READY), process)
            eventually(lambda: has_come(death.moment) or process.poll() is not None, LASTS_S)
        time.sleep(death.delay_s)  # the drawn instant, as below: nothing is waited for
        if process.poll() is None:
            if death.victim is not Victim.ENGINE:
                self._tally.venue_kills += self._trader.kill_venue()
            if death.asks_first:
                process.send_signal(signal.SIGTERM)
            if death.later_s:
                time.sleep(death.later_s)
        code = process.poll()
        if code is None:
            process.kill()
        return code

    def _count(self, before: Life, death: Death, code: int | None) -> None:
        tally, life = self._tally, self._trader.life
        killed = -signal.SIGKILL
        is_new = len(life.runs) < len(before.runs)
        sent = len(life.sent) - (0 if is_new else len(before.sent))
        tally.orders += sent
        tally.fills += len(life.fills) - (0 if is_new else len(before.fills))
        tally.traded_lives += sent > 0
        tally.storms += any(cause.code == RESTART_STORM.code for cause in life.halts)
        if death.place is not None and self._died_at_its_place(death.place, code):
            tally.places[death.place.partition(":")[0]] += 1
        if code is None or code == killed:
            tally.kills += 1
            tally.struck[self._phase(life, before).value] += 1
        else:
            tally.endings[code] += 1
            self._require_known(code)

    def _died_at_its_place(self, place: str, code: int | None) -> bool:
        if place.partition(":")[0] not in VENUES_PLACES:
            return code == -signal.SIGKILL
        # By the run, as far as it came, or where there was none yet by who began it.
        is_told = self._told_of_venue_deaths() > self._venue_deaths
        return is_told or VENUE_DIED in self._last_words()

    def _told_of_venue_deaths(self) -> int:
        journal = self._trader.files.journal
        return journal.read_bytes().count(VENUE_DIED.encode()) if journal.exists() else 0

    def _last_words(self) -> str:
        """What the newest process of this folder has said."""
        return self._trader.last_said()

    def _phase(self, life: Life, before: Life) -> Phase:
        if not life.runs or len(life.runs) == len(before.runs):
            return Phase.STARTING  # so early that it is not on record
        lines = life.runs[-1].lines
        told = standings(lines, ()) if lines else ()
        if not told:
            return Phase.STARTING
        there = AtVenue((), holds=False)
        if life.venue is not None:
            there = in_snapshot(life.venue.played(self._markets).snapshot)
        return phase_of(told[-1].causes, there)

    def _require_known(self, code: int) -> None:
        """It ends by itself for one of these reasons only."""
        if code not in _ENDS_BY_ITSELF:
            self._broken(f"it ended with exit code {code}: {self._last_words()}")

    def _resume(self) -> None:
        """What only a person clears, a person clears; it is gone once the next start is clean."""
        if not self._for_a_person():
            return
        code = self._trader.does("resume", "--reason", "seen to", is_executed=False)
        self._tally.resumed += 1
        if code != ExitCode.CLEAN:
            self._broken(f"resume ended with {code}: {self._last_words()}")

    def _for_a_person(self) -> list[Cause]:
        life = self._trader.life
        causes = (*life.halts, *life.marked)
        return [cause for cause in causes if cause.cause_class is CauseClass.INTEGRITY]

    def _play_on(self) -> None:
        """To the end of the market; nothing is left then that could not be cleared or explained."""
        trader = self._trader
        words = ("run", "--speed", str(LAST_SPEED))
        for _ in range(LAST_RUNS_MAX):
            if trader.life.values.get(MARKET) == OVER:
                break
            self._resume()
            code = trader.does(*words, is_executed=False)
            self._require_sound("the last run")
            if code not in (ExitCode.CLEAN, ExitCode.PREFLIGHT_FAILED):
                self._broken(f"the last run ended with {code}: {self._last_words()}")
        try:
            trader.require_even()
        except AssertionError as uneven:
            self._broken(str(uneven))

    def _require_sound(self, after: str) -> None:
        try:
            self._trader.require_sound(after)
        except AssertionError as unsound:
            self._broken(str(unsound))

    def _broken(self, what: str) -> None:
        raise Broken(
            f"seed {self._seed}: {what}\nits files: {self._folder}\nplay it again: "
            f"{Path(sys.executable)} -m tests.crash --seeds {self._seed}"
        )


_ENDS_BY_ITSELF = (
    ExitCode.CLEAN,
    ExitCode.PREFLIGHT_FAILED,
    ExitCode.FAIL_CLOSED,
    -signal.SIGTERM,  # before it had begun
)


def play_account(folder: Path, market: MarketData, calendar: Path, seed: int, tally: Tally) -> None:
    """The account of one seed, in a new folder, which is removed if nothing was wrong."""
    Account(folder, market, calendar, seed, tally).play(
        deaths_of(seed), begins_another=seed % 3 == 0
    )
    shutil.rmtree(folder, ignore_errors=True)


def main(words: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kills", type=int, default=500, help="of the engine (500)")
    parser.add_argument("--seed", type=int, default=0, help="of the first account (0)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="play these accounts, whatever --kills"
    )
    asked = parser.parse_args(words)
    home = Path(tempfile.mkdtemp(prefix="campaign-"))
    calendar = home / "calendar"
    calendar.mkdir()
    market, tally = served_market(SYMBOLS, calendar), Tally()
    seeds = list(asked.seeds or ())
    seed, broken, begun = asked.seed, 0, time.monotonic()
    while seeds if asked.seeds else tally.kills < asked.kills:
        number = seeds.pop(0) if asked.seeds else seed
        seed += 1
        try:
            play_account(home / f"account-{number}", market, calendar, number, tally)
        except Broken as found:
            broken += 1
            _say(f"BROKEN: {found}")
    _say(tally.words())
    _say(f"{broken} accounts with a loss, a duplicate or a broken invariant")
    _say(f"{time.monotonic() - begun:.0f} s")
    if not broken:
        shutil.rmtree(home)
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
