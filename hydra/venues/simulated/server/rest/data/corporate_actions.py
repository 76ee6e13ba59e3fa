"""The splits that the market has dates for, as the broker tells of them before they happen.

There are no other actions here; a split that a test makes happen is told by activities alone.
"""

from collections import defaultdict
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from hydra.trading.local_time import NEW_YORK
from hydra.venues.simulated.brokerage.ids import uuid_of
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.server.rest import page_tokens
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.data.queries import limit_of, parameters_of
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.routing import venue_of
from hydra.venues.simulated.server.rest.timestamps import date_at

LIMIT_DEFAULT = 100
LIMIT_MAX = 1000
CONTAINERS = {"forward_split": "forward_splits", "reverse_split": "reverse_splits"}


async def corporate_actions(request: Request) -> Response:
    """GET /v1/corporate-actions: by default those of today."""
    given, venue = parameters_of(request), venue_of(request)
    today = date_at(venue.now(), NEW_YORK)
    start, end = given.day("start") or today, given.day("end") or today
    if end < start:
        raise given.refused("end should not be before start")
    symbols, kinds = given.words("symbols"), given.words("types")
    limit, begins = limit_of(given, LIMIT_DEFAULT, LIMIT_MAX), _offset(given)
    wanted = [
        split
        for split in sorted(venue.splits, key=lambda each: (each.ex_date, each.symbol))
        if _is_wanted(split, symbols, kinds, start, end)
    ]
    rows: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for split in wanted[begins : begins + limit]:
        rows[CONTAINERS[_kind(split)]].append(_row(split))
    is_more = len(wanted) > begins + limit
    token = page_tokens.written(str(begins + limit)) if is_more else None
    return json_answer({"corporate_actions": rows, "next_page_token": token})


def _offset(given: Parameters) -> int:
    token = given.text("page_token")
    said = "0" if token is None else page_tokens.read(token)
    if said is None or not (said.isascii() and said.isdigit()):
        raise given.refused("invalid page_token")
    return int(said)


def _is_wanted(
    split: Split, symbols: tuple[str, ...], kinds: tuple[str, ...], start: date, end: date
) -> bool:
    is_named = not symbols or split.symbol in symbols
    return is_named and (not kinds or _kind(split) in kinds) and start <= split.ex_date <= end


def _kind(split: Split) -> str:
    return "forward_split" if split.new >= split.old else "reverse_split"


def _row(split: Split) -> dict[str, object]:
    """Nobody has a CUSIP here: they are made up, and say so."""
    cusip = f"MADEUP{split.symbol[:3]}"
    names: dict[str, object] = {"cusip": cusip}
    if _kind(split) == "reverse_split":
        names = {"old_cusip": cusip, "new_cusip": f"{cusip}2"}
    day = split.ex_date.isoformat()
    return {
        "id": uuid_of(0, "split", split.symbol, day, split.new, split.old),
        "symbol": split.symbol,
        **names,
        "new_rate": split.new,
        "old_rate": split.old,
        "process_date": day,
        "ex_date": day,
        "record_date": day,
        "payable_date": day,
    }
