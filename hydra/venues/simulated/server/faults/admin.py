"""The admin path: the clock, and everything that the venue can be made to do wrong.

JSON in, JSON out; what is refused says why in one line. It exists only where the venue was started
with a token, which every request must bear.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from secrets import compare_digest
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.server.clock import BadClockOrder
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.faults.armed_faults import ArmedFaults
from hydra.venues.simulated.server.faults.armed_rules import Armed
from hydra.venues.simulated.server.faults.clock_orders import ClockOrder, do_clock_order
from hydra.venues.simulated.server.faults.request_faults import RequestRule
from hydra.venues.simulated.server.faults.stream_orders import (
    WORDS,
    Announcement,
    BadAnnouncement,
    Kick,
    Mute,
    Reset,
    StreamOrder,
    Unmute,
    told_at,
)
from hydra.venues.simulated.server.faults.update_faults import UpdateRule
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.gate import VENUE_HEADER
from hydra.venues.simulated.server.rest.settings import MIB
from hydra.venues.simulated.server.rest.timestamps import rfc3339
from hydra.venues.simulated.server.streams.market_feeds import MarketFeeds
from hydra.venues.simulated.server.streams.open_connections import OpenConnections
from hydra.venues.simulated.server.streams.subscriptions import StreamError
from hydra.venues.simulated.server.streams.trading_stream import TradingStream

PREFIX = "/hydra-admin"
TOKEN_HEADER = "X-Hydra-Admin-Token"
LOOPBACK = ["127.0.0.1", "localhost"]

T = TypeVar("T")


class AdminRefused(Exception):
    """It is not done. The message is one line: what was found, what is wanted."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


class Admin:
    """The paths under `PREFIX`, for whoever has the token."""

    def __init__(
        self,
        token: str,
        venue: LocalVenue,
        faults: ArmedFaults,
        market: MarketFeeds,
        trading: TradingStream,
        connections: OpenConnections,
    ) -> None:
        self._token = token
        self._venue = venue
        self._faults = faults
        self._market = market
        self._trading = trading
        self._connections = connections

    def app(self) -> Starlette:
        """Its application."""
        paths: Mapping[str, Mapping[str, Callable[[Request], Awaitable[object]]]] = {
            "/clock": {"GET": self._clock, "POST": self._set_clock},
            "/rules": {"GET": self._rules, "DELETE": self._disarm_all},
            "/rules/requests": {"POST": self._arm_request_rule},
            "/rules/updates": {"POST": self._arm_update_rule},
            "/rules/{number:int}": {"DELETE": self._disarm},
            "/acts": {"POST": self._act},
            "/streams": {"POST": self._order_streams},
            "/messages": {"POST": self._announce},
        }
        return Starlette(
            routes=[self._route(PREFIX + path, verbs) for path, verbs in paths.items()],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False),
                Middleware(RequestBodyLimitMiddleware, max_body_size=MIB),
            ],
        )

    def _route(
        self, path: str, verbs: Mapping[str, Callable[[Request], Awaitable[object]]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                self._require_token(request)
                verb = "GET" if request.method == "HEAD" else request.method
                answer = json_answer(await verbs[verb](request))
            except AdminRefused as refused:
                answer = json_answer({"error": str(refused)}, refused.status)
            answer.raw_headers.append(VENUE_HEADER)
            return answer

        return Route(path, endpoint, methods=list(verbs))

    def _require_token(self, request: Request) -> None:
        given = request.headers.get(TOKEN_HEADER, "")
        if not compare_digest(given.encode(), self._token.encode()):
            raise AdminRefused(f"{TOKEN_HEADER} is missing or wrong; it is the one at start", 403)

    async def _clock(self, _request: Request) -> object:
        venue = self._venue
        venue.at_present()
        return {
            "now": venue.now(),
            "time": rfc3339(venue.now()),
            "shown": rfc3339(venue.shown_time()),
            "speed": venue.speed,
            "events": venue.events_seen,
        }

    async def _set_clock(self, request: Request) -> object:
        try:
            await do_clock_order(await _read(request, ClockOrder), self._venue)
        except BadClockOrder as refused:
            raise AdminRefused(str(refused)) from refused
        return await self._clock(request)

    async def _rules(self, _request: Request) -> object:
        return [_described(armed) for armed in self._faults.all()]

    async def _arm_request_rule(self, request: Request) -> object:
        return {"rule": self._faults.requests.arm(await _read(request, RequestRule))}

    async def _arm_update_rule(self, request: Request) -> object:
        return {"rule": self._faults.updates.arm(await _read(request, UpdateRule))}

    async def _disarm(self, request: Request) -> object:
        number: int = request.path_params["number"]
        if not self._disarmed(number):
            raise AdminRefused(f"there is no rule {number}", 404)
        return {"rule": number}

    async def _disarm_all(self, _request: Request) -> object:
        numbers = [armed.number for armed in self._faults.all()]
        for number in numbers:
            self._disarmed(number)
        return {"rules": numbers}

    def _disarmed(self, number: int) -> bool:
        found = self._faults.disarm(number)
        if found:
            self._trading.release(number)
        return found

    async def _act(self, request: Request) -> object:
        act = await _read(request, Act)
        try:
            updates = self._venue.act(act)
        except ValueError as refused:
            raise AdminRefused(str(refused)) from refused
        return {"updates": [update.event.value for update in updates]}

    async def _order_streams(self, request: Request) -> object:
        order: StreamOrder = await _read(request, StreamOrder)
        meant = self._connections.on(order.path)
        match order:
            case Mute():
                for connection in meant:
                    connection.mute(answers_pings=order.answers_pings)
            case Unmute():
                for connection in meant:
                    connection.unmute()
            case Reset():
                for connection in meant:
                    connection.reset()
            case Kick():
                if order.code not in WORDS:
                    wanted = ", ".join(map(str, WORDS))
                    raise AdminRefused(f"code is {order.code}, wanted one of {wanted}")
                self._market.kick(order.path, StreamError(order.code, WORDS[order.code]))
                for connection in meant:
                    connection.end()
        return {"streams": [connection.path for connection in meant]}

    async def _announce(self, request: Request) -> object:
        announcement = await _read(request, Announcement)
        try:
            message = told_at(announcement, self._venue.now())
        except BadAnnouncement as refused:
            raise AdminRefused(str(refused)) from refused
        told = self._market.publish(announcement.kind, message, announcement.path)
        return {"told": told}


def _described(armed: Armed[Any]) -> dict[str, object]:
    return {
        "rule": armed.number,
        "strikes_left": armed.strikes_left,
        "given": msgspec.to_builtins(armed.rule),
    }


async def _read(request: Request, kind: Any) -> Any:
    """The body as such a thing, or one line that says where it is not."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise AdminRefused(f"{request.url.path}: {error}") from error
