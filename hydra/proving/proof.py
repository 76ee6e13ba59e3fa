"""Many days, one for each seed, and what they come to."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hydra.proving.day import Breach, DayOutcome, lived
from hydra.proving.plan import DayPlan, day_of, smaller
from hydra.research.crew import Done, Failed, attempted, work_through

RAISED = "raised"
"""In the place of invariants: the engine, or the proof itself, raised what nobody caught."""
SHRINKS_MAX = 60
"""So many smaller plans are tried at most."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A seed, and what came of its day; `outcome` None: it came to no end."""

    seed: int
    outcome: DayOutcome | None
    breaches: tuple[Breach, ...]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Every day that was played, in the order of the seeds."""

    days: tuple[Day, ...]

    @property
    def failed(self) -> tuple[Day, ...]:
        """Those in which something was done that never may be."""
        return tuple(day for day in self.days if day.breaches)

    @property
    def hits(self) -> dict[str, Counter[str]]:
        """Each kind of trouble, by the phases of life that it struck in."""
        found: dict[str, Counter[str]] = {}
        for day in self.days:
            for kind, phases in (day.outcome.hits if day.outcome else {}).items():
                found.setdefault(kind, Counter()).update(phases)
        return dict(sorted(found.items()))

    def total(self, what: Callable[[DayOutcome], int]) -> int:
        """The sum over all days that came to an end."""
        return sum(what(day.outcome) for day in self.days if day.outcome is not None)


def prove(
    seeds: Sequence[int],
    *,
    jobs: int,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Proof:
    """Play the days of these seeds, so many at once. `seen` is told how many are over.

    Days that were not over when it was stopped are left out.
    """
    outcomes = work_through(seeds, _ready, None, jobs=jobs, seen=seen, is_stopping=is_stopping)
    return Proof(
        days=tuple(
            Day(
                seed=seed,
                outcome=outcome.result if isinstance(outcome, Done) else None,
                breaches=_breaches_in(outcome),
            )
            for seed, outcome in zip(seeds, outcomes, strict=True)
            if outcome is not None
        )
    )


def breaches_of(plan: DayPlan) -> tuple[Breach, ...]:
    """What is done in a day of this plan that never may be."""
    return _breaches_in(attempted(_lived, plan))


def shrunk(plan: DayPlan, seen: Callable[[DayPlan], None] = lambda _: None) -> DayPlan:
    """A smaller plan in which an invariant is broken that is broken in this one.

    Ever smaller ones are tried, `SHRINKS_MAX` in all. `seen` is told of each that still fails.
    """
    wanted = {breach.invariants for breach in breaches_of(plan)}
    tries = 0
    is_smaller = bool(wanted)
    while is_smaller:
        is_smaller = False
        for candidate in smaller(plan):
            if tries == SHRINKS_MAX:
                return plan
            tries += 1
            if wanted & {breach.invariants for breach in breaches_of(candidate)}:
                plan, is_smaller = candidate, True
                seen(plan)
                break
    return plan


def _breaches_in(outcome: Done[DayOutcome] | Failed) -> tuple[Breach, ...]:
    match outcome:
        case Done(result=result):
            return result.breaches
        case Failed(why=why):
            return (Breach(RAISED, why),)


def _ready(_: None) -> Callable[[int], DayOutcome]:
    return _day_of


def _day_of(seed: int) -> DayOutcome:
    return _lived(day_of(seed))


def _lived(plan: DayPlan) -> DayOutcome:
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        return lived(plan, Path(folder) / "day")
