"""How a run is ended from outside of the engine: stop signals, and the last resort if it hangs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from hydra.ops.exit_codes import ExitCode


class StopSignals:
    """Within this, the first SIGTERM or SIGINT asks for a clean stop and the second ends it all.

    A terminal that is closed (SIGHUP) asks for a clean stop too, unless that was to be ignored, as
    under nohup; it says so more than once, so that never ends it all.
    """

    def __init__(self, first: Callable[[], None]) -> None:
        self._first = first
        self._seen = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._received)
            if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
                self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._terminal_closed)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal gave us

    def _terminal_closed(self, _number: int, _frame: FrameType | None) -> None:
        self._first()

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self._seen += 1
        if self._seen > 1:
            os._exit(128 + number)
        self._first()


GONE_WITHIN_S = 10.0
"""T_STOP: after a stop signal or a failure the process ends within this, whatever is stuck."""


class LastResort:
    """Ends the process when a stop hangs: it needs no actor, no mailbox, and nobody's lock."""

    def __init__(
        self, within: float = GONE_WITHIN_S, end: Callable[[int], object] = os._exit
    ) -> None:
        self._end = end
        self._code = ExitCode.FAIL_CLOSED
        self._timer = threading.Timer(within, self._end_it)
        self._timer.daemon = True
        self._armed = threading.Lock()

    @property
    def is_armed(self) -> bool:
        """Somebody wants the process gone."""
        return self._armed.locked()

    def settle(self, code: ExitCode) -> None:
        """All that has to be on record is: what still holds up the end now changes nothing of how
        the run has ended.
        """
        self._code = code

    def arm(self) -> None:
        """The process has to be gone within the time, counted from the first call."""
        if self._armed.acquire(False):
            self._timer.start()

    def disarm(self) -> None:
        """The stop has come to its end by itself."""
        self._timer.cancel()

    def _end_it(self) -> None:
        self._end(int(self._code))
