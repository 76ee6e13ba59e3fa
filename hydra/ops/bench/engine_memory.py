"""What the whole engine holds of the machine's memory while nothing happens.

The engine is started as on paper, with nobody at the broker's address: see `recovery_probe`.
"""

import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import sleep

from hydra.ops.bench.disk import folder_of_its_own
from hydra.ops.bench.memory_probe import resident_kib_of
from hydra.ops.bench.recovery import answering, compiled_in
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement

STARTS = 3
SETTLES_S = 1.0
"""After it answers: what a start leaves behind is gone by then."""

ENGINE = Figure(
    name="memory_engine",
    unit="MiB",
    what="resident memory of the idle engine with the bots of the configuration, a second after "
    "its debug socket answers; not of the first start here; the broker's adapter is loaded, "
    "alpaca-py is not",
    bound="a bare interpreter",
    bar=Bar(at_most=64),
)


def take_engine_memory(effort: Effort, config: Path, state_dir: Path) -> tuple[Measured, ...]:
    """The median of the starts, in MiB."""
    with folder_of_its_own(state_dir) as own:
        surroundings = compiled_in(own / "bytecode")
        starts = effort.count(STARTS) + 1  # the first one makes the caches, of sessions above all
        held = [_held(own / "engine", config, surroundings) for _ in range(starts)][1:]
        bare = _held_by_interpreter(surroundings)
    return (Measured(statistics.median(held), bare),)


def _held(folder: Path, config: Path, surroundings: dict[str, str]) -> float:
    with answering(folder, config.absolute(), surroundings) as (_, process):
        sleep(SETTLES_S)
        held = _mib_of(process)
    for part in ("state", "logs"):
        shutil.rmtree(folder / part)
    return held


def _held_by_interpreter(surroundings: dict[str, str]) -> float:
    waits = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waits],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as bare:
        assert bare.stdout is not None
        bare.stdout.readline()
        return _mib_of(bare.pid)


def _mib_of(process: int) -> float:
    try:
        return resident_kib_of(process) / 1024
    except (OSError, ValueError) as error:
        raise CouldNotMeasure(f"memory of process {process} cannot be read: {error}") from error


def engine_memory(config: Path, state_dir: Path) -> Measurement:
    """Of the engine of this configuration."""
    return Measurement(
        name="memory_engine",
        figures=(ENGINE,),
        take=partial(take_engine_memory, config=config, state_dir=state_dir),
    )
