"""A proof in words: for a terminal, for a file, and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from hydra import __version__
from hydra.ops.code_version import CodeVersion
from hydra.proving.phases import Phase
from hydra.proving.plan import DayPlan, Happening, day_of
from hydra.proving.proof import Proof
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE

KINDS = (
    *(each.__name__ for each in get_args(Happening)),
    *(each.__name__ for each in (*RECOVERABLE, *GRAVE)),
)
"""Every kind of trouble that there can be: what happens to the engine, what the venue does."""
PHASES = tuple(phase.value for phase in Phase)
TOLD_MAX = 5
"""Breaches of one day; there may be thousands."""


def lines_of(proof: Proof) -> Iterator[str]:
    """What was played, what was broken, what struck when, and what never did."""
    yield (
        f"{len(proof.days)} days, {proof.total(lambda day: day.lives)} lives of the engine,"
        f" {proof.total(lambda day: day.orders):,} orders,"
        f" {proof.total(lambda day: day.executions):,} executions; Hydra {__version__}"
    )
    for day in proof.failed:
        for breach in day.breaches[:TOLD_MAX]:
            yield f"seed {day.seed}: {breach}"
        if len(day.breaches) > TOLD_MAX:
            yield f"seed {day.seed}: and {len(day.breaches) - TOLD_MAX} more"
        yield f"seed {day.seed}: again with  hydra-trader prove --days 1 --seed {day.seed}"
    if not proof.failed:
        yield "no invariant was broken"
    yield ""
    yield from _table(proof)
    hits = proof.hits
    never = [
        f"{kind} while {phase}"
        for kind in KINDS
        for phase in PHASES
        if not hits.get(kind, Counter())[phase]
    ]
    if never:
        yield ""
        yield f"never struck ({len(never)} of {len(KINDS) * len(PHASES)}): {', '.join(never)}"


def _table(proof: Proof) -> Iterator[str]:
    hits = proof.hits
    width = max(map(len, KINDS))
    yield "  ".join((f"{'struck, by phase':{width}}", *(f"{phase:>13}" for phase in PHASES)))
    for kind in KINDS:
        counts = (hits.get(kind, Counter())[phase] for phase in PHASES)
        cells = (f"{count or '·':>13}" for count in counts)
        yield "  ".join((f"{kind:{width}}", *cells)).rstrip()


def as_json(proof: Proof, *, code: CodeVersion, asked: int, at: str) -> bytes:
    """The same for programs, with the plan of each day that failed.

    `code` is what was proven, `asked` how many days were wanted, `at` when it began (RFC 3339,
    UTC).
    """
    content: dict[str, Any] = {
        "version": code.version,
        "code": code.code,
        "commit": code.commit,
        "at": at,
        "asked": asked,
        "days": len(proof.days),
        "lives": proof.total(lambda day: day.lives),
        "orders": proof.total(lambda day: day.orders),
        "executions": proof.total(lambda day: day.executions),
        "struck": {kind: dict(phases) for kind, phases in proof.hits.items()},
        "failed": [
            {
                "seed": day.seed,
                "breaches": [str(breach) for breach in day.breaches],
                "plan": msgspec.to_builtins(day_of(day.seed)),
            }
            for day in proof.failed
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content, order="sorted"), indent=2) + b"\n"


def plan_as_json(plan: DayPlan) -> bytes:
    """A plan as a file, to be played again as it is, whatever seeds draw by then."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def plan_from(content: bytes) -> DayPlan:
    """It, read back. Raises `msgspec.ValidationError`, with what is wrong and where."""
    return msgspec.json.decode(content, type=DayPlan)
