"""The venue's faces put together: REST, streams and, where there is a token, the admin path."""

from __future__ import annotations

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from hydra.venues.simulated.server.arrivals import Arrivals
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.faults.admin import PREFIX, Admin
from hydra.venues.simulated.server.faults.armed_faults import ArmedFaults
from hydra.venues.simulated.server.faults.faulty_requests import FaultyRequests
from hydra.venues.simulated.server.rest.app import rest_app
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import RestTerms
from hydra.venues.simulated.server.streams.data_stream import AUTHENTICATION_S, DataStreams
from hydra.venues.simulated.server.streams.market_feeds import MarketFeeds
from hydra.venues.simulated.server.streams.open_connections import OpenConnections
from hydra.venues.simulated.server.streams.open_transports import OpenTransports
from hydra.venues.simulated.server.streams.trading_stream import TradingStream


class AppTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come in, and how the faces behave. `admin_token` None: no faults can be made.

    `is_text`: the trading stream's frames are text, as of a live account, not binary, as on paper.
    """

    keys: ApiKeys
    rest: RestTerms = RestTerms()
    admin_token: str | None = None
    is_text: bool = False
    authentication_s: float = AUTHENTICATION_S


def venue_app(venue: LocalVenue, terms: AppTerms, transports: OpenTransports) -> ASGIApp:
    """All of the venue on one port. `transports` are the server's (`OpenTransports.protocol`)."""
    faults, connections = ArmedFaults(), OpenConnections()
    market = MarketFeeds(venue)
    data = DataStreams(
        market=market,
        connections=connections,
        transports=transports,
        keys=terms.keys,
        plan=terms.rest.plan,
        authentication_s=terms.authentication_s,
    )
    trading = TradingStream(
        venue,
        connections,
        transports,
        terms.keys,
        faults.updates,
        is_text=terms.is_text,
    )
    venue.pace = connections.keep_up
    venue.frames_out = connections.frames_out
    rest = rest_app(venue, terms.keys, terms.rest)
    rest.router.routes.extend([trading.route(), *data.routes()])
    clients = Arrivals(FaultyRequests(rest, faults.requests, transports), venue)
    if terms.admin_token is None:
        return clients
    admin = Admin(terms.admin_token, venue, faults, market, trading, connections).app()

    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        is_admin = scope["type"] == "http" and scope["path"].startswith(PREFIX + "/")
        await (admin if is_admin else clients)(scope, receive, send)

    return by_path
