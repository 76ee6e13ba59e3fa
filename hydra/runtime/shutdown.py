"""Coordinated shutdown: named phases with deadlines; the next one runs even if one is late."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from hydra.runtime.life import in_words


class Phase(msgspec.Struct, frozen=True):
    """One step of stopping. `action` says whether it did what it is for."""

    name: str
    within: float
    """Seconds."""
    action: Callable[[], bool]


class PhaseResult(msgspec.Struct, frozen=True):
    """How a phase ended: "done", "not done", "too late", or an error's text."""

    name: str
    outcome: str


def shut_down(phases: tuple[Phase, ...]) -> tuple[PhaseResult, ...]:
    """Run the phases in order. What a late phase still does is not waited for."""
    return tuple(_run(phase) for phase in phases)


def _run(phase: Phase) -> PhaseResult:
    outcome = ["too late"]

    def work() -> None:
        try:
            outcome[0] = "done" if phase.action() else "not done"
        except Exception as error:  # the phases after it matter all the same
            outcome[0] = in_words(error)

    thread = threading.Thread(target=work, name=f"hydra-stop-{phase.name}", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread is to be had: it is done here, whatever time it takes
        work()
    else:
        thread.join(phase.within)
    return PhaseResult(phase.name, outcome[0])
