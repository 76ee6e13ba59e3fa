"""Bars, quotes and trades of the past, page by page."""

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.history import History
from hydra.venues.simulated.market.rows import (
    Adjustment,
    BadQuery,
    HistoryBar,
    Page,
    PageQuery,
)
from hydra.venues.simulated.market.timeframes import Timeframe
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.data.families import Family
from hydra.venues.simulated.server.rest.data.queries import (
    page_query,
    parameters_of,
    symbols_of,
)
from hydra.venues.simulated.server.rest.data.rows import Row, bar_row
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import Handler, terms_of, venue_of

_ADJUSTMENTS = {
    # No dividend is paid here, so what takes them out leaves all as it was.
    "raw": Adjustment.RAW,
    "dividend": Adjustment.RAW,
    "spin-off": Adjustment.RAW,
    "split": Adjustment.SPLIT,
    "all": Adjustment.SPLIT,
}


Found = TypeVar("Found", HistoryBar, QuoteChanged, TradePrinted)


class Asked(msgspec.Struct, frozen=True):
    """Into which history to look, for what, as of when, and what else was asked."""

    history: History
    query: PageQuery
    at: int
    given: Parameters


def bars(family: Family) -> Handler:
    """GET …/bars."""
    return _pages(family, "bars", _bars, bar_row)


def quotes(family: Family) -> Handler:
    """GET …/quotes."""
    return _pages(family, "quotes", _quotes, family.forms.quote)


def trades(family: Family) -> Handler:
    """GET …/trades."""
    return _pages(family, "trades", _trades, family.forms.trade)


def _pages(
    family: Family,
    container: str,
    look: Callable[[Asked], Page[Found]],
    form: Callable[[Found], Row],
) -> Handler:
    async def page_of(request: Request) -> Response:
        given = parameters_of(request)
        venue = venue_of(request)
        now = venue.now()
        symbols = family.known(venue.tape, symbols_of(given))
        query = page_query(given, family, symbols, now)
        at = now - family.delay_of(given, terms_of(request).plan, now - query.end)
        try:
            page = look(Asked(venue.tape.history, query, at, given))
        except BadQuery as error:
            raise given.refused(str(error)) from error
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        for found in page.rows:
            rows[found.symbol].append(form(found))
        return json_answer({container: rows, "next_page_token": page.next_token})

    return page_of


def _bars(asked: Asked) -> Page[HistoryBar]:
    timeframe = asked.given.text("timeframe")
    if timeframe is None:
        raise asked.given.refused("timeframe is required")
    adjustment = _ADJUSTMENTS.get(asked.given.text("adjustment") or "raw")
    if adjustment is None:
        raise asked.given.refused(f"invalid adjustment: wanted {', '.join(_ADJUSTMENTS)}")
    parsed = Timeframe.parse(timeframe)
    return asked.history.bars(asked.query, parsed, asked.at, adjustment)


def _quotes(asked: Asked) -> Page[QuoteChanged]:
    return asked.history.quotes(asked.query, asked.at)


def _trades(asked: Asked) -> Page[TradePrinted]:
    return asked.history.trades(asked.query, asked.at)
