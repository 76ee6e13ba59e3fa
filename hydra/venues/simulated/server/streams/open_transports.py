"""The sockets below the connections: for the faults that no application can show by itself.

An ASGI application speaks in requests and messages. A connection that is reset without an answer,
or that nobody reads from any more, is the transport's affair, and is found here by its peer.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


class OpenTransports:
    """Every open connection's transport, by the address and port of its other end."""

    def __init__(self) -> None:
        self._transports: WeakValueDictionary[tuple[str, int], asyncio.Transport] = (
            WeakValueDictionary()
        )

    def protocol(self) -> type[H11Protocol]:
        """The HTTP protocol for uvicorn that notes each transport here.

        A connection that becomes a WebSocket keeps its transport.
        """
        transports = self._transports

        class NotedProtocol(H11Protocol):
            """HTTP/1.1 as uvicorn speaks it."""

            # asyncio says BaseTransport, since some protocols have no stream; uvicorn's always has
            # one, and its own method says so in the same way.
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

        return NotedProtocol

    def of(self, scope: Scope) -> asyncio.Transport | None:
        """The transport of the connection that an ASGI scope is about; None: it is gone."""
        client = scope.get("client")
        return None if client is None else self._transports.get(tuple(client))

    def reset(self, scope: Scope) -> None:
        """End the connection at once: whatever was still to be sent on it is lost."""
        transport = self.of(scope)
        if transport is not None:
            transport.abort()
