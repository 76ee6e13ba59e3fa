"""The watch over the threads that bring news: one that does not come round halts (I45).

A thread that has died says nothing, and nor does one that hangs; whoever waits for its news cannot
tell that from a quiet market. So each says at every round that it goes on, and this watch, on a
thread of its own, trips the gate when one does not. It needs the gate and nothing else.
"""

import threading
from collections.abc import Mapping
from typing import Protocol

from hydra.runtime.runtime import Event, Runtime
from hydra.trading.causes import STALE_FEED, TRADING_STREAM_LOST, CauseKind

IDLE_S_MAX = 5.0
PERIOD_S = 0.5


class Watched(Protocol):
    """Something with threads of its own."""

    @property
    def idle_s(self) -> float:
        """For how long one of them has been overdue."""


class StreamWatch:
    """Halts when something watched is overdue, once each time that it becomes so.

    What stands is left alone; what was cleared and is still so is told again (I05).
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        trading: Mapping[str, Watched],
        prices: Mapping[str, Watched],
        idle_s_max: float = IDLE_S_MAX,
        period_s: float = PERIOD_S,
    ) -> None:
        """What tells of orders and what tells of prices, by what to call it."""
        self._runtime = runtime
        self._watched = [
            *((name, each, TRADING_STREAM_LOST) for name, each in trading.items()),
            *((name, each, STALE_FEED) for name, each in prices.items()),
        ]
        self._idle_s_max = idle_s_max
        self._period_s = period_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.keep_looking, name="stream-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, until `stop`."""
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Look no more. False if that took longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    @property
    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition holds now: none of them is to be cleared."""
        return frozenset(kind.code for _, each, kind in self._watched if self._is_overdue(each))

    def look_once(self) -> None:
        """See whether everything goes on, and halt for what does not."""
        for name, each, kind in self._watched:
            if self._is_overdue(each) and not self._stands(kind):
                self._trip(kind, f"{name}: its thread has not gone on for {each.idle_s:.1f} s")

    def keep_looking(self) -> None:
        """What the thread does. That it cannot go on halts: nobody would see the next silence."""
        try:
            while True:
                self.look_once()
                if self._stopping.wait(self._period_s):
                    return
        except BaseException as error:
            died = f"the watch over the streams died: {type(error).__name__}: {error}"
            self._trip(TRADING_STREAM_LOST, died)
            raise

    def _is_overdue(self, watched: Watched) -> bool:
        return not watched.idle_s <= self._idle_s_max

    def _trip(self, kind: CauseKind, detail: str) -> None:
        runtime = self._runtime
        since = runtime.market_time_at(runtime.now())
        runtime.gate.trip(kind.cause(since=since, detail=detail))
        # This only tells of it.
        runtime.history.append(Event(runtime.now(), "", 0, "halted", detail))

    def _stands(self, kind: CauseKind) -> bool:
        return any(cause.code == kind.code for cause in self._runtime.gate.standing())
