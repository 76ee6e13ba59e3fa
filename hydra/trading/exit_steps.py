"""What the exit bot's judgement comes to: what was found at a look, and which steps follow."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.coverage import ExitCoverage
from hydra.trading.covered_symbol import Place
from hydra.trading.hit_stops import HitStop
from hydra.trading.orders import DecisionKey, Side
from hydra.trading.trail import Trail


class CloseNow(msgspec.Struct, frozen=True, kw_only=True):
    """Close so much (over zero) of what a bot holds, at the market."""

    decision: DecisionKey
    side: Side
    quantity: Decimal
    reason: str


class TakeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Have this order canceled."""

    decision: DecisionKey
    reason: str


class Unprotected(msgspec.Struct, frozen=True, kw_only=True):
    """It has been so for longer than a repair may take."""

    symbol: str
    detail: str


class KeepTrail(msgspec.Struct, frozen=True, kw_only=True):
    """How far a trailing stop has come is to go on record, in the place of its bot."""

    bot: str
    trail: Trail


class KeepHits(msgspec.Struct, frozen=True, kw_only=True):
    """Which stops of what is held were hit is to go on record, in the place of what is there."""

    hits: tuple[HitStop, ...]


Step: TypeAlias = CloseNow | TakeOut | Unprotected | KeepTrail | KeepHits


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what follows. `waits` names what is to be closed and cannot be, by why:
    its market is closed, say.
    """

    coverage: ExitCoverage
    uncovered: Mapping[Place, int]
    """For how long (machine time) each has not been covered whole."""
    taken_over: Mapping[Place, str]
    """By why."""
    waits: Mapping[Place, str]
    steps: tuple[Step, ...]
