"""The REST face of the local venue: its paths, and what stands before them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect

from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest import errors
from hydra.venues.simulated.server.rest.data import routes as data
from hydra.venues.simulated.server.rest.gate import Gate
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import RestTerms
from hydra.venues.simulated.server.rest.trading import routes as trading


def rest_app(venue: LocalVenue, keys: ApiKeys, terms: RestTerms | None = None) -> Starlette:
    """All REST paths of `venue`, for whoever has the keys.

    Paths of other kinds (streams) may be added to its routes: the gate looks at their Host header
    and lets them pass.
    """
    terms = RestTerms() if terms is None else terms
    app = Starlette(
        routes=[*trading.ROUTES, *data.ROUTES],
        middleware=[
            Middleware(Gate, keys=keys, terms=terms, now=venue.now),
            # Within the gate, so that also the answer to a crash has the gate's headers.
            Middleware(ServerErrorMiddleware, handler=errors.on_crash),
        ],
        exception_handlers={
            errors.Refused: errors.on_refused,
            errors.DataRefused: errors.on_data_refused,
            HTTPException: errors.on_http_error,
            ClientDisconnect: errors.on_client_gone,
        },
    )
    # A path with a slash too many is unknown, not somewhere else: clients do not follow redirects.
    app.router.redirect_slashes = False
    app.state.venue = venue
    app.state.terms = terms
    return app
