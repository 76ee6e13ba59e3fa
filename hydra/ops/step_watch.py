"""The engine's side of being in step with the embedded venue: it says when a moment is worked off.

See `hydra/ops/venue/in_step.py` for why, and for what comes of it if the engine takes too long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from hydra.ops.venue.pipe import Step

LOOK_EVERY_S = 0.0003
"""A moment takes two looks at least, and there are some two thousand of them in a session."""
LOST_AFTER_S = 0.25
"""What went out and was not heard by then is taken for lost: with the connection that it was on."""


class StepWatch:
    """A thread that looks on while the engine works off what it was told."""

    def __init__(
        self,
        frames_heard: Callable[[], int],
        is_idle: Callable[[], bool],
        through: Callable[[Step], None],
    ) -> None:
        """`frames_heard`: of all streams, ever. `is_idle` may err, but not twice in a row."""
        self._frames_heard = frames_heard
        self._is_idle = is_idle
        self._through = through
        self._missing = 0
        """So many frames more than were heard went out that are never heard any more."""
        self._step: Step | None = None
        """What is being worked off."""
        self._changing = threading.Lock()
        self.left_behind = 0
        """So many steps were not answered before the next one: market time went on."""
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._run, name="in-step", daemon=True)

    def start(self) -> None:
        """Begin to look. A step that began before waits until now."""
        self._thread.start()

    def begun(self, step: Step) -> None:
        """A moment of the market: what it brings was told. The one before is not waited for."""
        with self._changing:
            self.left_behind += self._step is not None
            self._step = step
        self._begun.set()

    def counts_anew(self) -> None:
        """The venue is about to be another process, which has told nothing yet."""
        with self._changing:
            self._step = None
        self._missing = -self._frames_heard()

    def stop(self, within_s: float) -> None:
        """Wait for the thread's end. No step is answered any more."""
        self._stopping.set()
        self._begun.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._begun.wait()
            self._begun.clear()
            step = self._step
            if step is not None and self._works_off(step) and self._is_over(step):
                self._through(step)

    def _is_over(self, step: Step) -> bool:
        """Work on it no more; False if another one has begun."""
        with self._changing:
            if self._step is not step:
                return False
            self._step = None
        return True

    def _works_off(self, step: Step) -> bool:
        """Wait until the engine is through with it; False if it is not waited for any more."""
        lost_at = monotonic() + LOST_AFTER_S
        quiet = 0
        while self._step is step and not self._stopping.is_set():
            is_heard = self._frames_heard() + self._missing >= step.frames
            if not is_heard and monotonic() >= lost_at:
                self._missing = step.frames - self._frames_heard()
            quiet = quiet + 1 if is_heard and self._is_idle() else 0
            if quiet >= 2:
                return True
            self._pause.wait(LOOK_EVERY_S)
        return False
