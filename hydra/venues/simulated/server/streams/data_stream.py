"""A client's session on a market-data stream: who it is, what it wants, and what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import DataPlan
from hydra.venues.simulated.server.streams.connection import Connection
from hydra.venues.simulated.server.streams.encodings import JSON, MSGPACK, encoding_asked_for
from hydra.venues.simulated.server.streams.feeds import FEEDS, Feed, Kind
from hydra.venues.simulated.server.streams.market_feeds import DataClient, MarketFeeds
from hydra.venues.simulated.server.streams.open_connections import OpenConnections
from hydra.venues.simulated.server.streams.open_transports import OpenTransports
from hydra.venues.simulated.server.streams.subscriptions import StreamError

AUTHENTICATION_S = 10.0
"""Machine seconds that a client has to say who it is."""
SLOW = StreamError(407, "slow client", closes=True)


class DataStreams(msgspec.Struct, frozen=True, kw_only=True):
    """What every session needs: the market to tell of, the keys, and what the account has paid."""

    market: MarketFeeds
    connections: OpenConnections
    transports: OpenTransports
    keys: ApiKeys
    plan: DataPlan = DataPlan.BASIC
    authentication_s: float = AUTHENTICATION_S

    def routes(self) -> list[WebSocketRoute]:
        """One path for each feed."""
        return [WebSocketRoute(feed.path, self._endpoint_of(feed)) for feed in FEEDS]

    def _endpoint_of(self, feed: Feed) -> Any:
        async def endpoint(websocket: WebSocket) -> None:
            await self._serve(websocket, feed)

        return endpoint

    async def _serve(self, websocket: WebSocket, feed: Feed) -> None:
        await websocket.accept()
        encoding = encoding_asked_for(websocket.headers.get("content-type", ""))
        connection = Connection(
            websocket, self.transports, encoding.many, is_binary=encoding.is_binary
        )
        client = DataClient(feed, encoding, connection)
        self.connections.add(connection)
        try:
            session = _Session(self, client, websocket.headers)
            await connection.serve(session.run, encoding.one(SLOW.message))
        finally:
            self.connections.remove(connection)
            self.market.leave(client)


class _Session:
    """From the greeting to the end, whoever brings it about."""

    def __init__(
        self, streams: DataStreams, client: DataClient, headers: Mapping[str, str]
    ) -> None:
        self._streams = streams
        self._client = client
        self._headers = headers
        self._is_authenticated = False

    async def run(self) -> None:
        client = self._client
        try:
            if client.feed.kind is Kind.OPTIONS and client.encoding is not MSGPACK:
                raise StreamError(
                    412, "option messages are only available in MsgPack format", closes=True
                )
            client.tell({"T": "success", "msg": "connected"}, alone=True)
            self._authenticate_by_headers()
            await self._hear_all()
        except StreamError as error:
            client.tell(error.message, alone=True)

    async def _hear_all(self) -> None:
        """Until the client goes, or an error ends it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._streams.authentication_s
        while True:
            patience = None if self._is_authenticated else deadline - loop.time()
            try:
                heard = await asyncio.wait_for(self._client.connection.heard(), patience)
            except TimeoutError:
                raise StreamError(404, "auth timeout", closes=True) from None
            if heard is None:
                return
            try:
                self._take(_decoded(heard))
            except StreamError as error:
                if error.closes:
                    raise
                self._client.tell(error.message, alone=True)

    def _take(self, request: Mapping[str, Any]) -> None:
        match request.get("action"):
            case "auth":
                self._authenticate(request.get("key"), request.get("secret"))
            case "subscribe" | "unsubscribe" as action:
                self._change(action, request)
            case _:
                raise StreamError(400, "invalid syntax")

    def _authenticate_by_headers(self) -> None:
        key = self._headers.get("apca-api-key-id")
        secret = self._headers.get("apca-api-secret-key")
        if key is not None or secret is not None:
            self._authenticate(key or "", secret or "")

    def _authenticate(self, key: object, secret: object) -> None:
        if self._is_authenticated:
            raise StreamError(403, "already authenticated")
        if not (isinstance(key, str) and isinstance(secret, str)):
            raise StreamError(400, "invalid syntax")
        streams, feed = self._streams, self._client.feed
        if not streams.keys.fit(key, secret):
            raise StreamError(402, "auth failed", closes=True)
        if feed.is_paid and streams.plan is DataPlan.BASIC:
            raise StreamError(409, "insufficient subscription", closes=True)
        if streams.market.is_taken(feed):
            raise StreamError(406, "connection limit exceeded", closes=True)
        self._is_authenticated = True
        streams.market.join(self._client)
        self._client.tell({"T": "success", "msg": "authenticated"}, alone=True)

    def _change(self, action: str, request: Mapping[str, Any]) -> None:
        if not self._is_authenticated:
            raise StreamError(401, "not authenticated", closes=True)
        client = self._client
        before = client.subscriptions
        if action == "subscribe":
            client.subscriptions = before.with_more(request, self._streams.plan)
        else:
            client.subscriptions = before.with_less(request)
        client.tell(client.subscriptions.acknowledgement, alone=True)
        self._streams.market.tell_news_to(client, before)


def _decoded(heard: str | bytes) -> Mapping[str, Any]:
    """A client's message, in whichever of the two encodings its kind of frame means."""
    decoder = JSON if isinstance(heard, str) else MSGPACK
    try:
        request = decoder.decode(heard)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _malformed()
    if not isinstance(request, dict):
        _malformed()
    return request


def _malformed() -> NoReturn:
    raise StreamError(400, "invalid syntax") from None
