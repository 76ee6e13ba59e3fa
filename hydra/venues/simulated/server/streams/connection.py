"""One open stream of a client: what goes out on it, and how it can be made to misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from hydra.venues.simulated.server.streams.open_transports import OpenTransports
from hydra.venues.simulated.server.streams.outbox import Outbox

FRAME_MESSAGES_MAX = 100
"""So many messages that wait go out in one frame."""

NORMAL_CLOSURE = 1000
LAST_WORDS_S = 1.0
"""Machine seconds for a last message to a client before its connection is cut."""


class Connection:
    """A WebSocket with an outbox. `framed` makes the bytes of a frame out of messages."""

    def __init__(
        self,
        websocket: WebSocket,
        transports: OpenTransports,
        framed: Callable[[Sequence[bytes]], bytes],
        *,
        is_binary: bool,
        frame_messages_max: int = FRAME_MESSAGES_MAX,
    ) -> None:
        self.path: str = websocket.url.path
        self._websocket = websocket
        self._transports = transports
        self._framed = framed
        self._is_binary = is_binary
        self._frame_messages_max = frame_messages_max
        self.outbox = Outbox()
        self.frames_sent = 0
        self._is_mute = False
        self._reads = True

    def tell(self, message: bytes, *, alone: bool = False) -> None:
        """Let it go out; on a mute connection it is lost."""
        if not self._is_mute:
            self.outbox.put(message, alone=alone)

    def mute(self, *, answers_pings: bool) -> None:
        """From now on nothing is told and nothing heard, though the connection stays open."""
        self._is_mute = True
        if not answers_pings:
            self._reads = False
            transport = self._transports.of(self._websocket.scope)
            if transport is not None:
                transport.pause_reading()

    def unmute(self) -> None:
        """It is as before; what was to be told meanwhile stays lost."""
        self._is_mute = False
        if not self._reads:
            self._reads = True
            transport = self._transports.of(self._websocket.scope)
            if transport is not None:
                transport.resume_reading()

    def reset(self) -> None:
        """End it at once, without a word."""
        self._transports.reset(self._websocket.scope)

    def end(self) -> None:
        """Close it in good order, after what waits."""
        self.outbox.end()

    async def heard(self) -> Any:
        """The client's next message, text or bytes; while mute, none. None: it has gone."""
        while True:
            try:
                received = await self._websocket.receive()
            except RuntimeError:  # Starlette's word for reading on after the end
                return None
            if received["type"] == "websocket.disconnect":
                return None
            if not self._is_mute:
                text: str | None = received.get("text")
                return received["bytes"] if text is None else text

    async def serve(self, hear: Callable[[], Any], too_slow: bytes | None) -> None:
        """Send what waits while `hear` listens, until either ends; then close the connection.

        A client that does not read is told `too_slow`, if that still gets through, and cut.
        """
        sender = asyncio.create_task(self._send_all())
        hearer = asyncio.create_task(hear())
        overflow = asyncio.create_task(self.outbox.overflowed.wait())
        try:
            await asyncio.wait({sender, hearer, overflow}, return_when=asyncio.FIRST_COMPLETED)
            if self.outbox.overflowed.is_set():
                await self._cut(sender, too_slow)
                return
            self.outbox.end()
            with suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
                await asyncio.wait_for(sender, LAST_WORDS_S)
                await self._websocket.close(NORMAL_CLOSURE)
        finally:
            for task in (sender, hearer, overflow):
                task.cancel()
            results = await asyncio.gather(sender, hearer, overflow, return_exceptions=True)
            _raise_bugs_among(results)

    async def _send_all(self) -> None:
        while messages := await self.outbox.take(self._frame_messages_max):
            await self._send(self._framed(messages))

    async def _send(self, frame: bytes) -> None:
        self.frames_sent += 1
        if self._is_binary:
            await self._websocket.send_bytes(frame)
        else:
            await self._websocket.send_text(frame.decode())

    async def _cut(self, sender: asyncio.Task[None], too_slow: bytes | None) -> None:
        sender.cancel()
        try:
            if too_slow is not None:
                await asyncio.wait_for(self._send(self._framed([too_slow])), LAST_WORDS_S)
            await asyncio.wait_for(self._websocket.close(NORMAL_CLOSURE), LAST_WORDS_S)
        except TimeoutError:
            self.reset()
        except (WebSocketDisconnect, RuntimeError):
            pass  # it is gone already


def _raise_bugs_among(results: Sequence[BaseException | bool | None]) -> None:
    """A client that went away in the middle of something is no fault of ours; all else is."""
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result
