"""The watch over the kill switch: four looks a second, whatever else runs, hangs or is dead (I12).

It needs the gate and nothing else: no actor, no mailbox, no record, no socket. Each file is read in
a thread of its own, because a disk that does not answer holds up whoever asks it; that one is given
a quarter of a second in each look, and its silence counts as `halt_all` after two seconds of them.
The watch never takes a kill back.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from hydra.ops.repeated_look import RepeatedLook, joined
from hydra.runtime.life import in_words
from hydra.runtime.runtime import Runtime
from hydra.store.kill_file import read_kill_file
from hydra.trading.kill_switch import (
    CODE_PREFIX,
    Absent,
    Sight,
    Source,
    Unreadable,
    Written,
    is_kill,
    kill_cause,
)
from hydra.trading.trading_state import Cause, CauseClass, TradingState

SOURCE = "kill_watch"
WATCH_CODE = f"{CODE_PREFIX}watch"
"""Of the halt when the watch itself is dead."""

TAKES_EFFECT_WITHIN_S = 1.0
"""T_KILLFILE: from a change of a kill file to its effect, on a disk that answers."""
PERIOD_S = 0.25
WAIT_S = 0.05
"""Silence is counted in these, so that a process that was stopped for a while loses only one."""
WAITS_A_LOOK = 5
WAITS_MAX = 40


class KillWatch(RepeatedLook):
    """Shuts the gate for whatever any source of the kill switch says.

    What stands in the gate already is not told again; but a kill that somebody cleared there, while
    its source still says so, is latched again at the next look (I05).
    """

    def __init__(
        self,
        runtime: Runtime,
        word: str | None,
        files: Mapping[Source, Path],
        *,
        period_s: float = PERIOD_S,
        wait_s: float = WAIT_S,
        read: Callable[[Path], Sight] = read_kill_file,
    ) -> None:
        """`word`: what HYDRA_KILL_SWITCH was at the start, None: not set. Nothing is looked at."""
        super().__init__(runtime, name="kill-watch", period_s=period_s)
        # A process's environment does not change, so this one is not looked at again.
        self._word = Absent() if word is None else Written(word.encode(errors="replace"))
        self._readers = tuple(_Reader(source, path, wait_s, read) for source, path in files.items())
        self._looked_at = 0
        self._present: dict[Source, str] = {}
        """What each source said at the last look, by the code of its cause."""
        self._looking = threading.Lock()

    def stop(self, within_s: float) -> bool:
        """Look no more. False if that took longer: then a disk does not answer."""
        deadline = time.monotonic() + within_s
        if not super().stop(within_s):
            return False  # it may still ask its readers, and would take their silence for a kill
        for reader in self._readers:
            reader.end()
        return all(joined(reader.thread, deadline) for reader in self._readers)

    @property
    def present(self) -> frozenset[str]:
        """The codes of all kills that stand in their sources: none of them is to be cleared."""
        return frozenset(self._present.copy().values())

    def look_once(self) -> None:
        """Look at every source, and shut the gate for what is found.

        The first look, which whoever starts this makes before anything else, waits until every
        source has been seen or given up.
        """
        with self._looking:
            self._looked_at = self._runtime.market_time_at(self._runtime.now())
            for reader in self._readers:
                reader.ask()
            self._judge(Source.ENVIRONMENT, "HYDRA_KILL_SWITCH", self._word)
            for reader in self._readers:
                sight = reader.answer()
                if sight is not None:
                    self._judge(reader.source, str(reader.path), sight)

    def _cannot_go_on(self, reason: str) -> Cause:
        return Cause(
            code=WATCH_CODE,
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=self._looked_at,
            detail=f"the watch over the kill switch died: {reason}",
        )

    def _judge(self, source: Source, place: str, sight: Sight) -> None:
        cause = kill_cause(source, place, sight, self._looked_at)
        if cause is None:
            self._present.pop(source, None)
            return
        self._present[source] = cause.code
        if self._stands(cause):
            return
        self._halt(cause)
        fields = {"code": cause.code, "state": cause.state.name, "detail": cause.detail}
        self._runtime.log("kill_switch", SOURCE, fields)


def kills_standing(runtime: Runtime) -> tuple[Cause, ...]:
    """What the kill switch has said in this run."""
    return tuple(cause for cause in runtime.gate.standing() if is_kill(cause))


class _Reader:
    """Reads one file in a thread of its own, so that a disk that hangs holds up this file only."""

    def __init__(
        self, source: Source, path: Path, wait_s: float, read: Callable[[Path], Sight]
    ) -> None:
        self.source = source
        self.path = path
        self.thread = threading.Thread(target=self._serve, name=f"kill-{source.value}", daemon=True)
        self._wait_s = wait_s
        self._read = read
        self._questions: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[Sight] = SimpleQueue()
        self._asked = False
        self._has_answered = False
        self._silent_waits = 0

    def ask(self) -> None:
        """Have it look, unless it still does."""
        if self.thread.ident is None:
            self.thread.start()
        if not self._asked:
            self._asked = True
            self._questions.put(True)

    def answer(self) -> Sight | None:
        """What it saw, or that it has been silent for too long; None: it still has time.

        Before its first answer it has none: until then nothing is known of this source.
        """
        for _ in range(WAITS_A_LOOK if self._has_answered else WAITS_MAX):
            with suppress(Empty):
                sight = self._answers.get(timeout=self._wait_s)
                self._asked, self._has_answered, self._silent_waits = False, True, 0
                return sight
            self._silent_waits += 1
        if self._silent_waits < WAITS_MAX:
            return None
        return Unreadable(f"did not answer within {WAITS_MAX * self._wait_s:g} s")

    def end(self) -> None:
        """Let the thread go, once it has looked."""
        self._questions.put(False)

    def _serve(self) -> None:
        while self._questions.get():
            try:
                sight = self._read(self.path)
            # Whatever it is: a source that nobody can look at any more counts as a kill.
            except BaseException as error:
                reason = f"could not be looked at ({in_words(error)})"
                self._answers.put(Unreadable(reason))
                raise
            self._answers.put(sight)
