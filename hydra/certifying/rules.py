"""The rules that a bot has to keep, and how what was seen of it is held against them.

Pure: from what was seen to what is broken. In a scenario in which the bot failed, its failure is
all that is told: the rest may follow from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from hydra.trading.durations import MINUTE
from hydra.trading.orders import Role

RAISES = "raises_nothing"
HANDLES = "handles_every_message"
ALLOWED = "says_only_what_it_may"
CLOCK = "reads_no_clock"
QUICK = "is_quick"
ASKS = "asks_the_record_first"
DOUBLES = "doubles_no_entry"
STORMS = "obeys_denials"
GUARDS = "guards_what_it_holds"
FLAT = "ends_flat"
SAME = "decides_the_same_again"
HOLDS = "engine_invariants_hold"
TRADES = "wants_to_trade"

RULES: Mapping[str, str] = {
    RAISES: "no message makes it raise",
    HANDLES: "it takes every message that it may get",
    ALLOWED: "it says what a bot of another distribution may say, and nothing else",
    CLOCK: "it reads no clock, draws nothing and starts no thread by itself",
    QUICK: "no message takes it longer than a handler may",
    ASKS: "it wants nothing before the record has answered, at each start",
    DOUBLES: "after a start in the middle it does not enter again what it holds",
    STORMS: "it does not want the same again and again within one bar",
    GUARDS: "it tells how it guards what it holds, so that nobody has to take it over",
    FLAT: "it holds no share after the close",
    SAME: "another process, with the same seed, sees it decide the same",
    HOLDS: "with it in the engine no invariant is broken",
    TRADES: "in one scenario at least it wants to enter, else nothing was shown",
}
"""Every rule by name, in the order in which they are told."""
SAME_WISHES_MAX = 6
"""In one bar: of one symbol, role, side and quantity."""
FLAT_INVARIANT = "I43"
ENTRY = Role.ENTRY.value


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the bot wanted. `at` and `decided_at` are market time.

    `text` is all of it that is a decision. `is_known`: the record had answered this life of the
    bot. `holds`: of the symbol something was held, or on its way, at the venue. `is_repeated`: an
    earlier life of the bot wanted this very decision, and it was on record. `life` counts the
    starts of the bot in the scenario, from 1.
    """

    at: int
    decided_at: int
    symbol: str
    role: str
    quantity: str
    text: str
    is_known: bool
    holds: bool
    is_repeated: bool
    life: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is broken, in that scenario; `at` is market time, 0: at no time of its own."""

    rule: str
    scenario: int
    what: str
    at: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the bot in a scenario.

    `failures` are by rule, at market time. `taken_over` is what the exit bot had to look after.
    `breaches` are by invariants. `calm` and `restarts` as of `Scenario`. `stacks`: without what was
    done in it the bot enters beside what it holds.
    """

    number: int
    kind: str
    calm: bool
    restarts: bool
    wishes: tuple[Wish, ...] = ()
    failures: tuple[tuple[str, int, str], ...] = ()
    taken_over: tuple[str, ...] = ()
    breaches: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    executions: int = 0
    stacks: bool = False


def broken(scenarios: Sequence[Seen], again: Mapping[int, str]) -> tuple[Found, ...]:
    """All that is broken, in the order of the scenarios.

    `again`: what came of some scenarios in another process (their digests), by number.
    """
    stacks = any(seen.stacks or (seen.calm and enters_beside(seen.wishes)) for seen in scenarios)
    found = [each for seen in scenarios for each in _broken_in(seen, again, stacks=stacks)]
    if not found and not any(wish.role == ENTRY for seen in scenarios for wish in seen.wishes):
        what = f"in {len(scenarios)} scenarios it wanted no entry"
        found.append(Found(rule=TRADES, scenario=0, what=what))
    return tuple(found)


def _broken_in(seen: Seen, again: Mapping[int, str], *, stacks: bool) -> Iterator[Found]:
    if seen.failures:
        rule, at, what = seen.failures[0]
        yield Found(rule=rule, scenario=seen.number, what=what, at=at)
        return
    yield from _of_wishes(seen, stacks=stacks)
    storm = _storm(seen.wishes)
    if storm is not None:
        yield Found(rule=STORMS, scenario=seen.number, what=storm[1], at=storm[0])
    if seen.calm:
        for what in seen.taken_over:
            yield Found(rule=GUARDS, scenario=seen.number, what=what)
    for invariants, what in seen.breaches:
        rule = FLAT if invariants == FLAT_INVARIANT else HOLDS
        yield Found(rule=rule, scenario=seen.number, what=f"{invariants}: {what}")
    other = again.get(seen.number)
    if other is not None and other != seen.digest:
        what = f"{len(seen.wishes)} wishes in one process, others in the next"
        yield Found(rule=SAME, scenario=seen.number, what=what)


def _of_wishes(seen: Seen, *, stacks: bool) -> Iterator[Found]:
    early = next((wish for wish in seen.wishes if not wish.is_known), None)
    if early is not None:
        what = f"it wanted {early.text} before the record had answered"
        yield Found(rule=ASKS, scenario=seen.number, what=what, at=early.at)
        return
    if not seen.restarts:
        return
    for wish in seen.wishes:
        if wish.role == ENTRY and wish.is_repeated:
            what = f"started again, it wanted {wish.text}, which was on record"
        elif wish.life > 1 and _stacks(wish) and not stacks:
            what = f"started again, it wanted {wish.text} beside what it held"
        else:
            continue
        yield Found(rule=DOUBLES, scenario=seen.number, what=what, at=wish.at)
        return


def enters_beside(wishes: Iterable[Wish]) -> bool:
    """Whether it enters what it holds: where it does so anyway, that is no sign of anything."""
    return any(map(_stacks, wishes))


def _stacks(wish: Wish) -> bool:
    return wish.role == ENTRY and wish.holds


def _storm(wishes: Iterable[Wish]) -> tuple[int, str] | None:
    """When the same was wanted too often, and what."""
    times: Counter[tuple[str, str, str, int]] = Counter()
    for wish in wishes:
        key = (wish.symbol, wish.role, wish.quantity, wish.decided_at // MINUTE)
        times[key] += 1
        if times[key] > SAME_WISHES_MAX:
            return wish.at, f"it wanted {wish.text} over {SAME_WISHES_MAX} times in one bar"
    return None
