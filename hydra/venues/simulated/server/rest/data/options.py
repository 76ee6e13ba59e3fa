"""Snapshots of option contracts: by name, and chain by chain."""

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.local_time import NEW_YORK
from hydra.venues.simulated.brokerage.contracts import Right
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.rows import BadQuery, OptionSnapshot
from hydra.venues.simulated.server.rest import page_tokens
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.data.families import OPTIONS
from hydra.venues.simulated.server.rest.data.queries import limit_of, parameters_of, symbols_of
from hydra.venues.simulated.server.rest.data.rows import option_snapshot_row
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import terms_of, venue_of, word_of

SYMBOLS_MAX = 100
LIMIT_DEFAULT = 100
LIMIT_MAX = 1000
EXCHANGES = {"C": "Cboe Options Exchange", "?": "none"}


async def snapshots(request: Request) -> Response:
    """GET /v1beta1/options/snapshots: of the contracts that are named."""
    given = parameters_of(request)
    symbols = symbols_of(given)
    if len(symbols) > SYMBOLS_MAX:
        raise given.refused(f"too many symbols: found {len(symbols)}, allowed {SYMBOLS_MAX}")
    limit = limit_of(given, LIMIT_DEFAULT, LIMIT_MAX)
    venue = venue_of(request)
    at = venue.now() - OPTIONS.delay_of(given, terms_of(request).plan, None)
    token = given.text("page_token")
    last = "" if token is None else page_tokens.read(token)
    if last is None:
        raise given.refused("invalid page_token")
    wanted = [each for each in sorted(OPTIONS.known(venue.tape, symbols)) if each > last]
    found = [venue.tape.history.option_snapshot(symbol, at) for symbol in wanted[:limit]]
    next_token = page_tokens.written(wanted[limit - 1]) if len(wanted) > limit else None
    return _answer(given, [each for each in found if each is not None], next_token)


async def chain(request: Request) -> Response:
    """GET /v1beta1/options/snapshots/{underlying}: of all its contracts that are asked for."""
    given = parameters_of(request)
    limit = limit_of(given, LIMIT_DEFAULT, LIMIT_MAX)
    venue = venue_of(request)
    at = venue.now() - OPTIONS.delay_of(given, terms_of(request).plan, None)
    underlying, token = word_of(request, "underlying"), given.text("page_token")
    try:
        page = venue.tape.history.chain(underlying, _chain_query(given), at, limit, token)
    except BadQuery as error:
        raise given.refused(str(error)) from error
    return _answer(given, page.rows, page.next_token)


async def exchanges(_request: Request) -> Response:
    """GET /v1beta1/options/meta/exchanges: what the letters in quotes and trades mean."""
    return json_answer(EXCHANGES)


def _chain_query(given: Parameters) -> ContractQuery:
    return ContractQuery(
        root=given.text("root_symbol"),
        right=given.choice("type", Right),
        expiration=given.day("expiration_date"),
        expiration_from=given.day("expiration_date_gte"),
        expiration_to=given.day("expiration_date_lte"),
        strike_from=given.amount("strike_price_gte"),
        strike_to=given.amount("strike_price_lte"),
    )


def _answer(
    given: Parameters, found: "tuple[OptionSnapshot, ...] | list[OptionSnapshot]", token: str | None
) -> Response:
    since = given.instant("updated_since", NEW_YORK)
    rows = {
        snapshot.symbol: option_snapshot_row(snapshot)
        for snapshot in found
        if since is None or _newest(snapshot) >= since
    }
    return json_answer({"snapshots": rows, "next_page_token": token})


def _newest(snapshot: OptionSnapshot) -> int:
    return max(
        (part.at for part in (snapshot.quote, snapshot.trade) if part is not None), default=0
    )
