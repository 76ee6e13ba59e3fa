"""The trading stream: every update of an order, to the one client that listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from hydra.trading.durations import SECOND
from hydra.venues.simulated.brokerage.orders import TradeUpdate
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.faults.armed_rules import ArmedRules
from hydra.venues.simulated.server.faults.update_faults import UpdateDelivery, UpdateRule
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.streams.connection import Connection
from hydra.venues.simulated.server.streams.open_connections import OpenConnections
from hydra.venues.simulated.server.streams.open_transports import OpenTransports
from hydra.venues.simulated.server.streams.update_messages import update_message

PATH = "/stream"
TRADE_UPDATES = "trade_updates"


class TradingStream:
    """One place for one client. With `is_text` its frames are text, as of a live account."""

    def __init__(
        self,
        venue: LocalVenue,
        connections: OpenConnections,
        transports: OpenTransports,
        keys: ApiKeys,
        rules: ArmedRules[UpdateRule],
        *,
        is_text: bool = False,
    ) -> None:
        self._venue = venue
        self._connections = connections
        self._transports = transports
        self._keys = keys
        self._delivery = UpdateDelivery(rules, self._tell_later)
        self._is_text = is_text
        self._sessions: dict[_Session, None] = {}
        venue.on_updates(self._on_update)

    def route(self) -> WebSocketRoute:
        """Its path."""
        return WebSocketRoute(PATH, self._serve)

    def release(self, number: int) -> None:
        """A rule was taken back: tell what it held."""
        self._tell(self._delivery.released(number))

    async def _serve(self, websocket: WebSocket) -> None:
        if any(session.is_authorized for session in self._sessions):
            await websocket.send_denial_response(_taken())
            return
        await websocket.accept()
        connection = Connection(
            websocket,
            self._transports,
            b"".join,
            is_binary=not self._is_text,
            frame_messages_max=1,
        )
        session = _Session(connection, self._keys)
        self._sessions[session] = None
        self._connections.add(connection)
        try:
            await connection.serve(session.run, too_slow=None)
        finally:
            self._connections.remove(connection)
            self._sessions.pop(session, None)

    def _on_update(self, update: TradeUpdate) -> None:
        self._tell(self._delivery.told(update_message(update, self._venue.order)))

    def _tell_later(self, seconds: float, message: dict[str, Any]) -> None:
        at = self._venue.now() + int(seconds * SECOND)
        self._venue.wake_at(at, lambda: self._tell([message]))

    def _tell(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            encoded = msgspec.json.encode(message)
            for session in self._sessions:
                if TRADE_UPDATES in session.streams:
                    session.connection.tell(encoded)


class _Session:
    """Says nothing before the client has said who it is."""

    def __init__(self, connection: Connection, keys: ApiKeys) -> None:
        self.connection = connection
        self.streams: list[str] = []
        self.is_authorized = False
        self._keys = keys

    async def run(self) -> None:
        """Until the client goes."""
        while (heard := await self.connection.heard()) is not None:
            try:
                request = msgspec.json.decode(heard)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                request = None
            if isinstance(request, dict):
                self._take(request)
            else:
                self._say_authorization("unauthorized", "")

    def _take(self, request: Mapping[str, Any]) -> None:
        data = request.get("data")
        match request.get("action"):
            case "authenticate" if isinstance(data, dict):
                self._authenticate("authenticate", data.get("key_id"), data.get("secret_key"))
            case "auth":
                self._authenticate("auth", request.get("key"), request.get("secret"))
            case "listen":
                self._listen(data)
            case action:
                self._say_authorization("unauthorized", str(action or ""))

    def _authenticate(self, action: str, key: object, secret: object) -> None:
        self.is_authorized = (
            isinstance(key, str) and isinstance(secret, str) and self._keys.fit(key, secret)
        )
        self._say_authorization("authorized" if self.is_authorized else "unauthorized", action)

    def _listen(self, data: object) -> None:
        if not self.is_authorized:
            self._say_authorization("unauthorized", "listen")
            return
        asked = data.get("streams") if isinstance(data, dict) else None
        wanted = asked if isinstance(asked, list) else []
        self.streams = [TRADE_UPDATES] if TRADE_UPDATES in wanted else []
        self._say("listening", {"streams": self.streams})

    def _say_authorization(self, status: str, action: str) -> None:
        self._say("authorization", {"status": status, "action": action})

    def _say(self, stream: str, data: Mapping[str, Any]) -> None:
        self.connection.tell(msgspec.json.encode({"stream": stream, "data": data}))


def _taken() -> Response:
    return json_answer({"code": 42910000, "message": "connection limit exceeded"}, 429)
