"""The newest of each symbol, however old that is."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.market.history import History
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.data.families import Family
from hydra.venues.simulated.server.rest.data.queries import (
    parameters_of,
    refuse_other_currencies,
    symbols_of,
)
from hydra.venues.simulated.server.rest.data.rows import (
    Row,
    bar_row,
    order_book_row,
    snapshot_row,
)
from hydra.venues.simulated.server.rest.routing import Handler, terms_of, venue_of

Found = TypeVar("Found")


def bars(family: Family) -> Handler:
    """GET …/bars/latest."""
    return _latest(family, "bars", History.latest_bar, bar_row)


def quotes(family: Family) -> Handler:
    """GET …/quotes/latest."""
    return _latest(family, "quotes", History.latest_quote, family.forms.quote)


def trades(family: Family) -> Handler:
    """GET …/trades/latest."""
    return _latest(family, "trades", History.latest_trade, family.forms.trade)


def order_books(family: Family) -> Handler:
    """GET …/latest/orderbooks."""
    return _latest(family, "orderbooks", History.order_book, order_book_row)


def snapshots(family: Family, container: str | None) -> Handler:
    """GET …/snapshots; those of stocks stand in no container."""
    return _latest(
        family, container, History.snapshot, lambda found: snapshot_row(found, family.forms)
    )


def _latest(
    family: Family,
    container: str | None,
    look: Callable[[History, str, int], Found | None],
    form: Callable[[Found], Row],
) -> Handler:
    async def latest_of(request: Request) -> Response:
        given = parameters_of(request)
        refuse_other_currencies(given)
        venue = venue_of(request)
        symbols = family.known(venue.tape, symbols_of(given))
        at = venue.now() - family.delay_of(given, terms_of(request).plan, None)
        rows: dict[str, Row] = {}
        for symbol in symbols:
            found = look(venue.tape.history, symbol, at)
            if found is not None:
                rows[symbol] = form(found)
        return json_answer(rows if container is None else {container: rows})

    return latest_of
