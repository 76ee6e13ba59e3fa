"""From exec to an engine that answers, halted, with 50 bots: fresh, and after a kill −9."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter_ns, sleep

from hydra.ops.bench.disk import folder_of_its_own
from hydra.ops.bench.memory import PROJECT
from hydra.ops.bench.recovery_probe import files_in
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.debug.client import DebugClient, NoEngine

BOTS = 50
EVENTS = 200_000
STARTS = 5
PROBE = "hydra.ops.bench.recovery_probe"
BUILT_WITHIN_S = 120.0
READY_WITHIN_S = 30.0
LOOK_EVERY_S = 0.001
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"

READY = Figure(
    name="start_ready",
    unit="ms",
    what=f"exec of the engine with {BOTS} bots on a new record, until its debug socket answers; "
    "its modules were compiled by an earlier start",
    bound="exec of a bare interpreter",
    bar=Bar(at_most=1_000),
    aim="300 ms",
)
RECOVERED = Figure(
    name="recovery_ready",
    unit="ms",
    what=f"the same on a record of {EVENTS:,} events that was left by kill -9: every link of the "
    "chain and every row checked",
    bound="exec of a bare interpreter",
    bar=Bar(at_most=1_500),
    aim="400 ms",
)
PER_EVENT = Figure(
    name="recovery_per_event",
    unit="µs",
    what="what each of these events adds to the start",
    bound="none: the bar is absolute",
    bar=Bar(at_most=5),
)


def take_recovery(effort: Effort, config: Path, state_dir: Path) -> tuple[Measured, ...]:
    """Medians of whole starts, in ms; and the difference over the events, in µs."""
    events = effort.count(EVENTS, least=4_000)
    starts = effort.count(STARTS, least=2)
    with folder_of_its_own(state_dir) as own:
        bots = _configuration(config, own / "config")
        surroundings = compiled_in(own / "bytecode")
        # The first fills caches.
        fresh = [_fresh_start(own, bots, surroundings) for _ in range(starts + 1)][1:]
        _build(own / "long", events)
        recovered = [_start(own / "long", bots, surroundings) for _ in range(starts)]
        bare = [_bare_interpreter(surroundings) for _ in range(starts)]
    ready, after = statistics.median(fresh), statistics.median(recovered)
    bound = statistics.median(bare)
    per_event = (after - ready) * 1_000 / events
    # Fewer events are measured where time is short; the start is told as if there were all.
    whole = ready + per_event * EVENTS / 1_000
    return Measured(ready, bound), Measured(whole, bound), Measured(per_event, 1.0)


def _configuration(config: Path, target: Path) -> Path:
    """The shipped bots with the first one of them BOTS times."""
    try:
        shutil.copytree(config, target)
        text = (target / "bots.yaml").read_text()
    except OSError as error:
        raise CouldNotMeasure(f"cannot read {config}: {error}") from error
    before, rest = text.split("momentum_bots:\n", 1)
    bots = re.split(r"(?m)^(?=  - )", rest.split("\noptionsbot:", 1)[0])
    first = next(bot for bot in bots if bot.startswith("  - "))
    many = "".join(
        re.sub(r"bot_id: \S+", f"bot_id: bench_{number}", first) for number in range(BOTS)
    )
    after = rest.split("\noptionsbot:", 1)[1]
    (target / "bots.yaml").write_text(f"{before}momentum_bots:\n{many}\noptionsbot:{after}")
    return target


def compiled_in(folder: Path) -> dict[str, str]:
    """This environment, in which modules are compiled once, into this folder, and then found there.

    As after the first start of an installation, also where this process is told to leave no such
    files behind, or those beside the sources are of other sources.
    """
    kept = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def _fresh_start(own: Path, config: Path, surroundings: dict[str, str]) -> float:
    folder = own / "fresh"
    for part in ("state", "logs"):
        shutil.rmtree(folder / part, ignore_errors=True)
    return _start(folder, config, surroundings)


def _build(folder: Path, events: int) -> None:
    folder.mkdir()
    command = [sys.executable, "-m", PROBE, "build", str(folder), str(events)]
    try:
        built = subprocess.run(
            command,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=BUILT_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CouldNotMeasure(f"{events} events: not built in {BUILT_WITHIN_S:g} s") from None
    if built.returncode != -signal.SIGKILL:
        raise CouldNotMeasure(f"the ledger was not built: {built.stderr.strip()[-300:]}")


def _start(folder: Path, config: Path, surroundings: dict[str, str]) -> float:
    """Milliseconds until the engine answers; then it is killed."""
    with answering(folder, config, surroundings) as (milliseconds, _):
        return milliseconds


@contextmanager
def answering(
    folder: Path, config: Path, surroundings: dict[str, str]
) -> Iterator[tuple[float, int]]:
    """An engine that answers: after how many milliseconds, and its process; killed afterwards."""
    folder.mkdir(exist_ok=True)
    socket = files_in(folder).debug_socket
    socket.unlink(missing_ok=True)  # what a killed engine left behind answers nobody
    began = perf_counter_ns()
    engine = subprocess.Popen(
        [sys.executable, "-m", PROBE, "start", str(folder), str(config)],
        cwd=PROJECT,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not _answers(socket):
            if engine.poll() is not None:
                assert engine.stderr is not None
                raise CouldNotMeasure(f"the engine ended: {engine.stderr.read().strip()[-300:]}")
            if perf_counter_ns() - began > READY_WITHIN_S * 1e9:
                raise CouldNotMeasure(f"no answer within {READY_WITHIN_S:g} s")
            sleep(LOOK_EVERY_S)
        yield (perf_counter_ns() - began) / 1e6, engine.pid
    finally:
        engine.kill()
        engine.communicate()


def _answers(socket: Path) -> bool:
    try:
        with DebugClient(socket) as client:
            client.call("gate")
            return True
    except NoEngine:
        return False


def _bare_interpreter(surroundings: dict[str, str]) -> float:
    began = perf_counter_ns()
    subprocess.run(
        [sys.executable, "-c", "pass"], env=surroundings, check=True, timeout=READY_WITHIN_S
    )
    return (perf_counter_ns() - began) / 1e6


def recovery(config: Path, state_dir: Path) -> Measurement:
    """Starts of the configured engine on the disk of this folder."""
    return Measurement(
        name="recovery",
        figures=(READY, RECOVERED, PER_EVENT),
        take=partial(take_recovery, config=config, state_dir=state_dir),
    )
