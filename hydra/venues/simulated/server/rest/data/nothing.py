"""What the local venue has no data about, and says so in the shape that is asked for."""

from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.timestamps import rfc3339


async def news(_request: Request) -> Response:
    """GET /v1beta1/news."""
    return json_answer({"news": [], "next_page_token": None})


async def most_actives(request: Request) -> Response:
    """GET /v1beta1/screener/stocks/most-actives."""
    return json_answer({"most_actives": [], "last_updated": rfc3339(venue_of(request).now())})


async def movers(request: Request) -> Response:
    """GET /v1beta1/screener/{market}/movers."""
    return json_answer(
        {
            "gainers": [],
            "losers": [],
            "market_type": word_of(request, "market"),
            "last_updated": rfc3339(venue_of(request).now()),
        }
    )
