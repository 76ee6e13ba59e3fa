"""Positions: listed, read, closed; and what the holder of an option may do with it."""

from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.brokerage.positions import Position
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed, not_found
from hydra.venues.simulated.brokerage.requests import (
    CloseAllPositions,
    ClosePosition,
    DoNotExercise,
    ExerciseOption,
)
from hydra.venues.simulated.server.rest.amount_text import (
    amount_text,
    amount_text_or_none,
    ratio_text,
)
from hydra.venues.simulated.server.rest.answers import empty_answer, json_answer
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.trading.orders import (
    order_of_answer,
    row_body,
    rows_of_answer,
)
from hydra.venues.simulated.server.rest.trading.queries import parameters_of


async def list_all(request: Request) -> Response:
    """All that is held."""
    return json_answer([position_body(held) for held in venue_of(request).at_present().positions()])


async def get(request: Request) -> Response:
    """What is held of one asset."""
    held = venue_of(request).at_present().position(word_of(request, "asset"))
    if held is None:
        raise Refused(not_found("position does not exist"))
    return json_answer(position_body(held))


async def close(request: Request) -> Response:
    """200 with the market order that closes it, in whole or in part."""
    given = parameters_of(request)
    wanted = ClosePosition(
        asset=word_of(request, "asset"),
        quantity=given.amount("qty"),
        percentage=given.amount("percentage"),
    )
    if wanted.quantity is not None and wanted.percentage is not None:
        raise Refused(malformed("only one of qty or percentage is accepted"))
    venue = venue_of(request)
    return json_answer(order_of_answer(venue, venue.receive(wanted).answer))


async def close_all(request: Request) -> Response:
    """207 with a row for each position; its order, or why there is none."""
    wanted = CloseAllPositions(cancel_orders=parameters_of(request).flag("cancel_orders"))
    rows = rows_of_answer(venue_of(request).receive(wanted).answer)
    return json_answer(
        [
            {
                "symbol": _without_slash(row.name),
                "status": row.status,
                "body": row_body(row.body),
            }
            for row in rows
        ],
        207,
    )


async def exercise(request: Request) -> Response:
    """200 and nothing: what it does is seen in positions and activities, later."""
    return _instructed(request, ExerciseOption(word_of(request, "asset")))


async def do_not_exercise(request: Request) -> Response:
    """200 and nothing."""
    return _instructed(request, DoNotExercise(word_of(request, "asset")))


def position_body(held: Position) -> dict[str, object]:
    """All fields of a position. The broker writes a pair here without its slash."""
    is_long = held.quantity > 0
    return {
        "asset_id": held.asset_id,
        "symbol": _without_slash(held.symbol),
        "exchange": held.exchange,
        "asset_class": held.asset_class.value,
        "asset_marginable": held.marginable,
        "qty": amount_text(held.quantity),
        "qty_available": amount_text(held.quantity_available),
        "avg_entry_price": amount_text(held.average_entry_price),
        "side": "long" if is_long else "short",
        "market_value": amount_text_or_none(held.market_value),
        "cost_basis": amount_text(held.cost_basis),
        "unrealized_pl": amount_text_or_none(held.unrealized_pl),
        "unrealized_plpc": ratio_text(held.unrealized_pl, abs(held.cost_basis)),
        "unrealized_intraday_pl": amount_text_or_none(held.unrealized_intraday_pl),
        "unrealized_intraday_plpc": ratio_text(
            held.unrealized_intraday_pl, abs(held.intraday_cost_basis)
        ),
        "current_price": amount_text_or_none(held.current_price),
        "lastday_price": amount_text_or_none(held.lastday_price),
        "change_today": _change(held.current_price, held.lastday_price),
    }


def _change(now: Decimal | None, before: Decimal | None) -> str | None:
    return None if now is None or before is None else ratio_text(now - before, before)


def _without_slash(symbol: str) -> str:
    return symbol.replace("/", "")


def _instructed(request: Request, wanted: ExerciseOption | DoNotExercise) -> Response:
    answer = venue_of(request).receive(wanted).answer
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return empty_answer(200)
