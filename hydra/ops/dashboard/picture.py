"""What the page is made of, from one look at an engine: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hydra.ops.as_said import NOTHING_SAID, AsSaid
from hydra.ops.surfaces.reading import Surface
from hydra.trading.findings import Finding

VERSION = 1
_TO_TYPE = (
    ("Let trading go on", "hydra-trader resume --reason …"),
    ("Halt", "hydra-trader halt --reason …"),
    ("Close everything", "hydra-trader flatten --yes --reason …"),
    ("All that stands against trading", "hydra-trader preflight"),
    ("Why, or why not", "hydra-trader why …"),
    ("Look into an actor", "hydra-trader debug state ACTOR"),
    ("The link of this page", "hydra-trader dashboard --link"),
)
_OF_AN_ACTOR = (
    *("level", "path", "status", "incarnation", "restarts", "depth", "control_depth", "oldest_ms"),
    *("processed", "failures", "busy_ms", "hangs", "critical"),
)


class Alerts(msgspec.Struct, frozen=True):
    """What `watch` has told: what stands, and the newest lines of its history."""

    standing: Sequence[Mapping[str, Any]]
    told: Sequence[Mapping[str, Any]]


class Tree(msgspec.Struct, frozen=True):
    """Who lives in the engine, in start order; `total`: how many, where not all are shown."""

    actors: Sequence[Mapping[str, Any]]
    total: int


class Glimpse(msgspec.Struct, frozen=True, kw_only=True):
    """All that one look has found.

    `told` is the answer of `status`; None: no engine answered, and `on_record` is what the command
    shows then, or `fault` why that could not be read. `none_runs`: it is known that there is none.
    `tree` None: nobody says who lives. `curve` has points of time and worth. `at` is UTC of the
    machine's clock.
    """

    at: str
    venue: str
    folder: str
    findings: Sequence[Finding]
    surfaces: Sequence[Surface]
    told: Mapping[str, Any] | None = None
    none_runs: bool = False
    on_record: Mapping[str, Any] | None = None
    fault: str | None = None
    tree: Tree | None = None
    decisions: Sequence[str] = ()
    words: Mapping[str, str] = {}
    alerts: Alerts | None = None
    curve: Sequence[tuple[str, str]] = ()
    said: AsSaid = NOTHING_SAID


def picture_of(glimpse: Glimpse) -> dict[str, Any]:
    """As the page reads it. A surface that is stale is given all the same, and said to be."""
    said, tree = glimpse.said, glimpse.tree
    return {
        "version": VERSION,
        "at": glimpse.at,
        "venue": glimpse.venue,
        "folder": glimpse.folder,
        "is_running": glimpse.told is not None,
        "none_runs": glimpse.none_runs,
        "told": glimpse.on_record if glimpse.told is None else glimpse.told,
        "fault": glimpse.fault,
        "findings": [
            {"name": each.name, "passed": each.passed, "line": said.in_words(each.line)}
            for each in glimpse.findings
        ],
        "surfaces": {
            each.name: {"document": each.document, "age_s": each.age_s, "fault": each.fault}
            for each in glimpse.surfaces
        },
        "actors": None if tree is None else [_actor(each) for each in tree.actors],
        "actors_left_out": 0 if tree is None else tree.total - len(tree.actors),
        "decisions": glimpse.decisions,
        "words": glimpse.words,
        "alerts": glimpse.alerts,
        "curve": glimpse.curve,
        "to_type": [{"for": what, "type": said.in_words(command)} for what, command in _TO_TYPE],
    }


def _actor(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in _OF_AN_ACTOR}
