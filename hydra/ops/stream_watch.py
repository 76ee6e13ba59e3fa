"""The watch over the threads that bring news: one that does not come round halts (I45).

A thread that has died says nothing, and nor does one that hangs; whoever waits for its news cannot
tell that from a quiet market. So each says at every round that it goes on, and this watch, on a
thread of its own, trips the gate when one does not. It needs the gate and nothing else.
"""

from collections.abc import Mapping
from typing import Protocol

from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import STALE_FEED, TRADING_STREAM_LOST, CauseKind
from hydra.trading.trading_state import Cause

IDLE_S_MAX = 5.0
PERIOD_S = 0.5


class Watched(Protocol):
    """Something with threads of its own."""

    @property
    def idle_s(self) -> float:
        """For how long one of them has been overdue."""


class StreamWatch(RepeatedLook):
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
        super().__init__(runtime, name="stream-watch", period_s=period_s)
        self._watched = [
            *((name, each, TRADING_STREAM_LOST) for name, each in trading.items()),
            *((name, each, STALE_FEED) for name, each in prices.items()),
        ]
        self._idle_s_max = idle_s_max

    @property
    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition holds now: none of them is to be cleared."""
        return frozenset(kind.code for _, each, kind in self._watched if self._is_overdue(each))

    def look_once(self) -> None:
        """See whether everything goes on, and halt for what does not."""
        for name, each, kind in self._watched:
            if self._is_overdue(each):
                detail = f"{name}: its thread has not gone on for {each.idle_s:.1f} s"
                cause = self._cause(kind, detail)
                if not self._stands(cause):
                    self._halt(cause)

    def _cannot_go_on(self, reason: str) -> Cause:
        return self._cause(TRADING_STREAM_LOST, f"the watch over the streams died: {reason}")

    def _is_overdue(self, watched: Watched) -> bool:
        return not watched.idle_s <= self._idle_s_max

    def _cause(self, kind: CauseKind, detail: str) -> Cause:
        since = self._runtime.market_time_at(self._runtime.now())
        return kind.cause(since=since, detail=detail)
