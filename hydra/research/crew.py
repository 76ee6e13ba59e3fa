"""A crew of processes for one kind of work: each makes itself ready once, then does task by task.

Processes, because a replay is pure Python and one interpreter runs one thread of it at a time. They
are *spawned*: a fresh interpreter has none of the parent's threads, locks and signal handlers in
whatever state they were (a fork has), and the same holds on every system. That costs a second for
each process and nothing for each task, which are far longer.

A task that raises, and a process that dies of its task (of the memory that it takes, say), cost
that task alone: its failure is told, and another process takes the next one. What is told, and in
which order, does not depend on who was faster.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from hydra.runtime.life import in_words

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")

LOOKS_EVERY_S = 0.2
"""How often it is asked whether to stop, while everybody is at work."""
ENDS_WITHIN_S = 5.0

_SPAWN = multiprocessing.get_context("spawn")


class Failed(msgspec.Struct, frozen=True):
    """What a task died of, in one line."""

    why: str


class Done(msgspec.Struct, Generic[R], frozen=True):
    """What came of a task."""

    result: R


Outcome: TypeAlias = Done[R] | Failed | None
"""None: it was not done, since the work was stopped before."""


def work_through(
    tasks: Sequence[T],
    make_ready: Callable[[P], Callable[[T], R]],
    given: P,
    *,
    jobs: int,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> tuple[Outcome[R], ...]:
    """Have all tasks done by so many processes at once; the outcomes are in the order of the tasks.

    `make_ready` is a function at the top of a module; each process calls it once, with what is
    `given`, for the function that does a task. Tasks, results and what is given are pickled; what
    is large is better named by its file.

    `seen` is told how many are over. Ctrl-C, and `is_stopping`, end all processes at once; what
    was not done by then has no outcome. To be called by the main thread.
    """
    outcomes: list[Outcome[R]] = [None] * len(tasks)
    over = 0
    with _crew(make_ready, given) as crew, suppress(KeyboardInterrupt):
        left = iter(enumerate(tasks))
        for number, task in islice(left, jobs):
            crew.begin(number, task)
        while crew.is_busy and not is_stopping():
            for number, outcome in crew.finished():
                outcomes[number] = outcome
                over += 1
                seen(over)
                for next_number, next_task in islice(left, 1):
                    crew.begin(next_number, next_task)
    return tuple(outcomes)


class _Worker(msgspec.Struct):
    process: SpawnProcess
    connection: Connection
    number: int


class _Crew(Generic[T, R]):
    def __init__(self, make_ready: Callable[[Any], Callable[[T], R]], given: object) -> None:
        self._made_of = (make_ready, given)
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}

    @property
    def is_busy(self) -> bool:
        return bool(self._busy)

    def begin(self, number: int, task: T) -> None:
        """Give it to one that has nothing to do, or to a new one."""
        worker = self._idle.pop() if self._idle else self._hired()
        worker.number = number
        self._busy[worker.connection] = worker
        with suppress(OSError):  # it has died since; its end is read as that of any other
            worker.connection.send(task)

    def finished(self) -> Iterator[tuple[int, Outcome[R]]]:
        """Those that are over by now; waits a moment for one."""
        for connection in wait(list(self._busy), timeout=LOOKS_EVERY_S):
            assert isinstance(connection, Connection)
            worker = self._busy.pop(connection)
            try:
                outcome: Outcome[R] = connection.recv()
            except (EOFError, OSError):
                outcome = Failed(self._buried(worker))
            else:
                self._idle.append(worker)
            yield worker.number, outcome

    def dismiss(self) -> None:
        """End all of them, whatever they are at."""
        for worker in self._all:
            worker.process.terminate()
        for worker in self._all:
            worker.connection.close()
            self._gone(worker.process)

    def _hired(self) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(theirs, *self._made_of), daemon=True)
        # Ctrl-C goes to every process of the terminal; ours is the one that ends them. A new
        # process inherits that it does not count, so that it never dies of it with a traceback.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process.start()
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
        theirs.close()  # so that its death is the end of the pipe
        worker = _Worker(process, ours, 0)
        self._all.append(worker)
        return worker

    def _buried(self, worker: _Worker) -> str:
        self._all.remove(worker)
        worker.connection.close()
        self._gone(worker.process)
        code = worker.process.exitcode
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"

    @staticmethod
    def _gone(process: SpawnProcess) -> None:
        process.join(ENDS_WITHIN_S)
        if process.exitcode is None:
            process.kill()
            process.join()


@contextmanager
def _crew(make_ready: Callable[[P], Callable[[T], R]], given: P) -> Iterator[_Crew[T, R]]:
    crew: _Crew[T, R] = _Crew(make_ready, given)
    try:
        yield crew
    finally:
        crew.dismiss()


def _work(connection: Connection, make_ready: Callable[[P], Callable[[T], R]], given: P) -> None:
    """In the process: task by task, until the other end of the pipe is gone."""
    work: Callable[[T], R] | None = None

    def ready_for_work(task: T) -> R:
        nonlocal work
        work = work or make_ready(given)
        return work(task)

    with suppress(EOFError, OSError):
        while True:
            task: T = connection.recv()
            connection.send(attempted(ready_for_work, task))


def attempted(work: Callable[[T], R], task: T) -> Done[R] | Failed:
    """What comes of the task, done here and now."""
    try:
        return Done(work(task))
    except Exception as error:  # the edge of the work: it is told
        return Failed(one_line_of(error))


def one_line_of(error: BaseException) -> str:
    """What was raised, for a table."""
    return " ".join(in_words(error).split())
