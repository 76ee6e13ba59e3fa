"""Paths, their verbs, and how a handler finds the venue."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.settings import RestTerms

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def at_path(path: str, verbs: Mapping[str, Handler]) -> Route:
    """One path and all that it knows how to do; any other verb is answered with 405."""

    async def by_verb(request: Request) -> Response:
        # Starlette lets HEAD through wherever GET is; the server then leaves the body out.
        verb = "GET" if request.method == "HEAD" else request.method
        return await verbs[verb](request)

    return Route(path, by_verb, methods=list(verbs), name=path)


def venue_of(request: Request) -> LocalVenue:
    """The venue that the request is for."""
    return cast("LocalVenue", request.app.state.venue)


def terms_of(request: Request) -> RestTerms:
    """On what terms the venue answers."""
    return cast("RestTerms", request.app.state.terms)


def word_of(request: Request, name: str) -> str:
    """A word of the path, its encoded slashes (see `Gate`) as slashes."""
    word: str = request.path_params[name]
    return word.replace("%2F", "/").replace("%2f", "/")
