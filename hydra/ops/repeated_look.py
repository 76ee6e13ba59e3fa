"""A watch that looks again and again on a thread of its own, and halts when it cannot go on."""

import threading
import time
from abc import ABC, abstractmethod

from hydra.runtime.life import in_words
from hydra.runtime.runtime import Runtime
from hydra.trading.trading_state import Cause


class RepeatedLook(ABC):
    """One look every `period_s`, from `start` to `stop`. It needs the gate and nothing else.

    What the looks keep is the subclass's, and so is what they halt for.
    """

    def __init__(self, runtime: Runtime, *, name: str, period_s: float) -> None:
        """`name` is the thread's. Nothing is looked at yet."""
        self._runtime = runtime
        self._period_s = period_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.keep_looking, name=name, daemon=True)

    @abstractmethod
    def look_once(self) -> None:
        """Look, and halt for what is wrong."""

    @abstractmethod
    def _cannot_go_on(self, reason: str) -> Cause:
        """What halts when the watch has died; `reason` is what it died of."""

    def start(self) -> None:
        """Begin to look, until `stop`."""
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Look no more. False if that took longer."""
        self._stopping.set()
        return joined(self._thread, time.monotonic() + within_s)

    def keep_looking(self) -> None:
        """What the thread does. That it cannot go on halts: nobody would see the next fault."""
        try:
            while True:
                self.look_once()
                if self._stopping.wait(self._period_s):
                    return
        # Whatever it is, SystemExit too, which ends a thread without a word: nobody looks any more.
        except BaseException as error:
            self._halt(self._cannot_go_on(in_words(error)))
            raise

    def _halt(self, cause: Cause) -> None:
        runtime = self._runtime
        runtime.gate.trip(cause)
        # This only tells of it, and waits for nothing.
        runtime.remember("halted", cause.detail)

    def _stands(self, cause: Cause) -> bool:
        """Whether the gate has it already, and as bad."""
        return any(
            standing.code == cause.code and standing.state.severity >= cause.state.severity
            for standing in self._runtime.gate.standing()
        )


def joined(thread: threading.Thread, deadline: float) -> bool:
    """Wait for it until `deadline` (monotonic, s); True if it has ended, or never began."""
    if thread.ident is not None:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not thread.is_alive()
