"""What follows from a comparison with the venue that found something: nothing is traded over it."""

from collections.abc import Sequence

from hydra.trading.causes import ACCOUNT_BLOCKED, RECONCILIATION
from hydra.trading.differences import Difference, DifferenceKind, describe
from hydra.trading.trading_state import Cause

OF_WORTH = (DifferenceKind.POSITION, DifferenceKind.CASH)
"""What the account is worth by our record is wrong by these; of all others it may still be right.
"""
DIFFERENCES_TOLD = 5
"""In a halt's text; `reconcile` shows all."""


def worth_differs(differences: Sequence[Difference]) -> bool:
    """Whether record and venue differ in what the account holds."""
    return any(difference.kind in OF_WORTH for difference in differences)


def difference_causes(differences: Sequence[Difference], at: int) -> tuple[Cause, ...]:
    """The causes that stand from `at` on (I29, I44, I60). What differs is for a person."""
    blocked = [d for d in differences if d.kind is DifferenceKind.ACCOUNT_BLOCKED]
    others = [d for d in differences if d.kind is not DifferenceKind.ACCOUNT_BLOCKED]
    causes = []
    if blocked:
        detail = "; ".join(describe(difference) for difference in blocked)
        causes.append(ACCOUNT_BLOCKED.cause(since=at, detail=detail))
    if others:
        told = "; ".join(describe(difference) for difference in others[:DIFFERENCES_TOLD])
        detail = f"{len(others)} differences with the venue: {told}"
        causes.append(RECONCILIATION.cause(since=at, detail=detail))
    return tuple(causes)
