"""The commands that look at the process rather than at an actor: the GIL, threads, memory."""

import gc
import sys
import threading
import time
from typing import Annotated, Any, Literal

from msgspec import Meta

from hydra.actor import SECOND
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Row, in_ms, some
from hydra.ops.debug.looking import Arguments, NoArguments
from hydra.runtime.inspection import running_in, stack_of
from hydra.runtime.runtime import Runtime
from hydra.runtime.statistics import percentile
from hydra.runtime.thread_runtime import ThreadCell

PROBE_S = 0.001
"""How long each probe sleeps. What it oversleeps is the wait for the GIL, and the machine's own."""

THREADS_MAX = 1_000
DISPATCHERS = ("hydra-pool-", "hydra-/")
"""How the names of threads begin that run actors."""


class Watch(Arguments, frozen=True):
    """`seconds`: for how long to look."""

    seconds: Annotated[float, Meta(ge=0.01, le=10.0)] = 1.0


def gil(_runtime: Runtime, arguments: Watch, _caller: Caller) -> dict[str, Any]:
    """How late a thread gets to run that wants to every millisecond: the wait for the GIL."""
    late: list[int] = []
    until = time.monotonic_ns() + int(arguments.seconds * SECOND)
    asleep = int(PROBE_S * SECOND)
    while (began := time.monotonic_ns()) < until:
        time.sleep(PROBE_S)
        late.append(max(0, time.monotonic_ns() - began - asleep))
    return {
        "probes": len(late),
        "late_p50_ms": in_ms(percentile(late, 0.50)),
        "late_p99_ms": in_ms(percentile(late, 0.99)),
        "late_max_ms": in_ms(max(late, default=0)),
        "switch_interval_ms": round(sys.getswitchinterval() * 1e3, 3),
        "threads": threading.active_count(),
    }


def threads(runtime: Runtime, _arguments: NoArguments, _caller: Caller) -> dict[str, Any]:
    """Every thread of the process and which actor it runs."""
    return some(_threads(runtime, stacks=False), THREADS_MAX)


def stacks(runtime: Runtime, _arguments: NoArguments, _caller: Caller) -> dict[str, Any]:
    """Every thread of the process with its place in the code."""
    return some(_threads(runtime, stacks=True), THREADS_MAX)


def _threads(runtime: Runtime, *, stacks: bool) -> list[Row]:
    cells = list(runtime.cells.values())
    now = runtime.now()
    busy = {
        running.thread: (cell.path, in_ms(now - running.since))
        for cell in cells
        if (running := running_in(cell)) is not None and running.thread is not None
    }
    owned = {
        thread
        for cell in cells
        if isinstance(cell, ThreadCell)
        for thread in list(cell.turn.dispatcher.threads.values())
    }
    rows = []
    for thread in threading.enumerate():
        path, busy_ms = busy.get(thread, (None, 0.0))
        row: Row = {
            "name": thread.name,
            "id": thread.native_id,
            "daemon": thread.daemon,
            "role": _role(thread, dispatching=thread in owned),
            "runs": path,
            "busy_ms": busy_ms,
        }
        if stacks:
            row["stack"] = stack_of(thread)
        rows.append(row)
    return rows


Role = Literal["main", "actors", "left behind", "debug", "control", "runtime", "other"]


def _role(thread: threading.Thread, *, dispatching: bool) -> Role:
    if dispatching:
        return "actors"
    if thread is threading.main_thread():
        return "main"
    if thread.name.startswith("hydra-debug"):
        return "debug"
    if thread.name.startswith("hydra-control"):
        return "control"
    # A dispatcher that no longer counts a thread of its own has fenced it: it hung.
    if thread.name.startswith(DISPATCHERS):
        return "left behind"
    return "runtime" if thread.name.startswith("hydra-") else "other"


class Collect(Arguments, frozen=True):
    """`seconds`: measure pauses for so long; 0: only tell the counts."""

    seconds: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.0


def collections(_runtime: Runtime, arguments: Collect, _caller: Caller) -> dict[str, Any]:
    """Python's garbage collector: counts since the start, and pauses measured for a while."""
    told: dict[str, Any] = {
        "enabled": gc.isenabled(),
        "thresholds": list(gc.get_threshold()),
        "counts": list(gc.get_count()),
        "frozen": gc.get_freeze_count(),
        "generations": gc.get_stats(),
        "measured_s": arguments.seconds,
    }
    if arguments.seconds:
        pauses = _measured_pauses(arguments.seconds)
        told["pauses"] = len(pauses)
        told["pause_p50_ms"] = in_ms(percentile(pauses, 0.50))
        told["pause_p99_ms"] = in_ms(percentile(pauses, 0.99))
        told["pause_max_ms"] = in_ms(max(pauses, default=0))
    return told


def _measured_pauses(seconds: float) -> list[int]:
    pauses: list[int] = []
    began = [0]

    def note(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            began[0] = time.monotonic_ns()
        elif began[0]:
            pauses.append(time.monotonic_ns() - began[0])

    gc.callbacks.append(note)
    try:
        threading.Event().wait(seconds)
    finally:
        gc.callbacks.remove(note)
    return pauses
