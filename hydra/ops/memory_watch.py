"""The watch over memory: a look a second, an alarm when it runs short, a halt before it is gone.

The system ends a process that takes more than there is, with no word and in the middle of anything.
What leaks, or whoever else fills the machine, is to be seen to by a person before; and where nobody
does, orders stop while everything can still be written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hydra.ops.memory_room import MIB, Room, rooms
from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import MEMORY_SHORT
from hydra.trading.trading_state import Cause

PERIOD_S = 1.0
SOURCE = "memory_watch"


class MemoryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that have to be left, `hard` at most as many as `soft`."""

    soft: int = 128 * MIB
    """With less left an alarm. Of a leak of a MiB a second that is a minute and a half before the
    halt.
    """
    hard: int = 48 * MIB
    """With less left a halt. The engine itself takes less than that in any moment of its work."""


class MemoryWatch(RepeatedLook):
    """Tells when memory begins to run short, and halts when it is about to be gone.

    What stands ends a tenth above where it began. Where nobody says how much there is, nothing is
    watched, and that is on record.
    """

    def __init__(
        self,
        runtime: Runtime,
        say: Callable[[str], None],
        *,
        limits: MemoryLimits = MemoryLimits(),  # noqa: B008 (it is frozen)
        period_s: float = PERIOD_S,
        read: Callable[[], Sequence[Room]] = rooms,
    ) -> None:
        """`say` is told each alarm, for people."""
        super().__init__(runtime, name="memory-watch", period_s=period_s)
        self._say = say
        self._limits = limits
        self._read = read
        self._is_unknown = False
        self._is_low = False
        self._is_short = False

    @property
    def present(self) -> frozenset[str]:
        """The code of its cause, as long as there is too little: it is not to be cleared then."""
        return frozenset({MEMORY_SHORT.code} if self._is_short else ())

    def look_once(self) -> None:
        """Look how much is left where the least is, and tell and halt for what is found."""
        found = self._read()
        if not found:
            if not self._is_unknown:
                self._is_unknown = True
                self._runtime.log("memory_not_watched", SOURCE, {})
            return
        least = min(found, key=lambda room: room.free)
        was_low = self._is_low
        self._is_low = is_under(self._limits.soft, least.free, stands=was_low)
        self._is_short = is_under(self._limits.hard, least.free, stands=self._is_short)
        if self._is_low and not was_low:
            detail = _detail(least, self._limits.soft)
            self._runtime.log("memory_alarm", SOURCE, {"detail": detail})
            self._say(f"ALARM: {detail}")
        if self._is_short:
            cause = self._cause(_detail(least, self._limits.hard))
            if not self._stands(cause):
                self._halt(cause)

    def _cannot_go_on(self, reason: str) -> Cause:
        return self._cause(f"the watch over memory died: {reason}")

    def _cause(self, detail: str) -> Cause:
        since = self._runtime.market_time_at(self._runtime.now())
        return MEMORY_SHORT.cause(since=since, detail=detail)


def is_under(wanted: int, free: int, *, stands: bool) -> bool:
    """Whether less than `wanted` is free; what stands already ends a tenth above that."""
    return free < wanted + (wanted // 10 if stands else 0)


def _detail(room: Room, wanted: int) -> str:
    return (
        f"memory: found {room.free // MIB} MiB left by {room.place}, wanted {wanted // MIB} MiB;"
        " see what takes it, or give it more; a restart frees what leaked"
    )
