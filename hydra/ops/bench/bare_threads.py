"""The bounds of the thread runtime: threads with queues between them, and no actors."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from time import perf_counter_ns

from hydra.ops.bench.sampling import answer_from


class Relays:
    """Threads in a row, each of which hands on what it gets; the last one says when it had it."""

    def __init__(self, threads: int) -> None:
        self._queues: list[SimpleQueue[object]] = [SimpleQueue() for _ in range(threads)]
        self._arrived: SimpleQueue[int] = SimpleQueue()
        for number in range(threads):
            name = f"bench-relay-{number}"
            threading.Thread(target=self._work, args=(number,), name=name, daemon=True).start()

    def _work(self, number: int) -> None:
        get = self._queues[number].get
        last = number == len(self._queues) - 1
        while (item := get()) is not None:
            if last:
                self._arrived.put(perf_counter_ns())
            else:
                self._queues[number + 1].put(item)

    def one_way(self) -> int:
        """Nanoseconds from the first put until the last thread has it."""
        began = perf_counter_ns()
        self._queues[0].put(True)
        return answer_from(self._arrived, "a hand-off between threads") - began

    def there_and_back(self) -> int:
        """Nanoseconds from the first put until this thread knows that the last one has it."""
        began = perf_counter_ns()
        self._queues[0].put(True)
        answer_from(self._arrived, "a hand-off between threads")
        return perf_counter_ns() - began

    def close(self) -> None:
        """Let the threads end."""
        for queue in self._queues:
            queue.put(None)


class Workers:
    """Threads that call whatever comes out of one queue."""

    def __init__(self, threads: int) -> None:
        self.calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._threads = threads
        for number in range(threads):
            threading.Thread(target=self._work, name=f"bench-worker-{number}", daemon=True).start()

    def _work(self) -> None:
        get = self.calls.get
        while (call := get()) is not None:
            call()

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._threads):
            self.calls.put(None)


def flood(count: int) -> tuple[float, float]:
    """Items a second put into a queue that another thread empties meanwhile, and got out of it."""
    items: SimpleQueue[object] = SimpleQueue()
    emptied: SimpleQueue[int] = SimpleQueue()

    def take() -> None:
        get = items.get
        while get() is not None:
            pass
        emptied.put(perf_counter_ns())

    thread = threading.Thread(target=take, name="bench-taker", daemon=True)
    thread.start()
    put = items.put
    began = perf_counter_ns()
    for _ in range(count):
        put(True)
    filled = perf_counter_ns()
    put(None)
    ended = answer_from(emptied, "a flood between two threads")
    return count / ((filled - began) / 1e9), count / ((ended - began) / 1e9)


@contextmanager
def cpu_bound(threads: int) -> Iterator[None]:
    """Threads that compute without end and let go of the interpreter only when made to."""
    stopping = threading.Event()

    def burn() -> None:
        total = 0
        while not stopping.is_set():
            for number in range(1_000):
                total ^= number

    burning = [
        threading.Thread(target=burn, name=f"bench-burner-{number}", daemon=True)
        for number in range(threads)
    ]
    for thread in burning:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in burning:
            thread.join()
