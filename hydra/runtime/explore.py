"""The explore schedule's dice: who runs next, and how long everything takes.

A seeded order alone finds few races, because within one instant everything runs to its end: those
that span time need time on every edge and in every handler. Each seed draws its own mixture of
options (swarm testing), some of them calm.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hydra.runtime.sim_runtime import SimCell

MICROSECOND = 1_000


class ExploreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is disturbed. Times in ns; probabilities in [0, 1]."""

    seed: int
    delayed: float = 0.3
    """The share of messages that take longer than `edge_min`."""
    edge_min: int = 5 * MICROSECOND
    delay_mean: int = 500 * MICROSECOND
    """Exponential."""
    heavy: float = 0.02
    """The share of delays that are a hundred times as long."""
    service_mean: int = 20 * MICROSECOND
    """How long a handler is busy, exponential; 0: no time at all."""
    timer_late_mean: int = 200 * MICROSECOND
    priority_changes: int = 0
    """With PCT priorities: after how many drawn steps a priority falls. 0: choose evenly."""
    starved: float = 0.0
    """The chance that one actor, drawn at the first choice, runs only when nobody else can."""

    @classmethod
    def drawn(cls, seed: int) -> ExploreOptions:
        """The mixture that belongs to a seed."""
        dice = random.Random(f"explore-options|{seed}")
        if dice.random() < 0.1:
            return cls(seed=seed, delayed=0.0, edge_min=0, heavy=0.0, service_mean=0)
        return cls(
            seed=seed,
            delayed=dice.choice((0.1, 0.3, 0.6)),
            delay_mean=dice.choice((50, 500, 2_000)) * MICROSECOND,
            heavy=dice.choice((0.0, 0.02, 0.1)),
            service_mean=dice.choice((0, 20, 200)) * MICROSECOND,
            timer_late_mean=dice.choice((0, 200, 5_000)) * MICROSECOND,
            priority_changes=dice.choice((0, 0, 3, 10)),
            starved=dice.choice((0.0, 0.0, 1.0)),
        )


class Explorer:
    """Draws every choice of one run from its own seeded stream, in the order they come up.

    What it draws could happen on threads. There a message is in its mailbox when `tell` returns, so
    nothing that is said afterwards overtakes one in the control lane; and the lines of `journal`,
    its writer's path, come in the order in which they were said, whoever said them.
    """

    def __init__(self, options: ExploreOptions, journal: str | None = None) -> None:
        self.options = options
        self._journal = journal
        self._dice = random.Random(f"explore|{options.seed}")
        self._runnable: list[SimCell] = []
        self._last_arrival: dict[tuple[str, str, bool], int] = {}
        self._priorities: dict[str, float] = {}
        self._steps = 0
        self._changes = frozenset(
            self._dice.randrange(5_000) for _ in range(options.priority_changes)
        )
        self._starved: str | None = None
        self._starving = self._dice.random() < options.starved

    def _drawn(self, mean: int) -> int:
        return int(self._dice.expovariate(1.0) * mean) if mean else 0

    def arrival(self, sender: str, receiver: str, control: bool, now: int) -> int:
        """When a message sent now arrives: never before an earlier one of its pair and lane, nor
        before one that its sender has put into the control lane.
        """
        options = self.options
        delay = options.edge_min
        if self._dice.random() < options.delayed:
            drawn = self._drawn(options.delay_mean)
            delay += drawn * 100 if self._dice.random() < options.heavy else drawn
        if receiver == self._journal:
            sender = ""
        last = self._last_arrival
        at = max(now + delay, last.get((sender, receiver, True), 0))
        if not control:
            at = max(at, last.get((sender, receiver, False), 0))
        last[sender, receiver, control] = at
        return at

    def timer_lateness(self) -> int:
        """How much later than due a timer fires."""
        return self._drawn(self.options.timer_late_mean)

    def occupy(self, cell: SimCell, now: int) -> None:
        """A handler of the cell ran: draw until when it is busy."""
        cell.busy_until = now + self._drawn(self.options.service_mean)

    def add(self, cell: SimCell) -> None:
        """The cell has something to do."""
        self._runnable.append(cell)

    def choose(self) -> SimCell | None:
        """Who runs next; None if nobody can."""
        runnable = self._runnable
        if not runnable:
            return None
        self._steps += 1
        index = self._chosen(runnable)
        runnable[index], runnable[-1] = runnable[-1], runnable[index]
        return runnable.pop()

    def _chosen(self, runnable: list[SimCell]) -> int:
        if self._starving and self._starved is None:
            self._starved = self._dice.choice(runnable).path
        indices = range(len(runnable))
        if not self.options.priority_changes:
            fair = [i for i in indices if runnable[i].path != self._starved]
            return self._dice.choice(fair) if fair else 0
        for cell in runnable:
            if cell.path not in self._priorities:
                self._priorities[cell.path] = self._dice.random()
        best = max(indices, key=lambda i: self._priorities[runnable[i].path])
        if self._steps in self._changes:
            self._priorities[runnable[best].path] = self._dice.random() - 1.0
        return best
