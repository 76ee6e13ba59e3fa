"""Option contracts, as the trading plane lists them."""

from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.local_time import NEW_YORK
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.refusals import not_found
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest import page_tokens
from hydra.venues.simulated.server.rest.amount_text import amount_text, amount_text_or_none
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.timestamps import date_at
from hydra.venues.simulated.server.rest.trading.assets import AssetStatus
from hydra.venues.simulated.server.rest.trading.queries import parameters_of

LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000
_SUNDAY = 6
_DIGITS = 10
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


async def list_all(request: Request) -> Response:
    """A page. Without a bound, only what expires by the coming weekend: most of a chain is not."""
    given = parameters_of(request)
    limit = given.whole("limit")
    if limit is not None and not 0 < limit <= LIMIT_MAX:
        raise given.refused(f"invalid limit: found {limit}, wanted 1 to {LIMIT_MAX}")
    skipped = _rows_before(given)
    venue = venue_of(request)
    now = venue.now()
    found: tuple[OptionContract, ...] = ()
    if (given.choice("status", AssetStatus) or AssetStatus.ACTIVE) is AssetStatus.ACTIVE:
        found = venue.tape.contracts(contract_query(given, date_at(now, NEW_YORK)), now)
    end = skipped + (LIMIT_DEFAULT if limit is None else limit)
    with_deliverables = given.flag("show_deliverables")
    rows = [contract_body(venue, each, with_deliverables) for each in found[skipped:end]]
    token = page_tokens.written(str(end)) if end < len(found) else None
    return json_answer({"option_contracts": rows, "next_page_token": token})


async def get(request: Request) -> Response:
    """One contract, by its symbol or id."""
    name = word_of(request, "name")
    venue = venue_of(request)
    contract = venue.tape.contract(name, venue.now())
    if contract is None:
        raise Refused(not_found(f"option contract {name} not found"))
    return json_answer(contract_body(venue, contract))


def contract_query(given: Parameters, today: date) -> ContractQuery:
    """The query of GET /v2/options/contracts. Raises `Refused`."""
    underlyings = given.words("underlying_symbols")
    expiration, until = given.day("expiration_date"), given.day("expiration_date_lte")
    if expiration is None and until is None:
        until = today + timedelta(days=_SUNDAY - today.weekday())
    return ContractQuery(
        underlyings=frozenset(underlyings) if underlyings else None,
        root=given.text("root_symbol"),
        right=given.choice("type", Right),
        style=given.text("style"),
        expiration=expiration,
        expiration_from=given.day("expiration_date_gte"),
        expiration_to=until,
        strike_from=given.amount("strike_price_gte"),
        strike_to=given.amount("strike_price_lte"),
        in_penny_program=given.flag("ppind") if given.text("ppind") else None,
    )


def contract_body(
    venue: LocalVenue, contract: OptionContract, with_deliverables: bool = False
) -> dict[str, object]:
    """All fields of a contract; numbers are strings here."""
    underlying = venue.tape.asset(contract.underlying)
    underlying_id = None if underlying is None else underlying.id
    is_over = contract.expiration < date_at(venue.now(), NEW_YORK)
    multiplier = str(contract.multiplier)
    open_interest = contract.open_interest
    body: dict[str, object] = {
        "id": contract.id,
        "symbol": contract.symbol,
        "name": _name(contract),
        "status": (AssetStatus.INACTIVE if is_over else AssetStatus.ACTIVE).value,
        "tradable": contract.tradable and not is_over,
        "expiration_date": contract.expiration.isoformat(),
        "root_symbol": _root(contract.symbol),
        "underlying_symbol": contract.underlying,
        "underlying_asset_id": underlying_id,
        "type": contract.right.value,
        "style": contract.style,
        "strike_price": amount_text(contract.strike),
        "multiplier": multiplier,
        "size": multiplier,
        "open_interest": None if open_interest is None else str(open_interest),
        "open_interest_date": _iso_or_none(contract.open_interest_date),
        "close_price": amount_text_or_none(contract.close_price),
        "close_price_date": _iso_or_none(contract.close_price_date),
        "ppind": contract.in_penny_program,
    }
    if with_deliverables:
        body["deliverables"] = [_shares_delivered(contract, underlying_id)]
    return body


def _shares_delivered(contract: OptionContract, underlying_id: str | None) -> dict[str, object]:
    return {
        "type": "equity",
        "symbol": contract.underlying,
        "asset_id": underlying_id,
        "amount": str(contract.multiplier),
        "allocation_percentage": "100",
        "settlement_type": "T+1",
        "settlement_method": "CCC",
        "delayed_settlement": False,
    }


def _name(contract: OptionContract) -> str:
    day = contract.expiration
    expires = f"{_MONTHS[day.month - 1]} {day.day:02d} {day.year}"
    strike, right = amount_text(contract.strike), contract.right.value.capitalize()
    return f"{contract.underlying} {expires} {strike} {right}"


def _root(symbol: str) -> str:
    """An OCC symbol is the root, six digits of date, a letter, and eight digits of strike."""
    return symbol[:-15]


def _iso_or_none(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _rows_before(given: Parameters) -> int:
    token = given.text("page_token")
    if token is None:
        return 0
    rows = page_tokens.read(token)
    if rows is None or not (rows.isascii() and rows.isdigit() and len(rows) < _DIGITS):
        raise given.refused("invalid page_token")
    return int(rows)
