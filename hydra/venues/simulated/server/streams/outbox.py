"""What waits to go out on one connection: bounded, so that a client that does not read is cut."""

from __future__ import annotations

import asyncio
from collections import deque

LONGEST = 20_000
"""So many messages may wait for one client. More, and it counts as slow."""


class Outbox:
    """Filled by the market without waiting, emptied by the connection's own sender."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ends = False
        self.overflowed = asyncio.Event()
        """More was put in than may wait. From then on it takes no more."""

    def put(self, message: bytes, *, alone: bool = False) -> None:
        """Let it go out after all that waits; `alone`: in no frame with another."""
        if self._ends:
            return
        if len(self._waiting) >= self._longest:
            self.overflow()
            return
        self._waiting.append((message, alone))
        self._something.set()
        if len(self._waiting) > self._longest // 2:
            self._room.clear()

    def overflow(self) -> None:
        """The client is too slow: nothing more is taken for it."""
        self.overflowed.set()
        self.end()

    def end(self) -> None:
        """Nothing more comes; what waits still goes out, and nobody waits for room any more."""
        self._ends = True
        self._something.set()
        self._room.set()

    async def take(self, most: int) -> list[bytes]:
        """What goes into the next frame, once there is something; nothing: it has ended."""
        await self._something.wait()
        taken: list[bytes] = []
        while self._waiting and len(taken) < most:
            message, alone = self._waiting[0]
            if alone and taken:
                break
            self._waiting.popleft()
            taken.append(message)
            if alone:
                break
        if not self._waiting and not self._ends:
            self._something.clear()
        if len(self._waiting) <= self._longest // 2:
            self._room.set()
        return taken

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits: it was all taken, if not yet sent."""
        return not self._waiting

    @property
    def is_roomy(self) -> bool:
        """Whether no more than half of what may wait does, or it has ended."""
        return self._room.is_set()

    async def has_room(self) -> None:
        """Wait until it `is_roomy`."""
        await self._room.wait()
