"""Run in a process of its own by `memory`: what one idle thing of a kind costs, in KiB.

`python -m hydra.ops.bench.memory_probe KIND COUNT` prints one number.
"""

import gc
import os
import resource
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from hydra.actor import ChildSpec, Dispatcher
from hydra.ops.bench.acting import START_WITHIN_S, supervised
from hydra.ops.bench.crowd import idle_bots
from hydra.runtime.thread_runtime import ThreadRuntime

STATM = Path("/proc/self/statm")
GROUP = 100
"""Actors under one supervisor. More groups rather than larger ones: starting is quicker."""


def resident_kib() -> float:
    """What this process holds of the machine's memory; on macOS, the most that it ever held."""
    if STATM.exists():
        return _resident_kib_in(STATM)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform == "darwin" else float(most)


def resident_kib_of(process: int) -> float:
    """The same of another process, now. Raises `OSError` or `ValueError` where it is gone."""
    if STATM.exists():
        return _resident_kib_in(Path(f"/proc/{process}/statm"))
    command = ["ps", "-o", "rss=", "-p", str(process)]
    return float(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def _resident_kib_in(statm: Path) -> float:
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def idle_actors(count: int, dispatcher: Dispatcher) -> object:
    """So many running actors under supervisors."""
    groups: list[ChildSpec] = []
    for first in range(0, count, GROUP):
        size = min(GROUP, count - first)
        groups.append(supervised(f"group{first}", idle_bots(size, dispatcher)))
    runtime = ThreadRuntime()
    if not runtime.start_and_wait(supervised("bench", tuple(groups)), within=START_WITHIN_S):
        raise SystemExit(f"{count} actors did not start: {runtime.failed_closed}")
    return runtime


def bare_mailboxes(count: int) -> object:
    """So many objects with what no actor can do without: two queues and attributes."""
    return [(deque[object](), deque[object](), {"path": str(number)}) for number in range(count)]


def bare_threads(count: int) -> object:
    """So many threads that wait at a queue."""
    queues: list[SimpleQueue[object]] = [SimpleQueue() for _ in range(count)]
    for queue in queues:
        threading.Thread(target=queue.get, daemon=True).start()
    return queues


KINDS: dict[str, Callable[[int], object]] = {
    "pooled": lambda count: idle_actors(count, Dispatcher.POOLED),
    "pinned": lambda count: idle_actors(count, Dispatcher.PINNED),
    "mailboxes": bare_mailboxes,
    "threads": bare_threads,
}


def kib_each(kind: str, count: int) -> float:
    """Make a few first, so that what is loaded and set aside once is not counted."""
    make = KINDS[kind]
    warm = make(20)
    gc.collect()
    before = resident_kib()
    made = make(count)
    gc.collect()
    after = resident_kib()
    del warm, made
    return (after - before) / count


if __name__ == "__main__":
    sys.stdout.write(f"{kib_each(sys.argv[1], int(sys.argv[2]))}\n")
    sys.stdout.flush()
    os._exit(0)  # nothing here needs an orderly end, and thousands of actors take theirs
