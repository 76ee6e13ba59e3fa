"""The venue's side of being in step: market time waits at each of its moments for the engine.

In machine time an order comes when it comes, and gets the price of that moment: which one would be
chance, and so would be who of two comes first. In step, what follows from a moment happens in it:
time goes on once the engine has heard all that it was told and has nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from hydra.ops.venue.pipe import Step, Through

PATIENCE_S = 2.0
"""Machine seconds that a moment lasts at most. An engine that takes longer has its prices go on, as
they would at a broker.
"""
PATIENCE_MIN_S = 0.02
"""After each moment that it was not through with patience is a quarter of what it was, down to
this: an engine that hangs does not hold the market up for good.
"""


class InStep:
    """Says to the engine what was told, and waits until it is through with that."""

    def __init__(
        self,
        frames_out: Callable[[], Awaitable[int]],
        say: Callable[[str], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`frames_out` lets everything out that waits, and gives how many frames ever went out."""
        self._frames_out = frames_out
        self._say = say
        self._number = 0
        self._answered: asyncio.Future[None] | None = None
        self._frames = 0
        """Those that the engine is through with, or that it is not waited for any more."""
        self._patience_max_s = self._patience_s = patience_s

    async def through(self) -> None:
        """Wait until the engine is through with all that it was told, and with what came of that,
        or until patience ends.
        """
        frames = self._frames
        with self._losing_patience():
            async with asyncio.timeout(self._patience_s):
                while (frames := await self._frames_out()) != self._frames:
                    await self._ask(frames)
                    self._frames = frames
        self._frames = frames

    async def heard(self) -> None:
        """Wait until the engine has heard all that was said to it, or until patience ends.

        What is said and the streams are two ways: prices of a moment could come to it before the
        word that time runs so far, and would be of the future.
        """
        with self._losing_patience():
            async with asyncio.timeout(self._patience_s):
                await self._ask(self._frames)

    def hear(self, told: Through) -> None:
        """The engine is through with a step; what it says of an older one counts no more."""
        answered = self._answered
        if told.number == self._number and answered is not None and not answered.done():
            answered.set_result(None)

    @contextmanager
    def _losing_patience(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self._patience_s = max(PATIENCE_MIN_S, self._patience_s / 4)
        else:
            self._patience_s = self._patience_max_s

    async def _ask(self, frames: int) -> None:
        self._number += 1
        self._answered = asyncio.get_running_loop().create_future()
        self._say(str(Step(self._number, frames)))
        await self._answered
