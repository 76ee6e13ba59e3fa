"""A crew of processes: outcomes in order, a death that costs one task, and an end on request."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from hydra.research.crew import Done, Failed, work_through
from tests.ops.sessions import HOME

Task: TypeAlias = int | str

pytestmark = pytest.mark.slow  # each test starts processes


def make_ready(base: int) -> Callable[[Task], tuple[int, int]]:
    """Adds the base; words are what can go wrong."""
    ready_at = time.perf_counter_ns()

    def work(task: Task) -> tuple[int, int]:
        match task:
            case "raise":
                raise ValueError("two\nlines")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "hang":
                time.sleep(60)
            case _:
                time.sleep(int(task) / 100)
        return base + int(task), ready_at

    return work


def test_outcomes_are_in_the_order_of_the_tasks_and_each_process_gets_ready_once() -> None:
    told: list[int] = []
    tasks: list[Task] = [9, 1, 0, 2]

    found = work_through(tasks, make_ready, 100, jobs=2, seen=told.append)

    results = [each.result for each in found if isinstance(each, Done)]
    assert [result[0] for result in results] == [109, 101, 100, 102]
    assert len({result[1] for result in results}) == 2
    assert told == [1, 2, 3, 4]
    assert multiprocessing.active_children() == []


def test_a_task_that_fails_or_kills_its_process_costs_that_task_alone() -> None:
    tasks: list[Task] = ["raise", "die", "exit", 5]

    found = work_through(tasks, make_ready, 0, jobs=1)

    assert found[:3] == (
        Failed("ValueError: two lines"),
        Failed("its process was ended by SIGKILL"),
        Failed("its process ended with exit code 3"),
    )
    assert isinstance(found[3], Done)


def test_a_process_that_cannot_get_ready_says_so_for_each_task() -> None:
    found = work_through([1, 2], cannot_get_ready, None, jobs=1)

    assert found == (Failed("OSError: no data"), Failed("OSError: no data"))


def cannot_get_ready(_: None) -> Callable[[int], int]:
    raise OSError("no data")


def test_whoever_asks_to_stop_gets_what_is_done_and_no_process_is_left() -> None:
    stopping, tasks = threading.Event(), list[Task]([1, "hang", "hang"])

    found = work_through(
        tasks,
        make_ready,
        0,
        jobs=2,
        seen=lambda _: stopping.set(),
        is_stopping=stopping.is_set,
    )

    assert isinstance(found[0], Done)
    assert found[1:] == (None, None)
    assert multiprocessing.active_children() == []


INTERRUPTED = """
import multiprocessing, signal
from hydra.research.crew import Done, work_through
from tests.research.test_crew import make_ready

def main():
    def interrupt(_):
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    found = work_through([1, "hang"], make_ready, 0, jobs=2, seen=interrupt)
    print(isinstance(found[0], Done), found[1], multiprocessing.active_children())

if __name__ == "__main__":
    main()
"""


def test_ctrl_c_ends_it_with_what_is_done(tmp_path: Path) -> None:
    """In a process of its own: what else an interrupt may meet here is not known."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=HOME,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "True None []\n", "")


def test_no_task_needs_no_process() -> None:
    assert work_through([], make_ready, 0, jobs=2) == ()
