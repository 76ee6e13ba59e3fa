"""Orders: placed, listed, read, replaced, canceled."""

from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.answers import Answer, Closed
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.queries import OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed, not_found
from hydra.venues.simulated.brokerage.requests import CancelAllOrders, CancelOrder
from hydra.venues.simulated.brokerage.words import AssetClass
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.answers import empty_answer, json_answer
from hydra.venues.simulated.server.rest.bodies import fields_of
from hydra.venues.simulated.server.rest.errors import Refused, refusal_body
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.trading.order_answers import (
    Body,
    nested_order_body,
    order_body,
    taken_order_body,
)
from hydra.venues.simulated.server.rest.trading.order_bodies import place_order, replace_order
from hydra.venues.simulated.server.rest.trading.queries import parameters_of

UTC = ZoneInfo("UTC")
LIMIT_DEFAULT = 50
LIMIT_MAX = 500


async def place(request: Request) -> Response:
    """200 with the order as it was taken, or why not. 200 is not an execution."""
    wanted = place_order(await fields_of(request))
    venue = venue_of(request)
    return json_answer(order_of_answer(venue, venue.receive(wanted).answer))


async def replace(request: Request) -> Response:
    """200 with the new order; the old one may still turn out to have filled."""
    wanted = replace_order(_order_id(request), await fields_of(request))
    venue = venue_of(request)
    return json_answer(order_of_answer(venue, venue.receive(wanted).answer))


async def cancel(request: Request) -> Response:
    """204: taken, which is not yet canceled."""
    answer = venue_of(request).receive(CancelOrder(_order_id(request))).answer
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return empty_answer(204)


async def cancel_all(request: Request) -> Response:
    """207 with a row for each order that was open."""
    answer = venue_of(request).receive(CancelAllOrders()).answer
    rows = rows_of_answer(answer)
    return json_answer(
        [{"id": row.name, "status": row.status, "body": row_body(row.body)} for row in rows], 207
    )


async def get(request: Request) -> Response:
    """One order, nested if so asked."""
    order_id = _order_id(request)
    order = venue_of(request).at_present().order(order_id)
    return _found(request, order, order_id)


async def get_by_client_order_id(request: Request) -> Response:
    """One order by the name that its owner gave it."""
    name = request.query_params.get("client_order_id", "")
    if not name:
        raise Refused(malformed("client_order_id is missing"))
    order = venue_of(request).at_present().order_by_client_id(name)
    return _found(request, order, name)


async def list_all(request: Request) -> Response:
    """Those that are asked for; without nesting, legs are rows of their own."""
    query = order_query(parameters_of(request))
    brokerage = venue_of(request).at_present()
    orders = brokerage.orders(query)
    if query.nested:
        return json_answer([nested_order_body(order, brokerage.order) for order in orders])
    return json_answer([order_body(order) for order in orders])


def order_query(given: Parameters) -> OrderQuery:
    """The query of GET /v2/orders. Raises `Refused`."""
    limit = given.whole("limit")
    if limit is not None and not 0 < limit <= LIMIT_MAX:
        raise given.refused(f"invalid limit: found {limit}, wanted 1 to {LIMIT_MAX}")
    before, after = given.text("before_order_id"), given.text("after_order_id")
    since, until = given.instant("after", UTC), given.instant("until", UTC)
    if before is not None and after is not None:
        raise given.refused("only one of before_order_id and after_order_id is accepted")
    if (before or after) is not None and (since, until) != (None, None):
        raise given.refused("before_order_id and after_order_id do not go with after and until")
    symbols = given.words("symbols")
    return OrderQuery(
        which=given.choice("status", WhichOrders) or WhichOrders.OPEN,
        limit=LIMIT_DEFAULT if limit is None else limit,
        after=since,
        until=until,
        before_order_id=before,
        after_order_id=after,
        ascending=given.ascending("direction"),
        nested=given.flag("nested"),
        symbols=frozenset(symbols) if symbols else None,
        side=given.choice("side", Side),
        asset_class=given.choice("asset_class", AssetClass),
    )


def order_of_answer(venue: LocalVenue, answer: Answer) -> Body:
    """The order that a request made, with its legs. Raises `Refused`: it made none."""
    if isinstance(answer, Refusal):
        raise Refused(answer)
    assert isinstance(answer, BrokerOrder)
    return taken_order_body(answer, venue.at_present().order)


def rows_of_answer(answer: Answer) -> tuple[Closed, ...]:
    """The rows of a bulk request. Raises `Refused`: it was refused as a whole."""
    if isinstance(answer, Refusal):
        raise Refused(answer)
    assert isinstance(answer, tuple)
    return answer


def row_body(body: BrokerOrder | Refusal) -> Body:
    """What stands in a row of a bulk answer."""
    return refusal_body(body) if isinstance(body, Refusal) else order_body(body)


def _found(request: Request, order: BrokerOrder | None, name: str) -> Response:
    if order is None:
        raise Refused(not_found(f"order not found for {name}"))
    if parameters_of(request).flag("nested"):
        return json_answer(nested_order_body(order, venue_of(request).at_present().order))
    return json_answer(order_body(order))


def _order_id(request: Request) -> str:
    try:
        return str(UUID(word_of(request, "order_id")))
    except ValueError as error:
        raise Refused(malformed("order_id is missing")) from error
