"""What an idle actor costs: the growth of a fresh process's resident memory, over their number."""

import statistics
import subprocess
import sys
from pathlib import Path

import hydra
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement

POOLED = 2_000
PINNED = 300
ROUNDS = 3
PROBE = "hydra.ops.bench.memory_probe"
PROJECT = Path(hydra.__file__).resolve().parent.parent
PROBE_WITHIN_S = 60.0

MEMORY_POOLED = Figure(
    name="memory_pooled",
    unit="KiB",
    what="resident memory per idle pooled actor, of 2,000 in a fresh process",
    bound="two deques and a dictionary",
    bar=Bar(at_most=16),
)
MEMORY_PINNED = Figure(
    name="memory_pinned",
    unit="KiB",
    what="resident memory per idle pinned actor with its thread, of 300 in a fresh process",
    bound="a bare waiting thread",
    bar=Bar(at_most=40),
)


def take_memory(effort: Effort) -> tuple[Measured, ...]:
    """Medians over fresh processes, in KiB."""
    rounds = effort.count(ROUNDS)
    return (
        Measured(_median("pooled", POOLED, rounds), _median("mailboxes", POOLED, rounds)),
        Measured(_median("pinned", PINNED, rounds), _median("threads", PINNED, rounds)),
    )


def _median(kind: str, count: int, rounds: int) -> float:
    return statistics.median(probe(kind, count) for _ in range(rounds))


def probe(kind: str, count: int) -> float:
    """KiB each, found out in a process of its own."""
    try:
        answered = subprocess.run(
            [sys.executable, "-m", PROBE, kind, str(count)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=PROBE_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CouldNotMeasure(f"{kind} × {count}: not done in {PROBE_WITHIN_S:g} s") from None
    if answered.returncode != 0:
        last = answered.stderr.strip().rpartition("\n")[2]
        raise CouldNotMeasure(f"{kind} × {count}: exit {answered.returncode}: {last}")
    return float(answered.stdout)


MEMORY = Measurement(name="memory", figures=(MEMORY_POOLED, MEMORY_PINNED), take=take_memory)
