"""What the gateway tells of its last comparison with the venue: plain values, for whoever asks."""

from collections.abc import Mapping

from hydra.trading.differences import describe
from messages.reconciliation import DifferencesReported, Reconciled

SHOWN = 20
"""So many differences, in the view; `reconcile` shows all."""


def what_is_wrong(last: Reconciled | None, *, has_agreed: bool) -> str:
    """Why the gateway is not well by it, "" if it is.

    What is late shuts the entries that it touches by itself. Only before record and venue have
    agreed for the first time nothing is opened over it.
    """
    if last is None:
        return "record and venue have not been compared yet"
    if last.failure:
        return f"the venue cannot be read: {last.failure}"
    if last.differences:
        return f"{len(last.differences)} differences with the venue"
    if last.late and not has_agreed:
        return _late_words(last)
    return ""


def differences_in(last: Reconciled | None) -> DifferencesReported:
    """What it found, for an operator: a difference is his to settle once it is sure to be one."""
    if last is None:
        return DifferencesReported(at=0, differences=(), checked=False)
    is_open = bool(last.late) and not last.differences
    return DifferencesReported(
        at=last.at,
        differences=last.differences,
        checked=last.snapshot is not None and not is_open,
        failure=last.failure or (_late_words(last) if is_open else ""),
    )


def comparison_view(last: Reconciled | None) -> Mapping[str, object]:
    """How it ended."""
    if last is None:
        return {"last_comparison": "none yet", "agrees": False, "differences": [], "late": []}
    return {
        "last_comparison": last.failure or f"{len(last.differences)} differences",
        "agrees": last.is_clean,
        "differences": [describe(each) for each in last.differences[:SHOWN]],
        "late": [describe(each.difference) for each in last.late[:SHOWN]],
    }


def _late_words(last: Reconciled) -> str:
    return f"{len(last.late)} differences that late lists of the venue's may explain"
