"""A tree of bench actors on a runtime: started, and taken down again whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.actor import SECOND, ChildSpec, Ref
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadCell, ThreadRuntime
from supervisors.strategies import Intensity, Strategy, Supervision
from supervisors.supervisor import Supervisor

START_WITHIN_S = 20.0
NO_RESTARTS = Supervision(strategy=Strategy.ONE_FOR_ONE, intensity=(Intensity(0, SECOND),))
"""An actor of a measurement that fails ends the measurement."""


def supervised(name: str, children: tuple[ChildSpec, ...]) -> ChildSpec:
    """A supervisor of these."""
    args = {"children": children, "policy": NO_RESTARTS}
    return ChildSpec(name=name, actor=Supervisor, args=args)


def at(name: str) -> Ref[Any]:
    """Where a child of the tree that the functions here start lives."""
    return Ref(f"/bench/{name}")


def threads_of(runtime: ThreadRuntime, child: ChildSpec) -> int:
    """How many threads the dispatcher has that runs this child of the tree."""
    cell = runtime.cells[at(child.name).path]
    assert isinstance(cell, ThreadCell)
    return len(cell.turn.dispatcher.threads)


@contextmanager
def on_threads(children: tuple[ChildSpec, ...]) -> Iterator[ThreadRuntime]:
    """The live runtime with these actors running. Raises `CouldNotMeasure` if they do not start."""
    with tree_on_threads(ThreadRuntime(), supervised("bench", children)) as runtime:
        yield runtime


@contextmanager
def tree_on_threads(runtime: ThreadRuntime, tree: ChildSpec) -> Iterator[ThreadRuntime]:
    """The same for a whole tree."""
    try:
        if not runtime.start_and_wait(tree, within=START_WITHIN_S):
            raise CouldNotMeasure(f"the actors did not start: {runtime.failed_closed}")
        yield runtime
        if runtime.failed_closed is not None:
            raise CouldNotMeasure(f"an actor failed: {runtime.failed_closed}")
    finally:
        runtime.stop_tree("the measurement is over", within=START_WITHIN_S)
        runtime.close()


@contextmanager
def in_simulation(children: tuple[ChildSpec, ...]) -> Iterator[SimRuntime]:
    """The simulated runtime, canonical, with these actors running."""
    runtime = SimRuntime()
    root = runtime.start_root(supervised("bench", children))
    runtime.settle()
    if root.status is not Status.RUNNING:
        raise CouldNotMeasure(f"the actors did not start: {runtime.failed_closed}")
    try:
        yield runtime
        if runtime.failed_closed is not None:
            raise CouldNotMeasure(f"an actor failed: {runtime.failed_closed}")
    finally:
        runtime.stop_cell(root, "the measurement is over")
        runtime.settle()
