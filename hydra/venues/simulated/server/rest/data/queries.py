"""The query of a request for market data."""

from starlette.requests import Request

from hydra.venues.simulated.market.rows import PageQuery
from hydra.venues.simulated.server.rest.data.families import Family
from hydra.venues.simulated.server.rest.errors import DataRefused
from hydra.venues.simulated.server.rest.parameters import Direction, Parameters
from hydra.venues.simulated.server.rest.timestamps import date_at, midnight

LIMIT_DEFAULT = 1000
LIMIT_MAX = 10_000


def parameters_of(request: Request) -> Parameters:
    """What is asked for; what cannot be read is a bad request."""
    return Parameters(request.query_params, lambda message: DataRefused(400, message))


def symbols_of(given: Parameters) -> tuple[str, ...]:
    """The symbols that are asked for: there is no answer for all of them."""
    symbols = given.words("symbols")
    if not symbols:
        raise given.refused("symbols is required")
    return symbols


def refuse_other_currencies(given: Parameters) -> None:
    """Prices are in dollars, and nobody shall take them for something else."""
    currency = given.text("currency")
    if currency not in {None, "USD"}:
        raise given.refused("invalid currency: prices are in USD alone")


def limit_of(given: Parameters, default: int, maximum: int) -> int:
    """How many rows a page may have."""
    limit = given.whole("limit")
    if limit is None:
        return default
    if limit > maximum:
        raise given.refused(f"invalid limit: larger than the allowed maximum of {maximum}")
    if limit < 1:
        raise given.refused("invalid limit: smaller than the allowed minimum of 1")
    return limit


def page_query(given: Parameters, family: Family, symbols: tuple[str, ...], now: int) -> PageQuery:
    """A page of history: by default of today, up to now."""
    refuse_other_currencies(given)
    start, end = given.instant("start", family.zone), given.instant("end", family.zone)
    end = now if end is None else end
    start = midnight(date_at(now, family.zone), family.zone) if start is None else start
    if end < start:
        raise given.refused("end should not be before start")
    return PageQuery(
        symbols=symbols,
        start=start,
        end=end,
        limit=limit_of(given, LIMIT_DEFAULT, LIMIT_MAX),
        token=given.text("page_token"),
        descending=given.choice("sort", Direction) is Direction.DESCENDING,
    )
