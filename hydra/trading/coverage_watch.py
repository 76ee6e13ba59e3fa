"""What the guardian knows of exit coverage, and the check that no entry passes without it (K4, A7).

The exit bot reports after every loop, and whenever something changes. Loops that have passed since
its last word are counted, not seconds, as `loops` does it: an exit bot that is not there, or says
nothing any more, means no entry.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from hydra.trading.causes import UNPROTECTED, kind_of
from hydra.trading.coverage_lines import CoverageLine
from hydra.trading.durations import in_seconds
from hydra.trading.situation import CoverageView, Situation
from hydra.trading.trading_state import Cause

LOOPS_SILENT_MAX = 2
"""A verdict is heard before the exit bot, which goes by it, has said anything."""
_NAMES_SHOWN_MAX = 3


_NOTHING_HEARD = CoverageView(
    is_heard=False, is_known=False, pct=Decimal(0), silent=0, uncovered=(), uncovered_ns=0
)


class CoverageWatch:
    """Nothing is known at first, which allows nothing."""

    def __init__(self) -> None:
        self._view = _NOTHING_HEARD

    def told(self, *, is_known: bool, pct: Decimal, uncovered: Mapping[str, int]) -> None:
        """The exit bot's word: by "bot symbol", for how long something was not covered (ns)."""
        self._view = CoverageView(
            is_heard=True,
            is_known=is_known,
            pct=pct,
            silent=0,
            uncovered=tuple(uncovered),
            uncovered_ns=max(uncovered.values(), default=0),
        )

    def loop_ran(self) -> None:
        """A loop has come to its end, or should have."""
        view = self._view
        self._view = CoverageView(
            is_heard=view.is_heard,
            is_known=view.is_known,
            pct=view.pct,
            silent=view.silent + 1,
            uncovered=view.uncovered,
            uncovered_ns=view.uncovered_ns,
        )

    def lost(self) -> None:
        """The exit bot is down: what it said is not to be gone by."""
        self._view = _NOTHING_HEARD

    @property
    def view(self) -> CoverageView:
        """As the checks see it."""
        return self._view

    @property
    def is_heard(self) -> bool:
        """The exit bot has spoken, lately."""
        return self._view.is_heard and self._view.silent <= LOOPS_SILENT_MAX


def still_unprotected(
    found: Iterable[Cause], lines: Iterable[CoverageLine] | None
) -> frozenset[str]:
    """The codes of what is not protected now. `lines` None: the exit bot does not know, so that
    what was found of this kind is taken to be still so. What only a halt keeps from being protected
    is not among them: it must not keep the halt from ending.
    """
    if lines is None:
        return frozenset(each.code for each in found if kind_of(each.code) is UNPROTECTED)
    return frozenset(
        f"{UNPROTECTED.code}{line.symbol}"
        for line in lines
        if line.uncovered and not line.is_held_back
    )


def unprotected_while_halted(
    lines: Iterable[CoverageLine], uncovered: Mapping[str, int], confirm_ns: int
) -> Mapping[str, str]:
    """By symbol, who holds what there whose guard has sent nothing for so long, for a halt (I11).

    `uncovered`: by "bot symbol", for how long something was not covered (ns of machine time).
    """
    return {
        line.symbol: f"{line.bot} holds {line.position:f}, unprotected while halted"
        for line in lines
        if line.is_held_back and uncovered.get(f"{line.bot} {line.symbol}", 0) > confirm_ns
    }


def positions_are_protected(s: Situation) -> str | None:
    """An entry needs everything that is held to be protected, but for what was filled just now."""
    if s.proposal.reduces:
        return None
    view, allowed = s.coverage, s.limits.protection_confirm_ns
    if (
        view.is_heard is True
        and view.is_known is True
        and 0 <= view.silent <= LOOPS_SILENT_MAX
        and 0 <= view.uncovered_ns <= allowed
    ):
        return None
    if view.is_heard is not True:
        return (
            "the exit bot has not said that what is held is protected"
            " (exitbot.enabled has to be true)"
        )
    if not 0 <= view.silent <= LOOPS_SILENT_MAX:
        return (
            f"the exit bot has said nothing for {view.silent} loops,"
            f" at most {LOOPS_SILENT_MAX} allowed"
        )
    if view.is_known is not True:
        return "what the account holds is not known, so neither is whether it is protected"
    names = ", ".join(view.uncovered[:_NAMES_SHOWN_MAX])
    return (
        f"{view.pct:f} % of what is held is protected; {names} has not been for"
        f" {in_seconds(view.uncovered_ns):f} s, at most {in_seconds(allowed):f} s allowed"
    )
