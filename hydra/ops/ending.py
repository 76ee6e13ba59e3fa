"""How a run is ended from outside of the engine: stop signals, and the last resort if it hangs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from hydra.ops.exit_codes import ExitCode

ONE_REQUEST_S = 0.5
"""The same signal again within this is the same request: `timeout` and `docker stop` with an init
tell the process and its whole group, and `make` passes on what the group was told already.
"""

PASSED_ON_WITHIN_S = 1.0
"""What `first` may still take when the signals are let go; then its thread is left behind."""


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Within this, and as long as no `StopSignals` is, the first SIGTERM or SIGINT raises
    KeyboardInterrupt: nothing was begun that would have to be stopped in order. What comes after it
    is the same request, and is passed over to the end of the process. What was to be ignored is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: handler
        for number in (signal.SIGTERM, signal.SIGINT)
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def received(_number: int, _frame: FrameType | None) -> None:
        for number in tuple(before):
            # Not SIG_IGN: of one that is there already Python would complain.
            signal.signal(number, lambda *_: None)
        before.clear()
        raise KeyboardInterrupt

    for number in tuple(before):
        signal.signal(number, received)
    try:
        yield
    finally:
        for number, handler in tuple(before.items()):
            signal.signal(number, handler)


class StopSignals:
    """Within this, the first SIGTERM or SIGINT asks for a clean stop and the second ends it all.
    What comes in two ways at once is one (`ONE_REQUEST_S`).

    A terminal that is closed (SIGHUP) asks for a clean stop too, unless that was to be ignored, as
    under nohup; it says so more than once, so that never ends it all.

    `first` is called on a thread of its own. A signal interrupts the main thread anywhere, also
    where that holds the lock of the very event that it waits for, and whoever is to set that would
    wait for ever. What came within one of these counts in those that are begun within it.
    """

    def __init__(
        self, first: Callable[[], None], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._first = first
        self._now = now
        self._own = 0
        self._first_of: dict[int, list[float]] = {}
        self._has_asked = False
        self._around: StopSignals | None = None
        self._before: dict[int, object] = {}
        self._asked: SimpleQueue[bool] = SimpleQueue()  # a signal may come while it is put into
        self._thread = threading.Thread(target=self._pass_on, name="stop-signals", daemon=True)

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._thread.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._received)
        self._around = _whose(self._before[signal.SIGTERM])
        if self._around is not None:
            self._first_of = self._around._first_of
        hang_up = signal.getsignal(signal.SIGHUP)
        if hang_up is signal.SIG_DFL or _whose(hang_up) is not None:
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._terminal_closed)
        if self._around is not None and self._around.has_asked:
            self._asked.put(True)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal gave us
        if self._around is not None:
            self._around._own += self._own
        if self._thread.ident is not None:
            self._asked.put(False)
            self._thread.join(PASSED_ON_WITHIN_S)

    @property
    def seen(self) -> int:
        """How many have come that end it all, if there is another."""
        return self._own + (0 if self._around is None else self._around.seen)

    @property
    def has_asked(self) -> bool:
        """One has come that asks for a clean stop."""
        return self._has_asked or (self._around is not None and self._around.has_asked)

    def _terminal_closed(self, _number: int, _frame: FrameType | None) -> None:
        self._ask()

    def _received(self, number: int, _frame: FrameType | None) -> None:
        this = [self._now()]
        first = self._first_of.setdefault(number, this)  # in one step: another may interrupt this
        if first is not this and this[0] - first[0] < ONE_REQUEST_S:
            return
        self._own += 1
        if self.seen > 1:
            os._exit(128 + number)
        self._ask()

    def _ask(self) -> None:
        self._has_asked = True
        self._asked.put(True)

    def _pass_on(self) -> None:
        while self._asked.get():
            self._first()


def _whose(handler: object) -> StopSignals | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, StopSignals) else None


LAST_RESORT = "hydra-last-resort"
"""The name of its thread."""
GONE_WITHIN_S = 10.0
"""T_STOP: after a stop signal or a failure the process ends within this, whatever is stuck."""


class LastResort:
    """Ends the process when a stop hangs: it needs no actor, no mailbox, and nobody's lock.

    Nor a thread that has still to be begun, once it stands by: what goes wrong may be that none can
    be, and then this must neither fail nor keep whoever arms it from what comes next.
    """

    def __init__(
        self, within: float = GONE_WITHIN_S, end: Callable[[int], object] = os._exit
    ) -> None:
        self._within = within
        self._end = end
        self._code = ExitCode.FAIL_CLOSED
        self._armed = threading.Lock()
        self._begins = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._wait, name=LAST_RESORT, daemon=True)

    @property
    def is_armed(self) -> bool:
        """Somebody wants the process gone."""
        return self._armed.locked()

    def stand_by(self) -> None:
        """Have the thread there that will end it; until then `arm` begins it."""
        self._thread.start()

    def settle(self, code: ExitCode) -> None:
        """All that has to be on record is: what still holds up the end now changes nothing of how
        the run has ended.
        """
        self._code = code

    def arm(self) -> None:
        """The process has to be gone within the time, counted from the first call."""
        if self._armed.acquire(False):
            self._begins.set()
            if self._thread.ident is None:
                self._thread.start()

    def disarm(self) -> None:
        """The stop has come to its end by itself."""
        self._is_over.set()
        self._begins.set()

    def _wait(self) -> None:
        self._begins.wait()
        if not self._is_over.wait(self._within):
            self._end(int(self._code))
