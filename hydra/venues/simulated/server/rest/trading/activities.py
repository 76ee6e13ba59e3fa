"""Account activities: the ledger of record for executions, and all else that moved money."""

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.local_time import NEW_YORK
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import Activity, FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.queries import ActivityQuery
from hydra.venues.simulated.server.rest.amount_text import amount_text
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.timestamps import rfc3339
from hydra.venues.simulated.server.rest.trading.queries import parameters_of

PAGE_SIZE_MAX = 100
CATEGORIES = ("trade_activity", "non_trade_activity")


async def list_all(request: Request) -> Response:
    """A page of all kinds, or of those that are asked for."""
    given = parameters_of(request)
    kinds = given.words("activity_types")
    return _page(request, activity_query(given, frozenset(kinds) if kinds else None))


async def list_of_kind(request: Request) -> Response:
    """A page of one kind."""
    kind = word_of(request, "kind")
    return _page(request, activity_query(parameters_of(request), frozenset({kind})))


def activity_query(given: Parameters, kinds: frozenset[str] | None) -> ActivityQuery:
    """The query of GET /v2/account/activities. Raises `Refused`."""
    category = given.text("category")
    if category is not None and category not in CATEGORIES:
        raise given.refused(f"invalid category: wanted {' or '.join(CATEGORIES)}")
    if category is not None and kinds is not None:
        raise given.refused("category and activity_types are not accepted together")
    size = given.whole("page_size")
    if size is not None and not 0 < size <= PAGE_SIZE_MAX:
        raise given.refused(f"invalid page_size: found {size}, wanted 1 to {PAGE_SIZE_MAX}")
    day = given.day("date")
    after, until = given.instant("after", NEW_YORK), given.instant("until", NEW_YORK)
    if day is not None and (after, until) != (None, None):
        raise given.refused("date is not accepted together with after or until")
    return ActivityQuery(
        types=None if kinds is None else frozenset(kind.upper() for kind in kinds),
        category=category,
        date=None if day is None else day.isoformat(),
        after=after,
        until=until,
        ascending=given.ascending("direction"),
        page_size=PAGE_SIZE_MAX if size is None else size,
        page_token=given.text("page_token"),
        order_id=given.text("order_id"),
    )


def activity_body(activity: Activity) -> dict[str, object]:
    """One activity, in the broker's words."""
    match activity:
        case FillActivity():
            return _fill_body(activity)
        case OtherActivity():
            return _other_body(activity)


def _fill_body(fill: FillActivity) -> dict[str, object]:
    is_short_sale = fill.is_short and fill.side is Side.SELL
    return {
        "id": fill.id,
        "activity_type": "FILL",
        "transaction_time": rfc3339(fill.at),
        "type": "partial_fill" if fill.is_partial else "fill",
        "price": amount_text(fill.price),
        "qty": amount_text(fill.quantity),
        "side": "sell_short" if is_short_sale else fill.side.value,
        "symbol": fill.symbol,
        "leaves_qty": amount_text(fill.leaves_quantity),
        "order_id": fill.order_id,
        "cum_qty": amount_text(fill.cumulative_quantity),
        "order_status": fill.order_status.value,
    }


def _other_body(other: OtherActivity) -> dict[str, object]:
    """What does not apply is left out rather than null."""
    body: dict[str, object] = {
        "id": other.id,
        "activity_type": other.kind,
        "date": other.date,
        "net_amount": amount_text(other.net_amount),
        "description": other.description,
    }
    if other.symbol is not None:
        body["symbol"] = other.symbol.replace("/", "")
    if other.quantity is not None:
        body["qty"] = amount_text(other.quantity)
    if other.price is not None:
        body["price"] = amount_text(other.price)
    body["status"] = other.status
    return body


def _page(request: Request, query: ActivityQuery) -> Response:
    activities = venue_of(request).at_present().activities(query)
    return json_answer([activity_body(activity) for activity in activities])
