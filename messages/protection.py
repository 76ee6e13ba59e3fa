"""What protects positions: bots tell of their guards, and the exit bot of what is covered.

bot -> exit bot: GuardReported; exit bot -> guardian and whoever shows it: CoverageReported.
"""

from collections.abc import Mapping
from decimal import Decimal

from hydra.trading.coverage_lines import CoverageLine, Mismatch
from hydra.trading.protection import Guard
from messages.message import Message


class GuardReported(Message, frozen=True, kw_only=True):
    """A bot has looked, at this price, whether what it holds has to be closed.

    Told after each look. A guard that nothing is left for is told once more with quantity zero.
    """

    guard: Guard


class CoverageReported(Message, frozen=True, kw_only=True):
    """How much of what is held is protected, proven from what the venue says (SCOPE K4).

    `pct` is 100 only if everything is covered, and 0 if the account is not seen (`is_known`).
    `uncovered` names every line, "bot symbol", of which something is not covered, with how long
    that has been so (ns of machine time, of an open market only). `at` is market time.
    """

    at: int
    is_known: bool
    pct: Decimal
    lines: tuple[CoverageLine, ...]
    mismatches: tuple[Mismatch, ...]
    uncovered: Mapping[str, int]
    taken_over: Mapping[str, str] = {}
    """By "bot symbol", what its own bot does not look after, and why."""


GUARDS_TOPIC = "guards"
"""Where bots publish `GuardReported`."""

COVERAGE_TOPIC = "coverage"
"""Where the exit bot publishes `CoverageReported`."""


class ProtectionDue(Message, frozen=True, kw_only=True):
    """The exit bot's word to itself: what is not protected yet should be by now."""
