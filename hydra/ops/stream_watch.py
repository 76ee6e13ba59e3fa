"""The watch over the threads that bring news: one that does not come round halts (I45).

A thread that has died says nothing, and nor does one that hangs; whoever waits for its news cannot
tell that from a quiet market. So each says at every round that it goes on, and this watch, on a
thread of its own, trips the gate when one does not. It needs the gate and nothing else.
"""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import STALE_FEED, TRADING_STREAM_LOST, CauseKind
from hydra.trading.trading_state import Cause

IDLE_S_MAX = 5.0
PERIOD_S = 0.5
STANDSTILL_S = 2.0
"""Between two looks of this watch: then it stood still, and so did whoever is watched."""


class Watched(Protocol):
    """Something with threads of its own."""

    @property
    def idle_s(self) -> float:
        """For how long one of them has been overdue."""


class StreamWatch(RepeatedLook):
    """Halts when something watched is overdue, once each time that it becomes so.

    What stands is left alone; what was cleared and is still so is told again (I05). A time in which
    the whole process stood still is nobody's silence: the watch over the clocks halts for that.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        trading: Mapping[str, Watched],
        prices: Mapping[str, Watched],
        idle_s_max: float = IDLE_S_MAX,
        period_s: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """What tells of orders and what tells of prices, by what to call it."""
        super().__init__(runtime, name="stream-watch", period_s=period_s)
        self._watched = [
            *((name, each, TRADING_STREAM_LOST) for name, each in trading.items()),
            *((name, each, STALE_FEED) for name, each in prices.items()),
        ]
        self._idle_s_max = idle_s_max
        self._clock = clock
        self._looked_at: float | None = None
        self._stood_still: tuple[float, float] | None = None
        """For how long (s) it last did, and when that was over."""

    @property
    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition holds now: none of them is to be cleared."""
        return frozenset(kind.code for _, each, kind in self._watched if self._overdue_s(each))

    def look_once(self) -> None:
        """See whether everything goes on, and halt for what does not."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at > STANDSTILL_S:
            self._stood_still = now - self._looked_at, now
        self._looked_at = now
        for name, each, kind in self._watched:
            overdue_s = self._overdue_s(each)
            if overdue_s:
                detail = f"{name}: its thread has not gone on for {overdue_s:.1f} s"
                cause = self._cause(kind, detail)
                if not self._stands(cause):
                    self._halt(cause)

    def _cannot_go_on(self, reason: str) -> Cause:
        return self._cause(TRADING_STREAM_LOST, f"the watch over the streams died: {reason}")

    def _overdue_s(self, watched: Watched) -> float:
        """For how long it could have gone on and did not, if that is too long; else 0."""
        idle_s, stood_still = watched.idle_s, self._stood_still
        if stood_still is not None:
            took_s, was_over_at = stood_still
            if idle_s > self._clock() - was_over_at:  # it has not come round since
                idle_s -= took_s
        return 0.0 if idle_s <= self._idle_s_max else idle_s

    def _cause(self, kind: CauseKind, detail: str) -> Cause:
        since = self._runtime.market_time_at(self._runtime.now())
        return kind.cause(since=since, detail=detail)
