"""How samples are taken: bound and measurement by turns, medians of rounds, percentiles of all."""

import gc
import queue
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from time import perf_counter_ns
from typing import TypeVar

from hydra.ops.bench.rows import CouldNotMeasure, Measured
from hydra.runtime.statistics import percentile

T = TypeVar("T")

ANSWER_WITHIN_S = 20.0
"""Longer than anything here takes on a machine that can be used at all."""


def medians(
    rounds: int, measure: Callable[[], float], measure_bound: Callable[[], float]
) -> Measured:
    """Both by turns, so that a slow moment of the machine meets both; the median of each."""
    values, bounds = [], []
    for _ in range(rounds):
        bounds.append(measure_bound())
        values.append(measure())
    return Measured(statistics.median(values), statistics.median(bounds))


def percentiles(
    values: Sequence[int], bounds: Sequence[int], *, unit_ns: int
) -> tuple[Measured, Measured]:
    """The 50th and the 99th of samples in ns, in units of `unit_ns`."""

    def at(share: float) -> Measured:
        return Measured(percentile(values, share) / unit_ns, percentile(bounds, share) / unit_ns)

    return at(0.50), at(0.99)


def seconds_of(action: Callable[[], object]) -> float:
    """How long it takes."""
    began = perf_counter_ns()
    action()
    return (perf_counter_ns() - began) / 1e9


def answer_from(answers: SimpleQueue[T], what: str, *, within_s: float = ANSWER_WITHIN_S) -> T:
    """The next answer. Raises `CouldNotMeasure`, naming what did not happen."""
    try:
        return answers.get(timeout=within_s)
    except queue.Empty:
        raise CouldNotMeasure(f"{what}: nothing within {within_s:g} s") from None


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """What is alive now is not looked at by the garbage collector while this lasts.

    Within another one only what came since is looked at, and the outer one ends it for all.
    """
    is_within_another = gc.get_freeze_count() > 0
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not is_within_another:
            gc.unfreeze()
